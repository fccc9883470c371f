package ftpclient

import "context"

// Login identifies the user: USER, and PASS and ACCT if the server asks for
// them (RFC 959, Section 5.4). An empty user is anonymous, with a password
// that is customary if password is empty. A server that wants an account gets
// [Config.Account]; without one the error is the [*ReplyError] that asked. After a
// server has refused to protect data connections where they must be, the Conn can
// only be closed. Before USER the server gets [Config.VirtualHost], if there is one.
func (c *Conn) Login(ctx context.Context, user, password string) error {
	if user == "" {
		user = anonymousUser
	}
	if password == "" && user == anonymousUser {
		password = anonymousPassword
	}
	err := c.login(ctx, user, password)
	if err == nil {
		if err = c.protect(ctx); err != nil && c.unusable() == nil {
			err = unusableBecause(c.fail(err))
		}
	}
	if err == nil {
		c.tellClient()
	}
	if err != nil && ctx.Err() != nil && c.unusable() == nil {
		err = unusableBecause(c.fail(err)) // nobody knows as whom we are in
	}
	return operation("login", err)
}

// loginSteps says what each reply during a login asks for; codes that are not
// here refuse it. RFC 959, Section 6, gives the diagram.
var loginSteps = map[int]string{
	200: "", 202: "", 230: "", 232: "",
	331: "PASS",
	332: "ACCT",
}

func (c *Conn) login(ctx context.Context, user, password string) error {
	c.sent, c.features = 0, nil
	defer func() { c.secret = "" }()
	verb, arg := "USER", user
	if err := checkArgument(verb, arg); err != nil {
		return err
	}
	reply, err := c.askAtHost(ctx, verb, arg)
	sent := make(map[string]bool)
	for {
		if err != nil {
			return err
		}
		sent[verb] = true
		next, ok := loginSteps[reply.Code]
		if ok && next == "" {
			return nil
		}
		if !ok || sent[next] || next == "ACCT" && c.cfg.Account == "" {
			return reply.refuse(maskCommand(commandLine(verb, arg)))
		}
		verb, arg = next, password
		if next == "ACCT" {
			arg = c.cfg.Account
		}
		c.secret = arg
		if arg == anonymousPassword {
			c.secret = ""
		}
		reply, err = c.exchange(ctx, verb, arg)
	}
}
