package ftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// playText is play, for transfers of texts.
func playText(t *testing.T, script ...ftptest.Script) *ftpclient.Conn {
	t.Helper()
	c := play(t, append([]ftptest.Script{ftptest.Exchange("TYPE A", "200 text")}, script...)...)
	if err := c.Type(t.Context(), ftpclient.ASCII); err != nil {
		t.Fatal(err)
	}
	return c
}

// Lines end otherwise on the way, no size is asked for, and what the server counts
// does not matter. The bytes that are counted are those here.
func TestTextTransfers(t *testing.T) {
	c := playText(t,
		ftptest.EPSV(), ftptest.Exchange("RETR f", "150 sending f (3 bytes)"), ftptest.Write("a\r\nb\r"), ftptest.Write("\nc\r"), ftptest.CloseData(), ftptest.Send("226 done"),
		ftptest.EPSV(), ftptest.Exchange("STOR g", "150 go"), ftptest.Read("a\r\nb\r\n"), ftptest.Send("226 done"),
		ftptest.EPSV(), ftptest.Exchange("APPE g", "150 go"), ftptest.Read("c\r\n"), ftptest.Send("226 done"),
		ftptest.EPSV(), ftptest.Exchange("LIST d", "150 go"), ftptest.Write("one\r\ntwo\r\n"), ftptest.CloseData(), ftptest.Send("226 done"),
	)
	var got, list bytes.Buffer
	done := []int64{}
	result, err := c.Retr(t.Context(), "f", &got, &ftpclient.TransferOptions{Size: 3, Progress: func(n, total int64) {
		if total != -1 {
			t.Errorf("%d are to come", total)
		}
		done = append(done, n)
	}})
	if err != nil || got.String() != "a\nb\nc\r" || result.Bytes != 6 || result.Verified != ftpclient.VerifiedNone || done[len(done)-1] != 6 {
		t.Errorf("%q, %+v, %v, progress %d", &got, result, err, done)
	}
	for _, send := range []func(context.Context, string, io.Reader, *ftpclient.TransferOptions) (ftpclient.Result, error){c.Stor, c.Append} {
		text := map[bool]string{true: "a\nb\n", false: "c\n"}[done != nil]
		result, err := send(t.Context(), "g", strings.NewReader(text), nil)
		if err != nil || result.Bytes != int64(len(text)) || result.Verified != ftpclient.VerifiedNone {
			t.Errorf("%+v, %v", result, err)
		}
		done = nil
	}
	if err := c.List(t.Context(), "d", &list); err != nil || list.String() != "one\r\ntwo\r\n" {
		t.Errorf("list %q, %v", &list, err)
	}
}

// A text is not continued: nobody knows where.
func TestTextOffset(t *testing.T) {
	at := &ftpclient.TransferOptions{Offset: 1}
	c := playText(t)
	_, err := c.Retr(t.Context(), "f", io.Discard, at)
	_, err2 := c.Stor(t.Context(), "f", strings.NewReader("x"), at)
	for _, err := range []error{err, err2} {
		var refused *ftpclient.ArgumentError
		if !errors.As(err, &refused) || refused.Command != "REST" || !c.Usable() {
			t.Errorf("error %v", err)
		}
	}
}

// textField is a site whose client transfers texts.
func textField(t *testing.T, f *field) *ftpclient.Client {
	t.Helper()
	f.open(t).Close()
	c, err := ftpclient.New(serverURL+";type=a", &f.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A Client converts all of many files, those that break off and begin again too.
func TestTextClient(t *testing.T) {
	for _, ahead := range []int{0, -1} {
		texts := make(map[string]string)
		wire := make(map[string]string)
		for i, name := range []string{"a", "b", "c", "d", "e"} {
			texts[name] = strings.Repeat("line of "+name+"\n", 100*i)
			wire[name] = strings.ReplaceAll(texts[name], "\n", "\r\n")
		}
		f := &field{Site: &ftptest.Site{Files: wire}}
		f.cfg.Ahead, f.cfg.RetryWait = ahead, 1
		f.Fault = func(session, _ int, line string) ftptest.Fault {
			return ftptest.Fault{Cut: session == 0 && (line == "RETR c" || line == "STOR up/d"), Bytes: 777}
		}
		c := textField(t, f)
		got := make(map[string]*bytes.Buffer)
		var downloads []ftpclient.Download
		var uploads []ftpclient.Upload
		for _, name := range slices.Sorted(maps.Keys(texts)) {
			done := func(result ftpclient.Result, err error) {
				if err != nil || result.Bytes != int64(len(texts[name])) {
					t.Errorf("%s: %+v, %v", name, result, err)
				}
			}
			got[name] = new(bytes.Buffer)
			downloads = append(downloads, ftpclient.Download{Path: name, Size: 1, Done: done, Open: func() (io.Writer, error) { return got[name], nil }})
			uploads = append(uploads, ftpclient.Upload{Path: "up/" + name, Done: done, Open: func() (io.Reader, error) { return strings.NewReader(texts[name]), nil }})
		}
		if err := c.Download(t.Context(), slices.Values(downloads), 1); err != nil {
			t.Fatal(err)
		}
		if err := c.Upload(t.Context(), slices.Values(uploads), 1); err != nil {
			t.Fatal(err)
		}
		for name, text := range texts {
			if got[name].String() != text || f.Stored()["up/"+name] != wire[name] {
				t.Errorf("%s has other bytes", name)
			}
		}
		for _, line := range f.Log() {
			if strings.HasPrefix(line, "SIZE") || strings.HasPrefix(line, "REST") {
				t.Errorf("sent %q", line)
			}
		}
		for _, d := range downloads[:1] {
			d.Offset = 1
			d.Done = func(_ ftpclient.Result, err error) {
				if !isA[*ftpclient.ArgumentError](err) {
					t.Errorf("with an offset: %v", err)
				}
			}
			if err := c.Download(t.Context(), slices.Values([]ftpclient.Download{d}), 1); err != nil {
				t.Fatal(err)
			}
		}
	}
}
