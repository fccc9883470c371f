package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// netnsDir is where ip-netns(8) keeps the names of network namespaces.
const netnsDir = "/run/netns"

// namespace is a network namespace with a name below netnsDir.
type namespace struct {
	name   string
	handle netns.NsHandle
}

// newNamespace makes a network namespace and gives it a name.
func newNamespace(name string) (*namespace, error) {
	if err := shareNetnsDir(); err != nil {
		return nil, err
	}
	ns := &namespace{name: name, handle: netns.None()}
	err := onThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("unshare network namespace: %w", err)
		}
		f, err := os.OpenFile(ns.path(), os.O_CREATE|os.O_EXCL|os.O_RDONLY, 0)
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		// The mount keeps the namespace alive when this thread has ended.
		if err := unix.Mount("/proc/thread-self/ns/net", ns.path(), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mount %s: %w", ns.path(), err)
		}
		ns.handle, err = netns.GetFromPath(ns.path())
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make network namespace %s: %w", name, err), ns.remove())
	}
	return ns, nil
}

func (ns *namespace) path() string { return filepath.Join(netnsDir, ns.name) }

// do runs fn on a thread inside the namespace. See Host.Do.
func (ns *namespace) do(fn func() error) error {
	return onThread(func() error {
		if err := netns.Set(ns.handle); err != nil {
			return fmt.Errorf("enter network namespace %s: %w", ns.name, err)
		}
		return fn()
	})
}

// remove takes the name away. The kernel destroys the namespace when the
// last process and the last socket in it have gone.
func (ns *namespace) remove() error {
	var err error
	if ns.handle.IsOpen() {
		err = ns.handle.Close()
	}
	return errors.Join(err, removeName(ns.path()))
}

// removeName unmounts and removes one name of a namespace. One that is gone
// already is no error: two processes may sweep at the same time.
func removeName(path string) error {
	// EINVAL: not a mount, its maker died before it got so far.
	err := unix.Unmount(path, unix.MNT_DETACH)
	if err != nil && err != unix.EINVAL && err != unix.ENOENT {
		return fmt.Errorf("unmount %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// shareNetnsDir makes netnsDir a shared mount, as ip-netns(8) does: without
// that, a process in another mount namespace would keep a copy of each name,
// and with it the namespace, after it is removed here.
func shareNetnsDir() error {
	if err := os.MkdirAll(netnsDir, 0o755); err != nil {
		return err
	}
	d, err := os.Open(netnsDir)
	if err != nil {
		return err
	}
	defer d.Close()
	// Whoever is first makes the mount; the lock is the one of ip-netns(8).
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", netnsDir, err)
	}
	err = unix.Mount("", netnsDir, "none", unix.MS_SHARED|unix.MS_REC, "")
	if err == unix.EINVAL { // not a mount yet
		if err := unix.Mount(netnsDir, netnsDir, "none", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("mount %s: %w", netnsDir, err)
		}
		err = unix.Mount("", netnsDir, "none", unix.MS_SHARED|unix.MS_REC, "")
	}
	if err != nil {
		return fmt.Errorf("share mount %s: %w", netnsDir, err)
	}
	return nil
}
