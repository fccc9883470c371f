package ftpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// numbers are a content by which every offset can be told.
var numbers = sync.OnceValue(func() string {
	var b strings.Builder
	for i := 0; b.Len() < 1_300_000; i++ {
		fmt.Fprintf(&b, "%07d ", i)
	}
	return b.String()
})

// openAt opens large until the end of the test.
func (f *field) openAt(ctx context.Context, t *testing.T) *ftpclient.File {
	t.Helper()
	file, err := f.open(t).OpenAt(ctx, "large")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// million returns a field with a file called large, of a million bytes.
func million(change func(s *ftptest.Site)) *field {
	s := site(change)
	s.Files["large"] = numbers()[:1_000_003]
	s.Times["large"] = "20201123123456"
	return &field{Site: s}
}

// Any part can be read, in any order, and the end is where it is.
func TestOpenAt(t *testing.T) {
	for kind, change := range kinds {
		t.Run(kind, func(t *testing.T) {
			f := million(change)
			f.cfg.MaxConns, f.cfg.AbortTimeout = 1, time.Minute
			file := f.openAt(t.Context(), t)
			want := f.Files["large"]
			if file.Size() != int64(len(want)) {
				t.Errorf("size %d", file.Size())
			}
			for _, part := range []struct{ off, n int }{
				{0, 10}, {10, 1000}, {2000, 1}, {500_000, 300_000}, {800_000, 10}, {799_999, 1}, {0, len(want)}, {len(want) - 1, 1},
				{len(want) - 5, 10}, {len(want), 1}, {len(want) + 1, 1}, {5, 0},
			} {
				p := make([]byte, part.n)
				n, err := file.ReadAt(p, int64(part.off))
				from := min(part.off, len(want))
				expected := want[from:min(from+part.n, len(want))]
				if string(p[:n]) != expected || err != nil && err != io.EOF || (err == io.EOF) != (n < part.n) {
					t.Errorf("%d at %d: %d bytes, %v", part.n, part.off, n, err)
				}
			}
			content, err := io.ReadAll(io.NewSectionReader(file, 0, file.Size()))
			if err != nil || string(content) != want {
				t.Errorf("all of it: %d bytes, %v", len(content), err)
			}
			if _, err := file.ReadAt(make([]byte, 1), -1); !isA[*ftpclient.ArgumentError](err) {
				t.Error(err)
			}
			if n := f.Sessions(); n != 1 {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

// Reads that follow each other are one transfer.
func TestOpenAtSequential(t *testing.T) {
	f := million(kinds["MLST"])
	file := f.openAt(t.Context(), t)
	begun := len(retrievals(f.Log()))
	p := make([]byte, 1000)
	for off := int64(0); off < 900_000; off += 1500 { // a little is skipped
		if n, err := file.ReadAt(p, off); err != nil || string(p[:n]) != f.Files["large"][off:off+1000] {
			t.Fatalf("at %d: %v", off, err)
		}
	}
	if n := len(retrievals(f.Log())) - begun; n != 1 {
		t.Errorf("%d transfers", n)
	}
}

func retrievals(log []string) []string {
	return slices.DeleteFunc(log, func(line string) bool { return !strings.HasPrefix(line, "RETR ") })
}

// Many read at the same time, also where there are fewer connections.
func TestOpenAtConcurrent(t *testing.T) {
	for _, conns := range []int{1, 3, 0} {
		t.Run(fmt.Sprint(conns, " connections"), func(t *testing.T) {
			f := million(kinds["MLST"])
			f.cfg.MaxConns = conns
			file := f.openAt(t.Context(), t)
			want := f.Files["large"]
			var wg sync.WaitGroup
			for i := range uint64(6) {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(1, i))
					for range 5 {
						off, p := r.IntN(len(want)), make([]byte, r.IntN(2000)+1)
						n, err := file.ReadAt(p, int64(off))
						if string(p[:n]) != want[off:min(off+len(p), len(want))] || err != nil && (err != io.EOF || off+n != len(want)) {
							t.Errorf("at %d: %d bytes, %v", off, n, err)
						}
					}
				})
			}
			wg.Wait()
		})
	}
}

// What cannot be read in parts, is not there, or has changed, is an error of its
// kind, and nothing is given out.
func TestOpenAtErrors(t *testing.T) {
	unsupported := func(err error) bool {
		return errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrNotExist)
	}
	refused := func(err error) bool { return unsupported(err) && isA[*ftpclient.ReplyError](err) }
	refuse := func(replies ...string) func(s *ftptest.Site) {
		return func(s *ftptest.Site) {
			s.Refuse = make(map[string]string)
			for i := 0; i < len(replies); i += 2 {
				s.Refuse[replies[i]] = replies[i+1]
			}
		}
	}
	sums := func(s *ftptest.Site) { s.Features = append(s.Features, "HASH SHA-256*") }
	for name, test := range map[string]struct {
		path   string
		change func(s *ftptest.Site)
		verify ftpclient.Verify
		ok     func(error) bool
	}{
		"no REST":              {"large", refuse("REST", "502 what"), ftpclient.VerifyAuto, refused},
		"no REST, in lockstep": {"large", func(s *ftptest.Site) { kinds["lockstep"](s); refuse("REST", "502 what")(s) }, ftpclient.VerifyAuto, refused},
		"REST that is ignored": {"large", refuse("REST", "350 what"), ftpclient.VerifyAuto, unsupported},
		"no size":              {"large", refuse("SIZE", "502 what", "MLST", "500 what"), ftpclient.VerifyAuto, unsupported},
		"a directory":          {"t", kinds["vsftpd"], ftpclient.VerifyAuto, isReply(550)},
		"nothing":              {"no", kinds["MLST"], ftpclient.VerifyAuto, is(fs.ErrNotExist)},
		"vsftpd: nothing":      {"no", kinds["vsftpd"], ftpclient.VerifyAuto, is(fs.ErrNotExist)},
		"denied":               {"large", refuse("RETR", "550 no"), ftpclient.VerifyAuto, isReply(550)},
		"a hash is demanded":   {"large", sums, ftpclient.VerifyHash, isA[*ftpclient.IntegrityError]},
		"no name":              {"", kinds["MLST"], ftpclient.VerifyAuto, isA[*ftpclient.ArgumentError]},
		"a line break":         {"a\nb", kinds["MLST"], ftpclient.VerifyAuto, isA[*ftpclient.ArgumentError]},
	} {
		t.Run(name, func(t *testing.T) {
			f := million(test.change)
			f.cfg.Verify, f.cfg.Retries = test.verify, -1
			c := f.open(t)
			for range 2 { // what is known of the server is so the second time
				file, err := c.OpenAt(t.Context(), test.path)
				if !test.ok(err) || file != nil {
					t.Errorf("%v\n%s", err, strings.Join(f.Log(), "\n"))
				}
			}
		})
	}
}

// A file that is another one in between is seen when a transfer begins, and when it
// reaches the end; and so is a transfer that ends too early.
func TestOpenAtChanged(t *testing.T) {
	changed := func(err error) bool {
		var wrong *ftpclient.IntegrityError
		return errors.As(err, &wrong) && wrong.Kind == ftpclient.KindChanged
	}
	other := strings.Repeat("x", 1_000_003)
	anyOf := func(err error) bool { return err != nil && err != io.EOF }
	for name, test := range map[string]struct {
		command string // before which it happens
		fault   ftptest.Fault
		time    string // of the file, from then on
		off     int64
		ok      func(error) bool
	}{
		"shorter":               {"SIZE large", ftptest.Fault{Change: map[string]string{"large": "short"}}, "", 500_000, changed},
		"longer":                {"SIZE large", ftptest.Fault{Change: map[string]string{"large": other + "x"}}, "", 500_000, changed},
		"of another time":       {"SIZE large", ftptest.Fault{Change: map[string]string{"large": other}}, "20201123123457", 500_000, changed},
		"longer, late":          {"RETR large", ftptest.Fault{Change: map[string]string{"large": numbers()[:1_000_004]}}, "", 1_000_000, changed},
		"much longer, late":     {"RETR large", ftptest.Fault{Change: map[string]string{"large": numbers()[:1_300_000]}}, "", 1_000_000, changed},
		"shorter, late":         {"RETR large", ftptest.Fault{Change: map[string]string{"large": numbers()[:1_000_001]}}, "", 1_000_000, changed},
		"of another time, late": {"RETR large", ftptest.Fault{}, "20201123123457", 1_000_000, changed},
		"half":                  {"RETR large", ftptest.Fault{Short: true}, "", 1_000_000, anyOf},
		"cut at the end":        {"RETR large", ftptest.Fault{Cut: true, Bytes: 3}, "", 1_000_000, anyOf},
		"refused at the end":    {"RETR large", ftptest.Fault{Last: "451 no", Bytes: 3}, "", 1_000_000, anyOf},
		"gone":                  {"RETR large", ftptest.Fault{Reply: "550 no"}, "", 500_000, isReply(550)},
	} {
		t.Run(name, func(t *testing.T) {
			f := million(kinds["MLST"])
			f.Features, f.Dirs = nil, nil // Times are then those of Site
			f.Refuse = map[string]string{"MLST": "502 what"}
			f.cfg.Retries = -1
			armed := false
			var mu sync.Mutex
			f.Fault = func(_, _ int, line string) ftptest.Fault {
				mu.Lock()
				defer mu.Unlock()
				if !armed || line != test.command {
					return ftptest.Fault{}
				}
				if test.time != "" {
					f.Times["large"] = test.time
				}
				return test.fault
			}
			file := f.openAt(t.Context(), t)
			mu.Lock()
			armed = true
			mu.Unlock()
			if n, err := file.ReadAt(make([]byte, 3), test.off); !test.ok(err) || n == 3 {
				t.Errorf("%d bytes, %v\n%s", n, err, strings.Join(f.Log(), "\n"))
			}
		})
	}
}

// A transfer that was kept and is lost meanwhile begins again.
func TestOpenAtLost(t *testing.T) {
	f := million(kinds["MLST"])
	f.cfg.Retries = -1
	broken, next := false, false
	f.Fault = func(_, _ int, line string) ftptest.Fault {
		if line == "REST 5000" {
			next = true
		}
		if line == "RETR large" && next && !broken {
			broken = true
			return ftptest.Fault{Cut: true, Bytes: 100_000}
		}
		return ftptest.Fault{}
	}
	file := f.openAt(t.Context(), t)
	want := f.Files["large"]
	for _, off := range []int{5000, 15_010, 80_000, 92_000, 103_000, 160_000} {
		p := make([]byte, 10_000)
		if n, err := file.ReadAt(p, int64(off)); err != nil || string(p[:n]) != want[off:off+10_000] {
			t.Errorf("at %d: %d bytes, %v", off, n, err)
		}
	}
	if !broken {
		t.Error("nothing was lost")
	}
}

// ReadAt ends when the File is closed, and when its context is done; after Close
// there is nothing to read.
func TestOpenAtUnblocked(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(file io.Closer, cancel func())
		want error
	}{
		"close":  {func(file io.Closer, _ func()) { file.Close() }, fs.ErrClosed},
		"cancel": {func(_ io.Closer, cancel func()) { cancel() }, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			f := million(kinds["MLST"])
			asked := make(chan struct{})
			opened := make(chan struct{})
			f.Fault = func(_, _ int, line string) ftptest.Fault {
				select {
				case <-opened:
				default:
					return ftptest.Fault{}
				}
				if line == "RETR large" {
					close(asked)
					return ftptest.Fault{Await: t.Context().Done()}
				}
				return ftptest.Fault{}
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			file := f.openAt(ctx, t)
			close(opened)
			ended := make(chan error)
			go func() {
				_, err := file.ReadAt(make([]byte, 1), 1)
				ended <- err
			}()
			<-asked
			test.end(file, cancel)
			if err := <-ended; !errors.Is(err, test.want) {
				t.Errorf("readat: %v", err)
			}
			file.Close()
			if n, err := file.ReadAt(make([]byte, 1), 1); n != 0 || !errors.Is(err, fs.ErrClosed) {
				t.Errorf("after Close: %d, %v", n, err)
			}
		})
	}
}
