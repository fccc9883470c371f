package ftpclient

import (
	"context"
	"fmt"
	"time"
)

const (
	// nearEnd is how much of the file under way may be left, in bytes, when the
	// commands for the next are sent: enough to hide a round trip, and not so
	// much that a connection claims work that another one could do meanwhile.
	nearEnd = 4 << 20

	// maxAhead is how many bytes of commands may be with the server unanswered,
	// beyond those of one file. The buffers of any server hold that much, so
	// that neither side can wait for the other for ever.
	maxAhead = 4 << 10
)

// feed sends the commands of as many jobs as may be under way. It takes none
// while somebody waits for a connection.
func (p *pipeline) feed(ctx context.Context) error {
	if p.c.unusable() != nil || ctx.Err() != nil {
		return p.c.unusable()
	}
	if p.backlog == nil {
		return nil // somebody else decides what comes next
	}
	if len(p.flights) == 0 && p.renaming == nil && p.next == nil {
		if err := p.c.settle(ctx); err != nil {
			return err
		}
	}
	var lines []string
	for {
		f := p.take(ctx)
		if f == nil {
			break
		}
		if p.stepwise(f.job) {
			p.flights = append(p.flights, f)
			return nil
		}
		more, err := p.commands(ctx, f)
		if err != nil {
			p.backlog.end(f.job, f.result, err)
			continue
		}
		p.flights = append(p.flights, f)
		for _, line := range more {
			f.bytes += len(line) + len("\r\n")
		}
		lines = append(lines, more...)
	}
	if len(p.flights) > 1 {
		p.c.ahead.Store(true)
	}
	if len(lines) > 0 && p.renaming != nil {
		p.renamed = true
		lines = append(p.renameCommands(), lines...)
	}
	if p.ahead > 0 {
		more, err := p.openNext(ctx)
		if err != nil {
			return err
		}
		lines = append(lines, more...)
	}
	if len(lines) == 0 {
		return nil
	}
	return p.c.write(ctx, lines...)
}

// take returns a new flight if there is a job for one.
func (p *pipeline) take(ctx context.Context) *flight {
	if len(p.flights) > p.ahead || len(p.doubts) > 0 || p.c.strayed || p.client.pool.wanted() {
		return nil
	}
	if n := len(p.flights); n > 0 && (!p.flights[n-1].ready || p.flights[n-1].vague) {
		// Where the commands of one flight are lost without a word, the replies to
		// those of the next would be taken for theirs. And the next might lose the
		// connection before it is known whether this one is whole.
		return nil
	}
	if len(p.flights) > 0 && p.left() > nearEnd {
		return nil
	}
	j := p.backlog.take(p.claim, len(p.flights) > 0, 0, p.fits)
	if j == nil {
		return nil
	}
	f := &flight{job: j, result: Result{Size: -1}, early: len(p.flights) > 0}
	f.meter.progress = j.progress
	f.meter.late = func() { _ = p.feed(ctx) } // what breaks here is seen when a reply is due
	f.expect(-1)
	if j.size > 0 && p.c.want == Binary {
		f.result.Size = j.size
		f.expect(j.size - j.offset)
	}
	if j.list {
		f.expected = 0 // more may be sent ahead
	}
	return f
}

// expect notes how many bytes a flight has to move, or -1.
func (f *flight) expect(n int64) {
	f.expected, f.meter.total = n, n
	f.meter.lateAt = n - nearEnd
}

// fits reports whether the commands for j can be sent now.
func (p *pipeline) fits(j *job) bool {
	if p.stepwise(j) && (len(p.flights) > 0 || p.next != nil || p.renaming != nil) {
		return false
	}
	bytes := 0
	for _, f := range p.flights {
		bytes += f.bytes
	}
	const around = 100 // of the other commands
	return bytes == 0 || bytes+len(j.path)+around <= maxAhead
}

// left returns how many bytes the flights are still to move, which is many if
// that is not known.
func (p *pipeline) left() int64 {
	var sum int64
	for _, f := range p.flights {
		if f.expected < 0 {
			return nearEnd + 1
		}
		sum += max(f.expected-f.meter.bytes.Load(), 0)
	}
	return sum
}

// commands returns the commands that begin a flight.
func (p *pipeline) commands(ctx context.Context, f *flight) ([]string, error) {
	c := p.c
	if f.list {
		return p.listCommands(ctx, f)
	}
	if err := c.checkName(f.verb, f.path); err != nil {
		return nil, err
	}
	if f.rename != "" {
		if err := c.checkName("RNTO", f.rename); err != nil {
			return nil, err
		}
	}
	if err := c.verifiable(); err != nil {
		return nil, err
	}
	if err := c.checkOffset(f.offset); err != nil {
		return nil, err
	}
	var lines []string
	if c.sent != c.want && !p.typing() {
		f.typed = true
		lines = append(lines, "TYPE "+string(rune(c.want)))
	}
	if f.verb == "STOR" && p.next != nil {
		f.data, p.next = p.next, nil
		return lines, nil // the rest follows when the server is ready
	}
	if f.verb == "RETR" && f.size <= 0 {
		lines = append(lines, p.sizeCommand(f)...)
	}
	if f.timed = p.pinned(f.job); f.timed {
		f.modified = time.Time{}
		lines = append(lines, "MDTM "+f.path)
	}
	data, err := c.prepareData(ctx)
	if err != nil {
		return nil, err
	}
	f.data = data
	lines = append(lines, data.command)
	return append(lines, p.transferCommands(f)...), nil
}

// listCommands returns the commands that list a directory. The type does not
// matter.
func (p *pipeline) listCommands(ctx context.Context, f *flight) (lines []string, err error) {
	f.verb = p.c.listVerb()
	if err := p.c.checkList(f.verb, f.path); err != nil {
		return nil, err
	}
	if f.data, err = p.c.prepareData(ctx); err != nil {
		return nil, err
	}
	lines = append(lines, f.data.command)
	if p.c.restDirty {
		f.rested = true
		lines = append(lines, "REST 0")
	}
	arg := p.c.listArgument(f.verb, f.path)
	f.transfer = &transfer{verb: f.verb, path: arg, meter: &f.meter, abandon: p.abandon}
	return append(lines, commandLine(f.verb, arg)), nil
}

// typing reports whether the type was asked for already.
func (p *pipeline) typing() bool {
	for _, f := range p.flights {
		if f.typed {
			return true
		}
	}
	return false
}

// transferCommands returns the commands that move a file, and for an upload the
// one that checks it.
func (p *pipeline) transferCommands(f *flight) []string {
	var lines []string
	if f.offset > 0 || p.c.restDirty {
		f.rested, p.c.restDirty = true, true
		lines = append(lines, fmt.Sprintf("REST %d", f.offset))
	}
	lines = append(lines, f.verb+" "+f.path)
	if f.verb == "STOR" && p.ahead > 0 {
		lines = append(lines, p.sizeCommand(f)...)
	}
	f.transfer = &transfer{verb: f.verb, path: f.path, offset: f.offset, upload: f.verb == "STOR", meter: &f.meter}
	f.transfer.abandon = p.abandon
	return lines
}

// sizeCommand returns the command that asks for the size of a file, before a
// download or after an upload.
func (p *pipeline) sizeCommand(f *flight) []string {
	f.asked = p.c.sizeVerb()
	if f.asked == "" && f.told != nil && p.c.want == Binary && !p.c.lacks("SIZE") {
		f.asked = "SIZE"
	}
	if f.asked == "" {
		return nil
	}
	return []string{f.asked + " " + f.path}
}

// openNext prepares the data connection of the next upload, without naming it,
// if there is one to come.
func (p *pipeline) openNext(ctx context.Context) ([]string, error) {
	if len(p.flights) != 1 || p.flights[0].verb != "STOR" || p.flights[0].transfer == nil ||
		p.single || p.next != nil || p.backlog.waiting() <= 0 || p.client.pool.wanted() {
		return nil, nil
	}
	next, err := p.c.prepareData(ctx)
	if err != nil {
		return nil, err
	}
	p.next = next
	return []string{next.command}, nil
}
