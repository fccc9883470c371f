package layout

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestGVisorsStackIsGstack in every file, tests too: two packages are called
// stack, and ours is the one without a prefix.
func TestGVisorsStackIsGstack(t *testing.T) {
	const root = "../.."
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal(err)
	}
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "build" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root) {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range f.Imports {
			target, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			alias := ""
			if spec.Name != nil {
				alias = spec.Name.Name
			}
			switch target {
			case "gvisor.dev/gvisor/pkg/tcpip/stack":
				seen++
				if alias != "gstack" {
					t.Errorf("%s imports gVisor's stack as %q, want gstack", path, alias)
				}
			case module + "/stack":
				if alias != "" {
					t.Errorf("%s imports our stack as %q, want no other name", path, alias)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen == 0 {
		t.Error("nobody imports gVisor's stack: this test tests nothing")
	}
}
