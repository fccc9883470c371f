package ftpclient

import (
	"context"
	"errors"
	"io"
	"net"
	"time"
)

type URL struct {
	User, Password string
	Host           string
	Port           int
	Path           string
	Type           Type
}

// ParseURL: *URLError on errors. ftps/ftpes: *URLError wrapping errors.ErrUnsupported.
func ParseURL(s string) (*URL, error) { return nil, errors.ErrUnsupported }
func (u *URL) Redacted() string       { return "" }
func (u *URL) Address() string        { return "" }

type Type byte

const (
	Binary Type = 'I'
	ASCII  Type = 'A'
)

type Reply struct {
	Code  int
	Lines []string
}

type Conn struct{}

func Dial(ctx context.Context, url string, cfg *Config) (*Conn, error) {
	return nil, errors.ErrUnsupported
}
func NewConn(ctx context.Context, conn net.Conn, cfg *Config) (*Conn, error) {
	return nil, errors.ErrUnsupported
}
func (c *Conn) Usable() bool                                                { return false }
func (c *Conn) Close() error                                                { return nil }
func (c *Conn) Quit(ctx context.Context) error                              { return nil }
func (c *Conn) Login(ctx context.Context, user, password string) error      { return nil }
func (c *Conn) Type(ctx context.Context, t Type) error                      { return nil }
func (c *Conn) Noop(ctx context.Context) error                              { return nil }
func (c *Conn) Command(ctx context.Context, line string) (Reply, error)     { return Reply{}, nil }
func (c *Conn) Size(ctx context.Context, path string) (int64, error)        { return 0, nil }
func (c *Conn) ModTime(ctx context.Context, path string) (time.Time, error) { return time.Time{}, nil }
func (c *Conn) Features(ctx context.Context) (Features, error)              { return nil, nil }
func (c *Conn) Rename(ctx context.Context, from, to string) error           { return nil }
func (c *Conn) Delete(ctx context.Context, path string) error               { return nil }
func (c *Conn) MakeDir(ctx context.Context, path string) error              { return nil }
func (c *Conn) RemoveDir(ctx context.Context, path string) error            { return nil }
func (c *Conn) ChangeDir(ctx context.Context, path string) error            { return nil }
func (c *Conn) WorkingDir(ctx context.Context) (string, error)              { return "", nil }

// Features maps upper-case feature names to their parameters.
type Features map[string]string

// TransferOptions: nil = defaults.
type TransferOptions struct {
	// Offset: bytes of the remote file to skip (REST).
	Offset int64
	// Progress, after each piece: bytes moved by this call, and how many it will move, or -1.
	Progress func(done, total int64)
}

type Verified uint8

const (
	VerifiedNone Verified = iota
	VerifiedSize
)

func (v Verified) String() string { return "" } // "none", "size"

// Result is valid (Bytes) also when the error is not nil.
type Result struct {
	Bytes    int64 // moved by this call
	Size     int64 // of the whole remote file, -1 if unknown
	Verified Verified
}

func (c *Conn) Retr(ctx context.Context, path string, w io.Writer, opts *TransferOptions) (Result, error) {
	return Result{}, nil
}
func (c *Conn) Stor(ctx context.Context, path string, r io.Reader, opts *TransferOptions) (Result, error) {
	return Result{}, nil
}
func (c *Conn) Append(ctx context.Context, path string, r io.Reader, opts *TransferOptions) (Result, error) {
	return Result{}, nil
}
func (c *Conn) List(ctx context.Context, path string, w io.Writer) error    { return nil }
func (c *Conn) NameList(ctx context.Context, path string) ([]string, error) { return nil, nil }
func (c *Conn) MLSD(ctx context.Context, path string) ([]Entry, error)      { return nil, nil }
func (c *Conn) MLST(ctx context.Context, path string) (Entry, error)        { return Entry{}, nil }

type EntryType uint8

const (
	EntryUnknown EntryType = iota
	EntryFile
	EntryDir
	EntryLink
	EntryCurrent // cdir
	EntryParent  // pdir
)

type Entry struct {
	Name    string
	Type    EntryType
	Size    int64     // -1 = unknown
	ModTime time.Time // zero = unknown, UTC
	Target  string    // of a link, if told
	Facts   map[string]string
}
