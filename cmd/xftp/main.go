// Xftp is an FTP client whose TCP connections do not use the kernel's sockets:
// they run in a network stack inside the process, on frames that it exchanges
// with one queue of a network interface through AF_XDP.
//
// Start with "xftp --help".
package main

import (
	"os"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

func main() {
	maskArguments()
	lab.Main() // does not return in a process that the demo started as its server
	os.Exit(run(os.Args[1:]))
}
