package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// part returns where the part of a file that moves in one stream is.
func (c *crash) part() string {
	return filepath.Join(filepath.Dir(c.target), "."+"file"+partSuffix)
}

// kept returns what the next run can continue, going by what lies here and on the
// server.
func (c *crash) kept() spans {
	if !c.kind.upload {
		var state partState
		text, err := os.ReadFile(c.part() + ".json")
		if err != nil || json.Unmarshal(text, &state) != nil {
			return nil
		}
		return c.held(state.Done)
	}
	records, _ := filepath.Glob(filepath.Join(c.state, "xftp", "uploads", "*.json"))
	if len(records) != 1 {
		return nil
	}
	var record upState
	text, err := os.ReadFile(records[0])
	if err != nil || json.Unmarshal(text, &record) != nil {
		return nil
	}
	if record.Part == "" {
		return c.held(nil)
	}
	if _, err := os.Stat(filepath.Join(c.served, filepath.Base(record.Part))); err != nil {
		return nil
	}
	return record.Done
}

// held returns what a part in one stream has, or of what is in done.
func (c *crash) held(done spans) spans {
	info, err := os.Stat(c.part())
	switch {
	case err != nil:
		return nil
	case done != nil:
		return done.within(info.Size())
	default:
		return spans{}.add(span{0, info.Size()})
	}
}

// A crashTally is what came of the rounds of a kind.
type crashTally struct {
	killed, ended int   // runs; ended are those that had ended before they could be killed
	rounds, found int   // those that went well; those that had something to continue
	moved, all    int64 // bytes of their last runs, and of their files
	noticed       int   // changes, of which the last run has told
	refused       int   // changes after which it has failed
	unkept        int   // changes of what nobody had kept

	story []string // of the present round
}

func (a *crashTally) add(kept, moved, all int64) {
	a.rounds++
	a.moved += moved
	a.all += all
	if kept > 0 {
		a.found++
	}
}

func (a *crashTally) String() string {
	text := fmt.Sprintf("%d rounds, %d runs killed, %d had ended before", a.rounds, a.killed, a.ended)
	if a.all > 0 {
		text += fmt.Sprintf("; all files right; %d had something to continue; the last runs moved %d %% of the bytes", a.found, a.moved*100/a.all)
	}
	if n := a.noticed + a.refused + a.unkept; n > 0 {
		text += fmt.Sprintf("; %d changes: %d noticed and begun again, %d refused, %d of what was not kept", n, a.noticed, a.refused, a.unkept)
	}
	return text
}

// check makes sure that many rounds were not for nothing.
func (a *crashTally) check(t *testing.T) {
	t.Helper()
	const many = 20
	if a.rounds >= many && (a.found < a.rounds/2 || a.all > 0 && a.moved >= a.all) {
		t.Errorf("too little was continued: %s", a)
	}
}
