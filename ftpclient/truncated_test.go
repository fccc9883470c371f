package ftpclient_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// A list that the server says is not whole is an error, beside what is in it.
func TestTruncatedList(t *testing.T) {
	const last = "226 Output truncated to 1 matches"
	send := func(command, data string) ftptest.Script {
		return ftptest.Steps(ftptest.EPSV(), ftptest.Exchange(command, "150 go"), ftptest.Write(data), ftptest.CloseData(), ftptest.Send("226-Options: -l", last))
	}
	c := play(t, send("MLSD", "type=file; a\r\n"), send("MLSD d", "type=file; b\r\nbroken\r\n"), send("LIST", "text\r\n"), send("NLST", "a\r\n"))
	ctx := t.Context()
	var cut *ftpclient.ListError
	entries, err := c.MLSD(ctx, "")
	if !errors.As(err, &cut) || cut.Truncated != last[4:] || cut.Unread != 0 || len(entries) != 1 {
		t.Errorf("entries %v, %v", entries, err)
	}
	entries, err = c.Entries(ctx, "d")
	if !errors.As(err, &cut) || cut.Truncated != last[4:] || cut.Unread != 1 || len(entries) != 1 {
		t.Errorf("entries %v, %v", entries, err)
	}
	var text bytes.Buffer
	if err := c.List(ctx, "", &text); !errors.As(err, &cut) || text.String() != "text\r\n" {
		t.Errorf("list %q, %v", &text, err)
	}
	if _, err := c.NameList(ctx, ""); !errors.As(err, &cut) {
		t.Errorf("names: %v", err)
	}
}

// A walk goes on with what is in such a list, and tells.
func TestTruncatedWalk(t *testing.T) {
	list := "type=dir; d\r\ntype=file; f\r\n"
	f := &field{Site: &ftptest.Site{
		Lists: map[string]string{"MLSD t": list, "MLSD t/d": "type=file; g\r\n"},
		Fault: func(_, _ int, line string) ftptest.Fault {
			if line == "MLSD t" {
				return ftptest.Fault{Last: "226 Output truncated to 2 matches", Bytes: len(list)}
			}
			return ftptest.Fault{}
		},
	}}
	var names []string
	var cut *ftpclient.ListError
	for e, err := range f.open(t).Walk(t.Context(), "t", nil) {
		if err != nil && !errors.As(err, &cut) {
			t.Error(err)
		} else if err == nil {
			names = append(names, e.Path)
		}
	}
	if cut == nil || cut.Truncated == "" || !slices.Equal(names, []string{"d", "d/g", "f"}) {
		t.Errorf("names %q, %v", names, cut)
	}
}
