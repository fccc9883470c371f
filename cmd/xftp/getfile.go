package main

import (
	"context"
	"io"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// A fileGet is one of the files that are named one by one.
type fileGet struct {
	*download
	again   []string // what downloads it again, for the hint
	isFirst bool     // of its site
	looked  bool     // the server was asked for its size and time
	done    bool     // it has ended before a signal came

	// In the pipeline.
	isUnderWay bool
	start      time.Time
	bar        *fileBar
	part       *partFile
	failure    error // why there is none
}

// job returns the file as the pipeline takes it. What the server says of it is known
// before its part is opened.
func (f *fileGet) job(ctx context.Context) ftpclient.Download {
	f.segments = 1
	if f.isFirst {
		f.underWay() // the connection is made for it
	}
	job := ftpclient.Download{Path: f.Path, Size: f.state.Size}
	if !f.looked {
		job.Told = func(told ftpclient.Attributes) {
			f.state.Size, f.state.ModTime = told.Size, told.ModTime
			f.underWay()
			f.open() // now: when the data comes, it does not have to wait
		}
	}
	job.Open = func() (io.Writer, error) {
		if f.looked {
			f.underWay()
			f.open()
		}
		return f.part, f.failure
	}
	if f.bars != nil {
		job.Progress = func(done, total int64) { f.bar.report()(done, total) }
	}
	job.Done = func(result ftpclient.Result, err error) { f.settle(ctx, result, err) }
	return job
}

// underWay notes that something has been heard of the file.
func (f *fileGet) underWay() {
	if !f.isUnderWay {
		f.isUnderWay, f.start = true, time.Now()
		f.bar = f.bars.begin(f.shownPath(), f.state.Size)
	}
}

// open opens the part, as one of the file that the server has told of last.
func (f *fileGet) open() {
	if f.part != nil {
		f.part.keep(errNotBegun) // it is empty
		f.part = nil
	}
	dir, name, err := f.place()
	if err == nil {
		defer dir.release()
		var part *partFile
		if part, err = openPart(dir, name, f.state, false); err == nil {
			f.part = part
			_, err = part.inOrder()
		}
	}
	f.failure = err
}

// settle ends the file. Nothing is said of one that a signal has kept from being
// under way.
func (f *fileGet) settle(ctx context.Context, result ftpclient.Result, err error) {
	f.bar.end()
	f.result = result
	if err == nil {
		err = f.commit(f.part)
	}
	if f.part != nil && err != nil {
		f.kept = f.part.keep(err)
	}
	if f.isUnderWay || ctx.Err() == nil {
		f.done = f.finish(ctx, f.start, err, f.again)
	}
}
