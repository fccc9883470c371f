package ftpclient_test

import (
	"errors"
	"io"
	"syscall"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// lieErrors holds what callers of a Conn, or of a Client that moves files whole,
// find in the error, where that is the same in all circumstances.
var lieErrors = map[string]func(error) bool{
	"short-226":           isKind(ftpclient.KindSize),
	"short-226-mlst":      isKind(ftpclient.KindSize),
	"short-226-announced": isKind(ftpclient.KindAnnounced),
	"empty-226":           isKind(ftpclient.KindSize),
	"early-226-short":     isKind(ftpclient.KindSize),
	"more-226":            isKind(ftpclient.KindSize),
	"one-packet-short":    isKind(ftpclient.KindSize),
	"byte-by-byte-short":  isKind(ftpclient.KindSize),
	"bare-lf-short":       isKind(ftpclient.KindSize),
	"size-too-big":        isKind(ftpclient.KindSize),
	"size-too-small":      isKind(ftpclient.KindSize),
	"size-changes":        isKind(ftpclient.KindChanged),
	"announced-differs":   isKind(ftpclient.KindAnnounced),
	"announced-wrong":     isKind(ftpclient.KindAnnounced),

	"unclosed-whole-unsized": isKind(ftpclient.KindUnclosed),
	"unclosed-short-unsized": isKind(ftpclient.KindUnclosed),

	"short-426":         isTransfer(isReply(426)),
	"short-426-unsized": isTransfer(isReply(426)),
	"226-within-426":    isTransfer(isReply(426)),
	"whole-451":         isTransfer(isReply(451)),
	"whole-550":         isTransfer(isReply(550)),
	"whole-421":         isTransfer(isReply(421)),
	"final-3yz":         isTransfer(isReply(350)),
	"retr-450":          isReply(450),

	"short-421-unsized":           isTransfer(isReply(421)),
	"short-hangup-unsized":        isTransfer(is(io.ErrUnexpectedEOF)),
	"short-control-reset-unsized": is(syscall.ECONNRESET), // it may take the 150 with it
	"short-reset-226":             isTransfer(is(syscall.ECONNRESET)),
	"short-reset-226-unsized":     isTransfer(is(syscall.ECONNRESET)),
	"whole-hangup":                isTransfer(is(io.ErrUnexpectedEOF)),
	"half-a-reply":                isTransfer(is(io.ErrUnexpectedEOF)),

	"short-silence-unsized": isTransfer(isTimedOut),
	"stall":                 isTransfer(isTimedOut),
	"stall-226":             isTransfer(isTimedOut),
	"whole-silence":         isTransfer(isTimedOut),
	"endless-reply":         isTransfer(isTimedOut),
	"retr-silence":          isTimedOut,

	"flood":       isTransfer(isNonsense),
	"unknown-6yz": isTransfer(isNonsense),
	"code-000":    isTransfer(isNonsense),
	"junk":        isTransfer(isNonsense),
	"junk-150":    isNonsense,

	"pasv-port":       is(syscall.ECONNREFUSED),
	"pasv-junk":       isNonsense,
	"pasv-range":      isNonsense,
	"pasv-zero":       isNonsense,
	"passive-refused": isReply(502),

	"stor-loses":          isKind(ftpclient.KindStored),
	"stor-loses-mlst":     isKind(ftpclient.KindStored),
	"stor-nothing":        isKind(ftpclient.KindStored),
	"stor-more":           isKind(ftpclient.KindStored),
	"stor-size-too-big":   isKind(ftpclient.KindStored),
	"stor-552-before":     isReply(552),
	"stor-552-mid":        isTransfer(isReply(552)),
	"stor-552-after":      isTransfer(isReply(552)),
	"stor-421":            isTransfer(isReply(421)),
	"stor-hangup":         isTransfer(is(io.ErrUnexpectedEOF)),
	"stor-silence":        isTransfer(isTimedOut),
	"stor-junk":           isTransfer(isNonsense),
	"stor-rename-refused": isReply(550),

	"stor-no-data-226": isTyped, // the network may notice first
}

// rightError reports whether err is what it should be.
func (tt *telling) rightError(err error) bool {
	check := lieErrors[tt.lie.Name]
	switch {
	case tt.verify == ftpclient.VerifyHash:
		check = isKind(ftpclient.KindHash)
	case check == nil && tt.verify == ftpclient.VerifySize && tt.lie.Unsized && (tt.lie.Truth == ftptest.Honest || tt.lie.Truth == ftptest.Unprovable):
		check = isKind(ftpclient.KindUnverified)
	case tt.call.name == "DownloadSegments": // has several connections to tell of
		check = nil
	}
	if check == nil {
		check = isTyped
	}
	return check(err)
}

// isTyped reports whether callers can branch on err.
func isTyped(err error) bool {
	var (
		integrity *ftpclient.IntegrityError
		transfer  *ftpclient.TransferError
		refusal   *ftpclient.ReplyError
		timeout   *ftpclient.TimeoutError
		protocol  *ftpclient.ProtocolError
	)
	return errors.As(err, &integrity) || errors.As(err, &transfer) || errors.As(err, &refusal) ||
		errors.As(err, &timeout) || errors.As(err, &protocol) || errors.Is(err, syscall.ECONNREFUSED)
}

func isKind(kind ftpclient.Kind) func(error) bool {
	return func(err error) bool {
		var integrity *ftpclient.IntegrityError
		return errors.As(err, &integrity) && integrity.Kind == kind
	}
}

func isTransfer(check func(error) bool) func(error) bool {
	return func(err error) bool {
		var transfer *ftpclient.TransferError
		return errors.As(err, &transfer) && check(err)
	}
}

func isTimedOut(err error) bool {
	var timeout *ftpclient.TimeoutError
	return errors.As(err, &timeout)
}

func isNonsense(err error) bool {
	var protocol *ftpclient.ProtocolError
	return errors.As(err, &protocol)
}
