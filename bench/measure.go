package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// A testCase is what is moved, and how each program is told to.
type testCase struct {
	name, title string
	programs    []program
	uploads     bool
}

// A program is xftp or a peer. Its arguments may hold URL, FILE, IFACE and
// ADDRESS.
type program struct {
	name string
	args []string
}

const xdpFlags = " --iface IFACE --address ADDRESS -q"

var cases = []testCase{
	{name: "D1", title: "download to /dev/null, one connection", programs: []program{
		{"xftp", strings.Fields("XFTP get URL/file -o /dev/null" + xdpFlags)},
		{"xftp --net kernel", strings.Fields("XFTP get URL/file -o /dev/null --net kernel -q")},
		{"curl", strings.Fields("curl -s -o /dev/null URL/file")},
	}},
	{name: "U1", title: "upload, one connection", uploads: true, programs: []program{
		{"xftp", strings.Fields("XFTP put FILE URL/upload/back" + xdpFlags)},
		{"xftp --net kernel", strings.Fields("XFTP put FILE URL/upload/back --net kernel -q")},
		{"curl", strings.Fields("curl -s -T FILE URL/upload/back")},
	}},
}

type bench struct {
	o          options
	lab        *lab.Lab
	server     *lab.Server
	root, file string
	sum        [32]byte
}

// command returns the words of p, filled in, or nil if p is not installed.
func (b *bench) command(p program) []string {
	client := b.lab.Client
	words := strings.NewReplacer("XFTP", b.o.program, "URL", strings.TrimSuffix(b.server.URL(""), "/"), "FILE", b.file,
		"IFACE", client.Interface, "ADDRESS", client.OwnIPv4.String())
	var command []string
	for _, arg := range p.args {
		command = append(command, words.Replace(arg))
	}
	if _, err := exec.LookPath(command[0]); err != nil {
		return nil
	}
	return command
}

// A result is the runs of one program.
type result struct {
	program program
	command []string
	seconds []float64
	cpu     []float64 // of the process, in seconds
}

// measure runs the programs of c in turn and prints a line for each.
func (b *bench) measure(ctx context.Context, c testCase) error {
	fmt.Printf("\n%s: %s, %.3g GB, %d rounds\n", c.name, c.title, float64(b.o.bytes)/1e9, b.o.pairs)
	var results []*result
	for _, p := range c.programs {
		command := b.command(p)
		if command == nil {
			fmt.Printf("  %-18s left out: not installed\n", p.name)
			continue
		}
		results = append(results, &result{program: p, command: command})
	}
	for round := range b.o.pairs + 1 {
		for _, r := range results {
			seconds, cpu, err := b.once(ctx, r.command)
			if err != nil {
				return fmt.Errorf("%s: %w", strings.Join(r.command, " "), err)
			}
			if c.uploads {
				if err := b.takeUpload(); err != nil {
					return fmt.Errorf("%s: %w", r.program.name, err)
				}
			}
			if round > 0 { // the first warms up
				r.seconds, r.cpu = append(r.seconds, seconds), append(r.cpu, cpu)
			}
		}
	}
	for _, r := range results {
		ratio := ""
		if r != results[0] {
			ratio = fmt.Sprintf("   xftp is %.2f times as fast (%.2f to %.2f in pairs)", median(r.seconds)/median(results[0].seconds), b.spread(r, results[0], slices.Min), b.spread(r, results[0], slices.Max))
		}
		fmt.Printf("  %-18s %6.2f Gb/s  median of %.2f to %.2f s, CPU %.2f s%s\n", r.program.name, float64(b.o.bytes)*8/1e9/median(r.seconds),
			slices.Min(r.seconds), slices.Max(r.seconds), median(r.cpu), ratio)
	}
	return nil
}

// spread returns an extreme of the ratios of r to s, pair by pair.
func (b *bench) spread(r, s *result, extreme func([]float64) float64) float64 {
	var ratios []float64
	for i := range r.seconds {
		ratios = append(ratios, r.seconds[i]/s.seconds[i])
	}
	return extreme(ratios)
}

// once runs a command on the client's host.
func (b *bench) once(ctx context.Context, command []string) (seconds, cpu float64, err error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	start := time.Now()
	if err := b.lab.Client.Start(cmd); err != nil {
		return 0, 0, err
	}
	if err := cmd.Wait(); err != nil {
		return 0, 0, errors.Join(err, errors.New(said.String()))
	}
	seconds = time.Since(start).Seconds()
	return seconds, (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), nil
}

// takeUpload checks the hash of what was uploaded, and removes it.
func (b *bench) takeUpload() error {
	path := filepath.Join(b.root, lab.UploadDir, "back")
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if [32]byte(h.Sum(nil)) != b.sum {
		return errors.New("what was uploaded is not what was sent")
	}
	return os.Remove(path)
}

// makeFile fills a file with random bytes and returns their hash.
func makeFile(path string, size int64) (sum [32]byte, err error) {
	f, err := os.Create(path)
	if err != nil {
		return sum, err
	}
	h := sha256.New()
	_, err = io.CopyN(io.MultiWriter(f, h), rand.NewChaCha8([32]byte{1}), size)
	h.Sum(sum[:0])
	return sum, errors.Join(err, f.Close())
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[len(v)/2] + v[(len(v)-1)/2]) / 2
}
