package ftptest

import "fmt"

// uploadLies are about what becomes of a file that is stored.
func uploadLies() []Lie {
	const done = "226 done"
	lies := []Lie{
		{Name: "stor-honest", Truth: Honest, Does: "stores the file, then 226: no lie, for comparison"},
		{
			Name: "stor-short-226", Truth: Detectable, Does: "reads and stores 60 000 bytes, leaves the rest unread, then 226",
			plan: plan{stor: []step{open, begin, receive(lieShort), stopReading, say(done)}},
		},
		{
			Name: "stor-short-reset-226", Truth: Detectable, Does: "reads and stores 60 000 bytes, resets the data connection, then 226",
			plan: plan{stor: []step{open, begin, receive(lieShort), breakData, say(done)}},
		},
		{
			Name: "stor-loses", Truth: Detectable, Does: "reads the whole file, stores 60 000 bytes of it, then 226",
			plan: plan{stor: storeAll(say(done)), content: truncate},
		},
		{
			Name: "stor-loses-mlst", Truth: Detectable, Does: "the same, and only MLST tells the size",
			plan: plan{stor: storeAll(say(done)), content: truncate, refuse: noSize, features: []string{"MLST type*;size*;modify*;", "REST STREAM"}},
		},
		{
			Name: "stor-loses-unsized", Truth: Unprovable, Unsized: true, Does: "the same, and nothing tells the size",
			plan: plan{stor: storeAll(say(done)), content: truncate, refuse: noSize},
		},
		{
			Name: "stor-loses-claims", Truth: HashOnly, Does: "the same, and SIZE tells what was sent; HASH tells the truth",
			plan: plan{stor: storeAll(say(done)), content: truncate, claimStored: true, hashed: true, features: []string{"HASH SHA-256*", "SIZE", "REST STREAM"}},
		},
		{
			Name: "stor-wrong-bytes-hash", Truth: HashOnly, Does: "stores the file with one wrong byte, then 226; HASH tells",
			plan: plan{stor: storeAll(say(done)), content: spoil, hashed: true, features: []string{"HASH SHA-256*", "SIZE", "REST STREAM"}},
		},
		{
			Name: "stor-nothing", Truth: Detectable, Does: "reads the whole file, stores an empty one, then 226",
			plan: plan{stor: storeAll(say(done)), content: func([]byte) []byte { return nil }},
		},
		{
			Name: "stor-vanishes", Truth: Unprovable, Unsized: true, Does: "reads the whole file, then 226, and says 550 to all that asks for it, as drop boxes do",
			plan: plan{stor: []step{open, begin, forget, finish, say(done)}, refuse: map[string]string{"LIST": "502 what", "NLST": "502 what"}},
		},
		{
			Name: "stor-more", Truth: Detectable, Does: "stores 20 000 bytes more than it got, then 226",
			plan: plan{stor: storeAll(say(done)), content: func(file []byte) []byte { return append(file, make([]byte, 20_000)...) }},
		},
		{
			Name: "stor-552-before", Truth: Detectable, Does: "says 552 instead of 150",
			plan: plan{refuse: map[string]string{"STOR": "552 full", "APPE": "552 full"}},
		},
		{
			Name: "stor-552-mid", Truth: Detectable, Does: "reads 60 000 bytes, then 552",
			plan: plan{stor: []step{open, begin, receive(lieShort), say("552 full")}},
		},
		{
			Name: "stor-552-after", Truth: Detectable, Does: "reads the whole file, then 552",
			plan: plan{stor: storeAll(say("552 full"))},
		},
		{
			Name: "stor-silence", Truth: Detectable, Silent: true, Does: "stores the whole file, then says nothing",
			plan: plan{stor: storeAll(mute)},
		},
		{
			Name: "stor-hangup", Truth: Detectable, Does: "stores the whole file, then hangs up without a reply",
			plan: plan{stor: storeAll(hangUp)},
		},
		{
			Name: "stor-421", Truth: Detectable, Does: "stores the whole file, then 421 and hangs up",
			plan: plan{stor: storeAll(say("421 bye"), hangUp)},
		},
		{
			Name: "stor-junk", Truth: Detectable, Does: "stores the whole file, then a line without a code",
			plan: plan{stor: storeAll(say("done, I think"))},
		},
		{
			Name: "stor-early-226", Truth: Honest, Does: "says 226 first, and stores the whole file",
			plan: plan{stor: []step{open, begin, say(done), receiveAll, finish}},
		},
		{
			Name: "stor-early-226-short", Truth: Detectable, Does: "says 226 first, and stores 60 000 bytes",
			plan: plan{stor: []step{open, begin, say(done), receive(lieShort), stopReading}},
		},
		{
			Name: "stor-late-226", Truth: Honest, Does: "stores the whole file, and says 226 later",
			plan: plan{stor: storeAll(pause, say(done))},
		},
		{
			Name: "stor-byte-by-byte", Truth: Honest, Does: "stores the file, and sends each byte of each reply on its own",
			plan: plan{write: byteByByte},
		},
		{
			Name: "stor-no-data-226", Truth: Unprovable, Unsized: true, Does: "says 150 and 226 without a data connection, and 550 to all that asks for the file",
			plan: plan{stor: []step{begin, say(done)}, refuse: map[string]string{"LIST": "502 what", "NLST": "502 what"}},
		},
		{
			Name: "stor-no-data-425", Truth: Detectable, Does: "says 150 and then 425, without a data connection",
			plan: plan{stor: []step{begin, say("425 cannot connect")}},
		},
		{
			Name: "stor-size-too-big", Truth: Detectable, Does: "stores the file, then 226, and tells 100 bytes more to SIZE",
			plan: plan{size: func(_ int, truth int64) string { return fmt.Sprintf("213 %d", truth+100) }},
		},
		{
			Name: "stor-unsized", Truth: Honest, Unsized: true, Does: "stores the file, then 226; nothing tells its size",
			plan: plan{refuse: noSize},
		},
		{
			Name: "stor-rename-refused", Truth: Honest, Renames: true, Does: "stores the file, then 226, and says 550 to RNTO",
			plan: plan{refuse: map[string]string{"RNTO": "550 not here"}},
		},
		{
			Name: "stor-rename-undone", Truth: Detectable, Renames: true, Does: "stores the file, then 226, and says 250 to RNTO without doing it",
			plan: plan{renameUndone: true},
		},
		{
			Name: "stor-rename-loses", Truth: Detectable, Renames: true, Does: "stores the file, then 226, and loses all but 60 000 bytes of it by RNTO, to which it says 250",
			plan: plan{renamed: truncate},
		},
	}
	return directed(Upload, lies)
}

func truncate(file []byte) []byte { return file[:min(len(file), lieShort)] }
