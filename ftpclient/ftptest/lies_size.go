package ftptest

import "fmt"

// sizeLies are about what the server tells of the size.
func sizeLies() []Lie {
	tell := func(n int64) func(int, int64) string {
		return func(int, int64) string { return fmt.Sprintf("213 %d", n) }
	}
	lies := []Lie{
		{
			Name: "unsized", Truth: Honest, Unsized: true, Does: "sends the file, then 226; nothing tells the size",
			plan: plan{refuse: noSize},
		},
		{
			Name: "size-550", Truth: Honest, Unsized: true, Does: "says 550 to SIZE, and sends the file all the same",
			plan: plan{refuse: map[string]string{"SIZE": "550 not for you", "LIST": "502 what", "NLST": "502 what"}},
		},
		{
			Name: "size-too-big", Truth: Detectable, Does: "tells 100 100 bytes to SIZE, and sends the file of 100 000",
			plan: plan{size: tell(lieSize + 100)},
		},
		{
			Name: "size-too-small", Truth: Detectable, Does: "tells 60 000 bytes to SIZE, and sends the file of 100 000",
			plan: plan{size: tell(lieShort)},
		},
		{
			Name: "size-changes", Truth: Detectable, Does: "tells 60 000 bytes to SIZE and sends 100 000; asked again, it tells 100 000: the file grew",
			plan: plan{size: func(asked int, truth int64) string {
				return fmt.Sprintf("213 %d", map[bool]int64{true: lieShort, false: truth}[asked == 1])
			}},
		},
		{
			Name: "size-junk", Truth: Honest, Unsized: true, Does: "answers SIZE with 213 and no number, and sends the file",
			plan: plan{size: func(int, int64) string { return "213 plenty" }, refuse: map[string]string{"LIST": "502 what", "NLST": "502 what"}},
		},
		{
			Name: "announced-differs", Truth: Detectable, Does: "tells 100 000 bytes to SIZE and 90 000 in the 150 reply, and sends 100 000",
			plan: plan{announce: 90_000},
		},
		{
			Name: "announced-wrong", Truth: Detectable, Does: "tells 90 000 bytes in the 150 reply only, and sends 100 000",
			plan: plan{announce: 90_000, refuse: noSize},
		},
	}
	return directed(Download, lies)
}

// tlsLies are about the end of the TLS stream on the data connection.
func tlsLies() []Lie {
	const done = "226 done"
	unclosed := func(n int64) []step { return []step{open, begin, send(n), sever, say(done)} }
	lies := []Lie{
		{
			Name: "unclosed-whole", Truth: Honest, Does: "sends the file and ends without close_notify, then 226",
			plan: plan{retr: unclosed(lieSize)},
		},
		{
			Name: "unclosed-whole-unsized", Truth: Detectable, Unsized: true, Does: "the same, and nothing tells the size",
			plan: plan{retr: unclosed(lieSize), refuse: noSize},
		},
		{
			Name: "unclosed-short", Truth: Detectable, Does: "sends 60 000 bytes and ends without close_notify, then 226",
			plan: plan{retr: unclosed(lieShort)},
		},
		{
			Name: "unclosed-short-unsized", Truth: Detectable, Unsized: true, Does: "the same, and nothing tells the size",
			plan: plan{retr: unclosed(lieShort), refuse: noSize},
		},
		{
			Name: "data-in-clear", Truth: Detectable, Does: "sends the file in clear where PROT P was granted, then 226",
			plan: plan{retr: []step{open, inClear, begin, send(lieSize), finish, say(done)}},
		},
	}
	for i := range lies {
		lies[i].TLS = true
	}
	return directed(Download, lies)
}
