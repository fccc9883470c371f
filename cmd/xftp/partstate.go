package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// partState is what must be known to continue a part file. It lies beside it
// as JSON.
type partState struct {
	URL     string    `json:"url"`            // without a password
	Size    int64     `json:"size"`           // bytes of the whole file, -1 if the server did not say
	ModTime time.Time `json:"mtime,omitzero"` // zero if the server did not say

	// Done says which bytes the part holds, if it came in several segments. If
	// it is nil the part has no holes: it holds the file up to its own length.
	Done spans `json:"done,omitzero"`
}

// sameSource says whether a part that was begun as s can be continued from a
// file that is now as t describes. The size must be known; a server that does
// not tell modification times is judged by the size alone.
func (s partState) sameSource(t partState) bool {
	return s.URL == t.URL && s.Size >= 0 && s.Size == t.Size && s.ModTime.Equal(t.ModTime)
}

// recordAbove is the size in bytes of files whose state is written down as soon
// as they begin. Of smaller ones it is only written if a transfer breaks off:
// if xftp is killed, they come again, which costs less than a state file for
// each of a thousand files.
const recordAbove = 1 << 20

// record writes the state down. At any time the file on disk is the whole old
// one or the whole new one, and it is never written through a link.
func (p *partFile) record() error {
	name := p.meta
	f, err := p.dir.open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		name = temporaryName(p.name, freshSuffix)
		if err := p.dir.remove(name); err != nil {
			return err
		}
		f, err = p.dir.open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	}
	if err != nil {
		return err
	}
	if err := errors.Join(json.NewEncoder(f).Encode(p.state), f.Close()); err != nil {
		_ = p.dir.remove(name) // half of it is of no use
		return err
	}
	p.recorded = true
	if name == p.meta {
		return nil
	}
	return p.dir.rename(name, p.meta, 0)
}

// found returns the state that lies beside the part.
func (p *partFile) found() (partState, error) {
	f, err := p.dir.openOwn(p.meta, unix.O_RDONLY)
	if err != nil {
		return partState{}, err
	}
	defer f.Close()
	state := partState{Size: -1}
	err = json.NewDecoder(f).Decode(&state)
	return state, err
}
