package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/mirror"
)

// A listedTime is what a list by LIST prints: in a zone that is not told, and cut
// to minutes or days.
type listedTime struct {
	time      time.Time
	precision time.Duration
}

// walk lists the directory on the server. On the way up one that is not there is
// empty.
func (m *mirroring) walk(ctx context.Context) error {
	m.listed = make(map[string]listedTime)
	opts := &ftpclient.WalkOptions{
		Parallel: m.o.parallel,
		Skip: func(dir ftpclient.Entry) bool {
			return isTemporary(dir.Name) || m.filter.scope(dir.Path, true) == mirror.Outside
		},
	}
	for e, err := range m.client.Walk(ctx, m.walked(), opts) {
		switch {
		case err != nil && ctx.Err() != nil:
			return ctx.Err()
		case err != nil && e.Name == "":
			var list *ftpclient.ListError
			if errors.As(err, &list) {
				m.doubt(ctx, &m.there, m.remote.String(), err)
				continue
			}
			return m.unlisted(ctx, err)
		case err != nil && e.Path == "":
			m.doubt(ctx, &m.there, m.remote.String(), err)
		case err != nil:
			m.doubt(ctx, &m.there, m.join(e.Path).String(), err)
		default:
			m.found(e)
		}
	}
	if ctx.Err() == nil {
		m.follow(ctx)
	}
	return ctx.Err()
}

// unlisted judges a directory on the server that cannot be listed. On the way up
// it is made if it is not there.
func (m *mirroring) unlisted(ctx context.Context, err error) error {
	var refusal *ftpclient.ReplyError
	if !m.up || len(m.there.Entries) > 0 || !errors.As(err, &refusal) || refusal.Code != 550 && refusal.Code != 450 {
		return err
	}
	// There may be one that cannot be read: then nothing in it could be compared.
	there := m.client.Do(ctx, func(conn *ftpclient.Conn) error { return conn.ChangeDir(ctx, m.walked()) })
	if there == nil || !errors.As(there, &refusal) {
		return err
	}
	return nil
}

// found notes an entry of the server's list.
func (m *mirroring) found(e ftpclient.Entry) {
	entry := mirror.Entry{Path: e.Path, Size: e.Size, Mode: -1, Target: e.Target}
	switch e.Type {
	case ftpclient.EntryFile:
		entry.Type = mirror.File
		if e.Mode >= 0 {
			entry.Mode = int16(e.Mode & 0o777)
		}
	case ftpclient.EntryDir:
		entry.Type, entry.Size = mirror.Dir, -1
	case ftpclient.EntryLink, ftpclient.EntryUnknown:
		entry.Type = mirror.Link // the server may tell what it leads to
	}
	if entry.Type == mirror.Link && m.mo.links == "keep" && e.Target == "" && !m.up {
		entry.Out = "is a link, and the server does not tell where it leads"
	}
	if isTemporary(e.Name) {
		entry.Out = errTemporary.Error()
		if m.up {
			m.parts[e.Path] = true
		}
	}
	if entry.Type == mirror.File && !e.ModTime.IsZero() {
		entry.ModTime, entry.Precision = e.ModTime, e.Precision
		if !e.UTC {
			m.listed[e.Path] = listedTime{e.ModTime, e.Precision}
			entry.ModTime, entry.Precision, entry.Doubt = m.zone.UTC(e.ModTime, e.Precision)
		}
	}
	m.there.Entries = append(m.there.Entries, entry)
}

// follow asks the server what its links lead to, on the way down.
func (m *mirroring) follow(ctx context.Context) {
	if m.up || m.mo.links != "follow" {
		return
	}
	var links []*mirror.Entry
	for i := range m.there.Entries {
		if e := &m.there.Entries[i]; e.Type == mirror.Link && e.Out == "" && m.filter.scope(e.Path, false) == mirror.Inside {
			links = append(links, e)
		}
	}
	m.lengthless = make(map[string]bool)
	var mu sync.Mutex
	var over atomic.Bool // the server cannot be reached
	inParallel(ctx, len(links), m.o.parallel, func(i int) bool {
		e, told, err := links[i], ftpclient.Attributes{}, errNotBegun
		for tries := 0; tries < 2 && err != nil && !isRefused(err) && !over.Load() && ctx.Err() == nil; tries++ {
			err = m.client.Do(ctx, func(conn *ftpclient.Conn) (err error) {
				told, err = attributesOfLink(ctx, conn, m.join(e.Path).Path)
				return err
			})
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			e.Type, e.Size, e.ModTime, e.Precision = mirror.File, told.Size, told.ModTime, time.Second
			m.lengthless[e.Path] = told.Size < 0
		case errors.Is(err, errNoFile):
		default:
			e.Out = "is a link, and the server has not told what that leads to"
			if !over.Load() {
				m.doubt(ctx, &m.there, m.join(e.Path).String(), err)
			}
			if !isRefused(err) {
				over.Store(true)
			}
		}
		return err == nil
	})
}

// errNoFile says that a link leads to no file.
var errNoFile = errors.New("leads to no file")

// attributesOfLink asks what a link leads to. The size stays open if the server tells
// none of any file. The error is errNoFile, or why that is not known.
func attributesOfLink(ctx context.Context, conn *ftpclient.Conn, path string) (ftpclient.Attributes, error) {
	told, err := conn.Attributes(ctx, path)
	if err != nil || told.Size >= 0 {
		return told, err
	}
	size, err := conn.Size(ctx, path) // which tells why
	var refusal *ftpclient.ReplyError
	switch {
	case err == nil:
		told.Size = size
	case !conn.Usable(), errors.As(err, &refusal) && refusal.Temporary():
		return told, err
	case refusal != nil && refusal.Code == 550:
		return told, errNoFile
	}
	return told, nil // RETR will tell
}
