package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/seed-54eb6215/xftp/internal/lab"
	"github.com/spf13/cobra"
)

// labPatience is how long the keeper of a lab may take to answer.
const labPatience = 10 * time.Second

func newLabStatus(out *output) *cobra.Command {
	var o labOptions
	var all bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show a lab, its impairment and what the relay has counted",
		Long: `Status prints what a lab is and what its relay has done to the frames of each
direction. It exits with 1 if the lab is not up, or if its server or its relay
has died.`,
		Example: `  sudo xftp lab status
  sudo xftp lab status --json | jq .relay.to_client.lost
  sudo xftp lab status --all`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.begin(cmd); err != nil {
				return err
			}
			names := []string{o.name}
			if all {
				var err error
				if names, err = lab.Names(); err != nil {
					return o.explain(err)
				}
			}
			var errs []error
			for _, name := range names {
				o.name = name
				errs = append(errs, o.status(cmd.Context(), out))
			}
			return errors.Join(errs...)
		},
	}
	o.addName(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "show all labs that are up")
	o.addPrinting(cmd)
	return cmd
}

// status shows one lab.
func (o *labOptions) status(ctx context.Context, out *output) error {
	ctx, stop := context.WithTimeout(ctx, labPatience)
	defer stop()
	info, err := lab.Status(ctx, o.name)
	if err != nil {
		return o.explain(err)
	}
	if err := o.printLab(out, info); err != nil {
		return err
	}
	switch {
	case info.FTP != nil && !info.FTP.Running:
		err = fmt.Errorf("%s: the FTP server has died", o.name)
	case info.Relay != nil && !info.Relay.Running:
		err = fmt.Errorf("%s: the relay has died", o.name)
	default:
		return nil
	}
	flag := ""
	if o.name != labDefault {
		flag = " --name " + o.name
	}
	return &hintedError{err, "make the lab anew: xftp lab down" + flag + ", then xftp lab up"}
}

// labText describes a lab in a few lines.
func labText(info lab.Info) string {
	var b strings.Builder
	fmt.Fprintf(&b, "lab %s is up, MTU %d\n", info.Name, info.MTU)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, h := range []struct {
		role string
		host lab.HostInfo
	}{{"client", info.Client}, {"server", info.Server}} {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\n", h.role, h.host.Namespace, h.host.Interface, h.host.IPv4, h.host.IPv6)
		fmt.Fprintf(w, "\t\tspare\t%s\t%s\n", h.host.SpareIPv4, h.host.SpareIPv6)
	}
	_ = w.Flush() // a strings.Builder takes everything
	if f := info.FTP; f != nil {
		fmt.Fprintf(&b, "  ftp     %s  %s  %s\n", f.URL, f.Kind, f.Root)
		if f.CAFile != "" {
			fmt.Fprintf(&b, "  tls     %s  CA %s\n", f.TLS, f.CAFile)
		}
	}
	if r := info.Relay; r != nil {
		fmt.Fprintf(&b, "  relay   %s  %s\n", r.Namespace, impairmentText(r.Impairment))
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "\tframes\tforwarded\tlost\tduplicated\treordered\tcorrupted\toverflowed\trefused\toverrun\t")
		for _, d := range []struct {
			name string
			n    lab.Counters
		}{{"to server", r.ToServer}, {"to client", r.ToClient}} {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", d.name, d.n.Received, d.n.Forwarded,
				d.n.Lost, d.n.Duplicated, d.n.Reordered, d.n.Corrupted, d.n.Overflowed, d.n.Refused, d.n.Overrun)
		}
		_ = w.Flush()
	}
	return b.String()
}

// impairmentText names what a link does.
func impairmentText(i lab.ImpairmentInfo) string {
	var words []string
	if i.Delay > 0 {
		words = append(words, fmt.Sprintf("delay %v each way", time.Duration(i.Delay*float64(time.Second)).Round(time.Microsecond)))
	}
	for _, p := range []struct {
		name  string
		value float64
	}{{"loss", i.Loss}, {"reorder", i.Reorder}, {"duplicate", i.Duplicate}, {"corrupt", i.Corrupt}} {
		if p.value > 0 {
			words = append(words, p.name+" "+percentText(p.value))
		}
	}
	if i.Rate > 0 {
		words = append(words, fmt.Sprintf("rate %s, queue %s", bitRateText(i.Rate), bytesText(float64(i.QueueBytes))))
	}
	if words == nil {
		words = []string{"no impairment"}
	}
	return strings.Join(append(words, fmt.Sprintf("seed %d", i.Seed)), ", ")
}
