package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// unpack downloads one of the packages, the first that there is, and unpacks
// it in root.
func unpack(ctx context.Context, root string, names ...string) error {
	if len(names) == 0 {
		return errors.New("no package is known to hold it")
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("it comes from a Debian package, and this is no Debian: %w", err)
	}
	debs, err := os.MkdirTemp("", "xftp-fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(debs)
	err = download(ctx, debs, names)
	if err != nil && os.Geteuid() == 0 {
		// The lists of a fresh machine are empty, those of an old one name
		// packages that are gone.
		if err := aptGet(ctx, debs, "update", "-q"); err != nil {
			return err
		}
		err = download(ctx, debs, names)
	}
	if err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return err
	}
	for _, deb := range found {
		cmd := exec.CommandContext(ctx, "dpkg", "-x", deb, root)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("dpkg -x %s: %w", filepath.Base(deb), err)
		}
	}
	return nil
}

func download(ctx context.Context, dir string, names []string) error {
	var errs []error
	for _, name := range names {
		err := aptGet(ctx, dir, "download", "-q", name)
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func aptGet(ctx context.Context, dir string, args ...string) error {
	if os.Geteuid() == 0 {
		// Its unprivileged helper could not write to dir.
		args = append([]string{"-o", "APT::Sandbox::User=root"}, args...)
	}
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("apt-get %s: %w\n%s", args[len(args)-1], err, out)
	}
	return nil
}
