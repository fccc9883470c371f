package ftpclient

import "testing"

// A count is one only in one form.
func TestAnnounced(t *testing.T) {
	for _, tt := range []struct {
		text, path string
		want       int64
	}{
		{"Opening BINARY mode data connection for f (1234 bytes).", "f", 1234},
		{"Opening BINARY mode data connection for f (1234 bytes)", "f", 1234},
		{"Opening BINARY mode data connection for f(0 Bytes) .", "f", 0},
		{"Accepted data connection\n8.6 kbytes to download (8806 bytes)", "f", 8806},
		{"Opening for f (12 bytes) (34 bytes)", "f (12 bytes)", 34},
		{"Opening for f (7 bytes).txt (1234 bytes)", "f (7 bytes).txt", 1234},

		{"Opening for f (12 bytes)", "f (12 bytes)", -1},
		{"Opening for /d/f (12 bytes).", "d/f (12 bytes).", -1},
		{"Opening for f (1,234 bytes)", "f", -1},
		{"Opening for f (1.2 kbytes)", "f", -1},
		{"Opening for f (12 kbytes)", "f", -1},
		{"Opening for f (-12 bytes)", "f", -1},
		{"Opening for f (99999999999999999999 bytes)", "f", -1},
		{"Opening for f (12 bytes) to 192.0.2.1", "f", -1},
		{"Opening for f, 12 bytes", "f", -1},
		{"Opening for f ( 12 bytes)", "f", -1},
		{"Opening for f ()", "f", -1},
		{"go", "f", -1},
		{"", "f", -1},
	} {
		n, ok := announced(fuzzedReply(150, tt.text), tt.path)
		if !ok {
			n = -1
		}
		if n != tt.want {
			t.Errorf("%q: %d, want %d", tt.text, n, tt.want)
		}
	}
	if _, ok := announced(fuzzedReply(226, "done (12 bytes)"), "f"); ok {
		t.Error("a last reply announces nothing")
	}
}
