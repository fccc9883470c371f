package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A choice is a flag that takes one of a few words.
type choice struct {
	value *string
	words []string
}

func (c *choice) String() string {
	if c.value == nil {
		return ""
	}
	return *c.value
}

func (c *choice) Type() string { return strings.Join(c.words, "|") }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.words, s) {
		return fmt.Errorf("must be one of %s", strings.Join(c.words, ", "))
	}
	*c.value = s
	return nil
}

// A list is a flag that may be repeated, and that takes several values with
// commas between them.
type list[T interface{ String() string }] struct {
	values *[]T
	parse  func(string) (T, error)
}

func (l *list[T]) String() string {
	if l.values == nil {
		return ""
	}
	words := make([]string, len(*l.values))
	for i, v := range *l.values {
		words[i] = v.String()
	}
	return strings.Join(words, ",")
}

func (l *list[T]) Type() string { return "CIDR" }

func (l *list[T]) Set(s string) error {
	for word := range strings.SplitSeq(s, ",") {
		v, err := l.parse(strings.TrimSpace(word))
		if err != nil {
			return err
		}
		*l.values = append(*l.values, v)
	}
	return nil
}

func parseAddress(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is not an address with a prefix length, such as 192.0.2.7/24", s)
	}
	return p, nil
}

type queueNumber int

func (q *queueNumber) String() string { return fmt.Sprint(int(*q)) }
func (q *queueNumber) Type() string   { return "N" }
func (q *queueNumber) Set(s string) error {
	return setNumber((*int)(q), s, 0, 1<<16)
}

func setNumber(to *int, s string, low, high int) error {
	var n int
	if _, err := fmt.Sscanf(s, "%d", &n); err != nil || fmt.Sprint(n) != s || n < low || n > high {
		return fmt.Errorf("must be a number from %d to %d", low, high)
	}
	*to = n
	return nil
}

type positiveDuration time.Duration

func (d *positiveDuration) String() string { return time.Duration(*d).String() }
func (d *positiveDuration) Type() string   { return "D" }
func (d *positiveDuration) Set(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil {
		return errors.New("must be a duration such as 30s or 2m")
	}
	if v <= 0 {
		return errors.New("must be more than 0")
	}
	*d = positiveDuration(v)
	return nil
}

// fileCount is the value of --parallel.
type fileCount int

// maxParallel is more than any server allows.
const maxParallel = 64

func (c *fileCount) String() string { return fmt.Sprint(int(*c)) }
func (c *fileCount) Type() string   { return "N" }
func (c *fileCount) Set(s string) error {
	return setNumber((*int)(c), s, 1, maxParallel)
}

// retryCount is the value of --retries.
type retryCount int

// maxRetries is more than anybody waits for.
const maxRetries = 1000

func (c *retryCount) String() string { return fmt.Sprint(int(*c)) }
func (c *retryCount) Type() string   { return "N" }
func (c *retryCount) Set(s string) error {
	return setNumber((*int)(c), s, 0, maxRetries)
}

// A pause is the value of --keepalive: a second or more, or none.
type pause time.Duration

func (p *pause) String() string { return time.Duration(*p).String() }
func (p *pause) Type() string   { return "D" }
func (p *pause) Set(s string) error {
	v, err := time.ParseDuration(s)
	if err != nil || v < 0 || v > 0 && v < time.Second {
		return errors.New("must be a duration from 1s on, such as 30s or 2m, or 0")
	}
	*p = pause(v)
	return nil
}
