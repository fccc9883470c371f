// Command fetch unpacks Debian's packages of programs that the tests and the
// benchmarks run, each below build/NAME with the shared libraries that it
// needs and the machine lacks. Nothing is installed: the packages of FTP
// servers conflict with one another, and a program runs from where it lies.
// Run it in the root of the module:
//
//	go run ./internal/lab/fetch [vsftpd|proftpd|pure-ftpd|curl|lftp|aria2c|wget|
//		ncftpget|ncftpput|tnftp|rclone]...
//
// Without arguments it gets vsftpd. What the machine has is left as it is. It
// needs Debian's apt-get and dpkg. All the programs are tried before it fails.
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

// packages names the packages of each program that is known here.
var packages = map[string][]string{
	"vsftpd":    {"vsftpd"},
	"proftpd":   {"proftpd-core", "proftpd-mod-crypto"},
	"pure-ftpd": {"pure-ftpd"},
	"curl":      {"curl"},
	"lftp":      {"lftp"},
	"aria2c":    {"aria2"},
	"wget":      {"wget"},
	"ncftpget":  {"ncftp"},
	"ncftpput":  {"ncftp"},
	"tnftp":     {"tnftp"},
	"rclone":    {"rclone"},
}

// modules names what a program loads by itself, and whose libraries it needs.
var modules = map[string][]string{
	"proftpd": {"usr/lib/proftpd/mod_tls.so"},
}

// find returns where a program is, and an error if it is not there as a whole.
func find(name string) (lab.Program, error) {
	for _, kind := range lab.Kinds() {
		if kind.ProgramName() == name {
			return lab.FindServer(kind)
		}
	}
	return lab.FindProgram(name)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	names := os.Args[1:]
	if len(names) == 0 {
		names = []string{"vsftpd"}
	}
	failed := false
	for _, name := range names {
		if err := run(ctx, name); err != nil {
			fmt.Fprintf(os.Stderr, "fetch: %s: %v\n", name, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

func run(ctx context.Context, name string) error {
	if p, err := find(name); err == nil {
		fmt.Println(name, "is", p.Path)
		return nil
	}
	names, ok := packages[name]
	if !ok {
		return errors.New("no package is known to hold it")
	}
	if _, err := os.Stat("go.mod"); err != nil {
		return errors.New("not in the root of the module")
	}
	// Whoever sees dir sees all of it: it gets its name last.
	dir := filepath.Join(lab.UnpackDir, name)
	if err := os.MkdirAll(lab.UnpackDir, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp(lab.UnpackDir, "fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil {
		return err
	}
	for _, pkg := range names {
		if err := unpack(ctx, work, pkg); err != nil {
			return err
		}
	}
	program, err := programIn(work, name)
	if err != nil {
		return err
	}
	binaries := []string{program}
	for _, module := range modules[name] {
		binaries = append(binaries, filepath.Join(work, module))
	}
	for _, binary := range binaries {
		if err := addLibraries(ctx, work, binary); err != nil {
			return err
		}
	}
	if err := os.RemoveAll(dir); err != nil { // it lacks something
		return err
	}
	if err := os.Rename(work, dir); err != nil {
		return err
	}
	p, err := find(name)
	if err != nil {
		return err
	}
	fmt.Println(name, "is", p.Path)
	return nil
}

func programIn(root, name string) (string, error) {
	for _, sub := range []string{"usr/bin", "usr/sbin"} {
		path := filepath.Join(root, sub, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("its package holds no %s", name)
}

// addLibraries unpacks the libraries that ldd(1) misses, until it misses none.
func addLibraries(ctx context.Context, root, binary string) error {
	tried := make(map[string]bool)
	for {
		missing, err := missingLibraries(ctx, root, binary)
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
			if err := unpack(ctx, root, packagesOf(lib)...); err != nil {
				return fmt.Errorf("%s: %w", lib, err)
			}
		}
	}
}

func missingLibraries(ctx context.Context, root, binary string) ([]string, error) {
	var dirs []string
	for _, pattern := range []string{"usr/lib/*-linux-gnu*", "lib/*-linux-gnu*"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		dirs = append(dirs, found...)
	}
	cmd := exec.CommandContext(ctx, "ldd", binary)
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
