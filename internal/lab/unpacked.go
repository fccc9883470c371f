package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoProgram says that a program is not on this machine.
var ErrNoProgram = errors.New("no such program on this machine")

// UnpackDir is the directory, relative to the root of the module, below which
// Debian's packages are unpacked, each in a directory of its program's name.
// The program internal/lab/fetch does it.
const UnpackDir = "build"

// Program is where a program of another project is.
type Program struct {
	Path string

	// LibraryPath is what LD_LIBRARY_PATH has to be for it to run: the
	// directories of shared libraries that were unpacked with it. Empty means
	// that the system's own are enough.
	LibraryPath string

	root string // of what was unpacked with it; "/" if it is the system's
}

// FindProgram returns where a program is: below UnpackDir of a module that the
// working directory is in, in PATH, or among the system's servers. The error
// wraps ErrNoProgram if there is none.
func FindProgram(name string) (Program, error) {
	for _, root := range moduleRoots() {
		dir := filepath.Join(root, UnpackDir, name)
		for _, sub := range []string{"usr/bin", "usr/sbin"} {
			if path := filepath.Join(dir, sub, name); isFile(path) {
				return Program{Path: path, LibraryPath: libraryPath(dir), root: dir}, nil
			}
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return Program{Path: path, root: "/"}, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} { // often not in PATH
		if path := filepath.Join(dir, name); isFile(path) {
			return Program{Path: path, root: "/"}, nil
		}
	}
	return Program{}, fmt.Errorf("%s: %w: go run ./internal/lab/fetch %s gets it", name, ErrNoProgram, name)
}

// FindServer returns where a server is that is a program of Debian's. The error
// wraps ErrNoProgram if it is not there, or not with all that the lab needs of
// it.
func FindServer(kind Kind) (Program, error) {
	name := kind.ProgramName()
	p, err := FindProgram(name)
	if err != nil {
		return Program{}, err
	}
	if kind == Proftpd && !isFile(filepath.Join(p.root, proftpdModules, "mod_tls.so")) {
		return Program{}, fmt.Errorf("%s without mod_tls: %w: go run ./internal/lab/fetch %s gets it", name, ErrNoProgram, name)
	}
	return p, nil
}

// ProgramName returns the name of the server's program; "" if it needs none.
func (k Kind) ProgramName() string {
	switch k {
	case Embedded:
		return ""
	case Pureftpd:
		return "pure-ftpd"
	}
	return k.String()
}

// Env returns the environment that the program needs besides the usual one.
func (p Program) Env() []string {
	if p.LibraryPath == "" {
		return nil
	}
	return []string{"LD_LIBRARY_PATH=" + p.LibraryPath}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// moduleRoots returns the directories with a go.mod from the working directory
// upwards: a module may be in another one's tree.
func moduleRoots() []string {
	dir, err := os.Getwd()
	if err != nil {
		return nil
	}
	var roots []string
	for {
		if isFile(filepath.Join(dir, "go.mod")) {
			roots = append(roots, dir)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return roots
		}
		dir = parent
	}
}

// libraryPath returns the directories of shared libraries below root.
func libraryPath(root string) string {
	var dirs []string
	for _, pattern := range []string{"usr/lib/*-linux-gnu*", "lib/*-linux-gnu*"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err == nil { // the pattern is well formed
			dirs = append(dirs, found...)
		}
	}
	return strings.Join(dirs, ":")
}
