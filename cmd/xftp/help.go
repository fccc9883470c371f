package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// writeHelp writes what --help prints about a command.
func writeHelp(w io.Writer, cmd *cobra.Command) {
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(w, "%s\n\nUsage:\n  %s\n", strings.TrimSpace(text), usageLine(cmd))
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	columns := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	defer columns.Flush()
	if cmd.HasAvailableSubCommands() {
		fmt.Fprint(columns, "\nVerbs:\n")
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() {
				fmt.Fprintf(columns, "  %s\t%s\n", c.Name(), c.Short)
			}
		}
		fmt.Fprintf(columns, "\nMore about one of them: %s VERB --help\n", cmd.CommandPath())
		return
	}
	fmt.Fprint(columns, "\nFlags:\n")
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			writeFlag(columns, f)
		}
	})
}

func usageLine(cmd *cobra.Command) string {
	if cmd.HasAvailableSubCommands() {
		return cmd.CommandPath() + " VERB [FLAGS] ..."
	}
	line := cmd.CommandPath() + " [FLAGS]"
	if _, args, found := strings.Cut(cmd.Use, " "); found {
		line += " " + args
	}
	return line
}

func writeFlag(w io.Writer, f *pflag.Flag) {
	short := "    "
	if f.Shorthand != "" {
		short = "-" + f.Shorthand + ", "
	}
	value, text := pflag.UnquoteUsage(f)
	if f.Value.Type() == "bool" {
		value = ""
	}
	if value != "" {
		value = " " + value
	}
	switch f.DefValue {
	case "", "0", "0s", "false":
	default:
		text += " (default " + f.DefValue + ")"
	}
	fmt.Fprintf(w, "  %s--%s%s\t%s\n", short, f.Name, value, text)
}
