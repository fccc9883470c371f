package main

import (
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// command returns the command line that does the rest of this run: the flags
// that were typed, -c if resume is set, and args. It has no password in it,
// because args have none.
func (s *session) command(resume bool, args ...string) string {
	words := []string{"xftp", s.verb}
	if os.Getenv("SUDO_UID") != "" {
		words = append([]string{"sudo"}, words...)
	}
	if resume && !s.o.ascii { // or all of it again
		words = append(words, "-c")
	}
	s.o.flags.Visit(func(f *pflag.Flag) {
		if f.Name == "continue" || f.Name == "input-file" { // what is left of that stands in args
			return
		}
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand
		}
		several, isSeveral := f.Value.(pflag.SliceValue)
		switch {
		case isSeveral: // whose String is for people
			for _, value := range several.GetSlice() {
				words = append(words, name, shellQuote(value))
			}
		case f.Value.Type() != "bool":
			words = append(words, name, shellQuote(f.Value.String()))
		case f.Value.String() == "false":
			words = append(words, name+"=false")
		default:
			words = append(words, name)
		}
	})
	for i, arg := range args {
		if i == 0 && strings.HasPrefix(arg, "-") {
			words = append(words, "--")
		}
		words = append(words, shellQuote(arg))
	}
	return strings.Join(words, " ")
}

// shellQuote writes a word so that a POSIX shell reads it back.
func shellQuote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("%+,-./:=@_", r)
	}
	if word != "" && strings.TrimFunc(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
