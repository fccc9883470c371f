// Package ftpclient is a client for the File Transfer Protocol (RFC 959) that
// leaves the choice of network stack to its caller.
//
// A [Client] moves many files, or one in several segments, walks a tree, carries
// out many commands ([Client.Operate]), shows a tree to what takes an [io/fs.FS]
// ([Client.FS]), and reads any part of a file ([Client.OpenAt]), over a pool of
// control connections to one site. A [Conn] is one control connection, for
// everything else. It does one thing at a time and must not be shared between
// goroutines; [Client.Do] lends one of the pool. Every
// connection, control or data, is made by the [Dialer] in [Config] or accepted
// from its [Listener]: a [*net.Dialer] and a [*net.ListenConfig] run over the
// kernel's sockets, a stack of one's own runs over anything else.
//
// # What is spoken
//
//	RFC 959   the protocol; multi-line replies (Section 4.2), ABOR
//	RFC 1123  Section 4.1: corrections, among them the form of the 227 reply
//	RFC 1738  Section 3.2: ftp URLs
//	RFC 2389  FEAT
//	RFC 2428  EPSV and EPRT
//	RFC 2640  names in UTF-8, where a server has to be asked for them
//	RFC 3659  SIZE, MDTM, REST, MLST and MLSD
//	RFC 4217  TLS: AUTH TLS, PBSZ, PROT P
//	RFC 7151  HOST
//	draft-somers-ftp-mfxx-04  MFMT, MFCT and MFF; also SITE CHMOD, SITE UTIME
//	draft-bryan-ftp-hash-08  HASH; also XSHA512, XSHA256, XSHA1, XMD5, MD5, XCRC
//
// # Data connections
//
// Data connections are passive by default: EPSV, or PASV if the server refuses
// EPSV, answers it with nonsense, or cannot be reached on the port it names.
// What was learned holds for the life of the Conn. The host in a PASV reply is
// ignored: data goes to the peer of the control connection (a server that
// names another host would turn its clients into port scanners). In active
// mode the client listens on the local address of the control connection and
// the server connects; only a connection from the peer of the control
// connection is accepted.
//
// # TLS
//
// With an ftpes:// URL the control connection is protected before the login, with
// ftps:// from its first byte, and the data connections always with it. Nothing
// leads from one scheme to another: a server that refuses AUTH TLS or PROT P gets
// neither user nor password, and text in clear behind the reply to AUTH TLS ends
// the connection. The server's certificate is verified; see [Config.TLS] and
// [Config.TLSPins].
//
// Data connections resume the session of their control connection, as servers
// demand, and make their handshake after the 150 reply, also for empty files. An
// upload ends by close_notify and the end of the stream; what the server still
// sends is read before the connection is closed, since a close with session
// tickets unread would be a reset, by which the server loses the tail. An upload
// that broke off ends without close_notify.
//
// # Pipelining
//
// A Conn waits for the reply to each command. A Client sends EPSV and RETR at
// once, and with them, or while a file flows, those of the next file; see
// [Config.Ahead]. Replies come in the order of the commands, and each is
// accounted for: one that cannot be meant for its command ends the connection,
// and what had not begun on it goes over another one. Servers that cannot take
// this are in tables by what their greeting says (quirks.go), and those that
// answer a command during a transfer, or lose it, are found out. Only one file is
// asked for ahead: of several, one whose commands are lost without a word could not
// be told from the next. The next upload is not
// named before the one before it has ended.
//
// # What a transfer promises
//
// A transfer succeeds only if the data connection ended cleanly, the server's
// last reply was positive, and the number of bytes equals every size that is
// known: the server's answer to SIZE, or else to MLST, the count in its 150 reply,
// and what the caller gave. A wrong size is asked for once more; another answer
// says that the file has changed. After an upload the size of what is stored is
// compared with what was sent, or else its hash, and the file is looked for under
// its new name where it gets one. The parts of a download in segments must be of one
// file: of the same size and time before and after. Everything else is an error,
// an [*IntegrityError] if both sides called the transfer complete.
//
// Under TLS the end of the data is told by close_notify. Where a server leaves that
// out, a file is good only if a size agrees that was learned elsewhere, and
// [Result.Unclosed] says so. [Config.Verify] says what has to be known for a
// transfer to be good, such as a hash that the server computes; [Result.Verified]
// says what was.
//
// # Lists
//
// Directories are listed by MLSD, or by LIST where a server does not have it;
// package listing reads both. What is not understood of a list comes as a
// [*ListError] beside what is. Names from a server are checked there: one that
// would lead elsewhere is an entry with an Entry.Problem, and [Client.Walk] gives
// it no path.
//
// # Names and attributes
//
// [Conn.Chmod], [Conn.SetModTime] and [Conn.SetCreateTime] use the command that the
// server has for the purpose. One that has none is told apart by
// [errors.ErrUnsupported], and a Client does not ask it again. [Client.Operate] does
// this and more to many names, with several commands on their way at once, and
// [OpExists] finds out whether there is anything of a name: 550 alone does not tell.
// An error is one for [io/fs.ErrNotExist] only where the server says so in words or
// by what else it answers.
//
// # Staying alive
//
// No step waits longer than [Config.Timeout] without progress, and both
// connections are watched at once: a refusal on the control connection ends a
// transfer whose data has stopped, a 226 is not the end of the data, and the end
// of the data is not a 226. A [Client] begins again what may pass; see
// [Config.Retries]. It makes do with the connections that the server allows, and
// [Config.KeepAlive] keeps those alive that are idle during a transfer.
//
// # Errors
//
// A refusal by the server is a [*ReplyError] and leaves the Conn usable, 421
// excepted. A server that speaks nonsense causes a [*ProtocolError], a step
// that makes no progress a [*TimeoutError], a wrong byte count an
// [*IntegrityError]; a transfer that broke in the middle is a
// [*TransferError], which keeps the cause and the server's own words. After
// any error [Conn.Usable] tells whether the Conn can go on; a call on one that
// cannot returns an error that wraps [ErrConnUnusable]. No error and no trace
// line contains a password.
//
// # Cancellation
//
// Every blocking call takes a context and returns soon after that is done. A
// command that was waiting for its reply leaves the Conn usable: the reply is
// skipped when it comes. A transfer is ended with ABOR, and the Conn stays
// usable if the server answers within [Config.AbortTimeout]; otherwise the
// error also wraps ErrConnUnusable. A Read or Write of the caller's own
// reader or writer is not interrupted. A Client may replace the connection of a
// transfer that is cancelled. For what comes of [Client.FS] and [Client.OpenAt] their
// context counts.
//
// # Limitations
//
// TLS resumes sessions by tickets only, as crypto/tls does: a server that demands
// resumption and knows session IDs alone (TLS 1.2 without tickets) cannot be used.
// Of what a server says before AUTH TLS, its greeting is remembered, for the quirks
// that it hints at. Text that is transferred as [ASCII] cannot be continued, and
// nothing but the server's word shows that it is whole. ABOR is sent as a plain
// line, without the Telnet Synch of RFC 959, Section 4.1.3, because a net.Conn has no
// urgent data.
//
// The files of [Client.FS] cannot seek, and their names have to be UTF-8. Each file
// that is being read, and each [File], holds a connection, which the server may not
// allow to be many.
package ftpclient
