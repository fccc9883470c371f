package listing

import (
	"strconv"
	"strings"
)

// A word is one of a line, and where it ends in it.
type word struct {
	text string
	end  int
}

// words returns the first words of a line: more than can stand before a name.
func words(line string) []word {
	const most = 24
	found := make([]word, 0, 12)
	for i := 0; i < len(line) && len(found) < most; {
		if isSpace(line[i]) {
			i++
			continue
		}
		end := i + 1
		for end < len(line) && !isSpace(line[end]) {
			end++
		}
		found = append(found, word{line[i:end], end})
		i = end
	}
	return found
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// behind returns what follows the last of the words in line, without the one
// space that separates it. Further spaces belong to it.
func behind(line string, last word) (string, bool) {
	rest := line[last.end:]
	if len(rest) < 2 || rest[0] != ' ' {
		return "", false
	}
	return rest[1:], true
}

// padded returns what follows a word that stands in a column of a fixed width.
// Where the server did not keep to the width, spaces are skipped.
func padded(line string, last word, width int) string {
	rest := line[last.end:]
	pad := max(width-len(last.text), 1)
	if len(rest) <= pad || strings.Trim(rest[:pad], " ") != "" {
		return strings.TrimLeft(rest, " ")
	}
	return rest[pad:]
}

// digits reports whether s is a number of digits only.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// parseCount reads a decimal number: no sign, no space, no overflow. A leading
// zero does not make it octal.
func parseCount(s string) (int64, bool) {
	if !digits(s) {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// parseSmall reads a decimal number of at most most digits.
func parseSmall(s string, most int) (int, bool) {
	if len(s) > most {
		return 0, false
	}
	n, ok := parseCount(s)
	return int(n), ok
}
