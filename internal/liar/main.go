// Command liar runs FTP servers that lie, those of ftpclient/ftptest, for other
// programs on this machine.
//
//	go run ./internal/liar list
//	go run ./internal/liar table [-o FILE] [-xftp FILE] [-only LIE,...]
//	go run ./internal/liar serve [-listen ADDRESS] [-pause D] [-tls explicit|implicit -cert FILE -key FILE] LIE
//
// list names the lies. serve prints "listening ADDRESS" and tells one of them
// until its standard input ends or a signal comes; then it prints "file NAME
// BYTES SHA-256" for each file that the server really holds. table tells all of
// them to every FTP client that is found on the machine or below build, and to
// xftp, and writes who took what for success; docs/no-false-success.md is its
// work.
package main

import (
	"errors"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "liar:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("one of list, serve, table is to be named")
	}
	switch args[0] {
	case "list":
		return list(args[1:])
	case "serve":
		return serve(args[1:])
	case "table":
		return tabulate(args[1:])
	default:
		return fmt.Errorf("unknown command %q", args[0])
	}
}
