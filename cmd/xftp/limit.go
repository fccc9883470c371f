package main

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/spf13/cobra"
)

// addLimitFlag registers what verbs have that move files.
func (o *options) addLimitFlag(cmd *cobra.Command) {
	cmd.Flags().Var((*byteRate)(&o.limitRate), "limit-rate", "move at most `R` bytes per second in all, as 500k or 2.5M; 0 is no limit")
}

// limiter returns what all clients of a run share, or nil.
func (o *options) limiter() *ftpclient.Limiter {
	if o.limitRate == 0 {
		return nil
	}
	return ftpclient.NewLimiter(o.limitRate)
}

// A byteRate is the value of --limit-rate, in bytes per second.
type byteRate int64

func (r *byteRate) String() string { return strconv.FormatInt(int64(*r), 10) }
func (r *byteRate) Type() string   { return "R" }

// Set takes units in either case, as curl does, but all of them are powers of
// 1000.
func (r *byteRate) Set(s string) error {
	v, bits, ok := parseScaled(strings.NewReplacer("K", "k", "m", "M", "g", "G").Replace(s))
	if !ok || bits || v != 0 && (v < 1 || v > 1e12) {
		return errors.New("must be bytes per second such as 500k or 2.5M, or 0")
	}
	*r = byteRate(math.Round(v))
	return nil
}
