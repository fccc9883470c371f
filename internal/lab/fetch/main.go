// Command fetch unpacks Debian's vsftpd, and the shared libraries that it
// needs and the machine lacks, below build/vsftpd. Nothing is installed: the
// packages of FTP servers conflict with one another, and the server runs from
// where it lies. Run it in the root of the module:
//
//	go run ./internal/lab/fetch
//
// It needs Debian's apt-get and dpkg. Where vsftpd is there already, it does
// nothing.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, lab.VsftpdDir); err != nil {
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string) error {
	if path, err := lab.FindVsftpd(); err == nil {
		fmt.Println("vsftpd is", path)
		return nil
	}
	if _, err := os.Stat("go.mod"); err != nil {
		return errors.New("not in the root of the module")
	}
	// Whoever sees dir sees all of it: it gets its name last.
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	if err := unpack(ctx, work, "vsftpd"); err != nil {
		return err
	}
	if err := addLibraries(ctx, work); err != nil {
		return err
	}
	if err := os.Rename(work, dir); err != nil {
		return err
	}
	fmt.Println("vsftpd is", filepath.Join(dir, "usr/sbin/vsftpd"))
	return nil
}

// addLibraries unpacks the libraries that ldd(1) misses, until it misses none.
func addLibraries(ctx context.Context, root string) error {
	program := filepath.Join(root, "usr/sbin/vsftpd")
	tried := make(map[string]bool)
	for {
		missing, err := missingLibraries(ctx, root, program)
		if err != nil {
			return err
		}
		if len(missing) == 0 {
			return nil
		}
		for _, lib := range missing {
			if tried[lib] {
				return fmt.Errorf("%s is missing, and its package does not hold it", lib)
			}
			tried[lib] = true
			if err := unpack(ctx, root, packages[lib]...); err != nil {
				return fmt.Errorf("%s: %w", lib, err)
			}
		}
	}
}

// packages names the packages that hold a library; the first that the
// machine's release knows is taken.
var packages = map[string][]string{
	"libwrap.so.0":        {"libwrap0"},
	"libpam.so.0":         {"libpam0g"},
	"libssl.so.3":         {"libssl3t64", "libssl3"},
	"libcrypto.so.3":      {"libssl3t64", "libssl3"},
	"libcap.so.2":         {"libcap2"},
	"libaudit.so.1":       {"libaudit1"},
	"libcap-ng.so.0":      {"libcap-ng0"},
	"libnsl.so.2":         {"libnsl2"},
	"libtirpc.so.3":       {"libtirpc3t64", "libtirpc3"},
	"libcrypt.so.1":       {"libcrypt1"},
	"libz.so.1":           {"zlib1g"},
	"libzstd.so.1":        {"libzstd1"},
	"libgssapi_krb5.so.2": {"libgssapi-krb5-2"},
}

func missingLibraries(ctx context.Context, root, program string) ([]string, error) {
	var dirs []string
	for _, pattern := range []string{"usr/lib/*-linux-gnu*", "lib/*-linux-gnu*"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, found...)
	}
	cmd := exec.CommandContext(ctx, "ldd", program)
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join(dirs, ":"), "LC_ALL=C")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("ldd: %w", err)
	}
	var missing []string
	for line := range strings.Lines(string(out)) {
		if lib, ok := strings.CutSuffix(strings.TrimSpace(line), " => not found"); ok {
			missing = append(missing, lib)
		}
	}
	return missing, nil
}
