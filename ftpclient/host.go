package ftpclient

import "context"

// askAtHost sends HOST, if there is to be one, and behind it a command with a good
// argument, without waiting between the two where the server can take that. It
// returns the last reply to the command.
//
// A server that does not know HOST (500, 502; 530 where everything else waits for the
// login) is the only host there is. What else refuses it means that this is not the
// host (504), or comes too late or is no name (503, 501; RFC 7151, Section 3): the error
// is the *ReplyError then.
func (c *Conn) askAtHost(ctx context.Context, verb, arg string) (Reply, error) {
	all := []question{{verb: verb, arg: arg}}
	if c.cfg.VirtualHost != "" {
		if err := checkArgument("HOST", c.cfg.VirtualHost); err != nil {
			return Reply{}, err
		}
		all = []question{{verb: "HOST", arg: c.cfg.VirtualHost}, all[0]}
	}
	if err := c.ask(ctx, all); err != nil {
		return Reply{}, err
	}
	if host := all[0]; len(all) == 2 && host.err != nil && !unimplemented[host.reply.Code] && host.reply.Code != codeNotLoggedIn {
		return Reply{}, host.err
	}
	return all[len(all)-1].reply, nil
}
