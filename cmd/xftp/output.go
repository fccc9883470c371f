package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// The printing rules of xftp:
//
//   - Data and listings go to standard output, and nothing else but the JSON
//     objects of --json. Where data goes to standard output, those go to
//     standard error.
//   - An error is one line, "xftp: get ftp://host/x: 550 No such file", and
//     at most one more, "xftp: hint: ...". No capital at the start, no full
//     stop at the end, no stack trace.
//   - A password is never printed, not even if a server repeats it.
//   - Progress is shown only if standard error is a terminal. At the end one file
//     has a line, and several have one together, but not with --json, and not
//     where data goes to standard output.
//   - A warning is one line, "xftp: warning: ...", at most one for each transfer.
//   - -q leaves errors and hints, and the warning of --tls-insecure. -v adds the
//     FTP dialogue.
//   - What comes from outside (names, replies) cannot steer the terminal:
//     control characters are shown escaped, except in data and in listings
//     that do not go to a terminal.

// An output prints for one run of a verb. Its methods may be called by several
// goroutines.
type output struct {
	stdout, stderr io.Writer
	quiet          bool
	verbose        bool
	json           bool
	onStdout       bool     // data goes to standard output
	secrets        []string // passwords

	mu     sync.Mutex
	screen io.Writer       // takes lines that scroll by above the progress, or nil
	hinted map[string]bool // hints that were printed
	lost   error           // the first object of --json that could not be written
}

// newOutput returns an output on the standard streams.
func newOutput() *output { return &output{stdout: os.Stdout, stderr: os.Stderr} }

// hide makes s, a password, unprintable. It must not be called while others
// print. Too short ones are left: they would
// also be found in words.
func (o *output) hide(s string) {
	if len(s) >= 3 {
		o.secrets = append(o.secrets, s)
	}
}

// line prints one line to standard error.
func (o *output) line(format string, args ...any) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.print(fmt.Sprintf(format, args...))
}

// print is line for a caller that holds mu.
func (o *output) print(line string) { fmt.Fprintln(o.errors(), printable(line)) }

// setScreen says what draws on standard error from now on, or with nil that
// nothing does.
func (o *output) setScreen(screen io.Writer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.screen = screen
}

// errors returns what takes lines for standard error. The caller holds mu.
func (o *output) errors() io.Writer {
	if o.screen != nil {
		return o.screen
	}
	return o.stderr
}

// scrub replaces the passwords in a text that comes from outside, such as a
// reply of a server that repeats what it was told.
func (o *output) scrub(text string) string {
	for _, s := range o.secrets {
		text = strings.ReplaceAll(text, s, "***")
	}
	return text
}

// fail reports an error of a verb, and what can be done about it. Verb and
// subject may be empty.
func (o *output) fail(verb, subject string, err error, hint string) {
	line := "xftp:"
	what := strings.TrimSpace(verb) + " " + subject // which is a name, and may end in blanks
	if subject == "" || verb == "" {
		what = strings.TrimSpace(what)
	}
	if what != "" {
		line += " " + what + ":"
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.print(line + " " + o.scrub(describe(err)))
	// What is wrong with one of a thousand files is often wrong with all.
	if hint == "" || o.hinted[hint] {
		return
	}
	if o.hinted == nil {
		o.hinted = make(map[string]bool)
	}
	o.hinted[hint] = true
	o.print("xftp: hint: " + hint)
}

// note reports something that the user should know and that is no error.
func (o *output) note(format string, args ...any) {
	if !o.quiet {
		o.line("xftp: %s", o.scrub(fmt.Sprintf(format, args...)))
	}
}

// warn reports what the user should not rely on.
func (o *output) warn(format string, args ...any) { o.note("warning: "+format, args...) }

// alarm is a warning that -q does not leave out.
func (o *output) alarm(text string) { o.line("xftp: warning: %s", text) }

// trace prints a line of the FTP dialogue.
func (o *output) trace(line string) {
	if o.verbose {
		o.line("%s", o.scrub(line))
	}
}

// tracer returns trace, or nil if nobody sees it: then no such lines are made.
func (o *output) tracer() func(line string) {
	if !o.verbose {
		return nil
	}
	return o.trace
}

// A transfer is what --json prints about one finished transfer.
type transfer struct {
	URL      string         `json:"url"`  // without a password
	Path     string         `json:"path"` // local file; "-" for a standard stream
	Bytes    int64          `json:"bytes"`
	Seconds  float64        `json:"seconds"`
	Net      string         `json:"net"`      // "xdp" or "kernel"
	Mode     string         `json:"mode"`     // "zerocopy", "copy", "generic" or "kernel"
	Segments int            `json:"segments"` // connections that the file came over
	Retries  int            `json:"retries"`
	Verified string         `json:"verified"` // "hash", "size" or "none"
	Error    *transferError `json:"error"`
}

type transferError struct {
	Code    int    `json:"code"` // of the FTP reply; 0 if it was not a reply
	Message string `json:"message"`
}

// finished reports a transfer that has ended, well or not: as JSON, or as one
// line if it went well, which of several files -v shows alone. Its error, if any, has been reported. If the object cannot
// be written, the transfers go on, and o.lost is what [run] ends with.
func (o *output) finished(t transfer, several bool) {
	if !o.json {
		if t.Error == nil && !o.quiet && t.Path != "-" && (o.verbose || !several) {
			o.line("%s: %s", t.Path, t.summary())
		}
		return
	}
	if t.Error != nil {
		t.Error.Message = o.scrub(t.Error.Message)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	to := o.stdout
	if o.onStdout {
		to = o.errors()
	}
	if _, err := to.Write(jsonLine(t)); err != nil {
		o.lose(&unwrittenError{err})
	}
}

// lose notes that an object could not be written. The caller holds mu.
func (o *output) lose(err error) {
	if o.lost == nil {
		o.lost = err
	}
}

// An unwrittenError says that standard output did not take what was printed.
type unwrittenError struct{ err error }

func (e *unwrittenError) Error() string { return e.err.Error() }
func (e *unwrittenError) Unwrap() error { return e.err }

// data prints one line of data on standard output. A terminal gets it escaped;
// a file or a pipe gets the bytes that the server sent. Its error is an
// [*unwrittenError].
func (o *output) data(line string) error {
	if isTerminal(o.stdout) {
		line = printable(line)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, err := fmt.Fprintln(o.stdout, line); err != nil {
		return &unwrittenError{err}
	}
	return nil
}

// summary says how much went how fast over what.
func (t transfer) summary() string {
	return fmt.Sprintf("%s in %.2f s, %s/s over %s",
		bytesText(float64(t.Bytes)), t.Seconds, bytesText(float64(t.Bytes)/max(t.Seconds, 1e-9)),
		&transport{net: t.Net, mode: t.Mode})
}

// bytesText writes a number of bytes with a unit, powers of 1000.
func bytesText(n float64) string {
	for _, unit := range []string{"B", "kB", "MB", "GB"} {
		if n < 999.5 {
			if unit == "B" || n >= 99.5 {
				return fmt.Sprintf("%.0f %s", n, unit)
			}
			return fmt.Sprintf("%.2f %s", n, unit)
		}
		n /= 1000
	}
	return fmt.Sprintf("%.2f TB", n)
}

// isTerminal says whether w is one.
func isTerminal(w io.Writer) bool {
	if _, ok := w.(*dataWriter); ok {
		w = os.Stdout
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
