package ftpclient

import "context"

// askAtHost sends HOST, if there is to be one, and behind it a command with a good
// argument, without waiting between the two where the server can take that. It
// returns the last reply to the command.
//
// What refuses HOST is an error, a *ReplyError, also of a server that does not know the
// command: who names a host must not be given, or change, the files of another.
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
	if host := all[0]; len(all) == 2 && host.err != nil {
		return Reply{}, host.err
	}
	return all[len(all)-1].reply, nil
}
