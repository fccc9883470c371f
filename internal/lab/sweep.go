package lab

import (
	"errors"
	"os"
	"path/filepath"
)

// stateDir holds one directory for each lab, with its servers' files.
const stateDir = "/run/xftp"

// Sweep removes the namespaces and files of labs whose owner has died, for
// instance by SIGKILL. Those of living owners are left alone.
func Sweep() error {
	return errors.Join(
		sweepDir(netnsDir, removeName),
		sweepDir(stateDir, os.RemoveAll),
		sweepNamed(),
	)
}

func sweepDir(dir string, remove func(path string) error) error {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if o, ok := parseOwner(e.Name()); ok && !o.alive() {
			errs = append(errs, remove(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}
