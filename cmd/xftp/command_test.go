package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// The command that does the rest has the flags of the one that was typed.
func TestCommand(t *testing.T) {
	verbs := map[string]func(*output) *cobra.Command{"get": newGet, "mirror": newMirror, "put": newPut}
	for _, typed := range []string{
		"mirror --delete --exclude '*.iso' --exclude /tmp/ --exclude 'a,b' --include '[x y],\"z\"' -v A B",
		"mirror --delete=false --json=false --dry-run -q=false --max-delete any A B",
		"mirror --compare hash --no-times --limit-rate 10M --parallel 3 A B",
		"get --address 192.0.2.7/24,2001:db8::7/64 --address 192.0.2.8/24 -o -x --segments auto -- -A B",
		`put --keepalive 90s --timeout 1h0m1s --inplace=false --retries 0 'a'\''b' B`,
	} {
		words := shellWords(t, typed)
		first := verbs[words[0]](new(output))
		if err := first.ParseFlags(words[1:]); err != nil {
			t.Fatal(err)
		}
		s := &session{verb: words[0], o: &options{flags: first.Flags()}}
		printed := s.command(true, first.Flags().Args()...)
		words = shellWords(t, printed)
		second := verbs[words[1]](new(output))
		if err := second.ParseFlags(words[2:]); err != nil {
			t.Fatalf("%s: %v", printed, err)
		}
		if c := second.Flags().Lookup("continue"); c.Value.String() != "true" {
			t.Errorf("%s: does not continue", printed)
		}
		same := slices.Equal(first.Flags().Args(), second.Flags().Args())
		first.Flags().VisitAll(func(f *pflag.Flag) {
			g := second.Flags().Lookup(f.Name)
			same = same && (f.Name == "continue" || f.Changed == g.Changed && f.Value.String() == g.Value.String())
		})
		if !same {
			t.Errorf("%s\nhas become %s", typed, printed)
		}
	}
}

// shellWords returns what a shell makes of a command line.
func shellWords(t *testing.T, line string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", `printf '%s\0' `+line).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
}
