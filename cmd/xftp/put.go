package main

import (
	"context"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// inPlaceLimit is the largest upload in bytes that is sent a second time,
// under its final name, if the server does not let the first be renamed.
const inPlaceLimit = 64 << 20

// checkSources refuses what cannot be meant as a local file. Its errors never
// contain a password.
func checkSources(files []string) error {
	for _, file := range files {
		if strings.Contains(file, "://") {
			return &usageError{
				text: redactURL(file) + ": is a URL; put sends local files to one URL, which comes last",
				hint: "download with: xftp get",
			}
		}
	}
	return nil
}

// checkNames refuses files that would get the same name.
func checkNames(files []string) error {
	from := make(map[string]string)
	for _, file := range files {
		if strings.HasSuffix(file, "/") {
			continue // what is in it goes there
		}
		name := filepath.Base(file)
		if other, ok := from[name]; ok {
			return usagef("%s and %s would both become %s", other, file, name)
		}
		from[name] = file
	}
	return nil
}

// put uploads files, and with -r directories. It goes on after a file that
// failed, but not after a signal.
func (s *session) put(ctx context.Context, files []string, to remote) {
	client, err := s.client(to)
	if err != nil {
		s.failed(ctx, to.String(), err, "")
		return
	}
	s.begin(len(files) > 1 || s.o.trees)
	defer s.end()
	done := make([]bool, len(files))
	var uploads []*upload
	for i, file := range files {
		if ctx.Err() != nil {
			break
		}
		if s.o.trees && isDirectory(file) {
			found, err := s.putTree(ctx, client, file, to)
			uploads = append(uploads, mark(found, i)...)
			done[i] = len(found) == 0
			if err != nil && interrupted(ctx) == nil {
				s.lost(ctx, to, file, file, err)
			}
			continue
		}
		r := to
		named := to.base() != ""
		if !named {
			r = to.join(filepath.Base(file))
		}
		s.tally.find(-1)
		uploads = append(uploads, &upload{session: s, client: client, remote: r, path: file, named: named, arg: i, again: []string{file, to.String()}})
	}
	s.tally.foundAll()
	left := make([]int, len(files)) // of each argument
	for _, u := range uploads {
		left[u.arg]++
	}
	for _, u := range s.upload(ctx, client, uploads) {
		left[u.arg]--
	}
	for i := range files {
		done[i] = done[i] || left[i] == 0
	}
	s.stopped(ctx, files, done, to.String())
}

// mark notes the argument that uploads come from.
func mark(uploads []*upload, arg int) []*upload {
	for _, u := range uploads {
		u.arg = arg
	}
	return uploads
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// upload sends files: first those about which there is nothing to ask, then
// the others. It returns those that have ended, well or not, before a signal.
func (s *session) upload(ctx context.Context, client *ftpclient.Client, uploads []*upload) (ended []*upload) {
	var later []*upload
	if len(uploads) == 1 || s.o.resume && !s.o.trees {
		later, uploads = uploads, nil
	}
	for _, u := range uploads {
		if err := u.unreadable(); err != nil {
			u.finish(ctx, time.Now(), err) // the server does not hear of it
			continue
		}
		info, err := os.Stat(u.path)
		u.alone = err == nil && info.Mode().IsRegular() && u.wantsSegments(info)
	}
	quick := func(yield func(ftpclient.Upload) bool) {
		for _, u := range uploads {
			if !u.ended && !u.asks && !u.alone && !yield(u.quick(ctx)) {
				return
			}
		}
	}
	if err := client.Upload(ctx, iter.Seq[ftpclient.Upload](quick), s.o.parallel); err != nil {
		for _, u := range uploads {
			if !u.ended && !u.asks && !u.alone && u.late == nil {
				u.finish(ctx, time.Now(), err) // it was never begun
			}
		}
	}
	for _, u := range uploads {
		if u.late != nil {
			u.late()
		}
		if u.asks || u.alone {
			later = append(later, u)
		} else if u.settled {
			ended = append(ended, u)
		}
	}
	for i, settled := range inParallel(ctx, len(later), s.o.parallel, func(i int) bool { return later[i].put(ctx) }) {
		if settled {
			ended = append(ended, later[i])
		}
	}
	return ended
}
