package ftpclient_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

func TestLists(t *testing.T) {
	send := func(command, data string) ftptest.Script {
		return ftptest.Steps(ftptest.EPSV(), ftptest.Exchange(command, "150 go"), ftptest.Write(data), ftptest.CloseData(), ftptest.Send("226 done"))
	}
	c := play(t,
		send("LIST", "-rw-r--r-- f\r\n"), send("LIST ./-R", ""), send("NLST d", "d/a\r\n b\nc"),
		send("MLSD", "type=cdir;modify=19991231235959; .\r\nType=file;Size=12;Modify=20260101000000.5;  b\r\ntype=OS.unix=slink:/x y;size=x; l\r\n"),
		send("MLSD", "type=file; a\r\nbroken\r\ntype=dir; b\r\n?\r\n"),
		send("MLSD", "type=file; a\r\ntype=file; cut sho"),
		send("MLSD x", "type=file; a\r\n"),
		ftptest.EPSV(), ftptest.Exchange("MLSD x", "502 what"), send("LIST x", "total 1\r\n-rw-r--r-- 1 a b 3 Feb 29  2024 f\r\n"),
		send("LIST ./-x", "02-29-24  12:34PM       <DIR>          d\r\nbroken\r\n"),
		ftptest.Exchange("MLST f", "250-here", "  type=file;size=3; /f", "250 end"),
		ftptest.Exchange("MLST f", "250 nothing"),
		ftptest.EPSV(), ftptest.Exchange("NLST", "450 none"),
	)
	ctx := t.Context()
	var list bytes.Buffer
	if err := c.List(ctx, "", &list); err != nil || list.String() != "-rw-r--r-- f\r\n" {
		t.Errorf("list %q, %v", &list, err)
	}
	if err := c.List(ctx, "-R", io.Discard); err != nil {
		t.Error(err)
	}
	if names, err := c.NameList(ctx, "d"); err != nil || fmt.Sprintf("%q", names) != `["d/a" " b" "c"]` {
		t.Errorf("names %q, %v", names, err)
	}
	entries, err := c.MLSD(ctx, "")
	if err != nil || len(entries) != 3 {
		t.Fatalf("entries %v, %v", entries, err)
	}
	if e := entries[1]; e.Name != " b" || e.Type != ftpclient.EntryFile || e.Size != 12 || e.ModTime.Year() != 2026 || e.ModTime.Nanosecond() != 5e8 {
		t.Errorf("entry %+v", e)
	}
	if e := entries[2]; e.Name != "l" || e.Type != ftpclient.EntryLink || e.Size != -1 || e.Target != "/x y" || !e.ModTime.IsZero() {
		t.Errorf("entry %+v", e)
	}
	entries, err = c.MLSD(ctx, "")
	var protocol *ftpclient.ProtocolError
	var partial *ftpclient.ListError
	if !errors.As(err, &protocol) || protocol.Line != "broken" || len(entries) != 2 {
		t.Errorf("entries %v, %v", entries, err)
	}
	if !errors.As(err, &partial) || partial.Cut || partial.Unread != 2 || len(partial.Unknown) != 2 || partial.Unknown[1].Line != "?" || partial.Unknown[1].Type != ftpclient.EntryUnknown {
		t.Errorf("error %+v", partial)
	}
	if !strings.HasSuffix(err.Error(), `"broken", and 1 more`) {
		t.Errorf("error %v", err)
	}
	entries, err = c.MLSD(ctx, "")
	if !errors.As(err, &partial) || !partial.Cut || partial.Unknown != nil || len(entries) != 2 || !errors.As(err, &protocol) {
		t.Errorf("entries %v, %v", entries, err)
	}
	entries, err = c.Entries(ctx, "x")
	if err != nil || len(entries) != 1 || entries[0].Name != "a" || !entries[0].ModTime.IsZero() {
		t.Errorf("entries %v, %v", entries, err)
	}
	entries, err = c.Entries(ctx, "x")
	if err != nil || len(entries) != 1 || entries[0].Name != "f" || entries[0].ModTime.IsZero() {
		t.Errorf("entries %v, %v", entries, err)
	}
	entries, err = c.Entries(ctx, "-x")
	if !errors.As(err, &partial) || len(partial.Unknown) != 1 || len(entries) != 1 || entries[0].Type != ftpclient.EntryDir {
		t.Errorf("entries %v, %v", entries, err)
	}
	if e, err := c.MLST(ctx, "f"); err != nil || e.Name != "/f" || e.Size != 3 {
		t.Errorf("entry %+v, %v", e, err)
	}
	if _, err := c.MLST(ctx, "f"); !errors.As(err, &protocol) {
		t.Errorf("error %v", err)
	}
	if _, err := c.NameList(ctx, ""); !isReply(450)(err) {
		t.Errorf("error %v", err)
	}
	c.Close()
}
