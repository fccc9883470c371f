package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
)

// A span is a part of a file: the bytes from From up to, and without, To.
type span struct{ From, To int64 }

// MarshalJSON writes [from,to].
func (s span) MarshalJSON() ([]byte, error) { return json.Marshal([2]int64{s.From, s.To}) }

// UnmarshalJSON reads [from,to].
func (s *span) UnmarshalJSON(text []byte) error {
	var ends [2]int64
	if err := json.Unmarshal(text, &ends); err != nil {
		return err
	}
	if ends[0] < 0 || ends[1] <= ends[0] {
		return errors.New("not a part of a file")
	}
	s.From, s.To = ends[0], ends[1]
	return nil
}

// Spans say which bytes of a file are there, in order, with a gap between any
// two.
type spans []span

// add returns spans with one more, joined with those that it touches.
func (all spans) add(s span) spans {
	if s.To <= s.From {
		return all
	}
	joined := make(spans, 0, len(all)+1)
	for _, other := range all {
		if other.To < s.From || other.From > s.To {
			joined = append(joined, other)
			continue
		}
		s = span{min(s.From, other.From), max(s.To, other.To)}
	}
	joined = append(joined, s)
	slices.SortFunc(joined, func(a, b span) int { return cmp.Compare(a.From, b.From) })
	return joined
}

// within returns the spans, in whatever order they were, as far as they lie
// before size.
func (all spans) within(size int64) spans {
	inside := spans{}
	for _, s := range all {
		inside = inside.add(span{s.From, min(s.To, size)})
	}
	return inside
}

// missing returns what is not there of a file of size bytes.
func (all spans) missing(size int64) spans {
	var gaps spans
	at := int64(0)
	for _, s := range all {
		if s.From > at {
			gaps = append(gaps, span{at, s.From})
		}
		at = s.To
	}
	if at < size {
		gaps = append(gaps, span{at, size})
	}
	return gaps
}

// first returns how many bytes there are at the start of the file.
func (all spans) first() int64 {
	if len(all) == 0 || all[0].From > 0 {
		return 0
	}
	return all[0].To
}

// bytes returns how many there are in all.
func (all spans) bytes() int64 {
	n := int64(0)
	for _, s := range all {
		n += s.To - s.From
	}
	return n
}
