package main

import (
	"context"
	"sync"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"golang.org/x/sys/unix"
)

// A filesGet is a run for files that are named one by one.
type filesGet struct {
	*session

	mu    sync.Mutex
	taken map[string]bool // targets that somebody writes
}

// getFiles downloads files, and says of each whether it has ended, well or not,
// before a signal came.
func (s *session) getFiles(ctx context.Context, files []*fileGet) (done []bool) {
	g := &filesGet{session: s, taken: make(map[string]bool)}
	sites := bySite(files)
	lanes := shares(sites, s.o.parallel)
	inParallel(ctx, len(sites), s.o.parallel, func(i int) bool {
		q := &fileQueue{filesGet: g, files: sites[i]}
		q.run(ctx, lanes[i])
		return true
	})
	done = make([]bool, len(files))
	for i, f := range files {
		done[i] = f.done
	}
	return done
}

// bySite puts files of the same site together. Sites, and the files of each, stay in
// the order of the arguments.
func bySite(files []*fileGet) (sites [][]*fileGet) {
	index := make(map[*ftpclient.Client]int)
	for _, f := range files {
		i, known := index[f.client]
		if !known {
			i = len(sites)
			index[f.client] = i
			sites = append(sites, nil)
		}
		sites[i] = append(sites[i], f)
	}
	return sites
}

// shares says how many files of each site come at a time, if so many may in all.
// Each site has one, and the others go where most files are for each.
func shares(sites [][]*fileGet, parallel int) []int {
	lanes := make([]int, len(sites))
	for i := range lanes {
		lanes[i] = 1
	}
	for n := len(sites); n > 0 && n < parallel; n++ {
		most := 0
		for i := range sites {
			if len(sites[i])*lanes[most] > len(sites[most])*lanes[i] {
				most = i
			}
		}
		lanes[most]++
	}
	return lanes
}

// take says whether a target is nobody else's so far: links may lead two URLs to the
// same file.
func (g *filesGet) take(target string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	taken := g.taken[target]
	g.taken[target] = true
	return !taken
}

// A fileQueue is the files of one site. The small ones go through a pipeline, where
// the questions about a file, and the commands that begin it, are sent while the one
// before it flows. Those that need more than that interrupt it.
type fileQueue struct {
	*filesGet
	files []*fileGet // that are left
	held  *fileGet   // small, and next
}

// run downloads the files, so many at a time.
func (q *fileQueue) run(ctx context.Context, parallel int) {
	client := q.files[0].client
	q.files[0].isFirst = true
	for (q.held != nil || len(q.files) > 0) && ctx.Err() == nil {
		var others []*fileGet
		small := func(yield func(ftpclient.Download) bool) {
			for f, isSmall := q.next(ctx); f != nil; f, isSmall = q.next(ctx) {
				if !isSmall {
					others = append(others, f)
					return
				}
				if !yield(f.job(ctx)) {
					return
				}
			}
		}
		// Where there is no connection, those that were to be next have failed; it is
		// tried again for the others.
		_ = client.Download(ctx, small, parallel)
		for len(others) > 0 && len(others) < parallel {
			f, isSmall := q.next(ctx)
			if isSmall {
				q.held = f
			}
			if isSmall || f == nil {
				break
			}
			others = append(others, f)
		}
		inParallel(ctx, len(others), parallel, func(i int) bool {
			f := others[i]
			f.done = f.get(ctx, f.again)
			return f.done
		})
	}
}

// next returns the next file, and whether it is one for the pipeline, or nil if none
// is left. Those that cannot be begun have failed.
func (q *fileQueue) next(ctx context.Context) (f *fileGet, isSmall bool) {
	if f = q.held; f != nil {
		q.held = nil
		return f, true
	}
	for len(q.files) > 0 && ctx.Err() == nil {
		f, q.files = q.files[0], q.files[1:]
		isSmall, err := q.isSmall(ctx, f)
		if err == nil {
			return f, isSmall
		}
		f.done = f.finish(ctx, time.Now(), err, f.again)
	}
	return nil, false
}

// isSmall looks at where a file goes, and says whether it is one for the pipeline.
// With --segments the server is asked for its size.
func (q *fileQueue) isSmall(ctx context.Context, f *fileGet) (bool, error) {
	if err := f.target.prepare(f.o.output); err != nil {
		return false, err
	}
	if f.target.direct || !q.take(f.target.file) || !f.unwritten() {
		return false, nil
	}
	if f.o.segments == 1 {
		return true, nil
	}
	if err := f.look(ctx); err != nil {
		return false, err
	}
	f.looked = segmentsFor(f.o.segments, f.state.Size) == 1
	if !f.looked {
		f.state.Size, f.state.ModTime = -1, time.Time{} // it is asked again when its turn comes
	}
	return f.looked, nil
}

// unwritten says whether a part of the file can be begun, and none is there. To find
// out otherwise when the file has begun to come costs a connection.
func (d *download) unwritten() bool {
	dir, name, err := d.place()
	if err != nil {
		return false
	}
	defer dir.release()
	if len(name) > maxName || unix.Faccessat(dir.fd(), ".", unix.W_OK|unix.X_OK, unix.AT_EACCESS) != nil {
		return false
	}
	_, err = dir.stat(temporaryName(name, partSuffix))
	return err != nil
}
