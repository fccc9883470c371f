package ftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// A memory is a file of fixed size that notes what was written twice.
type memory struct {
	mu      sync.Mutex
	b       []byte
	written []byte
	twice   int
}

func newMemory(n int) *memory { return &memory{b: make([]byte, n), written: make([]byte, n)} }

func (m *memory) WriteAt(p []byte, at int64) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at+int64(len(p)) > int64(len(m.b)) {
		return 0, errors.New("beyond the end")
	}
	mark := m.written[at:][:len(p)]
	m.twice += bytes.Count(mark, []byte{1})
	copy(mark, bytes.Repeat([]byte{1}, len(p)))
	return copy(m.b[at:], p), nil
}

const mib = 1 << 20

func TestSegments(t *testing.T) {
	for name, tt := range map[string]struct {
		size, count int
		told        bool
		missing     []ftpclient.Range
		way         func(*field)
		twice       bool // bytes may be fetched twice
	}{
		"empty":          {size: 0, count: 4},
		"empty, told":    {size: 0, count: 4, told: true},
		"one byte":       {size: 1, count: 4},
		"many more":      {size: mib + 1, count: 100},
		"two":            {size: 2 * mib, count: 2},
		"odd":            {size: 7*mib + 13, count: 3},
		"told":           {size: 7*mib + 13, count: 3, told: true},
		"one connection": {size: 5 * mib, count: 1},
		"continued":      {size: 8 * mib, count: 4, missing: []ftpclient.Range{{From: 5, To: 9}, {From: 3 * mib, To: 8 * mib}}},
		"inside":         {size: 8 * mib, count: 2, missing: []ftpclient.Range{{From: 5, To: 3 * mib}}},
		"nothing left":   {size: 8 * mib, count: 2, missing: []ftpclient.Range{}},
		"active":         {size: 7 * mib, count: 3, way: ways["active"]},
		"no pipelining":  {size: 7 * mib, count: 3, way: ways["no pipelining"]},
		"no EPSV":        {size: 7 * mib, count: 3, way: ways["no EPSV"]},
		"two sessions":   {size: 7 * mib, count: 3, way: ways["two sessions"]},
		"one login":      {size: 7 * mib, count: 3, way: ways["one login"]},
		"no REST":        {size: 7 * mib, count: 3, way: refuse("REST", "502 what"), twice: true},
		"no SIZE":        {size: 7 * mib, count: 3, way: refuse("SIZE", "502 what")},
		"SIZE hidden":    {size: 7 * mib, count: 3, told: true, way: refuse("SIZE", "550 no")},
	} {
		t.Run(name, func(t *testing.T) {
			content := string(random(5, tt.size))
			f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content}}}
			if tt.way != nil {
				tt.way(f)
			}
			c := f.open(t)
			dst := newMemory(tt.size)
			want := int64(tt.size)
			if tt.missing != nil {
				want = 0
				copy(dst.b, content)
				for _, r := range tt.missing {
					clear(dst.b[r.From:r.To])
					want += r.To - r.From
				}
			}
			var done, total int64
			left := []ftpclient.Range{{}}
			s := &ftpclient.Segments{
				Path: "f", Count: tt.count, Missing: tt.missing,
				Progress: func(d, t int64) { done, total = d, t },
				Written:  func(missing []ftpclient.Range) { left = missing },
			}
			if tt.told {
				s.Size = int64(tt.size)
			}
			result, err := c.DownloadSegments(t.Context(), dst, s)
			if err != nil {
				t.Fatal(err)
			}
			if sumOf(dst.b) != sumOf([]byte(content)) {
				t.Error("other bytes than sent")
			}
			if result.Bytes != want || done != want {
				t.Errorf("result %+v, progress %d of %d; want %d bytes", result, done, total, want)
			}
			if !tt.twice && dst.twice > 0 {
				t.Errorf("%d bytes were written twice", dst.twice)
			}
			if len(left) != 0 {
				t.Errorf("missing %v", left)
			}
			if n := f.MostSessions(); n > max(tt.count, 1) {
				t.Errorf("%d sessions", n)
			}
		})
	}
}

func refuse(verb, reply string) func(*field) {
	return func(f *field) { f.Refuse = map[string]string{verb: reply} }
}

// Half of what a slow connection has left goes to one that is done.
func TestSegmentsStolen(t *testing.T) {
	const size = 16 * mib
	content := string(random(6, size))
	release := make(chan struct{})
	f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content}}}
	var mu sync.Mutex
	begun := 0
	f.Fault = func(_, _ int, line string) ftptest.Fault {
		if !strings.HasPrefix(line, "RETR") {
			return ftptest.Fault{}
		}
		mu.Lock()
		defer mu.Unlock()
		begun++
		switch begun {
		case 1:
			return ftptest.Fault{Await: release} // one of the two halves does not begin
		case 3: // the other is done, and has taken over
			close(release)
		}
		return ftptest.Fault{}
	}
	c := f.open(t)
	dst := newMemory(size)
	result, err := c.DownloadSegments(t.Context(), dst, &ftpclient.Segments{Path: "f", Count: 2})
	if err != nil || result.Bytes != size || sumOf(dst.b) != sumOf([]byte(content)) || dst.twice > 0 {
		t.Errorf("%+v, %v, %d bytes twice", result, err, dst.twice)
	}
	if begun < 3 {
		t.Errorf("%d ranges", begun)
	}
}

// A connection that is lost, whenever, costs no more than what it had left.
func TestSegmentsLost(t *testing.T) {
	const size = 6*mib + 5
	content := string(random(7, size))
	const login = 2
	for n := login; ; n++ {
		f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content}}}
		f.cfg.RetryWait = time.Nanosecond
		var once sync.Once
		hit := false
		f.Fault = func(session, k int, line string) (fault ftptest.Fault) {
			if session == 0 && k == n {
				once.Do(func() {
					hit = true
					fault = ftptest.Fault{Hangup: !strings.HasPrefix(line, "RETR"), Cut: true}
				})
			}
			return fault
		}
		c := f.open(t)
		dst := newMemory(size)
		result, err := c.DownloadSegments(t.Context(), dst, &ftpclient.Segments{Path: "f", Count: 3, Size: size})
		if err != nil || result.Bytes != size || sumOf(dst.b) != sumOf([]byte(content)) || dst.twice > 0 {
			t.Errorf("command %d: %+v, %v, %d bytes twice", n, result, err, dst.twice)
		}
		if !hit {
			if n < 6 {
				t.Errorf("only %d commands", n)
			}
			return
		}
	}
}

// What cannot be one file is none.
func TestSegmentsBroken(t *testing.T) {
	const size = 6 * mib
	for name, tt := range map[string]struct {
		size  int64
		fault func(n int, line string) ftptest.Fault
		dst   func() io.WriterAt
		check func(error) bool
	}{
		"grown":     {size: size - 1, check: isIntegrity(ftpclient.KindChanged, size-1, size)},
		"shrunk":    {size: size + 1, check: isIntegrity(ftpclient.KindChanged, size+1, size)},
		"not there": {size: size, check: isReply(550), fault: replyTo("RETR", "550 no")},
		"short":     {size: size, fault: func(_ int, line string) ftptest.Fault { return ftptest.Fault{Short: strings.HasPrefix(line, "RETR")} }, check: is(io.ErrUnexpectedEOF)},
		"grows unseen": {size: size - 1, fault: replyTo("SIZE", "550 no"), check: func(err error) bool {
			return isIntegrity(ftpclient.KindSize, size-1, size)(err)
		}},
		"grown meanwhile": {size: size, check: isIntegrity(ftpclient.KindChanged, size, 7)},
		"disk full":       {size: size, dst: func() io.WriterAt { return fullDisk{} }, check: is(errDisk)},
	} {
		for _, ahead := range []int{0, -1} {
			t.Run(name, func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Files: map[string]string{"f": string(random(7, size))}}}
				f.cfg.Ahead = ahead
				sizes := 0
				f.Fault = func(_, n int, line string) ftptest.Fault {
					if verb(line) == "SIZE" {
						sizes++
						if name == "grown meanwhile" && sizes == 4 { // one for each range before
							return ftptest.Fault{Reply: "213 7"}
						}
					}
					if tt.fault == nil {
						return ftptest.Fault{}
					}
					return tt.fault(n, line)
				}
				c := f.open(t)
				var dst io.WriterAt = newMemory(size + 1)
				if tt.dst != nil {
					dst = tt.dst()
				}
				result, err := c.DownloadSegments(t.Context(), dst, &ftpclient.Segments{Path: "f", Count: 3, Size: tt.size})
				if err == nil || !tt.check(err) || result.Verified != ftpclient.VerifiedNone {
					t.Errorf("%+v, error %v", result, err)
				}
			})
		}
	}
}

func replyTo(verb, reply string) func(int, string) ftptest.Fault {
	return func(_ int, line string) ftptest.Fault {
		if strings.HasPrefix(line, verb) {
			return ftptest.Fault{Reply: reply}
		}
		return ftptest.Fault{}
	}
}

type fullDisk struct{}

func (fullDisk) WriteAt([]byte, int64) (int, error) { return 0, errDisk }

// A cancelled download says what is missing.
func TestSegmentsCancelled(t *testing.T) {
	const size = 6 * mib
	f := &field{Site: &ftptest.Site{Files: map[string]string{"f": string(random(8, size))}}}
	c := f.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var left []ftpclient.Range
	dst := newMemory(size)
	result, err := c.DownloadSegments(ctx, dst, &ftpclient.Segments{
		Path: "f", Count: 3,
		Progress: func(done, _ int64) {
			if done > mib {
				cancel()
			}
		},
		Written: func(missing []ftpclient.Range) { left = missing },
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	sum := result.Bytes
	for _, r := range left {
		sum += r.To - r.From
		if r.To == size && r.To-r.From == 1 {
			continue // all of a range is there, but for the server's word
		}
		if bytes.Contains(dst.written[r.From:r.To], []byte{1}) {
			t.Errorf("bytes in %v are written and missing", r)
		}
	}
	if sum != size {
		t.Errorf("%d bytes are there, and %v are missing", result.Bytes, left)
	}
}
