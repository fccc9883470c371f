package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// addTextFlag registers what verbs have that move files.
func (o *options) addTextFlag(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.ascii, "ascii", false, "move files as text, whose lines end in CR LF on the way and in LF here, as with ;type=a in a URL")
	typed(f, "ascii")
}

// checkText refuses what --ascii cannot be combined with: a text has other bytes here
// than there, so that no place in one of them is known in the other.
func (o *options) checkText() error {
	switch {
	case !o.ascii:
		return nil
	case o.resume:
		return usagef("--ascii: a text cannot be continued (-c)")
	case o.segments != 1:
		return usagef("--ascii: a text cannot come in segments (-n)")
	case o.verify == "size" || o.verify == "hash":
		return usagef("--ascii: the %s of a text cannot be compared (--verify)", o.verify)
	default:
		return nil
	}
}

// asText returns a URL with ";type=a", unless it says of its own what it is.
func asText(arg string) string {
	_, rest, _ := strings.Cut(arg, "://")
	_, path, found := strings.Cut(rest, "/")
	switch {
	case typeOption(path) >= 0:
		return arg
	case !found:
		return arg + "/;type=a"
	default:
		return arg + ";type=a"
	}
}
