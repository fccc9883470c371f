package main

import (
	"os"
	"strings"
	"unsafe"
)

// maskArguments overwrites the passwords in the arguments that the kernel shows
// to everybody on this host (proc_pid_cmdline(5)). The arguments that this
// process works with keep them. It must be called before anything has changed
// os.Args, whose bytes lie where the kernel has put them.
func maskArguments() {
	for i, arg := range os.Args {
		from, to := passwordIn(arg)
		if i == 0 || from == to {
			continue
		}
		os.Args[i] = strings.Clone(arg)
		shown := unsafe.Slice(unsafe.StringData(arg), len(arg))
		for j := from; j < to; j++ {
			shown[j] = '*'
		}
	}
}

// passwordIn returns where the password in arg is: what redactURL replaces.
func passwordIn(arg string) (from, to int) {
	shown := redactURL(arg)
	if shown == arg {
		return 0, 0
	}
	const mask = "***"
	from = strings.Index(shown, ":"+mask) + 1 // the user has no colon
	return from, len(arg) - len(shown[from+len(mask):])
}
