package xdp

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestGeneratedObjectIsCurrent compiles the steering program again and
// compares the result with what is committed.
func TestGeneratedObjectIsCurrent(t *testing.T) {
	version, err := os.ReadFile("CLANG_VERSION")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSpace(string(version))
	text, err := exec.Command("clang", "--version").Output()
	if err != nil {
		t.Skipf("needs %s: %v", want, err)
	}
	if have, _, _ := strings.Cut(string(text), "\n"); have != want {
		t.Skipf("the object was compiled by %s; clang here is %s", want, have)
	}
	if _, err := exec.LookPath("llvm-strip"); err != nil {
		t.Skipf("needs the llvm-strip of %s: %v", want, err)
	}

	// The command is the one of go generate, but writes elsewhere.
	source, err := os.ReadFile("generate.go")
	if err != nil {
		t.Fatal(err)
	}
	_, line, found := strings.Cut(string(source), "//go:generate go ")
	if !found {
		t.Fatal("no go:generate line")
	}
	dir := t.TempDir()
	args := strings.Fields(line)
	args = append(args[:2:2], append([]string{"-output-dir", dir}, args[2:]...)...)
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOPACKAGE=xdp")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	for _, name := range []string{"steer_bpfel.go", "steer_bpfel.o"} {
		committed, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fresh, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(fresh, committed) {
			t.Errorf("%s is not what steer.c compiles to: run go generate ./xdp", name)
		}
	}
}
