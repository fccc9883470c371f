package ftpclient

import (
	"testing"
	"time"
)

// Lines as servers print them; the day is 10 March 2024.
func TestParseListLine(t *testing.T) {
	now := time.Date(2024, 3, 10, 12, 0, 0, 0, time.UTC)
	day := func(y, m, d, hour, minute int) time.Time {
		return time.Date(y, time.Month(m), d, hour, minute, 0, 0, time.UTC)
	}
	for _, tt := range []struct {
		line string
		want Entry // without Facts; the zero Entry is an error
	}{
		// vsftpd
		{"-rw-r--r--    1 0        0            4096 Feb 29 12:34 file", Entry{Name: "file", Type: EntryFile, Size: 4096, ModTime: day(2024, 2, 29, 12, 34)}},
		{"drwxr-xr-x    2 1000     1000         4096 Dec 31  2023 a dir", Entry{Name: "a dir", Type: EntryDir, Size: -1, ModTime: day(2023, 12, 31, 0, 0)}},
		{"-rw-r--r--    1 0        0               3 Jan 01 00:00   two leading", Entry{Name: "  two leading", Type: EntryFile, Size: 3, ModTime: day(2024, 1, 1, 0, 0)}},
		{"lrwxrwxrwx    1 0        0               6 Jan 01 00:00 link -> ../a b", Entry{Name: "link", Target: "../a b", Type: EntryLink, Size: -1, ModTime: day(2024, 1, 1, 0, 0)}},
		// proftpd
		{"-rw-r--r--   1 ftp      ftp          4096 Feb 29  2020 trailing ", Entry{Name: "trailing ", Type: EntryFile, Size: 4096, ModTime: day(2020, 2, 29, 0, 0)}},
		// pure-ftpd
		{"-rw-r--r--    1 1000       users            12 Mar  9 23:59 x", Entry{Name: "x", Type: EntryFile, Size: 12, ModTime: day(2024, 3, 9, 23, 59)}},
		// a time that is still to come this year was last year's; tomorrow may be another zone's today
		{"-rw-r--r-- 1 a b 12 Dec 24 18:00 x", Entry{Name: "x", Type: EntryFile, Size: 12, ModTime: day(2023, 12, 24, 18, 0)}},
		{"-rw-r--r-- 1 a b 12 Mar 11 11:00 x", Entry{Name: "x", Type: EntryFile, Size: 12, ModTime: day(2024, 3, 11, 11, 0)}},
		{"-rw-r--r-- 1 a b 12 Mar 12 11:00 x", Entry{Name: "x", Type: EntryFile, Size: 12, ModTime: day(2023, 3, 12, 11, 0)}},
		// owners with spaces, without a group, none at all
		{"-rw-r--r-- 1 Domain Admins Domain Users 12 Mar 9 10:00 x", Entry{Name: "x", Type: EntryFile, Size: 12, ModTime: day(2024, 3, 9, 10, 0)}},
		{"-rw-r--r-- 1 owner 12 Mar 9 10:00 x", Entry{Name: "x", Type: EntryFile, Size: 12, ModTime: day(2024, 3, 9, 10, 0)}},
		{"-rw-r--r-- 1 12 Mar 9 10:00 x", Entry{Name: "x", Type: EntryFile, Size: 12, ModTime: day(2024, 3, 9, 10, 0)}},
		// marks behind the mode, numbers with a leading zero, ISO times, the day first
		{"-rw-r--r--. 1 a b 0100 Mar 9 10:00 x", Entry{Name: "x", Type: EntryFile, Size: 100, ModTime: day(2024, 3, 9, 10, 0)}},
		{"drwxrwsr-t+ 1 a b 1 Mar 9 10:00 x", Entry{Name: "x", Type: EntryDir, Size: -1, ModTime: day(2024, 3, 9, 10, 0)}},
		{"-rw-r--r--@ 1 a b 1 2024-02-29 10:00 x", Entry{Name: "x", Type: EntryFile, Size: 1, ModTime: day(2024, 2, 29, 10, 0)}},
		{"-rw-r--r-- 1 a b 1 2024-02-29 10:00:01 x", Entry{Name: "x", Type: EntryFile, Size: 1, ModTime: day(2024, 2, 29, 10, 0)}},
		{"-rw-r--r-- 1 a b 1 9 Mar 10:00 x", Entry{Name: "x", Type: EntryFile, Size: 1, ModTime: day(2024, 3, 9, 10, 0)}},
		// devices and sockets, names like dates and arrows, beyond 4 GB, not UTF-8
		{"crw-rw-rw- 1 root root 1, 3 Mar 9 10:00 null", Entry{Name: "null", Size: -1, ModTime: day(2024, 3, 9, 10, 0)}},
		{"brw-rw-rw- 1 root root 8,   0 Mar 9 10:00 sda", Entry{Name: "sda", Size: -1, ModTime: day(2024, 3, 9, 10, 0)}},
		{"srwxrwxrwx 1 root root 0 Mar 9 10:00 sock", Entry{Name: "sock", Size: -1, ModTime: day(2024, 3, 9, 10, 0)}},
		{"-rw-r--r-- 1 a b 5 Mar 9 10:00 6 Mar 9 10:00 x", Entry{Name: "6 Mar 9 10:00 x", Type: EntryFile, Size: 5, ModTime: day(2024, 3, 9, 10, 0)}},
		{"-rw-r--r-- 1 a b 5 Mar 9 10:00 a -> b", Entry{Name: "a -> b", Type: EntryFile, Size: 5, ModTime: day(2024, 3, 9, 10, 0)}},
		{"-rw-r--r-- 1 a b 5000000000 Mar 9 10:00 \xff\xfe", Entry{Name: "\xff\xfe", Type: EntryFile, Size: 5_000_000_000, ModTime: day(2024, 3, 9, 10, 0)}},
		{"drwxr-xr-x 1 a b 5 Mar 9 10:00 .", Entry{Name: ".", Type: EntryCurrent, Size: -1, ModTime: day(2024, 3, 9, 10, 0)}},
		{"drwxr-xr-x 1 a b 5 Mar 9 10:00 ..", Entry{Name: "..", Type: EntryParent, Size: -1, ModTime: day(2024, 3, 9, 10, 0)}},
		// DOS
		{"02-29-24  12:34PM       <DIR>          a dir", Entry{Name: "a dir", Type: EntryDir, Size: -1, ModTime: day(2024, 2, 29, 12, 34)}},
		{"02-29-24  12:34AM                 1234 file", Entry{Name: "file", Type: EntryFile, Size: 1234, ModTime: day(2024, 2, 29, 0, 34)}},
		{"02-29-2024  12:34PM       <DIR>            lead", Entry{Name: "  lead", Type: EntryDir, Size: -1, ModTime: day(2024, 2, 29, 12, 34)}},
		{"2024-02-29  12:34         1,234,567  x", Entry{Name: " x", Type: EntryFile, Size: 1_234_567, ModTime: day(2024, 2, 29, 12, 34)}},
		{"02-29-24  12:34PM       <JUNCTION>     j", Entry{Name: "j", Type: EntryLink, Size: -1, ModTime: day(2024, 2, 29, 12, 34)}},
		{"02-29-24  12:34PM       <DIR> x", Entry{Name: "x", Type: EntryDir, Size: -1, ModTime: day(2024, 2, 29, 12, 34)}},
		// none
		{"", Entry{}},
		{"nonsense", Entry{}},
		{"-rw-r--r--", Entry{}},
		{"-rw-r--r-- 1 a b 12 Mar 9 10:00", Entry{}},
		{"-rw-r--r-- 1 a b 12 Mar 9 10:00 ", Entry{}},
		{"-rw-r--r-- 1 a b 12 Mär 9 10:00 x", Entry{}},
		{"-rw-r--r-- 1 a b 12 Feb 30 10:00 x", Entry{}},
		{"xrw-r--r-- 1 a b 12 Mar 9 10:00 x", Entry{}},
		{"-rw-r--r-- 1 a b -12 Mar 9 10:00 x", Entry{}},
		{"-rw-r--r-- 1 a b 99999999999999999999 Mar 9 10:00 x", Entry{}},
		{"13-29-24  12:34PM       <DIR>          x", Entry{}},
		{"02-29-24  12:34PM       <WHAT>          x", Entry{}},
	} {
		e, err := parseListLine(tt.line, now)
		if (err != nil) != (tt.want.Name == "") || e.Name != tt.want.Name || e.Type != tt.want.Type ||
			e.Target != tt.want.Target || err == nil && e.Size != tt.want.Size || !e.ModTime.Equal(tt.want.ModTime) {
			t.Errorf("%q:\n got %+v, %v\nwant %+v", tt.line, e, err, tt.want)
		}
	}
}

func TestListTotal(t *testing.T) {
	for line, want := range map[string]bool{"total 12": true, "total 0": true, "total": false, "total x": false, "total 1 2": false, "-rw": false} {
		if listTotal(line) != want {
			t.Errorf("%q: %v", line, !want)
		}
	}
}
