package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// A table is what all clients made of all lies.
type table struct {
	clients []tried
	absent  []string // clients that are not on this machine
	lies    []ftptest.Lie
	cells   map[string]map[string]cell // by lie and client
}

// tried is a client that was found.
type tried struct {
	client
	version  string
	get, put lab.Program
}

// program returns what moves a file in a direction, if the client can.
func (c *tried) program(d ftptest.Direction) (lab.Program, bool) {
	if d == ftptest.Upload {
		return c.put, c.client.put != ""
	}
	return c.get, true
}

// tabulate tells all lies to all clients and writes the page.
func tabulate(args []string) error {
	flags := flag.NewFlagSet("table", flag.ContinueOnError)
	out := flags.String("o", "", "`file` to write the page to, instead of standard output")
	xftp := flags.String("xftp", "", "the xftp to try (default: built from this tree)")
	only := flags.String("only", "", "`names` of lies, separated by commas, instead of all")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return errors.New("table takes no arguments")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *xftp == "" {
		dir, err := os.MkdirTemp("", "xftp-liar-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		*xftp = filepath.Join(dir, "xftp")
		build := exec.CommandContext(ctx, "go", "build", "-o", *xftp, "./cmd/xftp")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("build xftp: %w", err)
		}
	}
	t := &table{cells: make(map[string]map[string]cell)}
	for _, l := range ftptest.Lies() {
		if !l.TLS && (*only == "" || strings.Contains(","+*only+",", ","+l.Name+",")) {
			t.lies = append(t.lies, l)
		}
	}
	if err := t.find(ctx, *xftp); err != nil {
		return err
	}
	if err := t.fill(ctx); err != nil {
		return err
	}
	var page strings.Builder
	t.write(&page, time.Now().UTC())
	if *out == "" {
		_, err := io.WriteString(os.Stdout, page.String())
		return err
	}
	return os.WriteFile(*out, []byte(page.String()), 0o644)
}

// find looks which clients there are.
func (t *table) find(ctx context.Context, xftp string) error {
	for _, c := range clients(xftp) {
		found := tried{client: c}
		var err error
		if found.get, err = find(c.get); err == nil && c.put != "" {
			found.put, err = find(c.put)
		}
		if errors.Is(err, lab.ErrNoProgram) {
			t.absent = append(t.absent, c.name)
			continue
		}
		if err != nil {
			return err
		}
		if found.version, err = c.tellVersion(ctx, found.get); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		t.clients = append(t.clients, found)
	}
	return nil
}

// fill tells the lies one after the other, each to all clients at once.
func (t *table) fill(ctx context.Context) error {
	for _, lie := range t.lies {
		fmt.Fprintln(os.Stderr, lie.Name)
		var wg sync.WaitGroup
		cells := make([]cell, len(t.clients))
		errs := make([]error, len(t.clients))
		for i := range t.clients {
			c := &t.clients[i]
			if program, ok := c.program(lie.Direction); ok {
				wg.Go(func() { cells[i], errs[i] = tell(ctx, lie, &c.client, program) })
			}
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return fmt.Errorf("%s: %w", lie.Name, err)
		}
		row := make(map[string]cell)
		for i := range t.clients {
			row[t.clients[i].name] = cells[i]
		}
		t.cells[lie.Name] = row
	}
	return nil
}
