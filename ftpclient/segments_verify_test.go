package ftpclient_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// readable is a memory that can be read back.
type readable struct{ *memory }

func (r readable) ReadAt(p []byte, at int64) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at >= int64(len(r.b)) {
		return 0, io.EOF
	}
	n := copy(p, r.b[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// A download in segments is compared with the file before and after.
func TestSegmentsVerified(t *testing.T) {
	const size = 6 * mib
	content := string(random(7, size))
	sum := sha256Of(content)
	times := func(first, last string) func(string, int) ftptest.Fault {
		return func(line string, asked int) ftptest.Fault {
			switch {
			case verb(line) == "MDTM" && asked == 1:
				return ftptest.Fault{Reply: first}
			case verb(line) == "MDTM":
				return ftptest.Fault{Reply: last}
			default:
				return ftptest.Fault{}
			}
		}
	}
	hashes := func(reply string) func(string, int) ftptest.Fault {
		return func(line string, _ int) ftptest.Fault {
			if verb(line) == "HASH" {
				return ftptest.Fault{Reply: reply}
			}
			return ftptest.Fault{}
		}
	}
	tests := map[string]struct {
		verify   ftpclient.Verify
		told     bool
		refuse   map[string]string
		features []string
		fault    func(line string, asked int) ftptest.Fault
		blind    bool // what was written cannot be read
		check    func(error) bool
		verified ftpclient.Verified
		never    []string
	}{
		"same time": {fault: times("213 20260102030405", "213 20260102030405.000"), verified: ftpclient.VerifiedSize},
		"another time": {
			fault: times("213 20260102030405", "213 20260102030406"),
			check: func(err error) bool {
				var integrity *ftpclient.IntegrityError
				return errors.As(err, &integrity) && integrity.Kind == ftpclient.KindChanged &&
					integrity.WantSum == "2026-01-02T03:04:05Z" && integrity.GotSum == "2026-01-02T03:04:06Z"
			},
		},
		"time told once": {fault: times("213 20260102030405", "550 no"), verified: ftpclient.VerifiedSize},
		"size from MLST": {
			refuse: map[string]string{"SIZE": "502 what", "MLST": fmt.Sprintf("250-x\r\n size=%d; f\r\n250 end", size)}, verified: ftpclient.VerifiedSize,
		},
		"150 tells another size": {
			fault: func(line string, _ int) ftptest.Fault {
				if verb(line) == "RETR" {
					return ftptest.Fault{Reply: "150 go (77 bytes)"}
				}
				return ftptest.Fault{}
			},
			check: isIntegrity(ftpclient.KindAnnounced, 77, size),
		},
		"hash":             {verify: ftpclient.VerifyHash, features: []string{"HASH SHA-256*"}, fault: hashes("213 SHA-256 0-1 " + sum + " f"), verified: ftpclient.VerifiedHash},
		"another hash":     {verify: ftpclient.VerifyHash, features: []string{"HASH SHA-256*"}, fault: hashes("213 " + sha256Of("x")), check: isHash(sha256Of("x"), sum)},
		"hash refused":     {verify: ftpclient.VerifyHash, features: []string{"HASH SHA-256*"}, fault: hashes("550 no"), check: isUnverified(isReply(550)), verified: ftpclient.VerifiedSize},
		"no hash":          {verify: ftpclient.VerifyHash, check: isUnverified(is(ftpclient.ErrNoHash)), never: []string{"RETR"}},
		"not to be read":   {verify: ftpclient.VerifyHash, features: []string{"HASH SHA-256*"}, blind: true, check: isUnverified(nil), never: []string{"RETR"}},
		"nothing demanded": {verify: ftpclient.VerifyNone, told: true, verified: ftpclient.VerifiedSize, never: []string{"SIZE", "MDTM", "MLST"}},
	}
	for name, tt := range tests {
		for _, ahead := range []int{0, -1} {
			t.Run(name, func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content}, Features: tt.features, Refuse: tt.refuse}}
				f.cfg.Ahead, f.cfg.Verify = ahead, tt.verify
				asked := make(map[string]int)
				f.Fault = func(_, _ int, line string) ftptest.Fault {
					asked[line]++
					if tt.fault == nil {
						return ftptest.Fault{}
					}
					return tt.fault(line, asked[line])
				}
				c := f.open(t)
				dst := newMemory(size)
				var at io.WriterAt = dst
				if !tt.blind {
					at = readable{dst}
				}
				s := &ftpclient.Segments{Path: "f", Count: 3}
				if tt.told {
					s.Size = size
				}
				result, err := c.DownloadSegments(t.Context(), at, s)
				checkVerified(t, result, err, tt.verified, tt.check)
				if err == nil && sumOf(dst.b) != sumOf([]byte(content)) {
					t.Error("other bytes than sent")
				}
				if slices.ContainsFunc(f.Log(), func(line string) bool { return slices.Contains(tt.never, verb(line)) }) {
					t.Errorf("commands %q", f.Log())
				}
			})
		}
	}
}

// All the bytes of the last range are not the end of it: the server has to say
// so, to whoever asks for the last of them once more.
func TestSegmentsNotAcknowledged(t *testing.T) {
	const size = 3*mib + 5
	content := string(random(8, size))
	for name, tt := range map[string]struct {
		reply   string
		times   int
		retries int
		check   func(error) bool
	}{
		"451":             {reply: "451 the disk", times: 1},
		"451 for ever":    {reply: "451 the disk", times: 99, check: isReply(451)},
		"451, no retries": {reply: "451 the disk", times: 1, retries: -1, check: isReply(451)},
		"552":             {reply: "552 no", times: 1, check: isReply(552)},
		"421":             {reply: "421 bye", times: 2},
		"nonsense":        {reply: "done", times: 1},
	} {
		for _, ahead := range []int{0, -1} {
			t.Run(name, func(t *testing.T) {
				f := &field{Site: &ftptest.Site{Files: map[string]string{"f": content}}}
				f.cfg.Ahead, f.cfg.Retries, f.cfg.RetryWait = ahead, tt.retries, time.Nanosecond
				var mu sync.Mutex
				offsets, left := make(map[int]string), tt.times
				f.Fault = func(session, _ int, line string) ftptest.Fault {
					mu.Lock()
					defer mu.Unlock()
					switch verb(line) {
					case "REST":
						offsets[session] = line
					case "RETR":
						tail := offsets[session] != "" && offsets[session] != "REST 0"
						if offsets[session] = ""; tail && left > 0 {
							left--
							return ftptest.Fault{Last: tt.reply, Bytes: size}
						}
					}
					return ftptest.Fault{}
				}
				c := f.open(t)
				dst := newMemory(size)
				result, err := c.DownloadSegments(t.Context(), dst, &ftpclient.Segments{Path: "f", Count: 2, Size: size})
				switch {
				case tt.check != nil && (err == nil || !tt.check(err) || result.Verified != ftpclient.VerifiedNone):
					t.Errorf("%+v, %v", result, err)
				case tt.check == nil && (err != nil || result.Bytes != size || result.Retries != tt.times || sumOf(dst.b) != sumOf([]byte(content))):
					t.Errorf("%+v, %v", result, err)
				case tt.check == nil && !slices.Contains(f.Log(), fmt.Sprintf("REST %d", size-1)):
					t.Errorf("commands %q", strings.Join(f.Log(), ", "))
				}
			})
		}
	}
}
