package ftpclient

import (
	"fmt"
	"strings"
)

// masked stands where a password was.
const masked = "****"

// secretVerbs are the commands whose argument is nobody's business.
var secretVerbs = map[string]bool{"PASS": true, "ACCT": true}

// maskCommand returns a command line as it may be shown.
func maskCommand(line string) string {
	verb, _, found := strings.Cut(line, " ")
	if found && secretVerbs[strings.ToUpper(verb)] {
		return verb + " " + masked
	}
	return line
}

// mask removes the secret just sent from a reply that echoes it.
func (c *Conn) mask(reply Reply) {
	if c.secret == "" {
		return
	}
	for i, line := range reply.Lines {
		reply.Lines[i] = strings.ReplaceAll(line, c.secret, masked)
	}
}

func (c *Conn) traceCommand(line string) {
	if c.cfg.Trace != nil {
		c.cfg.Trace("> " + printable(maskCommand(line)))
	}
}

func (c *Conn) traceReply(reply Reply) {
	if c.cfg.Trace == nil {
		return
	}
	for i, line := range reply.Lines {
		mark := "-"
		if i == len(reply.Lines)-1 {
			mark = " "
		}
		c.cfg.Trace(fmt.Sprintf("< %03d%s%s", reply.Code, mark, printable(line)))
	}
}
