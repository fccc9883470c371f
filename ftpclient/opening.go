package ftpclient

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"
)

// An opening is a data connection that is asked for by a command whose reply
// has not been seen yet.
type opening struct {
	verb    string // EPSV, PASV, EPRT or PORT
	command string
	dataEnd

	answered bool
	refusal  error // what the answer was, if it is no
	port     int   // that the server listens on, or 0
}

// close releases o, which may be nil.
func (o *opening) close() {
	if o != nil {
		o.dataEnd.close()
	}
}

// prepareData returns the command for the next data connection. In active mode
// the endpoint is open from now on.
func (c *Conn) prepareData(ctx context.Context) (*opening, error) {
	if !c.cfg.Active {
		verb := "EPSV"
		if c.refused[verb] {
			verb = "PASV"
		}
		return &opening{verb: verb, command: verb}, nil
	}
	local := host(c.ctl.conn.LocalAddr())
	addr, err := netip.ParseAddr(local)
	if err != nil {
		return nil, fmt.Errorf("active mode: local address: %w", err)
	}
	ln, err := c.cfg.Listener.Listen(ctx, "tcp", net.JoinHostPort(local, "0"))
	if err != nil {
		return nil, fmt.Errorf("active mode: %w", err)
	}
	port, err := portOf(ln.Addr())
	if err != nil {
		_ = ln.Close() // err says more
		return nil, err
	}
	addr = addr.Unmap().WithZone("") // a zone means nothing to the server
	o := &opening{dataEnd: dataEnd{ln: ln}}
	if c.refused["EPRT"] && addr.Is4() {
		o.verb, o.command = "PORT", "PORT "+formatPORT(addr, port)
	} else {
		o.verb, o.command = "EPRT", "EPRT "+formatEPRT(addr, port)
	}
	return o, nil
}

// substitutes holds the older command for each newer one.
var substitutes = map[string]string{"EPSV": "PASV", "EPRT": "PORT"}

// answered takes the reply to an opening. The error means that the Conn is
// lost; a refusal is noted in refusal.
func (p *pipeline) answered(ctx context.Context, o *opening, refusal *error) error {
	if !o.answered {
		o.answered = true
		if err := p.answer(ctx, o); err != nil {
			return err
		}
	}
	note(refusal, o.refusal)
	return nil
}

// answer takes the reply to an opening. A refusal is noted in o.
func (p *pipeline) answer(ctx context.Context, o *opening) error {
	reply, err := p.reply(ctx, o.verb)
	if err != nil {
		return err
	}
	if reply.class() != 2 {
		refused := reply.refuse(o.command)
		if substitutes[o.verb] != "" && !refused.Temporary() && !p.c.ipv6() {
			p.c.refused[o.verb] = true
			o.refusal = detour(refused)
			return nil
		}
		o.refusal = refused
		return nil
	}
	switch o.verb {
	case "EPSV":
		o.port, err = parseEPSV(reply)
	case "PASV":
		o.port, err = parsePASV(reply)
	}
	if err == nil {
		return nil
	}
	// The server waits for a connection at a place that it alone knows.
	if o.verb == "EPSV" && !p.c.ipv6() {
		p.c.refused["EPSV"] = true
		err = detour(err)
	}
	return p.c.fail(err)
}

// ipv6 reports whether the older commands cannot carry the address.
func (c *Conn) ipv6() bool {
	addr, err := netip.ParseAddr(c.peer)
	return err == nil && addr.Unmap().Is6()
}

// detour marks an error as one that another try may be free of.
func detour(err error) error { return fmt.Errorf("%w (%w)", err, errDetour) }

// note keeps the first refusal.
func note(refusal *error, err error) {
	if *refusal == nil {
		*refusal = err
	}
}

// reachPassive connects to where the server listens.
func (p *pipeline) reachPassive(ctx context.Context, o *opening) (err error) {
	o.conn, err = dial(ctx, &p.c.cfg, net.JoinHostPort(p.c.peer, strconv.Itoa(o.port)))
	if err == nil && o.verb == "EPSV" {
		p.client.site.reach()
	}
	return err
}
