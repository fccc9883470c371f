package listing_test

import (
	"fmt"
	"time"

	"github.com/seed-54eb6215/xftp/ftpclient/listing"
)

// A list is read in one dialect. What does not belong to it is an entry, too.
func ExampleParse() {
	l := listing.Parse([]byte(`total 12
drwxr-xr-x    2 ftp      ftp          4096 Dec 31  2023 docs
-rw-r--r--    1 ftp      ftp          0100 Feb 29 12:34 read me
lrwxrwxrwx    1 ftp      ftp             7 Feb 29 12:34 latest -> read me
02-29-24  12:34PM                 1234 from elsewhere
-rw-r--r--    1 ftp      ftp             1 Feb 29 12:34 ../up
`), time.Date(2024, 3, 10, 12, 0, 0, 0, time.UTC))
	fmt.Println(l.Dialect)
	for _, e := range l.Entries {
		if e.Problem != "" {
			fmt.Printf("%s: %q\n", e.Problem, e.Line)
			continue
		}
		fmt.Println(e.Type, e.Name, e.Size, e.ModTime.Format(time.DateTime), "to", e.Precision)
	}
	// Output:
	// unix
	// dir docs -1 2023-12-31 00:00:00 to 24h0m0s
	// file read me 100 2024-02-29 12:34:00 to 1m0s
	// link latest -1 2024-02-29 12:34:00 to 1m0s
	// a line of a list that cannot be read: "02-29-24  12:34PM                 1234 from elsewhere"
	// a name that leads elsewhere: "-rw-r--r--    1 ftp      ftp             1 Feb 29 12:34 ../up"
}
