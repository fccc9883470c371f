package ftptest

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"slices"
)

// A Direction is the way that a file goes, as the client sees it.
type Direction string

// The directions.
const (
	Download Direction = "download"
	Upload   Direction = "upload"
)

// A Truth says what a client may make of a [Lie] which it was told while it
// moved a whole file.
type Truth string

// The truths.
const (
	// Honest: the file comes across whole, if in an odd way. A client should
	// report success, and nothing but the bytes of the file.
	Honest Truth = "honest"

	// Detectable: the file does not come across, or something that the server
	// does or says tells that it may not have. A client must not report success.
	Detectable Truth = "detectable"

	// HashOnly: the bytes are wrong, and only the hash that the server offers
	// tells. A client that compares hashes must not report success; another
	// one cannot know.
	HashOnly Truth = "hash only"

	// Unprovable: the bytes are wrong or missing, and nothing tells. The most
	// that a client can do is to say that it has verified nothing, or to take
	// nothing unverified.
	Unprovable Truth = "unprovable"
)

// A Lie is one way in which an FTP server misleads its clients while they
// fetch or store a file. [Lie.Serve] tells it.
//
// The file of a download is called [LieFile] and holds [LieContent]. An upload
// may have any name and content of more than 60 000 bytes; half measures are
// made after 60 000 bytes.
//
// Files that [LieOptions.Beside] names come across whole, as far as it is the
// transfer of the one file that the lie is about; what a server refuses, or says in an
// odd way, it does for all of them.
type Lie struct {
	Name      string // short and stable, for tables
	Direction Direction
	Does      string // what the server does, in one sentence
	Truth     Truth

	// Unsized says that the server tells the size of the file nowhere: not to
	// SIZE, MLST or LIST, and not in the 150 reply.
	Unsized bool

	// Everywhere says that no other file comes across either.
	Everywhere bool

	// Passive says that the lie is in the reply to EPSV or PASV. In active mode
	// the transfer is an ordinary one.
	Passive bool

	// TLS says that the lie is about the end of the TLS stream on the data
	// connection. In clear the transfer is that of a [Lie] about short or
	// whole data that has no more to it.
	TLS bool

	// Renames says that only those see the lie who upload to a temporary name
	// and rename the file; for others the transfer is an ordinary one.
	Renames bool

	// Silent says that the server comes to a point where it says and sends
	// nothing more: only a time-out of the client ends the transfer.
	Silent bool

	// Resumes says that the server is not honest with those who fetch the file
	// from another byte than the first (REST). They must not report success.
	Resumes bool

	plan plan
}

// A plan is what a server does otherwise than an honest one.
type plan struct {
	retr, stor   []step // from the command on
	announce     int64  // in the 150 reply, if not 0
	features     []string
	refuse       map[string]string                      // whole replies by verb
	size         func(asked int, truth int64) string    // the reply to SIZE; asked counts from 1
	epsv, pasv   func(s *lieSession, port int) string   // the replies to EPSV and PASV
	write        func(s *lieSession, text string) error // how replies are sent
	content      func(file []byte) []byte               // what is sent or stored in its place
	hashed       bool                                   // HASH is there, and true
	restIgnored  bool                                   // REST is granted and not done
	again        []step                                 // retr from the second RETR on
	changed      func(file []byte) []byte               // the file from the second RETR on
	renamed      func(file []byte) []byte               // what RNTO makes of a file
	renameUndone bool                                   // RNTO is granted and not done
	claimStored  bool                                   // SIZE tells what was sent, not what is stored
}

// LieFile is the name of the file that a lying server has.
const LieFile = "file.bin"

const (
	lieSize  = 100_000
	lieShort = 60_000
)

// LieContent returns the file that a lying server has: 100 000 bytes that are
// the same in all processes and cannot be compressed. The caller owns them.
func LieContent() []byte {
	seed := [32]byte([]byte("the file of all the lying server"))
	b := make([]byte, lieSize)
	_, _ = rand.NewChaCha8(seed).Read(b) // never fails
	return b
}

// LieHash returns the SHA-256 of b in hexadecimal digits.
func LieHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Lies returns all lies, downloads first, in the order of a table.
func Lies() []Lie {
	return slices.Concat(downloadLies(), replyLies(), passiveLies(), sizeLies(), tlsLies(), uploadLies())
}

// LieByName returns the lie with this name.
func LieByName(name string) (Lie, bool) {
	lies := Lies()
	i := slices.IndexFunc(lies, func(l Lie) bool { return l.Name == name })
	if i < 0 {
		return Lie{}, false
	}
	return lies[i], true
}
