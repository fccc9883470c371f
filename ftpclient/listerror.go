package ftpclient

import (
	"fmt"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient/listing"
)

// A ListError reports a list that is not known as a whole: nobody should
// conclude from it that a file does not exist. What was understood is used.
type ListError struct {
	// Unread is how many lines were not understood.
	Unread int

	// Unknown are the first of these lines, at most a thousand, in the order of
	// the server: each an [EntryUnknown] without a name, whose Line is what
	// was sent and whose Problem says why.
	Unknown []Entry

	// Cut reports that the list ends within a line. The last name may be
	// incomplete, and there may be more.
	Cut bool

	// Truncated is what the server says if it has left entries out, as Pure-FTPd
	// does of more than 10 000 in a directory.
	Truncated string
}

// Error shows the first of the lines.
func (e *ListError) Error() string {
	text := e.Unwrap().Error()
	if more := e.Unread - 1; more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// Unwrap returns a [*ProtocolError] with the first of the lines.
func (e *ListError) Unwrap() error {
	switch {
	case len(e.Unknown) > 0:
	case e.Truncated != "":
		return &ProtocolError{Problem: "a list that is not whole", Line: shorten(e.Truncated)}
	default:
		return &ProtocolError{Problem: "a list that ends within a line"}
	}
	first := e.Unknown[0]
	return &ProtocolError{Problem: first.Problem, Line: shorten(first.Line)}
}

// truncated returns what the last reply to a list says if the server has left
// entries out: "226 Output truncated to 10000 matches" (MSG_LS_TRUNCATED of
// Pure-FTPd). Nothing else tells that list from a whole one.
func truncated(last Reply) string {
	for _, line := range last.Lines {
		if strings.Contains(strings.ToLower(line), "truncated to ") {
			return line
		}
	}
	return ""
}

// understood returns the entries of a list that are any, and a [*ListError] if
// there is more. cut is what the server says of others that it left out.
func understood(l listing.Listing, cut string) ([]Entry, error) {
	if l.Unread == 0 && !l.Cut && cut == "" {
		return l.Entries, nil
	}
	entries := make([]Entry, 0, len(l.Entries))
	for _, e := range l.Entries {
		if e.Name != "" {
			entries = append(entries, e)
		}
	}
	return entries, &ListError{Unread: l.Unread, Unknown: l.Unknown(), Cut: l.Cut, Truncated: cut}
}
