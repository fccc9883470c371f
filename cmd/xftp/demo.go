package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/seed-54eb6215/xftp/internal/lab"
	"github.com/spf13/cobra"
)

// demoBytes is the length of the file that the demo moves.
const demoBytes = 256_000_000

func newDemo(out *output) *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Move a file over AF_XDP between two network namespaces, and prove it",
		Long: `Demo makes two network namespaces with a cable between them, starts an FTP
server in one, and runs xftp in the other: it downloads a file of 256 MB over
AF_XDP, uploads it again, and compares. It then asks the kernel of the client's
namespace how many TCP segments it saw. Nothing stays behind. It needs root, and
touches none of the machine's own interfaces.`,
		Example: "  sudo xftp demo",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if os.Geteuid() != 0 {
				return &setupError{&hintedError{
					err:  fmt.Errorf("needs root, for network namespaces and AF_XDP"),
					hint: "type: sudo xftp demo (or in a checkout: sudo make demo)",
				}}
			}
			ctx, stop := withSignals(cmd.Context())
			defer stop()
			d := &demo{out: out.stdout}
			err := d.run(ctx)
			if caught := interrupted(ctx); caught != nil {
				return caught
			}
			return err
		},
	}
}

// A demo is one run of it.
type demo struct {
	out io.Writer
	lab *lab.Lab
	dir string // of the client's files
}

// step prints one line about what was done since start.
func (d *demo) step(name string, start time.Time, format string, args ...any) {
	fmt.Fprintf(d.out, "  %-10s %6.2f s   %s\n", name, time.Since(start).Seconds(), fmt.Sprintf(format, args...))
}

func (d *demo) run(ctx context.Context) (err error) {
	begin := time.Now()
	fmt.Fprintf(d.out, "xftp demo: a file goes to and fro, and the kernel's TCP does not see it\n\n")
	if d.lab, err = lab.New(ctx, lab.Config{}); err != nil {
		return &setupError{err}
	}
	defer func() { err = d.cleanUp(begin, err) }()
	client, server := d.lab.Client, d.lab.Server
	d.step("lab", begin, "two network namespaces, joined by a veth pair, MTU 1500")

	if d.dir, err = os.MkdirTemp("", "xftp-demo-"); err != nil {
		return err
	}
	root := filepath.Join(d.dir, "served")
	if err := os.Mkdir(root, 0o755); err != nil {
		return err
	}
	start := time.Now()
	ftp, err := server.StartServer(ctx, lab.ServerConfig{Root: root})
	if err != nil {
		return err
	}
	d.step("server", start, "an FTP server on %s, in a process of its own", ftp.Addr(false))

	start = time.Now()
	original := filepath.Join(root, "original")
	want, err := makeRandom(ctx, original, demoBytes)
	if err != nil {
		return err
	}
	d.step("file", start, "%s of random bytes, SHA-256 %x...", bytesText(demoBytes), want[:6])

	before, err := client.TCP()
	if err != nil {
		return err
	}
	local := filepath.Join(d.dir, "copy")
	start = time.Now()
	down, err := d.xftp(ctx, "get", ftp.URL("original"), "-o", local)
	if err != nil {
		return err
	}
	d.step("download", start, "%s", down)
	if err := d.compare(ctx, local, want); err != nil {
		return err
	}

	// The server needs room for one only.
	if err := os.Remove(original); err != nil {
		return err
	}
	start = time.Now()
	up, err := d.xftp(ctx, "put", local, ftp.URL("back"))
	if err != nil {
		return err
	}
	d.step("upload", start, "%s", up)
	if err := d.compare(ctx, filepath.Join(root, "back"), want); err != nil {
		return err
	}

	after, err := client.TCP()
	if err != nil {
		return err
	}
	segments := after.InSegs - before.InSegs + after.OutSegs - before.OutSegs
	fmt.Fprintf(d.out, "\n  frames     %d received and %d sent on the AF_XDP socket, %s mode\n",
		down.counters["socket.rx_frames"]+up.counters["socket.rx_frames"], down.counters["socket.tx_frames"]+up.counters["socket.tx_frames"], down.Mode)
	fmt.Fprintf(d.out, "  kernel     %d TCP segments and %d connections in the client's namespace\n",
		segments, after.ActiveOpens-before.ActiveOpens)
	if segments != 0 {
		return fmt.Errorf("the kernel of the client's namespace saw %d TCP segments", segments)
	}
	return nil
}

// compare checks the hash of a file.
func (d *demo) compare(ctx context.Context, path string, want [32]byte) error {
	start := time.Now()
	got, err := hashFile(ctx, path)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s: SHA-256 is %x, want %x", filepath.Base(path), got, want)
	}
	d.step("compare", start, "SHA-256 is equal")
	return nil
}

// cleanUp removes everything, whatever happened.
func (d *demo) cleanUp(begin time.Time, err error) error {
	start := time.Now()
	left := d.lab.Close()
	if d.dir != "" {
		left = errors.Join(left, os.RemoveAll(d.dir))
	}
	if err != nil || left != nil {
		return errors.Join(err, left)
	}
	fmt.Fprintln(d.out)
	d.step("clean up", start, "namespaces, server and files are gone; %.1f s in all", time.Since(begin).Seconds())
	return nil
}

// makeRandom writes a file of random bytes and returns its SHA-256.
func makeRandom(ctx context.Context, path string, size int64) (sum [32]byte, err error) {
	f, err := os.Create(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	// The bytes need not be secret, so a seed will do.
	source := rand.NewChaCha8([32]byte([]byte("xftp demo: the seed of this file")))
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for size > 0 {
		if ctx.Err() != nil {
			return sum, context.Cause(ctx)
		}
		piece := buf[:min(size, int64(len(buf)))]
		source.Read(piece)
		h.Write(piece)
		if _, err := f.Write(piece); err != nil {
			return sum, err
		}
		size -= int64(len(piece))
	}
	h.Sum(sum[:0])
	return sum, f.Close()
}
