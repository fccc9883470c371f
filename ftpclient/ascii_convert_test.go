package ftpclient

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// fromWire converts text by a writer with a buffer of its own, which gets pieces of
// the lengths in cuts, again and again.
func fromWire(t *testing.T, text []byte, buffer int, cuts []byte) []byte {
	t.Helper()
	var got bytes.Buffer
	w := &textWriter{w: &got, buf: make([]byte, buffer)}
	for i := 0; len(text) > 0; i++ {
		n := len(text)
		if len(cuts) > 0 {
			n = min(n, int(cuts[i%len(cuts)])%17+1)
		}
		if m, err := w.Write(text[:n]); m != n || err != nil {
			t.Fatalf("Write of %d bytes: %d, %v", n, m, err)
		}
		text = text[n:]
	}
	if err := w.finish(); err != nil {
		t.Fatal(err)
	}
	return got.Bytes()
}

// cutReader reads r in pieces of the lengths in cuts, again and again, some of them
// empty.
type cutReader struct {
	r    io.Reader
	cuts []byte
	at   int
}

func (c *cutReader) Read(p []byte) (int, error) {
	if len(c.cuts) == 0 {
		return c.r.Read(p)
	}
	c.at++
	return c.r.Read(p[:min(len(p), int(c.cuts[c.at%len(c.cuts)])%16)])
}

// toWire converts text by a reader with a buffer of its own.
func toWire(t *testing.T, text []byte, buffer int, cuts []byte) []byte {
	t.Helper()
	if !slices.ContainsFunc(cuts, func(cut byte) bool { return cut%16 != 0 }) {
		cuts = nil // nothing but empty pieces
	}
	source := &cutReader{r: bytes.NewReader(text), cuts: cuts}
	got, err := io.ReadAll(&cutReader{r: &textReader{r: source, buf: make([]byte, buffer)}, cuts: cuts})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// crlf returns text as it is on the wire.
func crlf(text []byte) []byte {
	var wire []byte
	for i, b := range text {
		if b == '\n' && (i == 0 || text[i-1] != '\r') {
			wire = append(wire, '\r')
		}
		wire = append(wire, b)
	}
	return wire
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ local, wire, back string }{
		{"", "", ""},
		{"a", "a", "a"},
		{"a\nb\n", "a\r\nb\r\n", "a\nb\n"},
		{"\n\n", "\r\n\r\n", "\n\n"},
		{"a\rb\r", "a\rb\r", "a\rb\r"},
		{"\r\r\n\r", "\r\r\n\r", "\r\n\r"},
		{"dos\r\nlines\r\n", "dos\r\nlines\r\n", "dos\nlines\n"},
		{"\n\r\n", "\r\n\r\n", "\n\n"},
		{"\r\x00\n", "\r\x00\r\n", "\r\x00\n"},
		{strings.Repeat("line\n", 9999), strings.Repeat("line\r\n", 9999), strings.Repeat("line\n", 9999)},
	} {
		for _, buffer := range []int{1, 2, 3, 64, textBuffer} {
			if got := toWire(t, []byte(tt.local), buffer, nil); string(got) != tt.wire {
				t.Errorf("%.20q goes as %.20q, want %.20q", tt.local, got, tt.wire)
			}
			if got := fromWire(t, []byte(tt.wire), buffer, nil); string(got) != tt.back {
				t.Errorf("%.20q comes as %.20q, want %.20q", tt.wire, got, tt.back)
			}
		}
	}
}

// However text is cut on its way, the same bytes come out; and a text without CR
// comes back as it was.
func FuzzText(f *testing.F) {
	f.Add([]byte("a\r\nb\r\rc\n\r\n\r"), []byte{0, 1, 2}, byte(1))
	f.Add([]byte("\r\n\r\n"), []byte{}, byte(2))
	f.Add([]byte("\n\n\r\x00\n"), []byte{3}, byte(0))
	f.Fuzz(func(t *testing.T, text, cuts []byte, buffer byte) {
		size := int(buffer)%40 + 1
		wire := toWire(t, text, size, cuts)
		if want := crlf(text); !bytes.Equal(wire, want) {
			t.Errorf("%q goes as %q, want %q", text, wire, want)
		}
		got := fromWire(t, text, size, cuts)
		if want := bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want) {
			t.Errorf("%q comes as %q, want %q", text, got, want)
		}
		if bytes.IndexByte(text, '\r') < 0 {
			if back := fromWire(t, wire, size, cuts); !bytes.Equal(back, text) {
				t.Errorf("%q comes back as %q", text, back)
			}
		}
	})
}

// Errors of either side pass, with what came before them.
func TestTextErrors(t *testing.T) {
	broken := errors.New("broken")
	r := &textReader{r: io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), buf: make([]byte, 64)}
	if got, err := io.ReadAll(r); string(got) != "a\r\nb" || !errors.Is(err, broken) {
		t.Errorf("read %q, %v", got, err)
	}
	r = &textReader{r: iotest.DataErrReader(strings.NewReader("a\nb\n")), buf: make([]byte, 64)}
	if got, err := io.ReadAll(r); string(got) != "a\r\nb\r\n" || err != nil {
		t.Errorf("read %q, %v", got, err)
	}
	for _, text := range []string{"plain", "a\r\nb", "\r\r"} {
		w := &textWriter{w: &meteredWriter{w: shortWriter{}, m: new(meter)}, buf: make([]byte, 64)}
		if _, err := w.Write([]byte(text)); err == nil {
			t.Errorf("%q could be written", text)
		}
	}
	w := &textWriter{w: &meteredWriter{w: shortWriter{}, m: new(meter)}, buf: make([]byte, 64)}
	if n, err := w.Write([]byte("\r")); n != 1 || err != nil || w.finish() == nil {
		t.Errorf("the last CR was written: %d, %v", n, err)
	}
}

// Nothing is allocated for each piece.
func TestTextAllocates(t *testing.T) {
	text := []byte(strings.Repeat("a line of text\r\n", 5000))
	buf := make([]byte, textBuffer)
	w := &textWriter{w: io.Discard, buf: buf}
	source := bytes.NewReader(text)
	r := &textReader{r: source, buf: buf}
	p := make([]byte, 1000)
	n := testing.AllocsPerRun(10, func() {
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
		source.Reset(text)
		r.err = nil
		for {
			if _, err := r.Read(p); err != nil {
				return
			}
		}
	})
	if n > 0 {
		t.Errorf("%v allocations", n)
	}
}
