package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Where nothing tells the zone of the server's lists, and times are not set, a file
// that was changed after it was sent is sent again, although the list shows it as
// younger; one that is older in any zone is not.
func TestMirrorUnknownZone(t *testing.T) {
	t.Parallel()
	root, local := t.TempDir(), t.TempDir()
	now := time.Now()
	makeFiles(t, root, "changed", "old")
	makeFiles(t, local, "changed", "old")
	if err := os.WriteFile(filepath.Join(root, "changed"), []byte("CHANGED"), 0o644); err != nil { // of the same size
		t.Fatal(err)
	}
	for path, when := range map[string]time.Time{
		filepath.Join(root, "changed"): now.Add(-3 * time.Hour), filepath.Join(local, "changed"): now.Add(-2 * time.Hour),
		filepath.Join(root, "old"): now.Add(-3 * time.Hour), filepath.Join(local, "old"): now.Add(-48 * time.Hour),
	} {
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	s := &listServer{root: root, zone: time.FixedZone("", 2*3600), now: now, mute: true}
	code, _, stderr := runMirror(t, "--no-times", local, s.start(t))
	got, err := os.ReadFile(filepath.Join(root, "changed"))
	if code != 0 || err != nil || string(got) != "changed" {
		t.Errorf("exit code %d, the file holds %q (%v):\n%s", code, got, err, stderr)
	}
	if sent := s.sent("STOR"); sent["STOR"] != 1 {
		t.Errorf("%d files sent:\n%s", sent["STOR"], stderr)
	}
}
