package ftpclient

import (
	"context"
	"errors"
	"maps"
	"strings"
)

// Features holds what a server says it can do: the names in upper case, each
// with its parameters as the server wrote them (RFC 2389, Section 3.2).
type Features map[string]string

// Has reports whether the server named a feature. name is in upper case.
func (f Features) Has(name string) bool {
	_, ok := f[name]
	return ok
}

// Features asks the server what it can do. The set is empty if the server does
// not know FEAT. The answer is kept until the next login.
func (c *Conn) Features(ctx context.Context) (Features, error) {
	features, err := c.known(ctx)
	return maps.Clone(features), operation("features", err)
}

// known is Features for those who do not change them.
func (c *Conn) known(ctx context.Context) (Features, error) {
	if c.features == nil {
		c.hashes = hashing{}
		reply, err := c.do(ctx, "FEAT", "")
		var refusal *ReplyError
		switch {
		case err == nil:
			c.features = parseFeatures(reply)
			c.tellOptions()
		case errors.As(err, &refusal) && unimplemented[refusal.Code]:
			c.features = Features{}
		default:
			return nil, err
		}
	}
	return c.features, nil
}

// parseFeatures reads the lines between the first and the last. Each begins
// with one space; some servers send the code and a hyphen instead, which are
// gone from a Reply.
func parseFeatures(reply Reply) Features {
	f := make(Features)
	for i, line := range reply.Lines {
		if i == 0 || i == len(reply.Lines)-1 {
			continue
		}
		name, params, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name == "" {
			continue
		}
		name = strings.ToUpper(name)
		if before, ok := f[name]; ok && before != "" {
			params = before + " " + params
		}
		f[name] = params
	}
	return f
}
