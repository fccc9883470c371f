package main

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

const pageHead = `# Who reports a broken transfer as success

An FTP server closes the data connection when a file has ended, and also when
it has crashed, run out of disk, or lost its own link to the file. What tells
one from the other is its last reply, the size that it tells, and how the
connection ended. A client that does not look at all of them reports success
and leaves a file that is not the file.

Here a server does on purpose, one at a time, what servers do by accident. Its
file has 100 000 bytes, whose hash is compared with what stands under the final
name afterwards: on disk after a download, on the server after an upload.

    go run ./internal/lab/fetch curl lftp wget aria2c ncftpget ncftpput tnftp rclone
    go run ./internal/liar table -o docs/no-false-success.md

makes this page again, on loopback, in some minutes; the first line unpacks
Debian's packages of what is not there, and installs nothing. Each client
is told to try once and to give up after some three seconds without progress.

    go run ./internal/liar serve short-226
    xftp get --net kernel ftp://127.0.0.1:PORT/file.bin

tells one lie to any client. The same lies are told to xftp's library and command
by ` + "`go test ./ftpclient ./cmd/xftp -run TestLies`" + `, also under TLS. Others can tell
them to theirs: package ` + "`ftpclient/ftptest`" + ` has the server.

`

const pageKey = `A cell is the exit code. **!!** is exit code 0 with wrong bytes: a false success;
*warned* stands beside it where the client warned on standard error. A star is a
failure that left wrong bytes under the final name. *hang* is a client that had
to be killed after %v.

The rows under *odd, but honest* bring the whole file, and an exit code of 0 is
right. Under *something tells*, the server gives the lie away by its replies, its
sizes or the way the connection ended; an exit code of 0 without **!!** is then a
client that had luck, or does not do what the lie is about. Under *only a hash
tells*, the server offers HASH, and a client has to ask for it. Under *nothing
tells*, no client can know; xftp then warns that nothing was verified, and says
so in ` + "`--json`" + `.

The last column is ` + "`xftp --verify size`" + `, and ` + "`--verify hash`" + ` where only a
hash tells: it fails wherever the server does not tell what is demanded, with a
file that is whole too. rclone lists the directory before it fetches, and fails
where that is refused. A client that looks at one of the two connections only
may notice one time and not the next: a few cells change from run to run.

`

// groups are the parts of a table, in order.
var groups = []struct {
	truth ftptest.Truth
	title string
}{
	{ftptest.Detectable, "something tells"},
	{ftptest.HashOnly, "only a hash tells"},
	{ftptest.Unprovable, "nothing tells"},
	{ftptest.Honest, "odd, but honest"},
}

// write writes the page.
func (t *table) write(w io.Writer, now time.Time) {
	fmt.Fprint(w, pageHead)
	fmt.Fprintf(w, "Made on %s, %s/%s, with", now.Format("2 January 2006"), runtime.GOOS, runtime.GOARCH)
	for i, c := range t.clients {
		switch {
		case i > 0 && c.client.get == t.clients[i-1].client.get:
			continue // with other flags
		case i > 0:
			fmt.Fprint(w, ",")
		}
		fmt.Fprintf(w, " %s", strings.TrimSpace(c.name+" "+strings.Trim(c.version, ",()")))
	}
	fmt.Fprint(w, ".")
	if len(t.absent) > 0 {
		fmt.Fprintf(w, " Not on the machine, and left out: %s.", strings.Join(t.absent, ", "))
	}
	fmt.Fprint(w, "\n\n## False successes\n\n")
	t.writeCounts(w)
	fmt.Fprintf(w, "\n"+pageKey, patience)
	for _, d := range []ftptest.Direction{ftptest.Download, ftptest.Upload} {
		fmt.Fprintf(w, "## %ss\n\n", strings.ToUpper(string(d[:1]))+string(d[1:]))
		t.writeCells(w, d)
		fmt.Fprintln(w)
	}
	fmt.Fprint(w, "## The lies\n\n")
	for _, l := range t.lies {
		fmt.Fprintf(w, "- `%s`: %s.\n", l.Name, l.Does)
	}
}

// able returns the clients that move files in a direction.
func (t *table) able(d ftptest.Direction) []tried {
	var able []tried
	for _, c := range t.clients {
		if _, ok := c.program(d); ok {
			able = append(able, c)
		}
	}
	return able
}

// writeCounts sums the false successes up where something tells.
func (t *table) writeCounts(w io.Writer) {
	head(w, "", t.clients)
	for _, d := range []ftptest.Direction{ftptest.Download, ftptest.Upload} {
		lies := 0
		fooled := make(map[string]int)
		for _, l := range t.lies {
			if l.Direction != d || l.Truth != ftptest.Detectable {
				continue
			}
			lies++
			for name, c := range t.cells[l.Name] {
				if c.fooled() {
					fooled[name]++
				}
			}
		}
		fmt.Fprintf(w, "| of %d %ss where something tells |", lies, d)
		for _, c := range t.clients {
			text := "-"
			if _, ok := c.program(d); ok {
				text = fmt.Sprint(fooled[c.name])
			}
			fmt.Fprintf(w, " %s |", text)
		}
		fmt.Fprintln(w)
	}
}

func (t *table) writeCells(w io.Writer, d ftptest.Direction) {
	able := t.able(d)
	head(w, "", able)
	for _, g := range groups {
		begun := false
		for _, l := range t.lies {
			if l.Direction != d || l.Truth != g.truth {
				continue
			}
			if !begun {
				fmt.Fprintf(w, "| *%s* |%s\n", g.title, strings.Repeat(" |", len(able)))
				begun = true
			}
			fmt.Fprintf(w, "| `%s` |", l.Name)
			for _, c := range able {
				fmt.Fprintf(w, " %s |", t.cells[l.Name][c.name].text())
			}
			fmt.Fprintln(w)
		}
	}
}

// head writes the head of a table.
func head(w io.Writer, first string, clients []tried) {
	fmt.Fprintf(w, "| %s |", first)
	for _, c := range clients {
		fmt.Fprintf(w, " %s |", c.name)
	}
	fmt.Fprintf(w, "\n|---|%s\n", strings.Repeat("---|", len(clients)))
}
