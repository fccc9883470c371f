package listing

import "time"

// A Dialect names how a server writes its lists.
type Dialect string

// The dialects.
const (
	Unix    Dialect = "unix"    // ls -l, and what imitates it; z/OS for its Unix files
	DOS     Dialect = "dos"     // the dir command of DOS and Windows; IIS
	EPLF    Dialect = "eplf"    // Bernstein's easily parsed list format
	NetWare Dialect = "netware" // Novell's
	VMS     Dialect = "vms"     // OpenVMS
	MVS     Dialect = "mvs"     // data sets of z/OS
	PDS     Dialect = "pds"     // members of one of its partitioned data sets
	AS400   Dialect = "as400"   // OS/400 and IBM i
	OS2     Dialect = "os2"     // OS/2
	NonStop Dialect = "nonstop" // HP NonStop, Tandem
	VxWorks Dialect = "vxworks" // dosFs of VxWorks
	WFFTP   Dialect = "wfftp"   // Nortel's wfFtp
)

// A reader reads what stands at the front of lines: an entry, or, without a
// name, something known that is none. n is how many lines that took, and 0 if
// it does not understand the first.
type reader func(lines []string) (e Entry, n int)

// A dialect is one way to read a list. Some have several rows: a list that has
// the day before the month is read so from its first to its last line.
type dialect struct {
	name  Dialect
	start func(now time.Time) reader // a new one for each list

	finish func([]Entry) // may be nil; sees all of a list
	flat   bool          // see Listing.Flat
}

// dialects are all, in the order in which they are tried.
var dialects = []dialect{
	{name: Unix, start: readUnix},
	{name: DOS, start: readDOS(monthFirst)},
	{name: DOS, start: readDOS(dayFirst)},
	{name: EPLF, start: perLine(parseEPLF)},
	{name: NetWare, start: readNetWare},
	{name: VMS, start: readVMS, finish: dropVersions},
	{name: MVS, start: readMVS, flat: true},
	{name: PDS, start: readPDS, flat: true},
	{name: AS400, start: readAS400(monthFirst)},
	{name: AS400, start: readAS400(dayFirst)},
	{name: AS400, start: readAS400(yearFirst)},
	{name: OS2, start: perLine(parseOS2)},
	{name: NonStop, start: readNonStop, flat: true},
	{name: VxWorks, start: perLine(parseVxWorks)},
	{name: WFFTP, start: perLine(parseWFFTP)},
}

// perLine makes a reader of a function that reads one line.
func perLine(parse func(line string) (Entry, bool)) func(time.Time) reader {
	return func(time.Time) reader {
		return func(lines []string) (Entry, int) { return one(parse(lines[0])) }
	}
}

// one is what a reader returns that has taken one line, or none.
func one(e Entry, ok bool) (Entry, int) {
	if !ok {
		return Entry{}, 0
	}
	return e, 1
}
