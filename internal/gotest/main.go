// Command gotest runs go test with its arguments and prints what go test
// prints, and with it the tests that were skipped and why, which go test
// keeps to itself. It ends with the exit code of go test.
//
//	go run ./internal/gotest -race ./...
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

// run returns the exit code of go test.
func run(args []string) (int, error) {
	// An interrupt reaches go test too, which then ends by itself.
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	printErr := print(os.Stdout, events)
	err = cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), printErr
	}
	return 0, errors.Join(err, printErr)
}
