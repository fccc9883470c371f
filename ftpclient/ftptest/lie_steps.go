package ftptest

import (
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// A step is a part of what a lying server does from RETR or STOR on. An error
// ends the session; what a client does to the data connection is none.
type step func(v *lieSession) error

// wholeFile sends the file and then does the rest.
func wholeFile(rest ...step) []step { return sendFile(lieSize, rest...) }

// shortFile sends the first 60 000 bytes, closes the data connection as if they
// were all, and then does the rest.
func shortFile(rest ...step) []step { return sendFile(lieShort, rest...) }

func sendFile(n int64, rest ...step) []step {
	return slices.Concat([]step{open, begin, send(n), finish}, rest)
}

// storeAll stores what the client sends, and then does the rest.
func storeAll(rest ...step) []step {
	return slices.Concat([]step{open, begin, receiveAll, finish}, rest)
}

// begin says 150.
func begin(v *lieSession) error {
	text := "150 Opening BINARY mode data connection for " + v.name
	if n := v.liar.lie.plan.announce; n > 0 && !v.liar.beside(v.name) {
		text += fmt.Sprintf(" (%d bytes)", n)
	}
	return v.reply(text)
}

// done says how the transfer went, truly.
func done(v *lieSession) error {
	if v.cut {
		return v.reply("426 the data connection broke")
	}
	return v.reply("226 done")
}

// say sends lines.
func say(lines ...string) step {
	return func(v *lieSession) error { return v.reply(lines...) }
}

// saw sends text as it is.
func saw(text string) step {
	return func(v *lieSession) error { return v.write(text) }
}

// send sends the file up to the first end bytes of it, from where the client
// wants it. A client that takes no more of them is let go.
func send(end int64) step {
	return func(v *lieSession) error {
		content, _, _, _ := v.liar.file(v.name, false)
		if change := v.liar.lie.plan.content; change != nil && !v.liar.beside(v.name) {
			content = change(slices.Clone(content))
		}
		end := min(end, int64(len(content)))
		if v.handshake() != nil {
			v.cut = true
			return nil
		}
		_, err := v.data.Write(content[min(v.begin, end):end])
		v.cut = v.cut || err != nil
		return nil
	}
}

// drip sends the file in ten pieces, with a pause before each.
func drip(v *lieSession) error {
	for i := range int64(10) {
		if err := pause(v); err != nil {
			return err
		}
		if err := send((i + 1) * lieSize / 10)(v); err != nil {
			return err
		}
		v.begin = max(v.begin, (i+1)*lieSize/10)
	}
	return nil
}

// receive stores at most most bytes of what the client sends.
func receive(most int64) step {
	return func(v *lieSession) error {
		if v.handshake() != nil {
			v.cut = true
			return nil
		}
		content, err := io.ReadAll(io.LimitReader(v.data, most))
		sent := int64(len(content))
		if change := v.liar.lie.plan.content; change != nil {
			content = change(content)
		}
		v.cut = v.cut || err != nil
		v.liar.store(v.name, v.begin, content, sent)
		return nil
	}
}

// receiveAll is receive without a limit.
func receiveAll(v *lieSession) error { return receive(math.MaxInt64)(v) }

// forget reads what the client sends.
func forget(v *lieSession) error {
	if v.handshake() == nil {
		_, _ = io.Copy(io.Discard, v.data) // it is gone either way
	}
	return nil
}

// inClear does without TLS on the data connection.
func inClear(v *lieSession) error {
	v.data = v.rawData
	return nil
}

// meanwhile does steps while those after it are done. A network without buffers
// would not take data that the client does not read yet.
func meanwhile(steps ...step) step {
	return func(v *lieSession) error {
		v.background.Go(func() { _ = v.play(steps) }) // steps that cannot fail
		return nil
	}
}

// finish closes the data connection cleanly.
func finish(v *lieSession) error {
	if v.cut || v.handshake() != nil {
		return sever(v)
	}
	_ = v.data.Close() // what the client makes of it is for it to tell
	return nil
}

// sever closes the data connection without the close_notify of TLS.
func sever(v *lieSession) error {
	_ = v.rawData.Close() // as above
	return nil
}

// breakData resets the data connection.
func breakData(v *lieSession) error { return reset(v.rawData) }

// stopReading ends what the server sends on the data connection, and leaves
// what the client still sends unread until the end of the session. A network
// without half-closed connections closes it.
func stopReading(v *lieSession) error {
	half, ok := v.rawData.(interface{ CloseWrite() error })
	if !ok {
		return sever(v)
	}
	_ = half.CloseWrite() // the client may have closed it
	v.unread = append(v.unread, v.rawData)
	v.rawData, v.data = nil, nil
	return nil
}

// pause does nothing for a while.
func pause(v *lieSession) error {
	timer := time.NewTimer(v.liar.opts.Pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-v.liar.ctx.Done():
		return v.liar.ctx.Err()
	}
}

// mute says nothing more until the client hangs up.
func mute(v *lieSession) error {
	_, _ = io.Copy(io.Discard, v.lines) // however it ends
	return errHangup
}

// hangUp closes the control connection.
func hangUp(*lieSession) error { return errHangup }

// resetControl ends the control connection by a reset.
func resetControl(v *lieSession) error {
	_ = reset(v.raw) // or a close, which is as bad
	return errHangup
}

// listing sends a list of what there is.
func listing(long bool) []step {
	write := func(v *lieSession) error {
		if v.handshake() != nil {
			return nil
		}
		for name, content := range v.liar.Files() {
			line := name
			if long {
				line = fmt.Sprintf("-rw-r--r-- 1 ftp ftp %d Jan  2  2024 %s", len(content), name)
			}
			_, _ = io.WriteString(v.data, line+"\r\n") // for the client to miss
		}
		return nil
	}
	return []step{open, begin, write, finish, done}
}
