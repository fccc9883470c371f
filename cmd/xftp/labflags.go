package main

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/internal/lab"
	"github.com/spf13/cobra"
)

// addImpairment registers the flags that say what a link does to frames.
func addImpairment(cmd *cobra.Command, imp *lab.Impairment) {
	f := cmd.Flags()
	f.Var((*delay)(&imp.Delay), "delay", "`D` that every frame takes in each direction, as 10ms; a round trip takes twice as long")
	f.Var((*probability)(&imp.Loss), "loss", "`P` that a frame is lost, as 0.1% or 0.001")
	f.Var((*probability)(&imp.Reorder), "reorder", "`P` that the three frames sent after it overtake a frame")
	f.Var((*probability)(&imp.Duplicate), "duplicate", "`P` that a frame arrives twice")
	f.Var((*probability)(&imp.Corrupt), "corrupt", "`P` that a bit of a frame is flipped")
	f.Var((*bitRate)(&imp.Rate), "rate", "`R` of each direction: 100Mbit are bits, 12.5M bytes per second")
	f.Var((*byteCount)(&imp.Queue), "queue-bytes", "`N` bytes that may wait where --rate is the bottleneck (default a round trip's worth, at least 64 frames)")
	f.Uint64Var(&imp.Seed, "seed", 0, "`N` that decides which frames are lost, duplicated, reordered and corrupted")
}

// changed copies what was given on the command line, or by the environment, from
// given to imp.
func changed(cmd *cobra.Command, given lab.Impairment, imp *lab.Impairment) {
	for name, set := range map[string]func(){
		"delay":       func() { imp.Delay = given.Delay },
		"loss":        func() { imp.Loss = given.Loss },
		"reorder":     func() { imp.Reorder = given.Reorder },
		"duplicate":   func() { imp.Duplicate = given.Duplicate },
		"corrupt":     func() { imp.Corrupt = given.Corrupt },
		"rate":        func() { imp.Rate = given.Rate },
		"queue-bytes": func() { imp.Queue = given.Queue },
		"seed":        func() { imp.Seed = given.Seed },
	} {
		if cmd.Flags().Changed(name) {
			set()
		}
	}
}

type delay time.Duration

func (d *delay) String() string { return time.Duration(*d).String() }
func (d *delay) Type() string   { return "D" }
func (d *delay) Set(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil {
		return errors.New("must be a duration such as 10ms or 1.5s")
	}
	if v < 0 || v > time.Minute {
		return errors.New("must be from 0s to 1m")
	}
	*d = delay(v)
	return nil
}

type probability float64

func (p *probability) String() string {
	if *p == 0 {
		return "0"
	}
	return percentText(float64(*p))
}
func (p *probability) Type() string { return "P" }
func (p *probability) Set(s string) error {
	number, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return errors.New("must be a percentage such as 0.1%, or a probability from 0 to 1")
	}
	*p = probability(v)
	return nil
}

// percentText writes a probability as it is typed.
func percentText(p float64) string {
	return strconv.FormatFloat(math.Round(p*100*1e9)/1e9, 'f', -1, 64) + "%"
}

// scaled is a number with a unit of powers of 1000.
var scaled = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)([kMG]?)(bit)?$`)

func parseScaled(s string) (value float64, bits, ok bool) {
	m := scaled.FindStringSubmatch(s)
	if m == nil {
		return 0, false, false
	}
	v, err := strconv.ParseFloat(m[1], 64)
	return v * map[string]float64{"": 1, "k": 1e3, "M": 1e6, "G": 1e9}[m[2]], m[3] != "", err == nil
}

// A bitRate is in bits per second.
type bitRate int64

func (r *bitRate) String() string {
	if *r == 0 {
		return "0"
	}
	return bitRateText(int64(*r))
}
func (r *bitRate) Type() string { return "R" }
func (r *bitRate) Set(s string) error {
	v, bits, ok := parseScaled(s)
	if !bits {
		v *= 8
	}
	if !ok || v != 0 && (v < 1000 || v > 1e12) {
		return errors.New("must be bits per second such as 100Mbit, or bytes per second such as 12.5M, or 0")
	}
	*r = bitRate(math.Round(v))
	return nil
}

// bitRateText writes bits per second as they are typed.
func bitRateText(r int64) string {
	unit, v := "", float64(r)
	for _, u := range []string{"k", "M", "G"} {
		if v < 1000 {
			break
		}
		unit, v = u, v/1000
	}
	return strconv.FormatFloat(v, 'f', -1, 64) + unit + "bit"
}

type byteCount int

func (n *byteCount) String() string { return fmt.Sprint(int(*n)) }
func (n *byteCount) Type() string   { return "N" }
func (n *byteCount) Set(s string) error {
	v, bits, ok := parseScaled(s)
	if !ok || bits || v < 1 || v > 1<<30 {
		return errors.New("must be a number of bytes such as 250k, up to 1G")
	}
	*n = byteCount(math.Round(v))
	return nil
}

// A frameSize is an MTU.
type frameSize int

func (n *frameSize) String() string { return fmt.Sprint(int(*n)) }
func (n *frameSize) Type() string   { return "N" }
func (n *frameSize) Set(s string) error {
	// IPv6 works from 1280 on (RFC 8200, Section 5). The upper end is veth's.
	return setNumber((*int)(n), s, 1280, 65535)
}
