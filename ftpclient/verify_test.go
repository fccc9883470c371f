package ftpclient_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// mlst answers MLST f with these facts.
func mlst(facts string) ftptest.Script {
	return ftptest.Exchange("MLST f", "250-f", " "+facts+" f", "250 end")
}

// retrieve is the dialogue of a download from EPSV on.
func retrieve(first, data string) ftptest.Script {
	return ftptest.Steps(ftptest.EPSV(), ftptest.Exchange("RETR f", first), ftptest.Write(data), ftptest.CloseData(), ftptest.Send("226 done"))
}

// retrieveFrom is the same behind 7 bytes.
func retrieveFrom(first, data string) ftptest.Script {
	return ftptest.Steps(ftptest.EPSV(), ftptest.Exchange("REST 7", "350 from there"),
		ftptest.Exchange("RETR f", first), ftptest.Write(data), ftptest.CloseData(), ftptest.Send("226 done"))
}

// feat answers FEAT.
func feat(features ...string) ftptest.Script {
	return ftptest.Exchange("FEAT", "211-these", " "+strings.Join(features, "\r\n "), "211 end")
}

func sha256Of(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) }
func md5Of(s string) string    { sum := md5.Sum([]byte(s)); return hex.EncodeToString(sum[:]) }

var typeI, typeA = ftptest.Exchange("TYPE I", "200 ok"), ftptest.Exchange("TYPE A", "200 ok")

// isUnverified checks that a demanded check was refused, because of cause if that
// is not nil.
func isUnverified(cause func(error) bool) func(error) bool {
	return func(err error) bool {
		var integrity *ftpclient.IntegrityError
		return errors.As(err, &integrity) && integrity.Kind == ftpclient.KindUnverified && (cause == nil || cause(err))
	}
}

func isHash(want, got string) func(error) bool {
	return func(err error) bool {
		var integrity *ftpclient.IntegrityError
		return errors.As(err, &integrity) &&
			*integrity == ftpclient.IntegrityError{Kind: ftpclient.KindHash, WantSum: want, GotSum: got}
	}
}

// Every size that is known is compared, and a wrong one asked for once more.
func TestRetrVerified(t *testing.T) {
	const size, go150 = "213 12", "150 go"
	whole := retrieve(go150, hello)
	before := func() (io.Reader, error) { return strings.NewReader(hello + "!"), nil }
	sizes := ftptest.Exchange("SIZE f", size)
	unsized := ftptest.Exchange("SIZE f", "502 what")
	sum := "213 SHA-256 0-12 " + sha256Of(hello) + " f"
	tests := []struct {
		name     string
		verify   ftpclient.Verify
		opts     ftpclient.TransferOptions
		script   ftptest.Script
		ascii    bool
		check    func(error) bool
		verified ftpclient.Verified
	}{
		{
			name: "150 contradicts SIZE", check: isIntegrity(ftpclient.KindAnnounced, 5, 12),
			script: ftptest.Steps(typeI, sizes, retrieve("150 go (5 bytes)", hello), sizes),
		},
		{
			name: "150 agrees with SIZE", verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(typeI, sizes, retrieve("150 go (12 Bytes).", hello)),
		},
		{
			name: "150 rounds", verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(typeI, sizes, retrieve("150 go (0.01 kbytes)", hello)),
		},
		{
			name: "changed", check: isIntegrity(ftpclient.KindChanged, 12, 5),
			script: ftptest.Steps(typeI, sizes, retrieve(go150, hello[:5]), ftptest.Exchange("SIZE f", "213 5")),
		},
		{
			name: "grown", check: isIntegrity(ftpclient.KindChanged, 5, 12),
			script: ftptest.Steps(typeI, ftptest.Exchange("SIZE f", "213 5"), retrieve(go150, hello), sizes),
		},
		{
			name: "changed behind the announcement", check: isIntegrity(ftpclient.KindChanged, 12, 5),
			script: ftptest.Steps(typeI, unsized, retrieve("150 go (12 bytes)", hello[:5]), mlst("size=5;")),
		},
		{
			name: "connection lost when asked once more", check: isIntegrity(ftpclient.KindSize, 12, 5),
			script: ftptest.Steps(typeI, sizes, retrieve(go150, hello[:5]), ftptest.Expect("SIZE f"), ftptest.Close()),
		},
		{
			name: "MLST", verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(typeI, unsized, whole, mlst("type=file;size=12;")),
		},
		{
			name: "MLST after 550", verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(typeI, ftptest.Exchange("SIZE f", "550 no"), whole, mlst("Type=File;Size=12;")),
		},
		{
			name: "MLST after nonsense", verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(typeI, ftptest.Exchange("SIZE f", "213 twelve"), whole, mlst("size=12;")),
		},
		{
			name: "MLST tells more", check: isIntegrity(ftpclient.KindSize, 12, 5),
			script: ftptest.Steps(typeI, unsized, retrieve(go150, hello[:5]), mlst("size=12;"), mlst("size=12;")),
		},
		{
			name: "MLST tells of a directory", script: ftptest.Steps(typeI, unsized, whole, mlst("type=dir;size=4096;")),
		},
		{
			name: "offset, 150 counts the file", opts: ftpclient.TransferOptions{Offset: 7}, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(typeI, sizes, retrieveFrom("150 go (12 bytes)", hello[7:])),
		},
		{
			name: "offset, 150 counts the rest", opts: ftpclient.TransferOptions{Offset: 7}, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(typeI, sizes, retrieveFrom("150 go (5 bytes)", hello[7:])),
		},
		{
			name: "offset, 150 counts neither", opts: ftpclient.TransferOptions{Offset: 7}, check: isIntegrity(ftpclient.KindAnnounced, 7, 12),
			script: ftptest.Steps(typeI, sizes, retrieveFrom("150 go (7 bytes)", hello[7:]), sizes),
		},
		{
			name: "offset, 150 counts the file, no SIZE", opts: ftpclient.TransferOptions{Offset: 7}, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(typeI, unsized, retrieveFrom("150 go (12 bytes)", hello[7:])),
		},
		{ // a server that begins at the start announces, and sends, as much
			name: "offset, 150 counts the rest, no SIZE", opts: ftpclient.TransferOptions{Offset: 7},
			script: ftptest.Steps(typeI, unsized, retrieveFrom("150 go (5 bytes)", hello[7:]), ftptest.Exchange("MLST f", "502 what")),
		},
		{
			name: "offset forgotten", opts: ftpclient.TransferOptions{Offset: 7}, check: isIntegrity(ftpclient.KindSize, 12, 19),
			script: ftptest.Steps(typeI, sizes, retrieveFrom("150 go (12 bytes)", hello), sizes),
		},
		{
			name: "size from the caller", opts: ftpclient.TransferOptions{Size: 12}, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(typeI, whole),
		},
		{
			name: "old size from the caller", opts: ftpclient.TransferOptions{Size: 9}, check: isIntegrity(ftpclient.KindChanged, 9, 12),
			script: ftptest.Steps(typeI, whole, sizes),
		},
		{
			name: "text", ascii: true, script: ftptest.Steps(typeA, retrieve("150 go (7 bytes)", hello)),
		},
		{
			name: "final reply is that of another command", check: isProtocol,
			script: ftptest.Steps(typeI, sizes, ftptest.EPSV(), ftptest.Exchange("RETR f", go150), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("213 12")),
		},
		{
			name: "early reply is that of another command", check: isProtocol,
			script: ftptest.Steps(typeI, sizes, ftptest.EPSV(), ftptest.Exchange("RETR f", go150, "229 (|||5|)"), ftptest.Write(hello), ftptest.CloseData()),
		},
		{
			name: "size demanded", verify: ftpclient.VerifySize, verified: ftpclient.VerifiedSize, script: ftptest.Steps(typeI, sizes, whole),
		},
		{
			name: "size demanded and refused", verify: ftpclient.VerifySize, check: isUnverified(isReply(502)),
			script: ftptest.Steps(typeI, unsized, whole, ftptest.Exchange("MLST f", "500 what")),
		},
		{name: "size demanded of text", verify: ftpclient.VerifySize, ascii: true, check: isUnverified(nil), script: typeA},
		{name: "hash demanded of text", verify: ftpclient.VerifyHash, ascii: true, check: isUnverified(nil), script: typeA},
		{
			name: "nothing demanded", verify: ftpclient.VerifyNone, script: ftptest.Steps(typeI, whole),
		},
		{
			name: "nothing demanded, and 150 tells", verify: ftpclient.VerifyNone, check: isIntegrity(ftpclient.KindAnnounced, 12, 5),
			script: ftptest.Steps(typeI, retrieve("150 go (12 bytes)", hello[:5])),
		},
		{
			name: "nothing demanded, and the caller tells", verify: ftpclient.VerifyNone, opts: ftpclient.TransferOptions{Size: 12},
			check: isIntegrity(ftpclient.KindSize, 12, 5), script: ftptest.Steps(typeI, retrieve(go150, hello[:5])),
		},
		{
			name: "nothing demanded, and 426", verify: ftpclient.VerifyNone, check: isReply(426),
			script: ftptest.Steps(typeI, ftptest.EPSV(), ftptest.Exchange("RETR f", go150), ftptest.Write(hello), ftptest.CloseData(), ftptest.Send("426 no")),
		},
		{
			name: "hash", verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedHash,
			script: ftptest.Steps(typeI, feat("SIZE", "HASH SHA-256*;SHA-1"), sizes, whole, ftptest.Exchange("HASH f", sum)),
		},
		{
			name: "hash without a size", verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedHash,
			script: ftptest.Steps(typeI, feat("HASH SHA-256*"), unsized, whole, ftptest.Exchange("HASH f", sum)),
		},
		{
			name: "another hash", verify: ftpclient.VerifyHash, check: isHash(sha256Of("other"), sha256Of(hello)),
			script: ftptest.Steps(typeI, feat("HASH SHA-256*"), sizes, whole, ftptest.Exchange("HASH f", "213 SHA-256 0-12 "+sha256Of("other")+" f")),
		},
		{
			name: "wrong size and right hash", verify: ftpclient.VerifyHash, check: isIntegrity(ftpclient.KindSize, 13, 12),
			script: ftptest.Steps(typeI, feat("HASH SHA-256*"), ftptest.Exchange("SIZE f", "213 13"), whole, ftptest.Exchange("SIZE f", "213 13")),
		},
		{
			name: "algorithm chosen", verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedHash,
			script: ftptest.Steps(typeI, feat("HASH MD5*;sha256"), ftptest.Exchange("OPTS HASH sha256", "200 ok"), sizes, whole, ftptest.Exchange("HASH f", sum)),
		},
		{
			name: "algorithm not to be chosen", verify: ftpclient.VerifyHash, check: isUnverified(isReply(501)),
			script: ftptest.Steps(typeI, feat("HASH MD5*;SHA-256"), ftptest.Exchange("OPTS HASH SHA-256", "501 no")),
		},
		{
			name: "XMD5", verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedHash,
			script: ftptest.Steps(typeI, feat("XMD5", "XCRC"), sizes, whole, ftptest.Exchange("XMD5 f", "250 "+strings.ToUpper(md5Of(hello)))),
		},
		{
			name: "no hash", verify: ftpclient.VerifyHash, check: isUnverified(is(ftpclient.ErrNoHash)), script: ftptest.Steps(typeI, feat("SIZE")),
		},
		{
			name: "no FEAT", verify: ftpclient.VerifyHash, check: isUnverified(is(ftpclient.ErrNoHash)),
			script: ftptest.Steps(typeI, ftptest.Exchange("FEAT", "502 what")),
		},
		{
			name: "hash refused", verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedSize, check: isUnverified(isReply(550)),
			script: ftptest.Steps(typeI, feat("HASH SHA-256*"), sizes, whole, ftptest.Exchange("HASH f", "550 too large")),
		},
		{
			name: "hash of another length", verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedSize, check: isUnverified(isProtocol),
			script: ftptest.Steps(typeI, feat("HASH SHA-256*"), sizes, whole, ftptest.Exchange("HASH f", "213 SHA-256 0-12 "+md5Of(hello)+" f")),
		},
		{
			name: "connection lost before the hash", verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedSize, check: is(io.ErrUnexpectedEOF),
			script: ftptest.Steps(typeI, feat("HASH SHA-256*"), sizes, whole, ftptest.Expect("HASH f"), ftptest.Close()),
		},
		{
			name: "hash of nothing refused", verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(typeI, feat("XMD5"), ftptest.Exchange("SIZE f", "213 0"), retrieve(go150, ""), ftptest.Exchange("XMD5 f", "501 end")),
		},
		{
			name: "hash behind an offset", verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedHash,
			opts:   ftpclient.TransferOptions{Offset: 7, Before: before},
			script: ftptest.Steps(typeI, feat("HASH SHA-256*"), sizes, retrieveFrom(go150, hello[7:]), ftptest.Exchange("HASH f", sum)),
		},
		{
			name: "hash behind an offset, other bytes before", verify: ftpclient.VerifyHash, check: isHash(sha256Of(hello), sha256Of(strings.ToUpper(hello[:7])+hello[7:])),
			opts:   ftpclient.TransferOptions{Offset: 7, Before: func() (io.Reader, error) { return strings.NewReader(strings.ToUpper(hello)), nil }},
			script: ftptest.Steps(typeI, feat("HASH SHA-256*"), sizes, retrieveFrom(go150, hello[7:]), ftptest.Exchange("HASH f", sum)),
		},
		{
			name: "hash behind an offset, nothing before", verify: ftpclient.VerifyHash, check: isUnverified(nil),
			opts: ftpclient.TransferOptions{Offset: 7}, script: ftptest.Steps(typeI, feat("HASH SHA-256*")),
		},
		{
			name: "hash behind an offset, too little before", verify: ftpclient.VerifyHash, check: is(io.ErrUnexpectedEOF),
			opts:   ftpclient.TransferOptions{Offset: 7, Before: func() (io.Reader, error) { return strings.NewReader("x"), nil }},
			script: ftptest.Steps(typeI, feat("HASH SHA-256*")),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := set(t, ftptest.Login(), tt.script)
			s.cfg.Verify = tt.verify
			c := s.dial(t)
			if tt.ascii {
				if err := c.Type(t.Context(), ftpclient.ASCII); err != nil {
					t.Fatal(err)
				}
			}
			var got bytes.Buffer
			result, err := c.Retr(t.Context(), "f", &got, &tt.opts)
			checkVerified(t, result, err, tt.verified, tt.check)
			if err == nil && hello[:tt.opts.Offset]+got.String() != hello && got.Len() > 0 {
				t.Errorf("got %q", &got)
			}
			c.Close()
		})
	}
}

func checkVerified(t *testing.T, result ftpclient.Result, err error, verified ftpclient.Verified, check func(error) bool) {
	t.Helper()
	switch {
	case check == nil && err != nil:
		t.Error(err)
	case check != nil && (err == nil || !check(err)):
		t.Errorf("error %v", err)
	}
	if result.Verified != verified {
		t.Errorf("verified by %v, want %v", result.Verified, verified)
	}
}

func isProtocol(err error) bool {
	var protocol *ftpclient.ProtocolError
	return errors.As(err, &protocol)
}

// What a server is known not to have is not asked for again.
func TestSizeLearned(t *testing.T) {
	c := play(t, typeI, ftptest.Exchange("SIZE f", "500 what"), retrieve("150 go", hello), mlst("size=12;"),
		mlst("size=12;"), retrieve("150 go", hello),
		ftptest.Exchange("MLST f", "502 what"), retrieve("150 go", hello), retrieve("150 go", hello))
	for i, want := range []ftpclient.Verified{ftpclient.VerifiedSize, ftpclient.VerifiedSize, ftpclient.VerifiedNone, ftpclient.VerifiedNone} {
		result, err := c.Retr(t.Context(), "f", io.Discard, nil)
		if err != nil || result.Verified != want {
			t.Errorf("%d: %+v, %v", i, result, err)
		}
	}
	c.Close()
}

// An upload is good if what is stored is what was sent, by any way to know it.
func TestStorVerified(t *testing.T) {
	const go150 = "150 go"
	send := ftptest.Steps(ftptest.EPSV(), ftptest.Exchange("STOR f", go150), ftptest.Read(hello), ftptest.Send("226 done"))
	append12 := ftptest.Steps(ftptest.EPSV(), ftptest.Exchange("APPE f", go150), ftptest.Read(hello), ftptest.Send("226 done"))
	early := ftptest.Steps(ftptest.EPSV(), ftptest.Exchange("STOR f", "226 done"), ftptest.Read(hello))
	unsized := ftptest.Exchange("SIZE f", "502 what")
	unlisted := ftptest.Exchange("MLST f", "502 what")
	sizes := ftptest.Exchange("SIZE f", "213 12")
	sum := "213 SHA-256 0-12 " + sha256Of(hello) + " f"
	before := func() (io.Reader, error) { return strings.NewReader("before!"), nil }
	tests := []struct {
		name     string
		verify   ftpclient.Verify
		opts     ftpclient.TransferOptions
		script   ftptest.Script
		appends  bool
		once     bool // the reader cannot be read again
		check    func(error) bool
		verified ftpclient.Verified
	}{
		{name: "MLST", verified: ftpclient.VerifiedSize, script: ftptest.Steps(typeI, send, unsized, mlst("size=12;"))},
		{name: "MLST tells less", check: isIntegrity(ftpclient.KindStored, 12, 5), script: ftptest.Steps(typeI, send, unsized, mlst("size=5;"))},
		{
			name: "hash for want of a size", verified: ftpclient.VerifiedHash,
			script: ftptest.Steps(typeI, send, unsized, unlisted, feat("HASH SHA-256*"), ftptest.Exchange("HASH f", sum)),
		},
		{
			name: "another hash for want of a size", check: isHash(sha256Of("x"), sha256Of(hello)),
			script: ftptest.Steps(typeI, send, unsized, unlisted, feat("HASH SHA-256*"), ftptest.Exchange("HASH f", "213 SHA-256 0-1 "+sha256Of("x")+" f")),
		},
		{
			name:   "hash refused for want of a size",
			script: ftptest.Steps(typeI, send, unsized, unlisted, feat("HASH SHA-256*"), ftptest.Exchange("HASH f", "550 no")),
		},
		{
			name: "a part is not hashed for want of a size", opts: ftpclient.TransferOptions{Offset: 7},
			script: ftptest.Steps(typeI, ftptest.EPSV(), ftptest.Exchange("REST 7", "350 ok"), ftptest.Exchange("STOR f", go150), ftptest.Read(hello),
				ftptest.Send("226 done"), unsized, unlisted),
		},
		{name: "nothing told, and not to be read again", once: true, script: ftptest.Steps(typeI, send, unsized, unlisted)},
		{
			name: "size demanded and refused", verify: ftpclient.VerifySize, once: true, check: isUnverified(isReply(502)),
			script: ftptest.Steps(typeI, send, unsized, unlisted),
		},
		{name: "nothing demanded", verify: ftpclient.VerifyNone, script: ftptest.Steps(typeI, send)},
		{name: "nothing demanded, appended", verify: ftpclient.VerifyNone, appends: true, script: ftptest.Steps(typeI, append12)},
		{name: "early 226, size right", verified: ftpclient.VerifiedSize, script: ftptest.Steps(typeI, early, sizes)},
		{name: "early 226, size wrong", check: isIntegrity(ftpclient.KindStored, 12, 5), script: ftptest.Steps(typeI, early, ftptest.Exchange("SIZE f", "213 5"))},
		{name: "early 226, nothing told", once: true, check: isBroken, script: ftptest.Steps(typeI, early, unsized, unlisted)},
		{name: "early 226, nothing asked", verify: ftpclient.VerifyNone, check: isBroken, script: ftptest.Steps(typeI, early)},
		{
			name: "final reply is that of another command", check: isProtocol,
			script: ftptest.Steps(typeI, ftptest.EPSV(), ftptest.Exchange("STOR f", go150), ftptest.Read(hello), ftptest.Send("213 12")),
		},
		{
			name: "hash", verify: ftpclient.VerifyHash, once: true, verified: ftpclient.VerifiedHash,
			script: ftptest.Steps(typeI, feat("HASH SHA-256*"), send, sizes, ftptest.Exchange("HASH f", sum)),
		},
		{
			name: "another hash", verify: ftpclient.VerifyHash, check: isHash(sha256Of("x"), sha256Of(hello)),
			script: ftptest.Steps(typeI, feat("HASH SHA-256*"), send, sizes, ftptest.Exchange("HASH f", "213 SHA-256 0-12 "+sha256Of("x")+" f")),
		},
		{
			name: "size wrong, hash not asked", verify: ftpclient.VerifyHash, check: isIntegrity(ftpclient.KindStored, 12, 5),
			script: ftptest.Steps(typeI, feat("HASH SHA-256*"), send, ftptest.Exchange("SIZE f", "213 5")),
		},
		{
			name: "hash behind an offset", verify: ftpclient.VerifyHash, verified: ftpclient.VerifiedHash,
			opts: ftpclient.TransferOptions{Offset: 7, Before: before},
			script: ftptest.Steps(typeI, feat("XMD5"), ftptest.EPSV(), ftptest.Exchange("REST 7", "350 ok"), ftptest.Exchange("STOR f", go150), ftptest.Read(hello),
				ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 19"), ftptest.Exchange("XMD5 f", "250 "+md5Of("before!"+hello))),
		},
		{
			name: "hash of what is appended to", verify: ftpclient.VerifyHash, appends: true, verified: ftpclient.VerifiedHash,
			opts: ftpclient.TransferOptions{Before: before},
			script: ftptest.Steps(typeI, ftptest.Exchange("SIZE f", "213 7"), feat("XMD5"), append12, ftptest.Exchange("SIZE f", "213 19"),
				ftptest.Exchange("XMD5 f", "250 "+md5Of("before!"+hello))),
		},
		{
			name: "hash of what nobody knows the start of", verify: ftpclient.VerifyHash, appends: true, check: isUnverified(nil),
			script: ftptest.Steps(typeI, ftptest.Exchange("SIZE f", "550 no"), ftptest.Exchange("MLST f", "550 no"), feat("XMD5"), append12, ftptest.Exchange("SIZE f", "213 19")),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := set(t, ftptest.Login(), tt.script)
			s.cfg.Verify = tt.verify
			c := s.dial(t)
			call := c.Stor
			if tt.appends {
				call = c.Append
			}
			var r io.Reader = strings.NewReader(hello)
			if tt.once {
				r = io.MultiReader(r)
			}
			result, err := call(t.Context(), "f", r, &tt.opts)
			checkVerified(t, result, err, tt.verified, tt.check)
			c.Close()
		})
	}
}

func isBroken(err error) bool {
	var transfer *ftpclient.TransferError
	return errors.As(err, &transfer)
}
