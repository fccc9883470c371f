package mirror_test

import (
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// at is 2024-02-29 12:34 and some seconds.
func at(seconds float64) time.Time {
	return time.Date(2024, 2, 29, 12, 34, 0, 0, time.UTC).Add(time.Duration(seconds * float64(time.Second)))
}

func TestCompareTimes(t *testing.T) {
	tests := []struct {
		name            string
		src, dst        time.Time
		srcCut, dstCut  time.Duration
		same, unstamped bool
	}{
		{"equal", at(5), at(5), 0, 0, true, true},
		{"younger there", at(5), at(6), 0, 0, false, true},
		{"older there", at(5), at(4), 0, 0, false, false},
		{"a fraction that was cut", at(5.7), at(5), 0, time.Second, true, true},
		{"a fraction that was not", at(5.7), at(5), 0, 0, false, false},
		{"a list of seconds", at(5), at(5.7), time.Second, 0, true, true},
		{"the next second", at(5), at(6), time.Second, time.Second, false, true},
		{"the second before", at(5), at(4), time.Second, time.Second, false, false},
		{"the same minute", at(0), at(59.9), time.Minute, 0, true, true},
		{"the next minute", at(0), at(60), time.Minute, 0, false, true},
		{"the minute before", at(0), at(-1), time.Minute, 0, false, false},
		{"within the minute there", at(30), at(0), time.Second, time.Minute, true, true},
		{"the minute before, there", at(60), at(0), time.Second, time.Minute, false, false},
		{"two minutes", at(0), at(0), time.Minute, time.Minute, true, true},
		{"not told", time.Time{}, at(0), 0, 0, true, true},
	}
	for _, test := range tests {
		for _, unstamped := range []bool{false, true} {
			src := &mirror.Tree{Entries: []mirror.Entry{{Path: "f", Type: mirror.File, Size: 7, Mode: -1, ModTime: test.src, Precision: test.srcCut}}}
			dst := &mirror.Tree{Entries: []mirror.Entry{{Path: "f", Type: mirror.File, Size: 7, Mode: -1, ModTime: test.dst, Precision: test.dstCut}}}
			p := mirror.New(src, dst, &mirror.Options{Unstamped: unstamped})
			want := test.same
			if unstamped {
				want = test.unstamped
			}
			if same := p.Same == 1 && p.Empty(); same != want {
				t.Errorf("%s, unstamped %v: same is %v", test.name, unstamped, same)
			}
		}
	}
}

func TestChanges(t *testing.T) {
	entry := func(when float64, mode int16) *mirror.Tree {
		return &mirror.Tree{Entries: []mirror.Entry{{Path: "f", Type: mirror.File, Size: 7, Mode: mode, ModTime: at(when)}}}
	}
	for _, test := range []struct {
		src, dst   *mirror.Tree
		o          mirror.Options
		time, mode bool
	}{
		{entry(0, 0o644), entry(0, 0o600), mirror.Options{KeepModes: true}, false, true},
		{entry(0, 0o644), entry(0, 0o600), mirror.Options{}, false, false},
		{entry(0, -1), entry(0, 0o600), mirror.Options{KeepModes: true}, false, false},
		{entry(0, 0o644), entry(9, 0o644), mirror.Options{Compare: mirror.BySize, KeepModes: true}, true, false},
		{entry(0, 0o644), entry(9, 0o644), mirror.Options{Compare: mirror.BySize, Unstamped: true}, false, false},
		{entry(0, 0o644), entry(9, 0o600), mirror.Options{Compare: mirror.ByHash, KeepModes: true}, true, true},
	} {
		p := mirror.New(test.src, test.dst, &test.o)
		var c mirror.Change
		if len(p.Changes) > 0 {
			c = p.Changes[0]
		}
		if c.Time != test.time || c.Mode != test.mode || len(p.Files) > 0 {
			t.Errorf("%+v: %+v", test.o, p)
		}
	}
}

// Where nothing tells the zone of a list, a file that may be older there than here,
// or here than there, is moved; but not where times are set as they are listed.
func TestDoubtfulTimes(t *testing.T) {
	var nobody mirror.Zone
	const hour = 3600
	for _, test := range []struct {
		name    string
		changed float64 // seconds after the other side was written
		listed  time.Duration
		why     mirror.Reason // or 0 for the same
	}{
		{"an hour later", hour, 2 * time.Hour, mirror.Unknown}, // at UTC+2
		{"half a day before", -12 * hour, 2 * time.Hour, mirror.Unknown},
		{"a day before", -24 * hour, 2 * time.Hour, 0},
		{"two days later", 48 * hour, 2 * time.Hour, mirror.TimeDiffers},
	} {
		file := func(when time.Time) mirror.Entry {
			return mirror.Entry{Path: "f", Type: mirror.File, Size: 7, Mode: -1, ModTime: when}
		}
		reason := func(src, dst mirror.Entry) mirror.Reason {
			p := mirror.New(&mirror.Tree{Entries: []mirror.Entry{src}}, &mirror.Tree{Entries: []mirror.Entry{dst}}, &mirror.Options{Unstamped: true})
			if len(p.Files) == 0 {
				return 0
			}
			return p.Files[0].Why
		}
		list := func(when time.Time) mirror.Entry {
			e := file(when)
			e.ModTime, e.Precision, e.Doubt = nobody.UTC(when.Add(test.listed).Truncate(time.Minute), time.Minute)
			return e
		}
		if why := reason(file(at(test.changed)), list(at(0))); why != test.why {
			t.Errorf("%s, to the server: %v", test.name, why)
		}
		if why := reason(list(at(test.changed)), file(at(0))); why != test.why {
			t.Errorf("%s, from the server: %v", test.name, why)
		}
		listed := list(at(0))
		p := mirror.New(&mirror.Tree{Entries: []mirror.Entry{listed}}, &mirror.Tree{Entries: []mirror.Entry{file(listed.ModTime)}}, nil)
		if p.Same != 1 {
			t.Errorf("%s: moved again, as listed", test.name)
		}
	}

	// A day is vague by itself.
	day := mirror.Entry{Path: "f", Type: mirror.File, Size: 7, Mode: -1, ModTime: at(0).Truncate(24 * time.Hour), Precision: 24 * time.Hour}
	for seconds, why := range map[float64]mirror.Reason{0: mirror.Unknown, -24 * hour: 0, 24 * hour: mirror.TimeDiffers} {
		here := mirror.Entry{Path: "f", Type: mirror.File, Size: 7, Mode: -1, ModTime: at(seconds)}
		p := mirror.New(&mirror.Tree{Entries: []mirror.Entry{here}}, &mirror.Tree{Entries: []mirror.Entry{day}}, &mirror.Options{Unstamped: true})
		if len(p.Files) == 1 && p.Files[0].Why != why || len(p.Files) == 0 && why != 0 {
			t.Errorf("%v s: %+v", seconds, p.Files)
		}
	}
}
