package main

import (
	"bufio"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// askPassword asks for a password on the terminal of this process, where it is
// not shown, and says whether there is one. A signal that ends the waiting, after
// which the terminal is as before, is a [*signalError].
func askPassword(prompt string) (password string, asked bool, err error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", false, nil
	}
	defer tty.Close()
	fd := int(tty.Fd())
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return "", false, nil
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	defer signal.Stop(signals)
	// That of x/term cannot be interrupted.
	silent := *before
	silent.Lflag = silent.Lflag&^unix.ECHO | unix.ICANON | unix.ISIG | unix.ECHONL
	silent.Iflag |= unix.ICRNL
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &silent); err != nil {
		return "", false, nil
	}
	defer func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, before) }() // it took that before
	fmt.Fprint(tty, printable(prompt))
	read := make(chan string, 1)
	go func() { // after a signal it lives on as long as the process
		line, _ := bufio.NewReader(tty).ReadString('\n') // or else it is not whole
		read <- line
	}()
	select {
	case s := <-signals:
		fmt.Fprintln(tty)
		return "", true, &signalError{s.(syscall.Signal)}
	case line := <-read:
		password, whole := strings.CutSuffix(line, "\n")
		if !whole {
			fmt.Fprintln(tty)
			return "", true, &usageError{"no password", "it is not asked for if the URL, XFTP_PASSWORD or a netrc file has it"}
		}
		return password, true, nil
	}
}
