package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// event is a line of go test -json, as cmd/test2json documents it.
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// printer turns events back into text.
type printer struct {
	w     io.Writer
	err   error
	packs map[string]*pack
}

// pack is what is known of a package whose tests still run.
type pack struct {
	own     strings.Builder // output outside of any test
	tests   map[string]*strings.Builder
	skipped strings.Builder
	failed  strings.Builder
}

// print writes the text of a stream of events, one package at a time.
func print(w io.Writer, events io.Reader) error {
	p := &printer{w: w, packs: make(map[string]*pack)}
	r := bufio.NewReader(events)
	for {
		line, err := r.ReadString('\n')
		if line != "" {
			p.line(line)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	for name := range p.packs { // go test was ended before they were
		p.end(name, "fail")
	}
	return p.err
}

func (p *printer) write(s string) {
	if p.err == nil {
		_, p.err = io.WriteString(p.w, s)
	}
}

func (p *printer) line(line string) {
	var e event
	if err := json.Unmarshal([]byte(line), &e); err != nil || e.Action == "build-output" {
		if err != nil {
			e.Output = line // go test itself, not a test
		}
		p.write(e.Output)
		return
	}
	if e.Package == "" {
		return
	}
	k := p.packs[e.Package]
	if k == nil {
		k = &pack{tests: make(map[string]*strings.Builder)}
		p.packs[e.Package] = k
	}
	switch e.Action {
	case "output":
		k.output(e)
	case "pass", "fail", "skip":
		if e.Test == "" {
			p.end(e.Package, e.Action)
			return
		}
		k.verdict(e)
	}
}

// output keeps a line until its test has a verdict. What only tells which
// test runs now is dropped.
func (k *pack) output(e event) {
	if e.Test == "" {
		k.own.WriteString(e.Output)
		return
	}
	if strings.HasPrefix(e.Output, "=== ") {
		return
	}
	b := k.tests[e.Test]
	if b == nil {
		b = &strings.Builder{}
		k.tests[e.Test] = b
	}
	b.WriteString(e.Output)
}

func (k *pack) verdict(e event) {
	text := ""
	if b := k.tests[e.Test]; b != nil {
		text = b.String()
		delete(k.tests, e.Test)
	}
	switch e.Action {
	case "skip":
		k.skipped.WriteString(text)
	case "fail":
		k.failed.WriteString(text)
	}
}

// end prints a package whose tests have ended. Its own line comes last, as
// in the output of go test.
func (p *printer) end(name, action string) {
	k := p.packs[name]
	delete(p.packs, name)
	p.write(k.skipped.String())
	p.write(k.failed.String())
	if action == "fail" {
		for test, b := range k.tests { // ended without a verdict
			p.write(fmt.Sprintf("--- %s has not ended\n%s", test, b))
		}
		p.write(k.own.String())
		return
	}
	for line := range strings.Lines(k.own.String()) {
		if strings.HasPrefix(line, "ok ") || strings.HasPrefix(line, "? ") {
			p.write(line)
		}
	}
}
