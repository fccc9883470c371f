package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// An upState is what must be known to continue an upload that was broken off: the
// server keeps no note of what it was made of. It lies as JSON in
// $XDG_STATE_HOME/xftp/uploads, or below ~/.local/state, under a name made of the file
// and of where it goes, from before the first byte goes until the upload is
// complete.
type upState struct {
	URL     string    `json:"url"`  // without a password
	File    string    `json:"file"` // absolute
	Size    int64     `json:"size"`
	ModTime time.Time `json:"mtime"`

	// Part is the path of the part on the server, if it is sent in segments, and
	// Done which of its bytes the server has confirmed. A file that is sent in one
	// stream has the part that goes by its name, without holes.
	Part string `json:"part,omitempty"`
	Done spans  `json:"done,omitzero"`
}

// sameFile says whether the file is still as it was.
func (s upState) sameFile(t upState) bool {
	return s.URL == t.URL && s.File == t.File && s.Size == t.Size && s.ModTime.Equal(t.ModTime)
}

// An upRecord is the state of one upload, and where it lies.
type upRecord struct {
	state upState
	path  string // empty if there is nowhere to keep it
	known bool   // it is of an upload that this process has begun
	due   bool   // it is to be written when the server has opened the file
}

// recordOf returns the record of an upload.
func recordOf(url, path string, info fs.FileInfo) *upRecord {
	r := &upRecord{state: upState{URL: url, File: path, Size: info.Size(), ModTime: info.ModTime()}}
	if abs, err := filepath.Abs(path); err == nil {
		r.state.File = abs
	}
	if dir := stateDirectory(); dir != "" {
		sum := sha256.Sum256([]byte(r.state.URL + "\x00" + r.state.File))
		r.path = filepath.Join(dir, hex.EncodeToString(sum[:16])+".json")
	}
	return r
}

// stateDirectory returns where states are kept, or "".
func stateDirectory() string {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) { // "All paths must be absolute", XDG Base Directory Specification
		home := os.Getenv("HOME")
		if !filepath.IsAbs(home) {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "xftp", "uploads")
}

// found returns what an earlier run has recorded. The error is fs.ErrNotExist if there
// is nothing, or nothing of use.
func (r *upRecord) found() (old upState, err error) {
	if r.known {
		return r.state, nil
	}
	if r.path == "" {
		return old, fs.ErrNotExist
	}
	text, err := os.ReadFile(r.path)
	if err != nil {
		return old, err
	}
	if json.Unmarshal(text, &old) != nil || old.URL != r.state.URL || old.File != r.state.File {
		return upState{}, fs.ErrNotExist
	}
	old.Done = old.Done.within(old.Size)
	if old.Part == "" {
		old.Done = nil
	}
	return old, nil
}

// write records the state: at any time the file is the whole old one or the whole new
// one. Where it cannot be kept, -c begins again, which is no reason to stop now.
func (r *upRecord) write() {
	r.known = true
	if r.path == "" {
		return
	}
	dir := filepath.Dir(r.path)
	if _, err := os.Stat(dir); err != nil {
		if os.MkdirAll(dir, 0o700) != nil {
			return
		}
	} else if _, err := os.Stat(r.path); err != nil {
		expire(dir, time.Now())
	}
	fresh := r.path + ".new"
	_ = os.Remove(fresh) // of a run that was killed
	f, err := os.OpenFile(fresh, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return
	}
	err = errors.Join(json.NewEncoder(f).Encode(r.state), f.Close())
	if err == nil {
		err = os.Rename(fresh, r.path)
	}
	if err != nil {
		_ = os.Remove(fresh) // it is of no use
	}
}

// began notes that an upload in one stream begins. Of a small file that is only
// written down if it breaks off.
func (r *upRecord) began() {
	if r != nil {
		r.state.Part, r.state.Done, r.known = "", nil, true
		r.due = r.state.Size > recordAbove
	}
}

// opened writes down what has begun, when the server has opened the file and no byte has
// gone: before that, the part there may be what an earlier upload has left of another
// file, and after that, it would be one that nobody knows.
func (r *upRecord) opened() {
	if r != nil && r.due {
		r.due = false
		r.write()
	}
}

// ended records what is left of an upload after err: something that can be continued,
// or nothing.
func (r *upRecord) ended(err error, left bool) {
	switch {
	case r == nil:
	case err != nil && left:
		r.write()
	default:
		r.forget()
	}
}

// forget removes the record.
func (r *upRecord) forget() {
	r.known = false
	if r.path != "" {
		_ = os.Remove(r.path) // most often there is none
		_ = os.Remove(r.path + ".new")
	}
}

// stateExpires is how long the state of an upload that nobody has continued is kept.
const stateExpires = 90 * 24 * time.Hour

// expire removes states that nobody comes back for.
func expire(dir string, now time.Time) {
	entries, _ := os.ReadDir(dir) // there may be none
	for _, e := range entries {
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > stateExpires {
			_ = os.Remove(filepath.Join(dir, e.Name())) // it does little harm
		}
	}
}

// newToken returns what tells a part from all others that go by the same name.
func newToken() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
