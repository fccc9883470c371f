package ftpclient

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

const (
	// minRange is the smallest part of a file that is worth a data connection
	// of its own, in bytes.
	minRange = 1 << 20

	// mostWhole is the size in bytes up to which a file is not halved.
	mostWhole = 4 * minRange

	// writtenEvery is how often a caller hears of what is missing, unless he says
	// otherwise.
	writtenEvery = time.Second

	// maxWrite is the most that is written under one look at where a piece
	// ends. It is less than what is left to the owner of a piece that is
	// halved.
	maxWrite = minRange / 2
)

// A piece is a part of a file that one connection fetches. What is before at
// has been written. to moves down when another connection takes over the end.
type piece struct {
	at, to int64
	round  int  // how many failures there were when it was taken
	swept  bool // its connection was found lost before a byte came, which counts as no failure once
}

func (p *piece) left() int64 { return p.to - p.at }

// pieces is a file in parts.
type pieces struct {
	size     int64
	dst      io.WriterAt
	progress func(done, total int64)
	written  func([]Range)
	every    time.Duration // between two calls of it

	mu       sync.Mutex
	free     []*piece // nobody fetches
	taken    []*piece
	done     int64
	total    int64 // to be done
	told     time.Time
	failures int // of ranges; of those that are under way at the same time one counts
	detours  int // ranges that had to go another way
}

var (
	errPieceEnd = errors.New("end of the range")
	errGrown    = errors.New("the file has grown")
)

// cut divides what is missing among count connections.
func (s *pieces) cut(missing []Range, count int) {
	if missing == nil {
		missing = []Range{{0, s.size}}
	}
	for _, r := range missing {
		s.total += max(r.To-r.From, 0)
	}
	share := max((s.total+int64(count)-1)/int64(count), minRange)
	for _, r := range missing {
		for r.From < r.To {
			to := r.From + share
			if r.To-to < minRange {
				to = r.To
			}
			s.free = append(s.free, &piece{at: r.From, to: to})
			r.From = to
		}
	}
}

// take returns a piece to fetch: one that is free, or half of the largest that
// somebody fetches. It returns nil if there is none.
func (s *pieces) take() *piece {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) > 0 {
		p := s.free[0]
		s.free = s.free[1:]
		p.round = s.failures
		s.taken = append(s.taken, p)
		return p
	}
	var largest *piece
	for _, p := range s.taken {
		if largest == nil || p.left() > largest.left() {
			largest = p
		}
	}
	if largest == nil || largest.left() < mostWhole {
		return nil
	}
	middle := largest.at + largest.left()/2
	p := &piece{at: middle, to: largest.to}
	largest.to = middle
	p.round = s.failures
	s.taken = append(s.taken, p)
	return p
}

// giveBack ends the work on a piece, which began at from, with the error that ended
// it. What is left of it is free again. It returns how often that has happened for
// an error of its kind.
func (s *pieces) giveBack(p *piece, from int64, err error) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = slices.DeleteFunc(s.taken, func(other *piece) bool { return other == p })
	if err != nil && p.left() == 0 && p.to == s.size && p.at > 0 {
		// All is here, and the server has not said that it is. The last byte is
		// fetched once more, for the sake of the reply.
		p.at--
		s.done--
	}
	if p.left() > 0 {
		s.free = append([]*piece{p}, s.free...)
	}
	switch {
	case errors.Is(err, errDetour):
		s.detours++
		return s.detours
	case p.at == from && !p.swept && sweeps(err):
		p.swept = true
		return 0
	case err != nil && p.round == s.failures:
		s.failures++
	}
	return s.failures
}

// sweeps reports whether err may be that of a connection which the server had
// dropped while nobody used it.
func sweeps(err error) bool {
	var refusal *ReplyError
	var timeout *TimeoutError
	return transient(err) && !errors.As(err, &refusal) && !errors.As(err, &timeout)
}

// end returns where a piece ends now.
func (s *pieces) end(p *piece) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return p.to
}

// moved returns how many bytes have been written.
func (s *pieces) moved() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

// missing returns what is not written.
func (s *pieces) missing() []Range {
	var all []Range
	for _, p := range slices.Concat(s.free, s.taken) {
		if p.left() > 0 {
			all = append(all, Range{p.at, p.to})
		}
	}
	slices.SortFunc(all, byPlace)
	return all
}

// byPlace orders ranges by where they begin.
func byPlace(a, b Range) int { return cmp.Compare(a.From, b.From) }

// A pieceWriter writes a piece to where it belongs.
type pieceWriter struct {
	s *pieces
	p *piece
}

// Write returns errPieceEnd as soon as the piece is whole, unless it is the end
// of the file: there the server has to say that it is. More than the file is
// errGrown.
func (w pieceWriter) Write(b []byte) (n int, err error) {
	for n < len(b) {
		w.s.mu.Lock()
		room := w.p.left()
		w.s.mu.Unlock()
		if room <= 0 {
			break
		}
		chunk := b[n:]
		chunk = chunk[:min(int64(len(chunk)), room, maxWrite)]
		m, err := w.s.dst.WriteAt(chunk, w.p.at)
		w.s.advance(w.p, int64(m))
		n += m
		if err != nil {
			return n, &localError{err}
		}
	}
	switch end := w.s.end(w.p); {
	case n < len(b) && end == w.s.size:
		return n, errGrown
	case w.p.at >= end && end != w.s.size:
		return n, errPieceEnd
	default:
		return n, nil
	}
}

// advance notes that n more bytes of p are written.
func (s *pieces) advance(p *piece, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.at += n
	s.done += n
	if s.progress != nil && n > 0 {
		s.progress(s.done, s.total)
	}
	if s.written != nil && time.Since(s.told) >= s.every {
		s.told = time.Now()
		s.written(s.missing())
	}
}
