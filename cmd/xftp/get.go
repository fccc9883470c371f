package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// get downloads remotes to targets. It goes on after a file that failed, but
// not after a signal.
func (s *session) get(ctx context.Context, remotes []remote, targets []target) {
	files := make([]*fileGet, len(remotes))
	for i, r := range remotes {
		client, err := s.client(r)
		if err != nil {
			s.failed(ctx, r.String(), err, "")
			return
		}
		files[i] = &fileGet{
			download: &download{session: s, client: client, remote: r, target: targets[i], state: partState{URL: r.source(), Size: -1}},
			again:    shownAll(remotes[i : i+1]),
		}
	}
	s.begin(len(remotes) > 1)
	defer s.end()
	if len(remotes) > 1 {
		var release func()
		ctx, release = s.untilFull(ctx)
		defer release()
	}
	for range remotes {
		s.tally.find(-1)
	}
	s.tally.foundAll()
	var done []bool
	if s.out.onStdout { // in the order of the arguments
		done = inParallel(ctx, len(files), 1, func(i int) bool { return files[i].get(ctx, files[i].again) })
	} else {
		done = s.getFiles(ctx, files)
	}
	s.stopped(ctx, shownAll(remotes), done)
}

// inParallel calls work for 0 to n-1, as many at a time as parallel says, until
// ctx is done. It returns what each call has returned.
func inParallel(ctx context.Context, n, parallel int, work func(i int) bool) (done []bool) {
	done = make([]bool, n)
	var (
		mu   sync.Mutex
		next int
		wg   sync.WaitGroup
	)
	worker := func() {
		for {
			mu.Lock()
			i := next
			next++
			mu.Unlock()
			if i >= n || ctx.Err() != nil {
				return
			}
			done[i] = work(i)
		}
	}
	for range min(parallel, n) - 1 {
		wg.Go(worker)
	}
	worker()
	wg.Wait()
	return done
}

// stopped says how to go on with the arguments that are not done, if a signal or a
// full disk has ended ctx.
func (s *session) stopped(ctx context.Context, args []string, done []bool, always ...string) {
	caught := interrupted(ctx)
	if caught == nil {
		return
	}
	var rest []string
	for i, arg := range args {
		if !done[i] {
			rest = append(rest, arg)
		}
	}
	var full *fullError
	if errors.As(caught, &full) {
		s.filled(ctx, full, args, rest, always)
		return
	}
	if len(rest) == 0 {
		return
	}
	hint := ""
	switch {
	case s.out.onStdout || rest[0] == stdinName:
	case len(rest) > maxShown:
		hint = fmt.Sprintf("%d are left, of which this is the first", len(rest))
	default:
		hint = "continue with: " + s.command(true, append(rest, always...)...)
	}
	s.failed(ctx, rest[0], caught, hint)
}

// maxShown is how many arguments a command has that is printed for the user.
const maxShown = 50

func shownAll(remotes []remote) []string {
	words := make([]string, len(remotes))
	for i, r := range remotes {
		words[i] = r.String()
	}
	return words
}
