package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// options holds what flags, environment and config file say. A verb registers
// those that mean something to it; the others keep their defaults.
type options struct {
	// The network path.
	net      string // "xdp" or "kernel"
	iface    string
	queue    int
	address  []netip.Prefix
	gateway  []netip.Addr
	xdpMode  string // "auto", "zerocopy", "copy" or "generic"
	active   bool
	timeout  time.Duration // longest wait without progress
	json     bool
	quiet    bool
	verbose  bool
	stats    bool
	output   string // get: file or directory; "" = the working directory
	resume   bool   // get, put: -c
	trees    bool   // get, put: -r
	parallel int    // get, put: files at a time
	segments int    // get: connections for one file, 0 = by its size
	longList bool   // ls: -l

	flags *pflag.FlagSet // that the above came from
}

// addTransferFlags registers what every verb that talks to a server has.
func (o *options) addTransferFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	o.net = "xdp"
	o.xdpMode = "auto"
	o.timeout = 30 * time.Second
	f.SortFlags = false
	f.Var(&choice{&o.net, netWords}, "net", "carry it over AF_XDP (xdp) or over ordinary sockets (kernel)")
	f.StringVar(&o.iface, "iface", "", "network interface `IF` that AF_XDP uses")
	f.Var((*queueNumber)(&o.queue), "queue", "its queue `N`")
	f.Var(&list[netip.Prefix]{&o.address, parseAddress}, "address", "unused address on that link, such as 192.0.2.7/24; repeat it for IPv4 and IPv6")
	f.Var(&list[netip.Addr]{&o.gateway, netip.ParseAddr}, "gateway", "`IP` of the router to other networks; repeat it for IPv4 and IPv6")
	f.Var(&choice{&o.xdpMode, modeWords}, "xdp-mode", "`MODE` of the socket: auto, zerocopy, copy or generic")
	f.BoolVar(&o.active, "active", false, "let the server open the data connections")
	f.Var((*positiveDuration)(&o.timeout), "timeout", "longest wait `D` without progress in any step, as 30s or 2m")
	f.BoolVar(&o.json, "json", false, "print one JSON object per finished transfer")
	f.BoolVar(&o.stats, "stats", false, "print the counters of the network path at the end")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but errors")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print the FTP dialogue")

	o.parallel, o.segments = 1, 1

	complete := func(name string, words func() []string) {
		// The only error is that there is no such flag.
		_ = cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return words(), cobra.ShellCompDirectiveNoFileComp
		})
	}
	complete("net", func() []string { return netWords })
	complete("xdp-mode", func() []string { return modeWords })
	complete("iface", interfaceNames)
}

// addManyFlags registers what verbs have that move several files.
func (o *options) addManyFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVarP(&o.resume, "continue", "c", false, "continue what was interrupted")
	f.BoolVarP(&o.trees, "recursive", "r", false, "take directories, with all that is in them")
	f.Var((*fileCount)(&o.parallel), "parallel", "`N` files at a time, each over a connection of its own")
}

// fileCount is the value of --parallel.
type fileCount int

// maxParallel is more than any server allows.
const maxParallel = 64

func (c *fileCount) String() string { return fmt.Sprint(int(*c)) }
func (c *fileCount) Type() string   { return "N" }
func (c *fileCount) Set(s string) error {
	return setNumber((*int)(c), s, 1, maxParallel)
}

// What --net and --xdp-mode take.
var (
	netWords  = []string{"xdp", "kernel"}
	modeWords = []string{"auto", "zerocopy", "copy", "generic"}
)

// A choice is a flag that takes one of a few words.
type choice struct {
	value *string
	words []string
}

func (c *choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

func (c *choice) Type() string { return strings.Join(c.words, "|") }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.words, ", "))
	}
	*c.value = s
	return nil
}

// A list is a flag that may be repeated, and that takes several values with
// commas between them.
type list[T interface{ String() string }] struct {
	values *[]T
	parse  func(string) (T, error)
}

func (l *list[T]) String() string {
	if l.values == nil {
		return ""
	}
	words := make([]string, len(*l.values))
	for i, v := range *l.values {
		words[i] = v.String()
	}
	return strings.Join(words, ",")
}

func (l *list[T]) Type() string { return "CIDR" }

func (l *list[T]) Set(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		v, err := l.parse(strings.TrimSpace(word))
		if err != nil {
			return err
		}
		*l.values = append(*l.values, v)
	}
	return nil
}

func parseAddress(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is not an address with a prefix length, such as 192.0.2.7/24", s)
	}
	return p, nil
}

type queueNumber int

func (q *queueNumber) String() string { return fmt.Sprint(int(*q)) }
func (q *queueNumber) Type() string   { return "N" }
func (q *queueNumber) Set(s string) error {
	return setNumber((*int)(q), s, 0, 1<<16)
}

func setNumber(to *int, s string, low, high int) error {
	var n int
	if _, err := fmt.Sscanf(s, "%d", &n); err != nil || fmt.Sprint(n) != s || n < low || n > high {
		return fmt.Errorf("must be a number from %d to %d", low, high)
	}
	*to = n
	return nil
}

type positiveDuration time.Duration

func (d *positiveDuration) String() string { return time.Duration(*d).String() }
func (d *positiveDuration) Type() string   { return "D" }
func (d *positiveDuration) Set(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil {
		return errors.New("must be a duration such as 30s or 2m")
	}
	if v <= 0 {
		return errors.New("must be more than 0")
	}
	*d = positiveDuration(v)
	return nil
}
