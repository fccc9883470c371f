package ftpclient_test

import (
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

func TestStor(t *testing.T) {
	ok := ftptest.Exchange("TYPE I", "200 ok")
	tests := []struct {
		name     string
		script   ftptest.Script
		offset   int64
		call     string // "" is Stor
		check    func(error) bool
		verified ftpclient.Verified
	}{
		{
			name: "plain", verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello), ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 12")),
		},
		{
			name: "no SIZE",
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello), ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "500 what"),
				ftptest.Exchange("MLST f", "500 what"), ftptest.Exchange("FEAT", "500 what")),
		},
		{
			name: "offset", offset: 100, verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("REST 100", "350 ok"), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello),
				ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 112")),
		},
		{
			name: "append", call: "Append", verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ok, ftptest.Exchange("SIZE f", "213 8"), ftptest.EPSV(), ftptest.Exchange("APPE f", "150 go"), ftptest.Read(hello),
				ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 20")),
		},
		{
			name: "append to nothing", call: "Append", verified: ftpclient.VerifiedSize,
			script: ftptest.Steps(ok, ftptest.Exchange("SIZE f", "550 none"), ftptest.Exchange("MLST f", "550 none"), ftptest.EPSV(), ftptest.Exchange("APPE f", "150 go"), ftptest.Read(hello),
				ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 12")),
		},
		{
			name: "append replaced the file", call: "Append", check: isIntegrity(ftpclient.KindStored, 20, 12),
			script: ftptest.Steps(ok, ftptest.Exchange("SIZE f", "213 8"), ftptest.EPSV(), ftptest.Exchange("APPE f", "150 go"), ftptest.Read(hello),
				ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 12")),
		},
		{
			name: "226 for a part", check: isIntegrity(ftpclient.KindStored, 12, 5),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello), ftptest.Send("226 done"), ftptest.Exchange("SIZE f", "213 5")),
		},
		{
			name: "552 after the data", check: isReply(552),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello), ftptest.Send("552 full")),
		},
		{
			name: "552 in the middle, data connection left open", check: isReply(552),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.ReadSome(3), ftptest.Send("552 full")),
		},
		{
			name: "552 before the data", check: isReply(552),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "552 full")),
		},
		{
			name: "reset in the middle, then 226", check: is(syscall.ECONNRESET),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.ReadSome(3), ftptest.ResetData(), ftptest.Send("226 done")),
		},
		{
			name: "closed in the middle, then 226", check: is(io.ErrClosedPipe),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.ReadSome(3), ftptest.CloseData(), ftptest.Send("226 done")),
		},
		{
			name: "no final reply", check: is(io.ErrUnexpectedEOF),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello), ftptest.Close()),
		},
		{
			name: "control connection lost before SIZE is answered", check: is(io.ErrUnexpectedEOF),
			script: ftptest.Steps(ok, ftptest.EPSV(), ftptest.Exchange("STOR f", "150 go"), ftptest.Read(hello), ftptest.Send("226 done"), ftptest.Expect("SIZE f"), ftptest.Close()),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := play(t, tt.script)
			call := c.Stor
			if tt.call == "Append" {
				call = c.Append
			}
			result, err := call(t.Context(), "f", strings.NewReader(hello), &ftpclient.TransferOptions{Offset: tt.offset})
			switch {
			case tt.check == nil && err != nil:
				t.Fatal(err)
			case tt.check == nil && result.Bytes != int64(len(hello)):
				t.Errorf("result %+v", result)
			case tt.check != nil && (err == nil || !tt.check(err)):
				t.Errorf("error %v", err)
			}
			if result.Verified != tt.verified {
				t.Errorf("verified by %v, want %v", result.Verified, tt.verified)
			}
			c.Close()
		})
	}
}
