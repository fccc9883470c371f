package ftpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

func TestUploadSegments(t *testing.T) {
	for name, tt := range map[string]struct {
		size, count int
		storing     ftptest.Storing
		way         func(*field)
		refused     string // why, of a server that does not take it
		verified    ftpclient.Verified
	}{
		"three":         {size: 5*mib + 13, count: 3, storing: ftptest.StoreInside, verified: ftpclient.VerifiedSize},
		"one":           {size: 2 * mib, count: 1, storing: ftptest.StoreInside, verified: ftpclient.VerifiedSize},
		"many more":     {size: mib + 1, count: 50, storing: ftptest.StoreInside, verified: ftpclient.VerifiedSize},
		"three bytes":   {size: 3, count: 4, storing: ftptest.StoreInside, verified: ftpclient.VerifiedSize},
		"two bytes":     {size: 2, count: 4, storing: ftptest.StoreInside, refused: "2 bytes"},
		"active":        {size: 3 * mib, count: 2, storing: ftptest.StoreInside, way: ways["active"], verified: ftpclient.VerifiedSize},
		"no pipelining": {size: 3 * mib, count: 2, storing: ftptest.StoreInside, way: ways["no pipelining"], verified: ftpclient.VerifiedSize},
		"two sessions":  {size: 5 * mib, count: 4, storing: ftptest.StoreInside, way: sessions(2), verified: ftpclient.VerifiedSize},
		"with a hash":   {size: 3 * mib, count: 2, storing: ftptest.StoreInside, way: hashes, verified: ftpclient.VerifiedHash},
		"hash alone":    {size: 3 * mib, count: 2, storing: ftptest.StoreInside, way: both(hashes, refuse("RETR", "550 no")), verified: ftpclient.VerifiedHash},
		"not checked":   {size: 3 * mib, count: 2, storing: ftptest.StoreInside, way: func(f *field) { f.cfg.Verify = ftpclient.VerifyNone }},

		"cuts":         {size: 3 * mib, count: 2, refused: "behind the end"},
		"refuses":      {size: 3 * mib, count: 2, storing: ftptest.StoreRefuses, refused: "554 "},
		"ignores":      {size: 3 * mib, count: 2, storing: ftptest.StoreIgnores, refused: "behind the end"},
		"appends":      {size: 3 * mib, count: 2, storing: ftptest.StoreAppends, refused: "behind the end"},
		"no REST":      {size: 3 * mib, count: 2, storing: ftptest.StoreInside, way: refuse("REST", "502 what"), refused: "502 what"},
		"no SIZE":      {size: 3 * mib, count: 2, storing: ftptest.StoreInside, way: refuse("SIZE", "550 no"), refused: "tell the size"},
		"write only":   {size: 3 * mib, count: 2, storing: ftptest.StoreInside, way: refuse("RETR", "550 no"), refused: "550 no"},
		"one session":  {size: 3 * mib, count: 2, storing: ftptest.StoreInside, way: sessions(1), refused: "no further connection"},
		"takes turns":  {size: 3 * mib, count: 2, storing: ftptest.StoreInside, way: func(f *field) { f.InTurn = true }, refused: "two uploads"},
		"demands hash": {size: 3 * mib, count: 2, storing: ftptest.StoreInside, way: func(f *field) { f.cfg.Verify = ftpclient.VerifyHash }, refused: "no hash"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				content := string(random(21, tt.size))
				f := &field{Site: &ftptest.Site{Storing: tt.storing}}
				f.Files = map[string]string{"part": "what was there before, which is longer than nothing", "other": "untouched"}
				if tt.way != nil {
					tt.way(f)
				}
				c := f.open(t)
				var done, total int64
				confirmed := []ftpclient.Range{{}}
				result, err := c.UploadSegments(t.Context(), strings.NewReader(content), &ftpclient.UploadSegments{
					Path: "part", Rename: "whole", Size: int64(tt.size), Count: tt.count,
					Progress: func(d, t int64) { done, total = d, t },
					Written:  func(missing []ftpclient.Range) { confirmed = slices.Clone(missing) },
				})
				stored := f.Stored()
				if stored["other"] != "untouched" {
					t.Error("another file has changed")
				}
				if tt.refused != "" {
					if err == nil || !strings.Contains(err.Error(), tt.refused) || errors.Is(err, ftpclient.ErrNoSegments) == (name == "demands hash") {
						t.Errorf("%+v, error %v", result, err)
					}
					if stored["whole"] != "" {
						t.Error("there is a file under the new name")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				if sumOf([]byte(stored["whole"])) != sumOf([]byte(content)) || stored["part"] != "" {
					t.Errorf("%d bytes are stored, which differ; %d under the old name", len(stored["whole"]), len(stored["part"]))
				}
				if result.Bytes != int64(tt.size) || result.Verified != tt.verified || done != total || total != result.Bytes {
					t.Errorf("%+v; progress %d of %d", result, done, total)
				}
				if len(confirmed) != 0 {
					t.Errorf("not confirmed: %v", confirmed)
				}
				if n := f.MostSessions(); n > max(tt.count, 2) {
					t.Errorf("%d sessions", n)
				}
			})
		})
	}
}

// A login may be slow, and an upload may, once: only what takes turns each time is
// not asked again.
func TestUploadSegmentsSlow(t *testing.T) {
	const size = 3 * mib
	content := string(random(27, size))
	for name, tt := range map[string]struct {
		inTurn bool
		slow   string // command of the second session, the first time
		taken  []bool // whether each of several files was
		stores []int  // for each; -1 is as many as it takes
	}{
		"login":       {false, "PASS", []bool{true}, []int{-1}},
		"upload":      {false, "STOR", []bool{false, true}, []int{2, -1}},
		"takes turns": {true, "", []bool{false, false, false}, []int{2, 2, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Storing: ftptest.StoreInside, InTurn: tt.inTurn}}
				slept := false
				f.Fault = func(session, _ int, line string) (fault ftptest.Fault) {
					if session == 1 && verb(line) == tt.slow && !slept {
						slept = true
						over := make(chan struct{})
						time.AfterFunc(20*time.Second, func() { close(over) })
						fault.Await = over
					}
					return fault
				}
				c := f.open(t)
				for i, want := range tt.taken {
					before := f.count("STOR")
					_, err := c.UploadSegments(t.Context(), strings.NewReader(content), &ftpclient.UploadSegments{Path: "f", Size: size, Count: 2})
					if want && err != nil || !want && !errors.Is(err, ftpclient.ErrNoSegments) {
						t.Errorf("file %d: error %v", i, err)
					}
					if n := f.count("STOR") - before; tt.stores[i] >= 0 && n != tt.stores[i] {
						t.Errorf("file %d: %d uploads", i, n)
					}
				}
			})
		})
	}
}

func sessions(n int) func(*field) {
	return func(f *field) { f.MaxSessions, f.TooMany = n, "421 too many" }
}

func both(ways ...func(*field)) func(*field) {
	return func(f *field) {
		for _, way := range ways {
			way(f)
		}
	}
}

// hashes lets the site answer HASH by the SHA-256 of what it has stored.
func hashes(f *field) {
	before := f.Fault
	f.Features = []string{"HASH SHA-256*"}
	f.Fault = func(session, n int, line string) ftptest.Fault {
		if path, ok := strings.CutPrefix(line, "HASH "); ok {
			return ftptest.Fault{Reply: fmt.Sprintf("213 SHA-256 0-1 %s %s", sumOf([]byte(f.content(path))), path)}
		}
		if before == nil {
			return ftptest.Fault{}
		}
		return before(session, n, line)
	}
}

// content is what the site holds; Fault is called with its mutex held.
func (f *field) content(path string) string { return f.Site.Content(path) }

// An upload that breaks goes on with what the server has not confirmed, now or later.
func TestUploadSegmentsContinued(t *testing.T) {
	const size = 6*mib + 5
	content := string(random(22, size))
	for retries := range 2 {
		f := &field{Site: &ftptest.Site{Storing: ftptest.StoreInside}}
		f.cfg.Retries, f.cfg.RetryWait = retries-1+retries, time.Nanosecond // -1 or 1
		var mu sync.Mutex
		stores := 0
		f.Fault = func(_, _ int, line string) ftptest.Fault {
			mu.Lock()
			defer mu.Unlock()
			if verb(line) != "STOR" {
				return ftptest.Fault{}
			}
			stores++ // 3 are those that find out
			return ftptest.Fault{Cut: stores == 6, Bytes: 1000}
		}
		c := f.open(t)
		missing := []ftpclient.Range(nil)
		up := func() (ftpclient.Result, error) {
			return c.UploadSegments(t.Context(), strings.NewReader(content), &ftpclient.UploadSegments{
				Path: "part", Rename: "whole", Size: size, Count: 2, Missing: missing,
				Written: func(m []ftpclient.Range) { missing = slices.Clone(m) },
			})
		}
		result, err := up()
		if retries == 0 {
			if err == nil || len(missing) == 0 || f.Stored()["whole"] != "" {
				t.Fatalf("%+v, error %v, missing %v", result, err, missing)
			}
			sent := result.Bytes
			result, err = up()
			if result.Bytes+sent != size {
				t.Errorf("%d and %d bytes of %d", sent, result.Bytes, size)
			}
		}
		if err != nil || sumOf([]byte(f.Stored()["whole"])) != sumOf([]byte(content)) {
			t.Errorf("%+v, error %v", result, err)
		}
	}
}

// What a server makes of the segments is found out, whatever it says of them.
func TestUploadSegmentsLost(t *testing.T) {
	const size = 4 * mib
	content := string(random(23, size))
	for name, tt := range map[string]struct {
		change func(stored string) string // before the last SIZE
		check  func(error) bool
	}{
		"a join":    {func(s string) string { return s[:2*mib] + "\x00" + s[2*mib+1:] }, isIntegrity(ftpclient.KindContent, 2*mib-32<<10, 2*mib-32<<10)},
		"the end":   {func(s string) string { return s[:size-2] + "\x00\x00" }, nil},
		"shorter":   {func(s string) string { return s[:size-2] }, isIntegrity(ftpclient.KindStored, size, size-2)},
		"untouched": {func(s string) string { return s }, func(err error) bool { return err == nil }},
	} {
		t.Run(name, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{Storing: ftptest.StoreInside}}
			confirmed := false
			var mu sync.Mutex
			f.Fault = func(_, _ int, line string) ftptest.Fault {
				mu.Lock()
				defer mu.Unlock()
				if !confirmed || verb(line) != "SIZE" {
					return ftptest.Fault{}
				}
				confirmed = false
				return ftptest.Fault{Change: map[string]string{"part": tt.change(f.content("part"))}}
			}
			c := f.open(t)
			result, err := c.UploadSegments(t.Context(), strings.NewReader(content), &ftpclient.UploadSegments{
				Path: "part", Rename: "whole", Size: size, Count: 2,
				Written: func(m []ftpclient.Range) {
					mu.Lock()
					defer mu.Unlock()
					confirmed = len(m) == 0
				},
			})
			var wrong *ftpclient.IntegrityError
			if tt.check == nil && (!errors.As(err, &wrong) || wrong.Kind != ftpclient.KindContent) || tt.check != nil && !tt.check(err) {
				t.Errorf("%+v, error %v", result, err)
			}
			if _, renamed := f.Stored()["whole"]; renamed == (err != nil) {
				t.Errorf("renamed: %v", renamed)
			}
		})
	}
}

// A further upload that the server does not begin with, or refuses, is one less.
func TestUploadSegmentsFewer(t *testing.T) {
	const size = 8 * mib
	content := string(random(24, size))
	for _, reply := range []string{"550 in use", "452 later"} {
		f := &field{Site: &ftptest.Site{Storing: ftptest.StoreInside}}
		f.cfg.Retries = -1
		var mu sync.Mutex
		stores := 0
		f.Fault = func(_, _ int, line string) (fault ftptest.Fault) {
			mu.Lock()
			defer mu.Unlock()
			if verb(line) == "STOR" {
				if stores++; stores == 5 || stores == 7 {
					fault.Reply = reply
				}
			}
			return fault
		}
		c := f.open(t)
		result, err := c.UploadSegments(t.Context(), strings.NewReader(content), &ftpclient.UploadSegments{Path: "f", Size: size, Count: 3})
		if err != nil || sumOf([]byte(f.Stored()["f"])) != sumOf([]byte(content)) {
			t.Errorf("%s: %+v, error %v", reply, result, err)
		}
	}
}

// A source that is shorter than it was makes no file.
func TestUploadSegmentsShrunk(t *testing.T) {
	f := &field{Site: &ftptest.Site{Storing: ftptest.StoreInside}}
	c := f.open(t)
	content := string(random(25, 4*mib))
	_, err := c.UploadSegments(t.Context(), io.NewSectionReader(shrunk{strings.NewReader(content), 3 * mib}, 0, 4*mib), &ftpclient.UploadSegments{Path: "f", Rename: "whole", Size: 4 * mib, Count: 2})
	if !errors.Is(err, io.ErrUnexpectedEOF) || f.Stored()["whole"] != "" {
		t.Errorf("error %v", err)
	}
}

// A shrunk file has lost what is in the middle of its last part.
type shrunk struct {
	io.ReaderAt
	from int64
}

func (s shrunk) ReadAt(p []byte, at int64) (int, error) {
	if at >= s.from && len(p) > 1 {
		return 0, io.EOF
	}
	return s.ReaderAt.ReadAt(p, at)
}

// A cancelled upload ends, and what it says is missing is.
func TestUploadSegmentsCancelled(t *testing.T) {
	const size = 8 * mib
	f := &field{Site: &ftptest.Site{Storing: ftptest.StoreInside}}
	c := f.open(t)
	content := string(random(26, size))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var missing []ftpclient.Range
	result, err := c.UploadSegments(ctx, strings.NewReader(content), &ftpclient.UploadSegments{
		Path: "f", Size: size, Count: 2,
		Written: func(m []ftpclient.Range) {
			if missing = slices.Clone(m); len(m) > 0 && m[0].From > 2*mib {
				cancel()
			}
		},
	})
	if !errors.Is(err, context.Canceled) || len(missing) == 0 {
		t.Fatalf("%+v, error %v, missing %v", result, err, missing)
	}
	left := int64(0)
	for _, r := range missing {
		left += r.To - r.From
	}
	if left+result.Bytes != size {
		t.Errorf("%d bytes are confirmed, and %v missing", result.Bytes, missing)
	}
	stored := f.Stored()["f"]
	at := int64(0)
	for _, r := range append(missing, ftpclient.Range{From: size, To: size}) {
		if stored[at:r.From] != content[at:r.From] {
			t.Errorf("bytes %d to %d were confirmed, and differ", at, r.From)
		}
		at = r.To
	}
}

// A file is read once for its hash, also if the server drops the connection
// meanwhile, and no longer than the caller wants it.
func TestUploadSegmentsHash(t *testing.T) {
	const size = 8 * mib
	content := string(random(28, size))
	for _, cancelled := range []bool{false, true} {
		f := &field{Site: &ftptest.Site{Storing: ftptest.StoreInside}}
		hashes(f)
		answer, lost := f.Fault, false
		f.Fault = func(session, n int, line string) ftptest.Fault {
			if verb(line) == "HASH" && !lost {
				lost = true
				return ftptest.Fault{Hangup: true}
			}
			return answer(session, n, line)
		}
		c := f.open(t)
		ctx, cancel := context.WithCancel(t.Context())
		src := &watched{ReaderAt: strings.NewReader(content)}
		result, err := c.UploadSegments(ctx, src, &ftpclient.UploadSegments{
			Path: "f", Size: size, Count: 2,
			Written: func(missing []ftpclient.Range) {
				if len(missing) == 0 && cancelled {
					src.watch(cancel)
				} else if len(missing) == 0 {
					src.watch(func() {})
				}
			},
		})
		cancel()
		read := src.read()
		if cancelled && (!errors.Is(err, context.Canceled) || read > size/2) || !cancelled && (err != nil || result.Verified != ftpclient.VerifiedHash || read != size) {
			t.Errorf("cancelled %v: %+v, error %v, %d bytes read", cancelled, result, err, read)
		}
	}
}

// A watched source counts what is read after watch, and calls begun at the first of
// it.
type watched struct {
	io.ReaderAt
	mu    sync.Mutex
	begun func()
	n     int
}

func (w *watched) watch(begun func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begun = begun
}

func (w *watched) read() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.n
}

func (w *watched) ReadAt(p []byte, at int64) (int, error) {
	n, err := w.ReaderAt.ReadAt(p, at)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.begun != nil {
		w.begun()
		w.n += n
	}
	return n, err
}
