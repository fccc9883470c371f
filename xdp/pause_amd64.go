package xdp

// pause executes as many PAUSE instructions; turns is not 0. They leave the
// core to the other thread that runs on it, where there is one: perhaps the
// one that is about to receive our frames.
func pause(turns uint32)
