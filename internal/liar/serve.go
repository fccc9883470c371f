package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"

	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// list prints a line for each lie.
func list(args []string) error {
	if len(args) > 0 {
		return errors.New("list takes no arguments")
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, l := range ftptest.Lies() {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", l.Name, l.Direction, l.Truth, l.Does)
	}
	return w.Flush()
}

// serve tells a lie until there is nobody to tell it for.
func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "`address` to listen on")
	pause := flags.Duration("pause", 0, "how long the server waits where it is late (default 500ms)")
	mode := flags.String("tls", "", "demand TLS: `explicit` or implicit")
	cert := flags.String("cert", "", "`file` of the certificate, PEM")
	key := flags.String("key", "", "`file` of its key, PEM")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("serve takes the name of one lie; liar list has them")
	}
	lie, ok := ftptest.LieByName(flags.Arg(0))
	if !ok {
		return fmt.Errorf("there is no lie %q", flags.Arg(0))
	}
	opts := &ftptest.LieOptions{Pause: *pause, Implicit: *mode == "implicit"}
	switch *mode {
	case "":
	case "explicit", "implicit":
		pair, err := tls.LoadX509KeyPair(*cert, *key)
		if err != nil {
			return err
		}
		opts.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	default:
		return fmt.Errorf("-tls is %q", *mode)
	}
	return serveUntil(lie, *listen, opts, os.Stdin)
}

// serveUntil serves until stdin ends, or a signal comes.
func serveUntil(lie ftptest.Lie, address string, opts *ftptest.LieOptions, stdin io.Reader) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	server := lie.Serve(ln, &ftptest.Kernel{}, opts)
	fmt.Println("listening", ln.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // however it ends
		stop()
	}()
	<-ctx.Done()
	server.Close()
	files := server.Files()
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Println("file", name, len(files[name]), ftptest.LieHash(files[name]))
	}
	return nil
}
