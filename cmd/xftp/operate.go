package main

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// atOnce is how many directories rm -r and chmod -R have in hand at a time.
const atOnce = 64

// operate carries operations out at the site of r, and returns what became of each.
// Those that were not begun have errNotBegun: after an error that is not about what
// was asked for, there are such, and one says why.
func (s *session) operate(ctx context.Context, r remote, all []ftpclient.Operation) []error {
	results := slices.Repeat([]error{errNotBegun}, len(all))
	client, err := s.client(r)
	if err == nil {
		var over atomic.Bool
		err = client.Operate(ctx, func(yield func(ftpclient.Operation) bool) {
			for i, o := range all {
				o.Done = func(err error) {
					results[i] = err
					if isOver(err) {
						over.Store(true)
					}
				}
				if over.Load() || !yield(o) {
					return
				}
			}
		}, s.o.parallel)
	}
	return explained(results, err)
}

// ask calls question for 0 to n-1, as many at a time as --parallel says, and returns
// what came of each as operate does.
func (s *session) ask(ctx context.Context, n int, question func(i int) error) []error {
	results := slices.Repeat([]error{errNotBegun}, n)
	var over atomic.Bool
	inParallel(ctx, n, s.o.parallel, func(i int) bool {
		if !over.Load() {
			results[i] = question(i)
			if isOver(results[i]) {
				over.Store(true)
			}
		}
		return true
	})
	return explained(results, ctx.Err())
}

// explained gives err to the first that was not begun.
func explained(results []error, err error) []error {
	if i := slices.Index(results, errNotBegun); i >= 0 && err != nil {
		results[i] = err
	}
	return results
}

// isOver says whether err is not about what was asked for, but about the server or
// the way to it.
func isOver(err error) bool { return err != nil && !isRefused(err) && !isKnown(err) }
