package layout

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/seed-54eb6215/xftp"

// pkg is what go list tells of a package.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string // direct, of code that is not a test
	Deps       []string // direct and indirect
}

// load returns the packages of the module, and what they need, by path.
func load(t *testing.T) map[string]pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports,Deps", module+"/...")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	packages := make(map[string]pkg)
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatal(err)
		}
		packages[p.ImportPath] = p
	}
}

// within reports whether path is one of the packages at or below root.
func within(path, root string) bool {
	return path == root || strings.HasPrefix(path, root+"/")
}

// isOurs reports whether path is in the part of the module that tree names.
func isOurs(path, tree string) bool { return within(path, module+"/"+tree) }

func TestImportDirections(t *testing.T) {
	packages := load(t)
	for path := range packages {
		if !within(path, module) {
			continue
		}
		for _, rule := range rules {
			if !rule.of(path) {
				continue
			}
			for _, dep := range packages[path].Deps {
				if rule.forbids(packages[dep]) {
					t.Errorf("%s imports %s, by %s: %s", path, dep, via(packages, path, dep), rule.why)
				}
			}
		}
	}
	// A rule about packages that do not exist would hold for ever.
	for _, name := range []string{"frame", "xdp", "stack", "stack/nic", "ftpclient", "internal/lab", "cmd/xftp"} {
		if _, ok := packages[module+"/"+name]; !ok {
			t.Errorf("there is no package %s", name)
		}
	}
}

// via returns one of the direct imports by which path needs dep.
func via(packages map[string]pkg, path, dep string) string {
	for _, direct := range packages[path].Imports {
		if direct == dep {
			return "itself"
		}
		for _, d := range packages[direct].Deps {
			if d == dep {
				return direct
			}
		}
	}
	return "?"
}

// TestOnlyStackImportsGVisor: directly, that is. Whoever uses stack has it
// indirectly.
func TestOnlyStackImportsGVisor(t *testing.T) {
	for path, p := range load(t) {
		if !within(path, module) || path == module+"/stack" || path == module+"/stack/stacktest" {
			continue
		}
		for _, dep := range p.Imports {
			if within(dep, "gvisor.dev/gvisor") {
				t.Errorf("%s imports %s: only stack knows gVisor", path, dep)
			}
		}
	}
}
