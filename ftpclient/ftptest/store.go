package ftptest

import (
	"context"
	"strings"
	"sync"
)

// A Storing is what a [Site] makes of an upload that begins at an offset.
type Storing int

// The ways, each that of a server.
const (
	StoreCuts    Storing = iota // the file ends where the upload begins, or begins where it ends: pure-ftpd
	StoreInside                 // what is behind the upload stays, and a hole is filled with NUL: ftpserverlib, vsftpd
	StoreRefuses                // the same, but an offset behind the end is refused: proftpd
	StoreIgnores                // the offset is not minded
	StoreAppends                // each goes to the end of the file
)

// open returns what a file holds when an upload to it begins, and false if that is
// refused.
func (way Storing) open(before string, offset int) (string, bool) {
	switch {
	case offset == 0, way == StoreIgnores:
		return "", true
	case way == StoreCuts:
		return before[:min(offset, len(before))], true
	default:
		return before, way != StoreRefuses || offset <= len(before)
	}
}

// put returns what a file holds after an upload.
func (way Storing) put(before, content string, offset int) string {
	switch way {
	case StoreCuts:
		return before[:min(offset, len(before))] + content
	case StoreIgnores:
		return content
	case StoreAppends:
		return before + content
	}
	hole := strings.Repeat("\x00", max(offset-len(before), 0))
	behind := before[min(offset+len(content), len(before)):]
	return before[:min(offset, len(before))] + hole + content + behind
}

// turns lets the uploads to a file wait for each other.
type turns struct {
	mu    sync.Mutex
	files map[string]chan struct{} // each holds one value while nobody writes
}

// take waits until nobody else writes to a file, or ctx is done, and returns what
// lets the next go on.
func (t *turns) take(ctx context.Context, path string) (release func()) {
	t.mu.Lock()
	if t.files == nil {
		t.files = make(map[string]chan struct{})
	}
	free := t.files[path]
	if free == nil {
		free = make(chan struct{}, 1)
		free <- struct{}{}
		t.files[path] = free
	}
	t.mu.Unlock()
	select {
	case <-free:
		return func() { free <- struct{}{} }
	case <-ctx.Done():
		return func() {}
	}
}
