package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// A lab with a name belongs to a keeper, see Up. The names of its namespaces
// do not say who that is; a file in its directory does. The directory is the
// claim to the name.
const ownerFile = "owner"

// ErrExists says that a lab of the same name is up.
var ErrExists = errors.New("a lab of this name is up already")

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// CheckName returns an error if no lab can be called that.
func CheckName(name string) error {
	if !validName.MatchString(name) || strings.HasPrefix(name, namePrefix) {
		return fmt.Errorf("%q is no name for a lab: it takes a lower-case letter, then up to 31 letters, digits and hyphens", name)
	}
	return nil
}

// namedPrefix begins the names of the namespaces. No name that owner.newName
// makes has a letter there.
func namedPrefix(name string) string { return namePrefix + name }

// claim makes the directory of a lab with a name, which nobody else then can.
func claim(o owner, name string) (dir string, err error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	// It gets its name when it says whose it is.
	begun := filepath.Join(stateDir, o.newName())
	if err := os.MkdirAll(begun, 0o755); err != nil {
		return "", err
	}
	dir = filepath.Join(stateDir, name)
	err = os.WriteFile(filepath.Join(begun, ownerFile), fmt.Appendf(nil, "%d %d\n", o.pid, o.start), 0o644)
	if err == nil {
		err = lockNames(func() error { return os.Rename(begun, dir) })
	}
	if err == nil {
		return dir, nil
	}
	if errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST) {
		err = ErrExists
	}
	return "", errors.Join(err, os.RemoveAll(begun))
}

// readOwner returns the owner of a lab with a name. It reports false if there
// is none, or if its directory is half removed.
func readOwner(name string) (owner, bool) {
	b, err := os.ReadFile(filepath.Join(stateDir, name, ownerFile))
	if err != nil {
		return owner{}, false
	}
	var o owner
	_, err = fmt.Sscanf(string(b), "%d %d\n", &o.pid, &o.start)
	return o, err == nil
}

// lockNames runs fn while nobody else claims a name or gives one up. It uses
// the lock of ip-netns(8), so fn must not make a namespace.
func lockNames(fn func() error) error {
	if err := os.MkdirAll(netnsDir, 0o755); err != nil {
		return err
	}
	d, err := os.Open(netnsDir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", netnsDir, err)
	}
	return fn()
}

// sweepNamed removes the labs with a name whose keeper is dead.
func sweepNamed() error {
	entries, err := os.ReadDir(stateDir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		name := e.Name()
		if CheckName(name) != nil || isHeld(name) {
			continue
		}
		errs = append(errs, lockNames(func() error {
			if isHeld(name) { // somebody was faster
				return nil
			}
			return removeNamed(name)
		}))
	}
	return errors.Join(errs...)
}

func isHeld(name string) bool {
	o, ok := readOwner(name)
	return ok && o.alive()
}

// removeNamed removes what a dead keeper left: the claim comes last.
func removeNamed(name string) error {
	var errs []error
	for _, role := range []string{"client", "server", "relay"} {
		errs = append(errs, removeName(filepath.Join(netnsDir, namedPrefix(name)+"-"+role)))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	err := os.RemoveAll(filepath.Join(stateDir, name))
	_ = os.Remove(stateDir) // if it is the last one
	return err
}
