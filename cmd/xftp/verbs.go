package main

import (
	"context"

	"github.com/spf13/cobra"
)

// newVerb completes the command of a verb that talks to servers. plan reads
// the arguments, before anything is opened, and returns what is to be done.
func newVerb(cmd *cobra.Command, o *options, out *output, plan func(args []string) (work, error)) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		who, err := begin(cmd, o, out)
		if err != nil {
			return err
		}
		work, err := plan(args)
		if err != nil {
			return err
		}
		return runSession(cmd.Context(), cmd.Name(), o, out, who, work)
	}
	o.addTransferFlags(cmd)
	return cmd
}

// work is what a verb does once the network path is open. It reports its own
// errors with [session.failed].
type work func(context.Context, *session)

// globHelp is about the URLs of verbs that have [options.addGlobFlag].
const globHelp = `In the path of a URL * stands for any characters, ? for one, and [a-z] or [!a-z] for
one of some, as in the shell; a name that begins with a dot needs one there. %2A,
%3F and %5B are the characters themselves, as all are with --no-glob. A name that
is just as the URL has it is what is meant.`
