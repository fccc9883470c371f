package ftpclient

import (
	"bytes"
	"io"
	"net"
)

// textBuffer is how much text is converted at a time.
const textBuffer = 32 << 10

// A textWriter passes text from the wire on to w, its lines ended by LF rather than CR
// LF (RFC 959, Section 3.1.1.1). Every other byte stays as it is, also a CR that no LF
// follows, be it before a NUL: RFC 854 wants one there in the stream of a
// terminal, but no server puts it there, and neither curl nor lftp takes it away.
type textWriter struct {
	w   io.Writer
	buf []byte // not empty; used only while Write runs
	cr  bool   // the byte before was a CR, which w has not been given
}

// Write returns len(p) if the text has gone to w, but for a CR at its end.
func (t *textWriter) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		if !t.cr && bytes.IndexByte(p[done:], '\r') < 0 {
			n, err := t.w.Write(p[done:])
			return done + n, err
		}
		taken, made := t.convert(p[done:])
		if _, err := t.w.Write(t.buf[:made]); made > 0 && err != nil {
			return done, err
		}
		done += taken
	}
	return len(p), nil
}

// convert makes t.buf of the first bytes of p.
func (t *textWriter) convert(p []byte) (taken, made int) {
	if t.cr {
		t.cr = false
		if p[0] != '\n' {
			t.buf[0], made = '\r', 1
		}
	}
	for taken < len(p) && made < len(t.buf) {
		run := p[taken:min(len(p), taken+len(t.buf)-made)]
		i := bytes.IndexByte(run, '\r')
		if i < 0 {
			i = len(run)
		}
		made += copy(t.buf[made:], run[:i])
		taken += i
		switch {
		case i == len(run):
		case taken+1 == len(p):
			t.cr = true
			return taken + 1, made
		case p[taken+1] == '\n':
			taken++ // the LF comes with the next run
		default:
			t.buf[made] = '\r'
			made++
			taken++
		}
	}
	return taken, made
}

// finish gives w the CR that the text ended with, if it did.
func (t *textWriter) finish() error {
	if !t.cr {
		return nil
	}
	t.cr = false
	_, err := t.w.Write([]byte{'\r'})
	return err
}

// A textReader reads text from r as it is on the wire: with CR LF for each LF. One that
// has a CR before it gets no second, so that a text whose lines end so already arrives
// as one; curl does the same. A CR that no LF follows stays alone.
type textReader struct {
	r    io.Reader
	buf  []byte // not empty
	text []byte // what is in buf and not converted yet
	last byte   // that was given
	owed bool   // the LF behind a CR that was given for it
	err  error  // of r
}

// Read returns at least one byte or an error, unless r does not.
func (t *textReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(t.text) == 0 && !t.owed {
		if t.err != nil {
			return 0, t.err
		}
		var n int
		n, t.err = t.r.Read(t.buf)
		t.text = t.buf[:n]
		if n == 0 {
			return 0, t.err
		}
	}
	made := 0
	for made < len(p) {
		if t.owed {
			t.owed = false
			p[made], t.last = '\n', '\n'
			made++
			continue
		}
		if len(t.text) == 0 {
			break
		}
		i := bytes.IndexByte(t.text, '\n')
		if i < 0 {
			i = len(t.text)
		}
		if i > 0 {
			n := copy(p[made:], t.text[:i])
			made += n
			t.last, t.text = t.text[n-1], t.text[n:]
			continue
		}
		if t.text = t.text[1:]; t.last == '\r' {
			p[made], t.last = '\n', '\n'
		} else {
			p[made], t.last, t.owed = '\r', '\r', true
		}
		made++
	}
	return made, nil
}

// fetch is [Conn.download] for a file: of a text it returns the number of bytes that w
// took.
func (c *Conn) fetch(w io.Writer, data net.Conn, m *meter) (int64, error) {
	mw := &meteredWriter{w: w, m: m}
	if c.sent != ASCII {
		return c.downloadTo(mw, data, m)
	}
	text := &textWriter{w: mw, buf: c.textBuffer()}
	_, err := c.downloadTo(text, data, m)
	if err == nil {
		err = text.finish()
	}
	return m.bytes.Load(), err
}

// deliver is [Conn.upload], and converts a text: then it returns the number of bytes
// that were taken from r.
func (c *Conn) deliver(data net.Conn, r io.Reader, m *meter) (int64, error) {
	if c.sent != ASCII {
		return c.upload(data, r, m)
	}
	_, err := c.uploadFrom(data, &textReader{r: &meteredReader{r: r, m: m}, buf: c.textBuffer()}, m)
	return m.bytes.Load(), err
}

// textBuffer returns the Conn's buffer for converting.
func (c *Conn) textBuffer() []byte {
	if c.text == nil {
		c.text = make([]byte, textBuffer)
	}
	return c.text
}
