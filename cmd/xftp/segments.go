package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

const (
	smallestSegment = 1 << 20        // bytes; below, a connection of its own costs more than it gains
	smallestAuto    = 4 << 20        // bytes from which auto may use more than one connection
	smallestAutoPut = 64 * (1 << 20) // the same for uploads, which take a few round trips more
)

// recordEvery is how often it is written down what a download in segments holds; zero
// is what the library thinks right. A test that kills many cannot wait for that.
var recordEvery time.Duration

// segmentsFor returns over how many connections a file comes of which size
// bytes are missing, 0 for as many as pay. wanted is what --segments says, 0 for
// auto.
func segmentsFor(wanted int, size int64) int {
	if wanted == 0 && size >= smallestAuto {
		return 0
	}
	return int(max(1, min(int64(wanted), size/smallestSegment)))
}

// inSegments downloads what is missing of the part over several connections.
func (d *download) inSegments(ctx context.Context, part *partFile, bar *fileBar) error {
	size := part.state.Size
	if part.state.Done == nil {
		part.state.Done = spans{}
	}
	again := part.state.Done.overlaps(size)
	missing := part.state.Done.missing(size)
	for _, s := range again {
		missing = missing.add(s)
	}
	// From now on the length of the part says nothing.
	if err := part.record(); err != nil {
		return err
	}
	result, err := d.client.DownloadSegments(ctx, &overlapping{part: part, again: again}, &ftpclient.Segments{
		Path:     d.Path,
		Size:     size,
		Count:    d.segments,
		Missing:  toRanges(missing),
		Progress: bar.report(),
		Written: func(missing []ftpclient.Range) {
			part.state.Done = fromRanges(missing).missing(size)
			_ = part.record() // if not, more comes again than must
		},
		WrittenEvery: recordEvery,
	})
	d.used(result)
	if err != nil {
		return err
	}
	info, err := part.Stat()
	if err == nil && info.Size() != size {
		err = &ftpclient.IntegrityError{Kind: ftpclient.KindSize, Want: size, Got: info.Size()}
	}
	return err
}

// nowhere downloads to /dev/null, where the order of the bytes does not matter.
func (d *download) nowhere(ctx context.Context, null *os.File, bar *fileBar) error {
	if err := d.look(ctx); err != nil {
		return err
	}
	d.segments = segmentsFor(d.o.segments, d.state.Size)
	result, err := d.client.DownloadSegments(ctx, null, &ftpclient.Segments{
		Path: d.Path, Size: d.state.Size, Count: d.segments, Progress: bar.report(),
	})
	d.used(result)
	return err
}

// used notes the result of a download in segments, and how many there were: auto, or
// the server, may have made fewer of them.
func (d *download) used(result ftpclient.Result) {
	d.result, d.segments = result, max(result.Segments, 1)
}

func toRanges(all spans) []ftpclient.Range {
	ranges := make([]ftpclient.Range, len(all))
	for i, s := range all {
		ranges[i] = ftpclient.Range{From: s.From, To: s.To}
	}
	return ranges
}

func fromRanges(ranges []ftpclient.Range) spans {
	var all spans
	for _, r := range ranges {
		all = all.add(span{r.From, r.To})
	}
	return all
}

// segmentCount is the value of --segments: a number, or 0 for auto.
type segmentCount int

// maxSegments is more than any server allows.
const maxSegments = 64

func (c *segmentCount) String() string {
	if *c == 0 {
		return "auto"
	}
	return strconv.Itoa(int(*c))
}

func (c *segmentCount) Type() string { return "N|auto" }

func (c *segmentCount) Set(s string) error {
	if s == "auto" {
		*c = 0
		return nil
	}
	if err := setNumber((*int)(c), s, 1, maxSegments); err != nil {
		return fmt.Errorf("%w, or auto", err)
	}
	return nil
}
