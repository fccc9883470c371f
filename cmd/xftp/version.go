package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// A build says what this program is and what it runs on.
type build struct {
	Version  string `json:"version"`  // of the module; "(devel)" if it was built from a checkout
	Revision string `json:"revision"` // commit, "+dirty" if files had changed; empty if not recorded
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Kernel   string `json:"kernel"`
}

func thisBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			b.Version = info.Main.Version
		}
		dirty := ""
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				b.Revision = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				dirty = "+dirty"
			}
		}
		if b.Revision != "" {
			b.Revision += dirty
		}
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err == nil {
		b.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	return b
}

func (b build) String() string {
	revision := ""
	if b.Revision != "" {
		revision = " (" + b.Revision + ")"
	}
	return fmt.Sprintf("xftp %s%s, %s %s, Linux %s", b.Version, revision, b.Go, b.Platform, b.Kernel)
}

// printVersion prints what "xftp version" and "xftp --version" do.
func printVersion(out *output) error { return out.data(thisBuild().String()) }

func newVersion(out *output) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print what this program is and what it runs on",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				text, err := json.Marshal(thisBuild())
				if err != nil {
					return err
				}
				return out.data(string(text))
			}
			return printVersion(out)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return cmd
}
