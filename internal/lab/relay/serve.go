package relay

import (
	"encoding/json"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// A Report is what a relay tells of itself.
type Report struct {
	Impairment Impairment
	AtoB, BtoA Counters
}

// A request is asked on the control socket; every one is answered by an
// answer. Both are one message in JSON each.
type request struct {
	ID  uint64
	Set *Impairment `json:",omitempty"` // replace the impairment, start its generators anew
}

type answer struct {
	ID     uint64 // of the request; 0 is the first report
	Report Report
	Error  string `json:",omitempty"`
}

// serve answers one request.
func (f *forwarder) serve() (done bool, err error) {
	buf := make([]byte, maxMessage)
	n, err := unix.Read(f.control, buf)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return false, nil
	case err != nil:
		return false, os.NewSyscallError("read control socket", err)
	case n == 0:
		return true, nil
	}
	var r request
	if err := json.Unmarshal(buf[:n], &r); err != nil {
		return false, f.answer(r.ID, err.Error())
	}
	if r.Set == nil {
		return false, f.answer(r.ID, "")
	}
	if err := r.Set.Check(); err != nil {
		return false, f.answer(r.ID, err.Error())
	}
	f.cfg.Impairment = *r.Set
	for i := range f.ways {
		f.ways[i].pipe.set(uint64(i+1), *r.Set)
	}
	return false, f.answer(r.ID, "")
}

// answer sends the present report.
func (f *forwarder) answer(id uint64, problem string) error {
	for i := range f.ways {
		f.ways[i].pipe.n.Overrun += f.ways[i].from.overrun()
	}
	b, err := json.Marshal(answer{id, Report{f.cfg.Impairment, f.ways[0].pipe.n, f.ways[1].pipe.n}, problem})
	if err != nil {
		return err
	}
	_, err = unix.Write(f.control, b)
	return os.NewSyscallError("write control socket", err)
}

// maxMessage is longer than any message, in bytes.
const maxMessage = 1 << 14
