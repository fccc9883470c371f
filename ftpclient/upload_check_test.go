package ftpclient_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// What its caller finds wrong with an upload that went well gets no name, and is not
// tried again; the others are not touched by that.
func TestUploadCheck(t *testing.T) {
	wrong := errors.New("wrong")
	for name, tt := range map[string]struct {
		ahead int
		lost  bool // the first try, so that the next goes command by command
	}{"ahead": {}, "one by one": {ahead: -1}, "tried again": {lost: true}} {
		t.Run(name, func(t *testing.T) {
			f := &field{Site: &ftptest.Site{}}
			f.cfg.Ahead, f.cfg.Retries, f.cfg.RetryWait = tt.ahead, 2, time.Nanosecond
			lose := tt.lost
			f.Fault = func(_, _ int, line string) ftptest.Fault {
				if line == "STOR b.part" && lose {
					lose = false
					return ftptest.Fault{Cut: true}
				}
				return ftptest.Fault{}
			}
			c := f.open(t)
			ended := make(map[string]error)
			checked := ""
			var files []ftpclient.Upload
			for _, path := range []string{"a", "b", "c"} {
				files = append(files, ftpclient.Upload{
					Path: path + ".part", Rename: path,
					Open: func() (io.Reader, error) { return strings.NewReader("some"), nil },
					Check: func() error {
						checked += path
						if path == "b" {
							return wrong
						}
						return nil
					},
					Done: func(_ ftpclient.Result, err error) { ended[path] = err },
				})
			}
			if err := c.Upload(t.Context(), slices.Values(files), 1); err != nil {
				t.Error(err)
			}
			if ended["a"] != nil || !errors.Is(ended["b"], wrong) || ended["c"] != nil {
				t.Errorf("ended: %v", ended)
			}
			if strings.Count(checked, "a") != 1 || strings.Count(checked, "b") != 1 || strings.Count(checked, "c") != 1 {
				t.Errorf("checked %q", checked)
			}
			stored := f.Stored()
			if stored["a"] != "some" || stored["b"] != "" || stored["b.part"] != "some" || stored["c"] != "some" {
				t.Errorf("stored: %q", stored)
			}
		})
	}
}
