package main

import (
	"net/netip"
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
	retries  int           // times that a file is begun again
	alive    time.Duration // between two NOOPs while a transfer lasts, 0 = none
	verify   string        // "auto", "size", "hash" or "none"
	tls      tlsOptions
	json     bool
	quiet    bool
	verbose  bool
	stats    bool
	output   string // get: file or directory; "" = the working directory
	resume   bool   // get, put, mirror: -c
	trees    bool   // get, put, rm: -r; ls, chmod: -R
	parallel int    // get, put, mirror: files at a time; rm, chmod: connections
	segments int    // get, put: connections for one file, 0 = as many as pay
	inPlace  bool   // put: no temporary name
	ascii    bool   // get, put, cat: as text
	noGlob   bool   // *, ? and [ in URLs stand for themselves
	force    bool   // rm, mv: -f
	parents  bool   // mkdir: -p
	list     listOptions

	virtualHost string // of the server, that HOST names; "" = none

	netrc     string // file with logins, "" = the usual one
	input     string // get: file with URLs
	limitRate int64  // bytes per second of the whole run, or 0

	flags *pflag.FlagSet // that the above came from
	login credentials    // of the URLs
}

// addTransferFlags registers what every verb that talks to a server has.
func (o *options) addTransferFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	o.net = "xdp"
	o.xdpMode = "auto"
	o.timeout = 30 * time.Second
	o.retries = 3
	o.verify = "auto"
	f.SortFlags = false
	f.Var(&choice{&o.net, netWords}, "net", "carry it over AF_XDP (xdp) or over ordinary sockets (kernel)")
	f.StringVar(&o.iface, "iface", "", "network interface `IF` that AF_XDP uses")
	f.Var((*queueNumber)(&o.queue), "queue", "its queue `N`")
	f.Var(&list[netip.Prefix]{&o.address, parseAddress}, "address", "unused address on that link, such as 192.0.2.7/24; repeat it for IPv4 and IPv6")
	f.Var(&list[netip.Addr]{&o.gateway, netip.ParseAddr}, "gateway", "`IP` of the router to other networks; repeat it for IPv4 and IPv6")
	f.Var(&choice{&o.xdpMode, modeWords}, "xdp-mode", "`MODE` of the socket: auto, zerocopy, copy or generic")
	f.BoolVar(&o.active, "active", false, "let the server open the data connections")
	f.Var((*positiveDuration)(&o.timeout), "timeout", "longest wait `D` without progress in any step, as 30s or 2m")
	f.Var((*retryCount)(&o.retries), "retries", "begin a file again up to `N` times after an error that may pass")
	f.Var((*pause)(&o.alive), "keepalive", "send NOOP every `D` while a transfer lasts, for routers that forget; 0 sends none")
	f.StringVar(&o.virtualHost, "virtual-host", "", "ask the server for its host `NAME` (HOST), where it has several at one address")
	o.tls.addFlags(f)
	f.StringVar(&o.netrc, "netrc-file", "", "take logins from `FILE`, not from $NETRC or ~/.netrc")
	f.BoolVar(&o.json, "json", false, "print one JSON object per finished transfer")
	f.BoolVar(&o.stats, "stats", false, "print the counters of the network path at the end")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but errors")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print the FTP dialogue")

	o.parallel, o.segments = 1, 1

	completeWords(cmd, "net", netWords)
	completeWords(cmd, "xdp-mode", modeWords)
	_ = cmd.RegisterFlagCompletionFunc("iface", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return interfaceNames(), cobra.ShellCompDirectiveNoFileComp
	})
}

// completeWords says what a shell completes the value of a flag to.
func completeWords(cmd *cobra.Command, name string, words []string) {
	// The only error is that there is no such flag.
	_ = cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	})
}

// tries returns --retries as the library wants it.
func (o *options) tries() int {
	if o.retries == 0 {
		return -1 // 0 is the library's own number
	}
	return o.retries
}

// addVerifyFlag registers what verbs have that move files.
func (o *options) addVerifyFlag(cmd *cobra.Command) {
	cmd.Flags().Var(&choice{&o.verify, verifyWords}, "verify", "what must show that a file is whole: whatever the server tells (auto), its size, its hash, or nothing (none)")
	completeWords(cmd, "verify", verifyWords)
}

// addManyFlags registers what verbs have that move several files.
func (o *options) addManyFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVarP(&o.resume, "continue", "c", false, "continue what was interrupted")
	f.BoolVarP(&o.trees, "recursive", "r", false, "take directories, with all that is in them")
	f.Var((*fileCount)(&o.parallel), "parallel", "`N` files at a time, each over a connection of its own")
}

// addGlobFlag registers what verbs have whose URLs may be globs.
func (o *options) addGlobFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.noGlob, "no-glob", false, "take *, ? and [ in URLs as they are")
}

// typed keeps the environment and the config file from setting flags: what is
// good for one verb would delete more than was meant with another.
func typed(f *pflag.FlagSet, names ...string) {
	for _, name := range names {
		_ = f.SetAnnotation(name, typedOnly, nil) // the only error is that there is no such flag
	}
}

// What --net, --xdp-mode and --verify take.
var (
	netWords    = []string{"xdp", "kernel"}
	modeWords   = []string{"auto", "zerocopy", "copy", "generic"}
	verifyWords = []string{"auto", "size", "hash", "none"}
)
