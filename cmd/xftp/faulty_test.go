package main

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	ftpserver "github.com/fclairamb/ftpserverlib"
	"github.com/spf13/afero"
)

// A faultyFs is what one client sees.
type faultyFs struct {
	afero.Fs
	server *testServer
}

func (f *faultyFs) OpenFile(name string, flag int, perm os.FileMode) (afero.File, error) {
	writes := flag&(os.O_WRONLY|os.O_RDWR) != 0
	if f.server.has("noread") && !writes {
		return nil, errors.New("reading is not allowed")
	}
	gate := f.server.gate.Load()
	if err := gate.enter(writes); err != nil {
		return nil, err
	}
	file, err := f.Fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	faulty := &faultyFile{File: file, server: f.server, gate: gate}
	faulty.drops = f.server.begun.Add(1) <= f.server.number("drop")
	return faulty, nil
}

// Stat is what SIZE, MDTM and MLST tell.
func (f *faultyFs) Stat(name string) (os.FileInfo, error) {
	info, err := f.Fs.Stat(name)
	if err == nil && !info.IsDir() && f.server.has("nosize") {
		return nil, errors.New("that is secret")
	}
	if err == nil && f.server.has("notime") {
		info = timeless{info}
	}
	return info, err
}

// A timeless file tells no time.
type timeless struct{ os.FileInfo }

func (timeless) ModTime() time.Time { return time.Time{} }

// ComputeHash hashes a file.
func (f *faultyFs) ComputeHash(name string, algorithm ftpserver.HASHAlgo, _, _ int64) (string, error) {
	h, known := map[ftpserver.HASHAlgo]hash.Hash{
		ftpserver.HASHAlgoCRC32: crc32.NewIEEE(), ftpserver.HASHAlgoMD5: md5.New(), ftpserver.HASHAlgoSHA1: sha1.New(),
		ftpserver.HASHAlgoSHA256: sha256.New(), ftpserver.HASHAlgoSHA512: sha512.New(),
	}[algorithm]
	if !known {
		return "", errors.New("no such hash")
	}
	data, err := afero.ReadFile(f.Fs, name)
	h.Write(data)
	if f.server.has("badhash") {
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)), err
}

// ReadDir lists a directory.
func (f *faultyFs) ReadDir(name string) ([]os.FileInfo, error) {
	all, err := afero.ReadDir(f.Fs, name)
	if names := f.server.faults["lists"]; names != "" {
		for name := range strings.SplitSeq(names, ",") {
			all = append(all, invented{name})
		}
	}
	if f.server.has("garbled") {
		all = append(all, invented{"garbled\r\nwhat is this"})
	}
	return all, err
}

// An invented file is only in the lists of a server.
type invented struct{ name string }

func (i invented) Name() string     { return i.name }
func (invented) Size() int64        { return 5 }
func (invented) Mode() fs.FileMode  { return 0o644 }
func (invented) ModTime() time.Time { return time.Unix(1e9, 0) }
func (invented) IsDir() bool        { return false }
func (invented) Sys() any           { return nil }

func (f *faultyFs) Rename(from, to string) error {
	if f.server.has("noren") {
		return errors.New("renaming is not allowed")
	}
	if f.server.has("fakeren") {
		return nil
	}
	return f.Fs.Rename(from, to)
}

func (f *faultyFs) Remove(name string) error {
	if f.server.has("nodele") {
		return errors.New("deleting is not allowed")
	}
	return f.Fs.Remove(name)
}

type faultyFile struct {
	afero.File
	server  *testServer
	gate    *gate
	counted bool // by the gate
	moved   atomic.Int64
	drops   bool
}

func (f *faultyFile) Read(b []byte) (int, error) {
	s := f.server
	if limit := s.number("stall"); limit >= 0 && f.moved.Load() >= limit {
		s.stall()
	}
	if limit := s.number("stalltotal"); limit >= 0 && s.moved.Load() >= limit {
		s.stall()
	}
	if f.drops && f.moved.Load() >= 1e6 {
		s.listener.breakAll()
		return 0, errors.New("broken off") // else the next try is broken off, too
	}
	room, err := f.gate.pass(f, false, len(b))
	if err != nil {
		return 0, err
	}
	n, err := f.File.Read(b[:room])
	f.moved.Add(int64(n))
	s.moved.Add(int64(n))
	return n, err
}

func (f *faultyFile) Write(b []byte) (int, error) {
	s := f.server
	if limit := s.number("stall"); limit >= 0 && f.moved.Load() >= limit {
		s.stall()
	}
	if limit := s.number("stalltotal"); limit >= 0 && s.moved.Load() >= limit {
		s.stall()
	}
	limit := s.number("full")
	if s.has("fullplace") && !isTemporary(filepath.Base(f.Name())) {
		limit = s.number("fullplace")
	}
	if limit >= 0 && f.moved.Load()+int64(len(b)) > limit {
		return 0, errors.New("no space left on the server")
	}
	if f.drops && f.moved.Load() >= 1e6 {
		s.listener.breakAll()
		return 0, errors.New("broken off")
	}
	for written := 0; written < len(b); {
		room, err := f.gate.pass(f, true, len(b)-written)
		if err == nil {
			room, err = f.File.Write(b[written:][:room])
			written += room
			f.moved.Add(int64(room))
			s.moved.Add(int64(room))
		}
		if err != nil {
			return written, err
		}
	}
	return len(b), nil
}

func (f *faultyFile) Close() error {
	defer f.gate.leave(f)
	return f.File.Close()
}

func (f *faultyFile) Seek(offset int64, whence int) (int64, error) {
	if f.server.has("norest") {
		return offset, nil
	}
	return f.File.Seek(offset, whence)
}
