package stacktest

import (
	"math/rand/v2"

	"github.com/seed-54eb6215/xftp/frame"
)

// overtake is how many frames overtake one that is reordered.
const overtake = 3

// heldFrame is a frame that others overtake.
type heldFrame struct {
	b     []byte
	after int // frames that still overtake it
}

// impair sets what happens to the frames that leave here.
func (e *End) impair(imp Impairment) {
	e.impMu.Lock()
	defer e.impMu.Unlock()
	e.imp = imp
	e.rng = rand.New(rand.NewPCG(imp.Seed, uint64(e.info.MAC[5])))
}

// send impairs b and hands it to the peer.
func (e *End) send(b []byte) {
	e.impMu.Lock()
	defer e.impMu.Unlock()
	// The numbers are drawn for every frame, so that the fate of one does not
	// shift the fates of those that follow.
	lose, duplicate, reorder, corrupt := e.rng.Float64(), e.rng.Float64(), e.rng.Float64(), e.rng.Float64()
	bit := e.rng.Uint64()

	copies := 1
	switch {
	case lose < e.imp.Loss:
		copies = 0
	case duplicate < e.imp.Duplicate:
		copies = 2
	}
	for range copies {
		if corrupt < e.imp.Corrupt && len(b) > frame.HeaderLen {
			at := bit % uint64(8*(len(b)-frame.HeaderLen))
			b[frame.HeaderLen+at/8] ^= 1 << (at % 8)
			corrupt = 1 // a duplicate has the same flaw
		}
		if reorder < e.imp.Reorder {
			e.held = append(e.held, heldFrame{append([]byte(nil), b...), overtake})
			continue
		}
		e.peer.arrive(b, e.imp.Delay)
	}
	kept := e.held[:0]
	for _, h := range e.held {
		if h.after--; h.after < 0 {
			e.peer.arrive(h.b, e.imp.Delay)
			continue
		}
		kept = append(kept, h)
	}
	e.held = kept
}
