// Command bench measures xftp over AF_XDP against its peers on kernel sockets:
// whole programs as a user would start them, on the same link and from the same
// server, in turn, so that what disturbs one disturbs the others. The root of
// the module has targets for it:
//
//	sudo make bench          all cases, 7 rounds, some 20 minutes
//	sudo make bench-quick    the main ones, small, in less than 2 minutes
//
// It needs root and Debian's vsftpd, which the targets unpack below build/;
// peers that are not there are named and left out.
//
// The link is a veth pair on which no frame is longer than the MTU, as on a
// cable. With -iface, -address and -url it is one of the machine's own
// interfaces, and a server that lets the user write:
//
//	build/bench -iface eth1 -address 192.0.2.7/24 -url ftp://192.0.2.1/dir/
//
// It prints a table, and writes every single run to FILE.json, Go's benchmark
// format to FILE.txt and a page with plots to FILE.html. From such a file,
//
//	build/bench -continue FILE.json          measures what there was no time for
//	build/bench render FILE.json             makes FILE.txt and FILE.html again
//	build/bench readme FILE.json README.md   puts its table into the README
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seed-54eb6215/xftp/bench/record"
	"github.com/seed-54eb6215/xftp/bench/report"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

type options struct {
	cases, program, out, earlier string
	iface, address, gateway, url string
	rounds, mtu                  int
	bytes                        int64
	quick, list                  bool
	timeout, caseLimit, limit    time.Duration
}

func main() {
	lab.Main()
	actRole()
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func command(args []string) error {
	if len(args) == 2 && args[0] == "render" {
		return render(args[1])
	}
	if len(args) == 3 && args[0] == "readme" {
		return report.UpdateREADME(args[1], args[2])
	}
	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	chosen, err := choose(o.cases, o.quick)
	if err != nil {
		return err
	}
	if o.list {
		for _, c := range chosen {
			fmt.Printf("%-12s %s\n", c.name, c.title)
		}
		return nil
	}
	return run(o, chosen)
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&o.cases, "case", "", "cases and groups to measure, with commas; all if empty")
	f.BoolVar(&o.list, "list", false, "name the cases, and end")
	f.BoolVar(&o.quick, "quick", false, "the main cases, 200 MB, 3 rounds: for a look")
	f.IntVar(&o.rounds, "n", 0, "how often each program runs (default 7, quick 3)")
	f.Int64Var(&o.bytes, "bytes", 0, "length of the large file (default 1e9, quick 2e8); others follow from it")
	f.IntVar(&o.mtu, "mtu", 1500, "MTU of the link, where the case does not say")
	f.StringVar(&o.program, "xftp", "build/xftp", "the `program` to measure")
	f.StringVar(&o.out, "o", "build/bench.json", "`file` for the results; .txt and .html go beside it")
	f.StringVar(&o.earlier, "continue", "", "earlier `file` of results: take over what is in it, measure the rest, or what -case names")
	f.StringVar(&o.iface, "iface", "", "`interface` of this machine to use in place of the lab")
	f.StringVar(&o.address, "address", "", "unused address of that link for xftp, as 192.0.2.7/24")
	f.StringVar(&o.gateway, "gateway", "", "router to the server, if it is on another network")
	f.StringVar(&o.url, "url", "", "`URL` of a directory of a server to use, in which files may be written")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "longest that a run may take")
	f.DurationVar(&o.caseLimit, "case-limit", 3*time.Minute, "no round of a case is begun after it")
	f.DurationVar(&o.limit, "limit", 24*time.Minute, "no case is begun after it")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	rounds, bytes := 7, int64(1e9)
	if o.quick {
		rounds, bytes = 3, 2e8
	}
	if o.rounds == 0 {
		o.rounds = rounds
	}
	if o.bytes == 0 {
		o.bytes = bytes
	}
	if o.rounds < 1 || o.bytes < 1000 {
		return o, errors.New("-n must be at least 1 and -bytes 1000")
	}
	real := 0
	for _, s := range []string{o.iface, o.address, o.url} {
		if s != "" {
			real++
		}
	}
	if real != 0 && real != 3 {
		return o, errors.New("-iface, -address and -url belong together")
	}
	o.program, err = filepath.Abs(o.program)
	return o, err
}

func run(o options, chosen []testCase) (err error) {
	if os.Geteuid() != 0 {
		return errors.New("needs root: type sudo make bench")
	}
	if _, err := os.Stat(o.program); err != nil {
		return fmt.Errorf("%w (make build makes it)", err)
	}
	var earlier *record.File
	if o.earlier != "" {
		if earlier, err = record.ReadFile(o.earlier); err != nil {
			return err
		}
		chosen = missing(chosen, earlier, o.cases != "")
	}
	if len(chosen) == 0 {
		return fmt.Errorf("%s has every case; -case names what to measure again", o.earlier)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	b, err := newBench(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	b.file = &record.File{Schema: record.Schema, Quick: o.quick, Started: time.Now().UTC().Truncate(time.Second), Rounds: o.rounds}
	if err := b.moveTo(ctx, chosen[0]); err != nil {
		return err
	}
	if b.file.Machine, err = b.facts(ctx); err != nil {
		return err
	}
	if earlier != nil {
		if err := takeOver(earlier, b.file, chosen); err != nil {
			return err
		}
	}
	report.WriteMachine(os.Stdout, b.file)
	for _, c := range chosen {
		err := b.run(ctx, c)
		sortCases(b.file)
		b.file.Ended = time.Now().UTC().Truncate(time.Second)
		if err := errors.Join(err, save(o.out, b.file)); err != nil {
			return err
		}
	}
	fmt.Println()
	report.WriteTable(os.Stdout, b.file)
	fmt.Printf("\n%s in %s, with .txt and .html beside it\n", o.out, b.file.Ended.Sub(b.file.Started).Round(time.Second))
	return nil
}

// save writes the results, so that what is there is always whole.
func save(name string, f *record.File) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return errors.Join(replace(name, f.Write), writeBeside(name, f))
}

// render writes what is made of the results in a file.
func render(name string) error {
	f, err := record.ReadFile(name)
	if err != nil {
		return err
	}
	return writeBeside(name, f)
}

func writeBeside(name string, f *record.File) error {
	base := strings.TrimSuffix(name, filepath.Ext(name))
	return errors.Join(
		replace(base+".txt", func(w io.Writer) error { return report.WriteBenchmarks(w, f) }),
		replace(base+".html", func(w io.Writer) error { return report.WritePage(w, f) }),
	)
}

// replace writes a file under another name, and then renames it.
func replace(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".")
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Chmod(0o644), giveToCaller(f), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// giveToCaller makes a file belong to who typed sudo.
func giveToCaller(f *os.File) error {
	uid, err := strconv.Atoi(os.Getenv("SUDO_UID"))
	if err != nil {
		return nil // nobody did
	}
	gid, err := strconv.Atoi(os.Getenv("SUDO_GID"))
	if err != nil {
		gid = -1
	}
	return f.Chown(uid, gid)
}
