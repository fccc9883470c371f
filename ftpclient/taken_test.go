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

// pureField is a server that takes some names for others, without any extension.
func pureField(t *testing.T) (*field, *ftpclient.Client) {
	t.Helper()
	f := &field{Site: &ftptest.Site{
		Greeting: "---------- Welcome to Pure-FTPd [privsep] [TLS] ----------",
		Files:    map[string]string{"x_": "other", "_x": "other"}, Dirs: []string{"d"},
	}}
	return f, f.open(t)
}

// A server that takes names for others is not told them, whatever the command.
func TestNamesTaken(t *testing.T) {
	data := func() io.Reader { return strings.NewReader("data") }
	for command, tt := range map[string]struct {
		name, taken string
		call        func(c *ftpclient.Conn, name string) error
	}{
		"STOR": {"x ", "x_", func(c *ftpclient.Conn, name string) error {
			_, err := c.Stor(t.Context(), name, data(), nil)
			return err
		}},
		"APPE": {"d/x  ", "d/x__", func(c *ftpclient.Conn, name string) error {
			_, err := c.Append(t.Context(), name, data(), nil)
			return err
		}},
		"MKD":        {" x", "_x", func(c *ftpclient.Conn, name string) error { return c.MakeDir(t.Context(), name) }},
		"RNTO":       {"./ a\tb", "./_a_b", func(c *ftpclient.Conn, name string) error { return c.Rename(t.Context(), "x_", name) }},
		"RNFR":       {"x\x7f", "x_", func(c *ftpclient.Conn, name string) error { return c.Rename(t.Context(), name, "y") }},
		"DELE":       {"x\x01", "x_", func(c *ftpclient.Conn, name string) error { return c.Delete(t.Context(), name) }},
		"RMD":        {"\x1fx", "_x", func(c *ftpclient.Conn, name string) error { return c.RemoveDir(t.Context(), name) }},
		"CWD":        {"a\x1bb/c", "a_b/c", func(c *ftpclient.Conn, name string) error { return c.ChangeDir(t.Context(), name) }},
		"SITE CHMOD": {"x\x02", "x_", func(c *ftpclient.Conn, name string) error { return c.Chmod(t.Context(), name, 0o600) }},
		"MFMT":       {"x\x02", "x_", func(c *ftpclient.Conn, name string) error { return c.SetModTime(t.Context(), name, leapDay) }},
		"MFCT":       {"x\x02", "x_", func(c *ftpclient.Conn, name string) error { return c.SetCreateTime(t.Context(), name, leapDay) }},
		"dele": {"x\x02", "x_", func(c *ftpclient.Conn, name string) error {
			_, err := c.Command(t.Context(), "dele "+name)
			return err
		}},
		"SIZE": {"x\x02", "x_", func(c *ftpclient.Conn, name string) error {
			_, err := c.Attributes(t.Context(), name)
			return err
		}},
		"MLST": {"x\x02", "x_", func(c *ftpclient.Conn, name string) error {
			_, err := c.MLST(t.Context(), name)
			return err
		}},
		"LIST": {"x\x02", "x_", func(c *ftpclient.Conn, name string) error { return c.List(t.Context(), name, io.Discard) }},
		"MLSD": {"x\x02", "x_", func(c *ftpclient.Conn, name string) error {
			_, err := c.Entries(t.Context(), name)
			return err
		}},
		"RETR": {"x\x02", "x_", func(c *ftpclient.Conn, name string) error {
			_, err := c.Retr(t.Context(), name, io.Discard, nil)
			return err
		}},
	} {
		t.Run(command, func(t *testing.T) {
			f, client := pureField(t)
			err := client.Do(t.Context(), func(c *ftpclient.Conn) error {
				before := len(f.Log())
				err := tt.call(c, tt.name)
				if log := f.Log(); len(log) != before || !c.Usable() {
					t.Errorf("sent %q", log[before:])
				}
				return err
			})
			var refused *ftpclient.NameError
			if !errors.As(err, &refused) || *refused != (ftpclient.NameError{Command: strings.ToUpper(command), Name: tt.name, Taken: tt.taken}) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// What a Client does with many names does not send those, tries none of them again,
// and does the others.
func TestNamesTakenAmongMany(t *testing.T) {
	f, client := pureField(t)
	uploads := []ftpclient.Upload{
		{Path: "part", Rename: "x "}, {Path: "x ", Rename: "whole"}, {Path: "d/ good", Rename: "d/ b"}, {Path: "a\tb"},
	}
	errs := make([]error, len(uploads))
	for i := range uploads {
		uploads[i].Open = func() (io.Reader, error) { return strings.NewReader("data"), nil }
		uploads[i].Done = func(_ ftpclient.Result, err error) { errs[i] = err }
	}
	if err := client.Upload(t.Context(), slices.Values(uploads), 1); err != nil {
		t.Fatal(err)
	}
	_, err := client.UploadSegments(t.Context(), strings.NewReader("data"), &ftpclient.UploadSegments{Path: "part", Rename: "x ", Size: 4})
	errs = append(errs, err)
	_, err = client.UploadSegments(t.Context(), strings.NewReader("data"), &ftpclient.UploadSegments{Path: " x", Size: 4})
	errs = append(errs, err)
	errs = append(errs, carry(t.Context(), t, client, 1,
		ftpclient.OpMakeDir("x "), ftpclient.OpMakeDir("new"), ftpclient.OpRename("x_", " x"), ftpclient.OpRename("x\x01", "y"),
		ftpclient.OpDelete("x\x01"), ftpclient.OpSetModTime("x\x01", time.Now()), ftpclient.OpExists("x\x01"),
	)...)
	for i, err := range errs {
		good := i == 2 || i == 7
		if good != (err == nil) || good == isA[*ftpclient.NameError](err) {
			t.Errorf("%d: error %v", i, err)
		}
	}
	stored := f.Stored()
	if len(errs) != 13 || len(stored) != 3 || stored["x_"] != "other" || stored["_x"] != "other" || stored["d/ b"] != "data" {
		t.Errorf("%d ended, the server has %q", len(errs), stored)
	}
	for _, line := range f.Log() {
		if strings.ContainsAny(line, "\x01\t") || strings.HasSuffix(line, " ") || strings.Contains(line, "part") || strings.Contains(line, "  ") {
			t.Errorf("sent %q", line)
		}
	}
}
