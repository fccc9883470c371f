package main

import (
	"encoding/json"
	"testing"
)

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain ünïcode €":             "plain ünïcode €",
		"bell\a tab\t line\n":         `bell\x07 tab\x09 line\x0a`,
		"\x1b]0;title\x07":            `\x1b]0;title\x07`,
		"C1 \u009b right-left \u202e": `C1 \u009b right-left \u202e`,
		"bytes \xff\xfe":              `bytes \xff\xfe`,
		"replacement \ufffd":          "replacement \ufffd",
		"tag \U000e0041 DEL \x7f":     `tag \U000e0041 DEL \x7f`,
		"CSI alone \x9b1m":            `CSI alone \x9b1m`,
	} {
		if got := printable(in); got != want {
			t.Errorf("printable(%q) = %q, want %q", in, got, want)
		}
	}
}

// JSON is exact, and nothing in it steers a terminal.
func TestJSONLine(t *testing.T) {
	for _, name := range []string{
		"plain ünïcode €", "<&> \"quoted\" \\", "\x1b]0;title\a", "\x7f \u009b31m \u202e", "tag \U000e0041", "\u2028",
	} {
		line := jsonLine(map[string]string{"name": name})
		var back map[string]string
		if err := json.Unmarshal(line, &back); err != nil || back["name"] != name {
			t.Errorf("%q became %s: %q, %v", name, line, back["name"], err)
		}
		if text := string(line); printable(text) != text[:len(text)-1]+`\x0a` {
			t.Errorf("%q became %q", name, text)
		}
	}
	if got := string(jsonLine("\xff\x9b")); got != `"\ufffd\ufffd"`+"\n" {
		t.Errorf("bytes became %s", got)
	}
}
