// Package listing reads what FTP servers send as the list of a directory: the
// facts of MLSD and MLST, which RFC 3659 describes, and the answers to LIST,
// which no standard does.
//
//	Entry         one line, or what is told of one file
//	Parse         a list by LIST, in whichever dialect it is
//	ParseFacts    a list by MLSD
//	ParseEntry    one line of MLSD or MLST
//	NameProblem   what is wrong with a name, if it is to be one in a directory
//
// # Dialects
//
// A dialect is how one family of servers writes its lists; there is a file for
// each. A list is read in one dialect, that which leaves the fewest lines
// unread, and of equals the first in the table of dialect.go. It is not chosen
// anew for each line: a line of another dialect in between is not understood.
//
// # Nothing is dropped
//
// What a list holds beside entries (blank lines, the total of ls(1), headings)
// is known by tables and skipped. Every other line gives an Entry. One that is
// not understood is [Unknown], with the line and the problem; nobody should
// conclude from such a list that a file does not exist.
//
// # What is not told
//
// Sizes are in bytes. Where a server counts blocks (VMS), tracks (MVS), records
// or thousands, the size is not told. The times of LIST are those of the
// server's clock in a zone that it does not name, see [Entry.UTC], and where the
// year is left out it is guessed: the last one that is not in the future.
//
// Nothing here does I/O, and all of it may be called from any goroutine.
package listing
