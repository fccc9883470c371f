package main

import (
	"strings"
	"time"
)

// A crashChange is what becomes of the file after the first kill.
type crashChange struct {
	name string
	time bool // it has another time
	size bool // it has another length
	one  bool // a single byte is another one; else all may be
	hash bool // the server has hashes, without which nobody could tell
}

// crashChanges are those that xftp promises to notice. One that leaves size and time as
// they were is seen where what is there meets what comes, or by the server's hash.
var crashChanges = []crashChange{
	{name: "other bytes, another time", time: true},
	{name: "one byte, another time", time: true, one: true},
	{name: "other bytes"},
	{name: "another length", size: true},
	{name: "one byte, and the server has hashes", one: true, hash: true},
}

// change changes the source.
func (c *crash) change(how *crashChange) {
	switch n := int64(len(c.data)); {
	case how.one:
		c.data = append([]byte(nil), c.data...)
		c.changed = c.random.Int64N(n)
		c.data[c.changed] ^= 1 + byte(c.random.IntN(255))
	case how.size:
		c.data = c.bytes(n/2 + c.random.Int64N(n))
		if int64(len(c.data)) == n {
			c.data = c.data[1:]
		}
	default:
		c.data = c.bytes(n)
	}
	if how.time {
		c.when = c.when.Add(time.Duration(1+c.random.IntN(1000)) * time.Second) // servers tell no less
	}
	c.write()
}

// noticed judges the last run of a round in which the file has changed when so much of it
// was kept.
func (c *crash) noticed(how *crashChange, code int, kept spans, kills int, said string) {
	t := c.t
	switch seen := strings.Contains(said, " starts again\n"); {
	case code == exitTransfer && said != "":
		c.tally.refused++
		c.checkTarget(false)
		return
	case code != exitOK:
		t.Errorf("exit code %d\n%s", code, said)
	case seen:
		c.tally.noticed++
	case kills > 1:
		c.tally.noticed++ // an earlier run has begun again
	case how.one && !how.time && !kept.has(c.changed), kept.bytes() == 0:
		c.tally.unkept++
	default:
		t.Errorf("%s: nothing was noticed, and %v were there\n%s", how.name, kept, strings.Join(c.tally.story, "\n"))
	}
	c.expect(c.data)
	c.nothingLeft()
	c.tally.rounds++
	if kept.bytes() > 0 {
		c.tally.found++
	}
}

// has reports whether a byte is there.
func (all spans) has(at int64) bool {
	for _, s := range all {
		if s.From <= at && at < s.To {
			return true
		}
	}
	return false
}
