package listing

import (
	"slices"
	"strings"
	"time"
)

// readMVS reads what z/OS prints of data sets, under a heading:
//
//	Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname
//	VOL001 3390   2024/02/29  1   15  FB      80 27920  PS  SOME.DATA
//	VOL001 3390   2024/02/29  1   15  FB      80 27920  PO  SOME.LIB
//	Migrated                                                OLD.DATA
//	Pseudo Directory                                        DEEPER
//
// The day is that of the last use, not of the last change, and the size in tracks:
// neither is told. A partitioned data set and a level of names are directories;
// what is in them is not reached with a slash.
func readMVS(time.Time) reader {
	headed := false
	return func(lines []string) (Entry, int) {
		if f := words(lines[0]); !headed && len(f) > 2 && f[0].text == "Volume" && f[1].text == "Unit" {
			headed = true
			return Entry{}, 1
		}
		if !headed {
			return Entry{}, 0
		}
		return one(parseMVS(lines[0]))
	}
}

// mvsStates are what may stand in the place of the columns.
var mvsStates = []struct {
	text string
	kind Type
}{
	{"Migrated", File},
	{"ARCIVE", File}, //nolint:misspell // the name of a volume has six letters
	{"Pseudo Directory", Dir},
	{"User catalog connector", Special},
	{"Error determining attributes", Unknown},
	{"Not Mounted", File},
	{"Not Direct Access Device", File},
	{"Generation data group", Dir},
	{"GDG", Dir},
}

// mvsOrganizations holds the types by Dsorg.
var mvsOrganizations = map[string]Type{
	"PS": File, "PS-E": File, "PS-L": File, "DA": File, "IS": File, "PO": Dir, "PO-E": Dir, "VS": Special, "VSAM": Special,
}

func parseMVS(line string) (Entry, bool) {
	for _, state := range mvsStates {
		if rest, ok := strings.CutPrefix(line, state.text+" "); ok {
			name := strings.Trim(rest, " ")
			return newEntry(unquoted(name), state.kind), isDataSet(name)
		}
	}
	f := words(line)
	if len(f) < 3 || !isDataSet(f[len(f)-1].text) {
		return Entry{}, false
	}
	e := newEntry(unquoted(f[len(f)-1].text), Unknown)
	switch organization := f[len(f)-2].text; {
	case organization == "Tape":
		e.Type = File
	case len(f) >= 5 && mvsOrganizations[organization] != Unknown, organization == "VSAM":
		e.Type = mvsOrganizations[organization]
	default:
		return Entry{}, false
	}
	return e, true
}

// isDataSet reports whether s looks like the name of a data set.
func isDataSet(s string) bool {
	s = unquoted(s)
	return s != "" && len(s) <= 54 && !strings.ContainsAny(s, " /'")
}

// unquoted returns s without the quotes of a full name.
func unquoted(s string) string {
	if len(s) > 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return s[1 : len(s)-1]
	}
	return s
}

// readPDS reads what z/OS prints of the members of a partitioned data set, with
// what ISPF knows of them or without, or for load modules:
//
//	 Name     VV.MM   Created       Changed      Size  Init   Mod   Id
//	MEMBER    01.01 2023/12/31 2024/02/29 12:34    15    15     0 USER
//	BARE
//	 Name      Size     TTR   Alias-of AC --------- Attributes --------- Amode Rmode
//	MODULE    00B308  000411           00 FO        RN RU              31    ANY
//
// A size is in lines, or of the loaded module, and so not told.
func readPDS(now time.Time) reader {
	headed, modules := false, false
	return func(lines []string) (Entry, int) {
		f := words(lines[0])
		if !headed && len(f) > 2 && f[0].text == "Name" && slices.Contains([]string{"VV.MM", "Size"}, f[1].text) {
			headed, modules = true, f[1].text == "Size"
			return Entry{}, 1
		}
		if !headed || len(f[0].text) > 8 || isSpace(lines[0][0]) {
			return Entry{}, 0
		}
		e := newEntry(f[0].text, File)
		if len(f) == 1 {
			return e, 1
		}
		if modules {
			return one(e, len(f) >= 4 && isHex(f[1].text) && isHex(f[2].text))
		}
		return one(e, e.pdsStatistics(f[1:], now))
	}
}

// pdsStatistics reads version, day of creation, time of change, and at the end
// lines and user.
func (e *Entry) pdsStatistics(f []word, now time.Time) bool {
	if len(f) < 7 || strings.Trim(f[0].text, "0123456789.") != "" {
		return false
	}
	if _, _, used := parseDate(f[1:2], now); used != 1 {
		return false
	}
	when, t, used := parseDate(f[2:], now)
	if used != 2 {
		return false
	}
	e.date(when, t)
	if len(f) > 7 {
		e.Owner = f[7].text
	}
	return true
}

func isHex(s string) bool { return strings.Trim(s, "0123456789ABCDEF") == "" }
