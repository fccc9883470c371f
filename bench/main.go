// Command bench measures xftp over AF_XDP against its peers on kernel sockets:
// whole programs, on the same link and from the same server, in turn, so that
// what disturbs one disturbs the others. It needs root, and Debian's vsftpd
// as make test unpacks it. Each program is left out if it is not installed.
//
//	go build -o build/xftp ./cmd/xftp && go run ./bench
//
// The link is a veth pair on which no frame is longer than the MTU, as on a
// cable. The files are in memory. The numbers of a machine that others use,
// too, are good for ratios only.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

func main() {
	lab.Main()
	var o options
	flag.IntVar(&o.pairs, "n", 7, "how often each program runs")
	flag.IntVar(&o.mtu, "mtu", 1500, "MTU of the link")
	flag.Int64Var(&o.bytes, "bytes", 1e9, "length of the file")
	flag.StringVar(&o.program, "xftp", "build/xftp", "the program to measure")
	flag.StringVar(&o.only, "case", "", "D1 (download) or U1 (upload); both if not given")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	pairs, mtu    int
	bytes         int64
	program, only string
}

func run(o options) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.program, err = filepath.Abs(o.program); err != nil {
		return err
	}
	if _, err := os.Stat(o.program); err != nil {
		return fmt.Errorf("%w (make build makes it)", err)
	}
	l, err := lab.New(ctx, lab.Config{MTU: o.mtu})
	if err != nil {
		return err
	}
	defer l.Close()
	root, err := os.MkdirTemp("/dev/shm", "xftp-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	if err := os.Chmod(root, 0o755); err != nil {
		return err
	}
	file := filepath.Join(root, "file")
	sum, err := makeFile(file, o.bytes)
	if err != nil {
		return err
	}
	server, err := l.Server.StartServer(ctx, lab.ServerConfig{Kind: lab.Vsftpd, Root: root})
	if err != nil {
		return err
	}
	b := &bench{o: o, lab: l, server: server, root: root, file: file, sum: sum}
	if err := b.describe(ctx); err != nil {
		return err
	}
	for _, c := range cases {
		if o.only != "" && o.only != c.name {
			continue
		}
		if err := b.measure(ctx, c); err != nil {
			return err
		}
	}
	return nil
}
