package ftpclient_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// A telling is a lie told to the library in one of its circumstances.
type telling struct {
	lie     ftptest.Lie
	scheme  string // ftp, ftpes or ftps
	buffer  int    // bytes that a connection holds
	retries int    // as in ftpclient.Config
	active  bool
	verify  ftpclient.Verify
	call    lieCall
}

// A lieCall is one way to move a file with the library.
type lieCall struct {
	name    string
	renames bool
	move    func(ctx context.Context, url string, cfg *ftpclient.Config) moved
}

// moved is what came of it.
type moved struct {
	got    []byte // by a download
	result ftpclient.Result
	err    error
	after  error // of what the Client was asked next
}

// uploadedAs is the name of what is stored in the end.
const uploadedAs = "up.bin"

var lieCalls = map[ftptest.Direction][]lieCall{
	ftptest.Download: {
		{name: "Retr", move: lieRetr},
		{name: "Download", move: lieDownload},
		{name: "DownloadSegments", move: lieSegments},
	},
	ftptest.Upload: {
		{name: "Stor", move: lieStor},
		{name: "Upload", move: func(ctx context.Context, url string, cfg *ftpclient.Config) moved {
			return lieUpload(ctx, url, cfg, ftpclient.Upload{Path: uploadedAs})
		}},
		{name: "Upload, renamed", renames: true, move: func(ctx context.Context, url string, cfg *ftpclient.Config) moved {
			return lieUpload(ctx, url, cfg, ftpclient.Upload{Path: "." + uploadedAs, Rename: uploadedAs})
		}},
	},
}

// lieWays are the ways to speak to the server: in clear, without buffers and with
// room for the whole file, with TLS that is asked for, and with TLS from the first
// byte. Where there are retries, the same lie is told each time.
var lieWays = []struct {
	scheme  string
	buffer  int
	retries int
}{{"ftp", 0, -1}, {"ftp", 1 << 18, 2}, {"ftpes", 1 << 18, -1}, {"ftps", 1 << 16, -1}}

// No server gets a file past the library that is not the whole one, and no odd
// but honest one is turned away.
func TestLies(t *testing.T) {
	certificates := newLieCertificates(t)
	for _, lie := range ftptest.Lies() {
		for _, call := range lieCalls[lie.Direction] {
			for _, way := range lieWays {
				for _, active := range []bool{false, true} {
					for _, verify := range []ftpclient.Verify{ftpclient.VerifyAuto, ftpclient.VerifySize, ftpclient.VerifyHash} {
						tt := telling{lie: lie, scheme: way.scheme, buffer: way.buffer, retries: way.retries, active: active, verify: verify, call: call}
						if tt.meaningful() {
							t.Run(tt.String(), func(t *testing.T) {
								t.Parallel()
								synctest.Test(t, func(t *testing.T) { tt.run(t, certificates) })
							})
						}
					}
				}
			}
		}
	}
}

func (tt *telling) String() string {
	mode := "passive"
	if tt.active {
		mode = "active"
	}
	return fmt.Sprintf("%s/%s/%s, %d KiB, %s, %v", tt.lie.Name, tt.call.name, tt.scheme, tt.buffer>>10, mode, tt.verify)
}

// meaningful reports whether there is something to be seen that others do not
// show.
func (tt *telling) meaningful() bool {
	switch {
	case tt.lie.TLS && tt.scheme == "ftp":
		return false
	case tt.verify == ftpclient.VerifyHash:
		return tt.lie.Truth == ftptest.HashOnly && tt.call.name != "DownloadSegments"
	case tt.verify == ftpclient.VerifySize && tt.scheme != "ftp":
		return tt.lie.Unsized
	default:
		return true
	}
}

func (tt *telling) run(t *testing.T, certificates *lieCertificates) {
	network := ftptest.Network{Buffer: tt.buffer}
	host := network.Host(serverHost)
	ln, err := host.Listen(t.Context(), "tcp", serverHost+":21")
	if err != nil {
		t.Fatal(err)
	}
	opts := &ftptest.LieOptions{Implicit: tt.scheme == "ftps"}
	if tt.scheme != "ftp" {
		opts.TLS = certificates.server
	}
	server := tt.lie.Serve(ln, host, opts)
	defer server.Close()
	client := network.Host(clientHost)
	cfg := &ftpclient.Config{
		Dialer: client, Listener: client, Active: tt.active, Verify: tt.verify, TLS: certificates.client,
		Retries: tt.retries,
	}
	m := tt.call.move(t.Context(), tt.scheme+"://"+serverHost+":21/", cfg)
	if tt.lie.Direction == ftptest.Upload {
		m.got = server.Files()[uploadedAs]
	}
	whole := bytes.Equal(m.got, ftptest.LieContent())
	t.Logf("whole: %v, %+v, error: %v, commands: %q", whole, m.result, m.err, server.Log())
	tt.judge(t, whole, m.result, m.err)
	if m.after != nil {
		t.Errorf("a connection was kept that should not have been: %v", m.after)
	}
	server.Close()
	if n := network.Listeners(); n != 0 {
		t.Errorf("%d listeners are left open", n)
	}
}

// judge says whether the library may report what it reports.
func (tt *telling) judge(t *testing.T, whole bool, result ftpclient.Result, err error) {
	t.Helper()
	truth := tt.lie.Truth
	if tt.lie.Passive && tt.active {
		truth = ftptest.Honest
	}
	if tt.lie.Renames && !tt.call.renames {
		truth = ftptest.Honest
	}
	if tt.lie.Resumes && tt.call.name == "DownloadSegments" {
		truth = ftptest.Detectable
	}
	refused := tt.lie.Renames && tt.call.renames && truth == ftptest.Honest // the name, and not the file
	unproven := tt.lie.Unsized && tt.verify == ftpclient.VerifySize
	switch {
	case err == nil && tt.lie.Unsized && result.Verified != ftpclient.VerifiedNone:
		t.Errorf("verified by %v, and there was no size", result.Verified)
	case err == nil && unproven:
		t.Error("success where no size was told, and one was demanded")
	case err == nil && truth == ftptest.Detectable:
		t.Errorf("false success; bytes are right: %v", whole)
	case err == nil && truth == ftptest.HashOnly && tt.verify == ftpclient.VerifyHash:
		t.Error("success against the hash")
	case err == nil && truth == ftptest.Honest && !whole:
		t.Error("success with wrong bytes")
	case err != nil && truth == ftptest.Honest && !unproven && !refused:
		t.Errorf("an honest server is turned away: %v", err)
	case err != nil && !tt.rightError(err):
		t.Errorf("not the right error: %v", err)
	}
}

func lieRetr(ctx context.Context, url string, cfg *ftpclient.Config) moved {
	c, err := ftpclient.Dial(ctx, url, cfg)
	if err != nil {
		return moved{err: err}
	}
	defer c.Close()
	var got bytes.Buffer
	result, err := c.Retr(ctx, ftptest.LieFile, &got, nil)
	return moved{got: got.Bytes(), result: result, err: err}
}

func lieDownload(ctx context.Context, url string, cfg *ftpclient.Config) moved {
	c, err := ftpclient.New(url, cfg)
	if err != nil {
		return moved{err: err}
	}
	defer c.Close()
	var got bytes.Buffer
	var result ftpclient.Result
	ended := errNotDone
	file := ftpclient.Download{
		Path: ftptest.LieFile,
		Open: func() (io.Writer, error) { got.Reset(); return &got, nil },
		Done: func(r ftpclient.Result, err error) { result, ended = r, err },
	}
	err = c.Download(ctx, slices.Values([]ftpclient.Download{file}), 1)
	return moved{got.Bytes(), result, errors.Join(err, ended), stillInOrder(ctx, c)}
}

var errNotDone = errors.New("no call of Done")

func lieSegments(ctx context.Context, url string, cfg *ftpclient.Config) moved {
	c, err := ftpclient.New(url, cfg)
	if err != nil {
		return moved{err: err}
	}
	defer c.Close()
	file := &ftpclient.Segments{Path: ftptest.LieFile, Count: 2}
	// The file is too small to be cut without being told to.
	err = c.Do(ctx, func(conn *ftpclient.Conn) error {
		size, err := conn.Size(ctx, ftptest.LieFile)
		if err == nil {
			file.Size, file.Missing = size, []ftpclient.Range{{From: 0, To: size / 2}, {From: size / 2, To: size}}
		}
		return err
	})
	var refusal *ftpclient.ReplyError
	var nonsense *ftpclient.ProtocolError
	if err != nil && !errors.As(err, &refusal) && !errors.As(err, &nonsense) {
		return moved{err: err}
	}
	got := make(writerAt, 2*len(ftptest.LieContent()))
	result, err := c.DownloadSegments(ctx, got, file)
	return moved{bytes.TrimRight(got, "\x00"), result, err, stillInOrder(ctx, c)}
}

// stillInOrder asks for something whose answer is known, as whoever uses the
// Client next would. A connection that is kept although replies are still to
// come on it, or none, gives a wrong answer.
func stillInOrder(ctx context.Context, c *ftpclient.Client) error {
	synctest.Wait()
	return c.Do(ctx, func(conn *ftpclient.Conn) error {
		reply, err := conn.Command(ctx, "PWD")
		if err == nil && reply.Code != 257 {
			err = fmt.Errorf("%d %s to PWD", reply.Code, reply.Text())
		}
		return errors.Join(err, conn.Noop(ctx))
	})
}

// A writerAt is memory to write into.
type writerAt []byte

func (w writerAt) WriteAt(p []byte, at int64) (int, error) {
	if n := copy(w[at:], p); n < len(p) {
		return n, io.ErrShortWrite
	}
	return len(p), nil
}

func lieStor(ctx context.Context, url string, cfg *ftpclient.Config) moved {
	c, err := ftpclient.Dial(ctx, url, cfg)
	if err != nil {
		return moved{err: err}
	}
	defer c.Close()
	result, err := c.Stor(ctx, uploadedAs, bytes.NewReader(ftptest.LieContent()), nil)
	return moved{result: result, err: err}
}

func lieUpload(ctx context.Context, url string, cfg *ftpclient.Config, file ftpclient.Upload) moved {
	c, err := ftpclient.New(url, cfg)
	if err != nil {
		return moved{err: err}
	}
	defer c.Close()
	var result ftpclient.Result
	ended := errNotDone
	file.Open = func() (io.Reader, error) { return bytes.NewReader(ftptest.LieContent()), nil }
	file.Done = func(r ftpclient.Result, err error) { result, ended = r, err }
	err = c.Upload(ctx, slices.Values([]ftpclient.Upload{file}), 1)
	return moved{nil, result, errors.Join(err, ended), stillInOrder(ctx, c)}
}
