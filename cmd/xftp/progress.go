package main

import (
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// A progress draws on a terminal what happens to the files of one run: a line
// for each file under way, and below them the total if there are several. The
// lines stay where they are as files come and go, so that a thousand small
// files neither scroll nor flicker.
//
// A nil *progress draws nothing.
type progress struct {
	out    *output
	screen *mpb.Progress
	tally  *tally
	moved  atomic.Int64 // bytes of all files

	mu    sync.Mutex
	lines []*mpb.Bar
	free  []*slot // lines without a file
}

// drawEvery is short enough to look alive. Each drawing costs a wake-up, on
// the one thread that the AF_XDP path runs on.
const drawEvery = 200 * time.Millisecond

const (
	maxLines  = 12 // files that have a line; further ones are in the total only
	nameWidth = 30 // runes of a file's name that are shown
)

// newProgress returns nil if nothing is to be drawn. The caller must call stop.
func newProgress(o *output, t *tally) *progress {
	if o.quiet || o.verbose || !isTerminal(o.stderr) {
		return nil
	}
	p := &progress{out: o, tally: t, screen: mpb.New(mpb.WithOutput(o.stderr), mpb.WithRefreshRate(drawEvery))}
	o.setScreen(p.screen)
	if t.several {
		rate := newMeter()
		p.lines = append(p.lines, p.screen.New(0, mpb.NopStyle(), mpb.BarPriority(maxLines),
			mpb.PrependDecorators(decor.Any(func(decor.Statistics) string {
				moved := p.moved.Load()
				rate.add(time.Now(), moved)
				return t.line(moved, rate)
			}))))
	}
	return p
}

// stop takes everything off the screen.
func (p *progress) stop() {
	if p == nil {
		return
	}
	p.mu.Lock()
	lines := p.lines
	p.mu.Unlock()
	for _, line := range lines {
		line.Abort(true)
	}
	p.screen.Wait()
	p.out.setScreen(nil)
}

// A slot is a line for whatever file is under way in its place.
type slot struct{ file atomic.Pointer[fileBar] }

// linger is how long a file that has ended is shown if no other takes its
// place, so that the line does not blink between two small files.
const linger = time.Second

// shown returns the file to be drawn, or nil.
func (s *slot) shown() *fileBar {
	f := s.file.Load()
	if f == nil {
		return nil
	}
	if ended := f.ended.Load(); ended != nil && time.Since(*ended) > linger {
		return nil
	}
	return f
}

// A fileBar is a file under way. A nil *fileBar is not drawn.
type fileBar struct {
	progress *progress
	slot     *slot // nil if there is no line for it
	name     string
	done     atomic.Int64
	total    atomic.Int64 // -1 if not known
	ended    atomic.Pointer[time.Time]
	rate     *meter // of the goroutine that draws
}

// begin shows a file until end is called. size is -1 if it is not known yet.
func (p *progress) begin(path string, size int64) *fileBar {
	if p == nil {
		return nil
	}
	f := &fileBar{progress: p, name: shortName(filepath.Base(path)), rate: newMeter()}
	f.total.Store(size)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch n := len(p.free); {
	case n > 0:
		f.slot = p.free[n-1]
		p.free = p.free[:n-1]
	case len(p.lines) < maxLines:
		f.slot = new(slot)
		p.lines = append(p.lines, p.draw(f.slot, len(p.lines)))
	default:
		return f
	}
	f.slot.file.Store(f)
	return f
}

// report returns the function that a transfer tells its progress, or nil.
func (f *fileBar) report() func(done, total int64) {
	if f == nil {
		return nil
	}
	return func(done, total int64) {
		f.progress.moved.Add(done - f.done.Swap(done))
		f.total.Store(total)
	}
}

// end takes a file off its line, which the next file may get.
func (f *fileBar) end() {
	if f == nil || f.slot == nil {
		return
	}
	now := time.Now()
	f.ended.Store(&now)
	f.progress.mu.Lock()
	defer f.progress.mu.Unlock()
	f.progress.free = append(f.progress.free, f.slot)
	f.slot = nil
}

// draw makes the line for a slot.
func (p *progress) draw(s *slot, place int) *mpb.Bar {
	name := func(decor.Statistics) string {
		if f := s.shown(); f != nil {
			return f.name
		}
		return ""
	}
	figures := func(decor.Statistics) string {
		f := s.shown()
		if f == nil {
			return ""
		}
		f.rate.add(time.Now(), f.done.Load())
		return f.rate.text(f.total.Load())
	}
	fill := mpb.BarStyle().Build()
	filler := mpb.BarFillerFunc(func(w io.Writer, stat decor.Statistics) error {
		f := s.shown()
		if f == nil {
			return nil
		}
		if stat.Current, stat.Total = f.done.Load(), f.total.Load(); stat.Total <= 0 {
			return nil // a bar says nothing where it is not known how much is to come
		}
		return fill.Fill(w, stat)
	})
	return p.screen.MustAdd(0, filler, mpb.BarPriority(place),
		mpb.PrependDecorators(decor.Any(name, decor.WC{W: nameWidth, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.Any(figures)))
}

// shortName returns a name that fits its column.
func shortName(name string) string {
	name = printable(name)
	if utf8.RuneCountInString(name) <= nameWidth {
		return name
	}
	return string([]rune(name)[:nameWidth-1]) + "…"
}

// A tally counts the files of a run.
type tally struct {
	several bool // not a run for just one file
	start   time.Time

	mu         sync.Mutex
	done       int   // files that have ended well
	failed     int   // files, and directories that could not be listed
	bytes      int64 // that were moved
	found      int   // files that are known of
	foundBytes int64 // as far as it is known
	complete   bool  // no more are to be found
}

func newTally(several bool) *tally { return &tally{several: several, start: time.Now()} }

// find notes files that are to come. size is -1 if it is not known.
func (t *tally) find(size int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.found++
	t.foundBytes += max(size, 0)
}

// leaveOut takes back that a file was found.
func (t *tally) leaveOut() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.found--
}

// foundAll notes that there are no more.
func (t *tally) foundAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.complete = true
}

// end notes the end of a file.
func (t *tally) end(bytes int64, failed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bytes += bytes
	if failed {
		t.failed++
	} else {
		t.done++
	}
}

// line is the total as it is drawn.
func (t *tally) line(moved int64, rate *meter) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	of, total := fmt.Sprint(t.found), int64(-1)
	if t.complete {
		total = t.foundBytes
	} else {
		of += "+"
	}
	text := fmt.Sprintf("total: %d of %s files, %s", t.done, of, rate.text(total))
	if t.failed > 0 {
		text += fmt.Sprintf(", %d failed", t.failed)
	}
	return text
}

// summary is what is printed at the end of a run with several files, over what
// path they came.
func (t *tally) summary(seconds float64, path *transport) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	files := "files"
	if t.done == 1 {
		files = "file"
	}
	text := fmt.Sprintf("%d %s, %s in %.2f s, %s/s over %s", t.done, files, bytesText(float64(t.bytes)), seconds,
		bytesText(float64(t.bytes)/max(seconds, 1e-9)), path)
	if t.failed > 0 {
		text += fmt.Sprintf(", %d failed", t.failed)
	}
	return text
}
