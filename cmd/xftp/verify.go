package main

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
)

// clientVerify returns --verify as a client is told it.
func (o *options) clientVerify() ftpclient.Verify {
	switch o.verify {
	case "size":
		return ftpclient.VerifySize
	case "hash":
		return ftpclient.VerifyHash
	case "none":
		return ftpclient.VerifyNone
	default:
		return ftpclient.VerifyAuto
	}
}

// checkWhole finds out whether a local file is that on the server, of the same
// size, where no byte of it has to be moved.
func (s *session) checkWhole(ctx context.Context, client *ftpclient.Client, path string, file io.ReaderAt) (ftpclient.Verified, error) {
	if s.o.verify != "hash" {
		return ftpclient.VerifiedSize, nil
	}
	sum, err := hashOf(ctx, client, path)
	if err == nil {
		err = checkHash(ctx, sum, file)
	}
	if err != nil {
		return ftpclient.VerifiedNone, err
	}
	return ftpclient.VerifiedHash, nil
}

// hashOf asks the server for the hash of a file.
func hashOf(ctx context.Context, client *ftpclient.Client, path string) (ftpclient.Sum, error) {
	sum, err := client.Hash(ctx, path)
	var refusal *ftpclient.ReplyError
	var nonsense *ftpclient.ProtocolError
	switch {
	case errors.Is(err, ftpclient.ErrNoHash):
		err = &ftpclient.IntegrityError{Kind: ftpclient.KindUnverified, Err: ftpclient.ErrNoHash}
	case errors.As(err, &refusal) && !refusal.Temporary():
		err = &ftpclient.IntegrityError{Kind: ftpclient.KindUnverified, Err: refusal}
	case errors.As(err, &nonsense):
		err = &ftpclient.IntegrityError{Kind: ftpclient.KindUnverified, Err: nonsense}
	}
	return sum, err
}

// checkHash compares the hash that a server has told with that of all bytes of
// file, which it reads from the start.
func checkHash(ctx context.Context, sum ftpclient.Sum, file io.ReaderAt) error {
	h := sum.New()
	buf := make([]byte, 1<<20)
	for at := int64(0); ; {
		n, err := file.ReadAt(buf, at)
		h.Write(buf[:n])
		at += int64(n)
		switch {
		case err == io.EOF:
			if sum.Equal(h) {
				return nil
			}
			got := ftpclient.Sum{Algorithm: sum.Algorithm, Hex: hex.EncodeToString(h.Sum(nil))}
			return &ftpclient.IntegrityError{Kind: ftpclient.KindHash, WantSum: sum.String(), GotSum: got.String()}
		case err != nil:
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
	}
}

// unchanged makes sure that a file is still what it was when it was opened: else the
// server may have been sent the beginning of one and the end of another. Of what is no
// file nobody can tell.
func unchanged(f *os.File, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return nil
	}
	now, err := f.Stat()
	switch {
	case err != nil:
		return err
	case now.Size() != info.Size():
		return &ftpclient.IntegrityError{Kind: ftpclient.KindChanged, Want: info.Size(), Got: now.Size()}
	case !now.ModTime().Equal(info.ModTime()):
		return &ftpclient.IntegrityError{
			Kind:    ftpclient.KindChanged,
			WantSum: info.ModTime().UTC().Format(time.RFC3339Nano), GotSum: now.ModTime().UTC().Format(time.RFC3339Nano),
		}
	}
	return nil
}

// kindOf returns what is wrong with a transfer that both sides called complete,
// or "" if err is no such error.
func kindOf(err error) ftpclient.Kind {
	var integrity *ftpclient.IntegrityError
	if errors.As(err, &integrity) {
		return integrity.Kind
	}
	return ""
}

// continues says whether a part can be continued after an error of this kind.
// After some of them it may hold bytes that are not the file's; those that came
// before it was cut short are.
func continues(kind ftpclient.Kind) bool {
	switch kind {
	case "", ftpclient.KindSize, ftpclient.KindAnnounced, ftpclient.KindUnclosed:
		return true // also where there is too much: -c sees that, and starts again
	default:
		return false
	}
}

// warn says what a good transfer lacks, in one line.
func (s *session) warn(r remote, subject string, result ftpclient.Result) {
	switch {
	case result.Unclosed:
		s.out.warn("%s %s: the server ended the data without close_notify; that it is whole is known by its %v alone", s.verb, subject, result.Verified)
	case result.Verified != ftpclient.VerifiedNone || s.o.verify != "auto":
	case r.Type == ftpclient.ASCII:
		s.out.warn("%s %s: nothing verifies that it is whole: in type a sizes cannot be compared", s.verb, subject)
	case result.Unsized != nil:
		s.out.warn("%s %s: nothing verifies that it is whole: the server refuses its size (%s)", s.verb, subject, describe(result.Unsized))
	default:
		s.out.warn("%s %s: nothing verifies that it is whole: the server does not tell its size", s.verb, subject)
	}
}
