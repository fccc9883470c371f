package ftpclient

import (
	"context"
	"strings"
)

// A preface holds commands that nobody waits for: they go ahead of the next command,
// in one piece with it where the server can take that. What the server answers to
// them does not matter.
type preface struct {
	lines   []string // to be sent
	due     []string // with the next command, which comes at once
	pending int      // sent, and not answered
}

// tellClient tells the server what it talks to, if that is wanted (CLNT).
func (c *Conn) tellClient() {
	if name := c.cfg.ClientName; name != "" && checkArgument("CLNT", name) == nil {
		c.preface.lines = append(c.preface.lines, "CLNT "+name)
	}
}

// tellOptions asks for what the server has features for and may not do by itself: for
// names in UTF-8 (which some need to be told of, although RFC 2640, Section 3.2,
// makes that the default), and for all facts that are used in lists of files (OPTS
// MLST; RFC 3659, Section 7.9).
func (c *Conn) tellOptions() {
	if c.features.Has("UTF8") {
		c.preface.lines = append(c.preface.lines, "OPTS UTF8 ON")
	}
	if facts := wantedFacts(c.features["MLST"]); facts != "" {
		c.preface.lines = append(c.preface.lines, "OPTS MLST "+facts)
	}
}

// usedFacts are the facts of files that anybody here looks at, package listing above all.
var usedFacts = map[string]bool{
	"type": true, "size": true, "modify": true, "unique": true, "unix.mode": true,
	"unix.owner": true, "unix.ownername": true, "unix.uid": true,
	"unix.group": true, "unix.groupname": true, "unix.gid": true,
}

// wantedFacts returns the argument of OPTS MLST that turns on what is used, beside
// what is on, of the facts that a server offers, or "" if that is so already. An
// asterisk stands behind each that is on (RFC 3659, Section 7.8).
func wantedFacts(offered string) string {
	var wanted strings.Builder
	off := false
	for fact := range strings.SplitSeq(offered, ";") {
		name, on := strings.CutSuffix(strings.TrimSpace(fact), "*")
		if name == "" || !on && !usedFacts[strings.ToLower(name)] {
			continue
		}
		off = off || !on
		wanted.WriteString(name + ";")
	}
	if !off || checkArgument("OPTS", wanted.String()) != nil {
		return ""
	}
	return wanted.String()
}

// openPreface sends what there is of the preface, or has it go with the command that
// the caller is about to send. All that was sent before is answered.
func (c *Conn) openPreface(ctx context.Context) error {
	lines := append(c.preface.due, c.preface.lines...) // what was due may not have gone
	c.preface.due, c.preface.lines = nil, nil
	if c.cfg.Ahead >= 0 && !quirksOf(c.greeting).lockstep {
		c.preface.due = lines
		return nil
	}
	for i, line := range lines {
		if err := c.write(ctx, line); err != nil {
			return err
		}
		if _, err := c.final(ctx); err != nil {
			c.preface.lines = lines[i+1:]
			return err
		}
	}
	return nil
}
