package ftptest

// noSize refuses whatever tells the size of a file.
var noSize = map[string]string{"SIZE": "502 what", "LIST": "502 what", "NLST": "502 what"}

// downloadLies are about how the data and the final reply end.
func downloadLies() []Lie {
	const done = "226 done"
	lies := []Lie{
		{Name: "honest", Truth: Honest, Does: "sends the file, then 226: no lie, for comparison"},
		{
			Name: "short-226", Truth: Detectable, Does: "sends 60 000 of 100 000 bytes, then 226",
			plan: plan{retr: shortFile(say(done))},
		},
		{
			Name: "short-226-announced", Truth: Detectable, Does: "the same, and only the 150 reply told the size",
			plan: plan{retr: shortFile(say(done)), refuse: noSize, announce: lieSize},
		},
		{
			Name: "short-226-mlst", Truth: Detectable, Does: "the same, and only MLST tells the size",
			plan: plan{retr: shortFile(say(done)), refuse: noSize, features: []string{"MLST type*;size*;modify*;", "REST STREAM"}},
		},
		{
			Name: "short-226-unsized", Truth: Unprovable, Unsized: true, Does: "the same, and nothing tells the size",
			plan: plan{retr: shortFile(say(done)), refuse: noSize},
		},
		{
			Name: "empty-226", Truth: Detectable, Does: "sends nothing, then 226",
			plan: plan{retr: sendFile(0, say(done))},
		},
		{
			Name: "short-426", Truth: Detectable, Does: "sends 60 000 bytes, then 426",
			plan: plan{retr: shortFile(say("426 broken"))},
		},
		{
			Name: "short-426-unsized", Truth: Detectable, Unsized: true, Does: "the same, and nothing tells the size",
			plan: plan{retr: shortFile(say("426 broken")), refuse: noSize},
		},
		{
			Name: "short-421-unsized", Truth: Detectable, Unsized: true, Does: "sends 60 000 bytes, then 421 and hangs up; nothing tells the size",
			plan: plan{retr: shortFile(say("421 bye"), hangUp), refuse: noSize},
		},
		{
			Name: "short-hangup-unsized", Truth: Detectable, Unsized: true, Does: "sends 60 000 bytes, then hangs up without a reply; nothing tells the size",
			plan: plan{retr: shortFile(hangUp), refuse: noSize},
		},
		{
			Name: "short-control-reset-unsized", Truth: Detectable, Unsized: true, Does: "sends 60 000 bytes, then resets the control connection; nothing tells the size",
			plan: plan{retr: shortFile(resetControl), refuse: noSize},
		},
		{
			Name: "short-silence-unsized", Truth: Detectable, Silent: true, Unsized: true, Does: "sends 60 000 bytes and closes the data connection, then says nothing; nothing tells the size",
			plan: plan{retr: shortFile(mute), refuse: noSize},
		},
		{
			Name: "short-reset-226", Truth: Detectable, Does: "sends 60 000 bytes, resets the data connection, then 226",
			plan: plan{retr: []step{open, begin, send(lieShort), breakData, say(done)}},
		},
		{
			Name: "short-reset-226-unsized", Truth: Detectable, Unsized: true, Does: "the same, and nothing tells the size",
			plan: plan{retr: []step{open, begin, send(lieShort), breakData, say(done)}, refuse: noSize},
		},
		{
			Name: "stall", Truth: Detectable, Silent: true, Does: "sends 60 000 bytes, then neither data nor a reply",
			plan: plan{retr: []step{open, begin, send(lieShort), mute}},
		},
		{
			Name: "stall-226", Truth: Detectable, Silent: true, Does: "sends 60 000 bytes and 226, and leaves the data connection open",
			plan: plan{retr: []step{open, begin, send(lieShort), say(done), mute}},
		},
		{
			Name: "drip", Truth: Honest, Does: "sends the file in ten pieces, late each",
			plan: plan{retr: []step{open, begin, drip, finish, say(done)}},
		},
		{
			Name: "more-226", Truth: Detectable, Does: "sends 20 000 bytes more than SIZE told, then 226",
			plan: plan{retr: sendFile(2*lieSize, say(done)), content: func(file []byte) []byte { return append(file, file[:20_000]...) }},
		},
		{
			Name: "whole-451", Truth: Detectable, Does: "sends the whole file, then 451",
			plan: plan{retr: wholeFile(say("451 the disk has errors"))},
		},
		{
			Name: "whole-550", Truth: Detectable, Does: "sends the whole file, then 550",
			plan: plan{retr: wholeFile(say("550 the disk has errors"))},
		},
		{
			Name: "whole-421", Truth: Detectable, Does: "sends the whole file, then 421 and hangs up",
			plan: plan{retr: wholeFile(say("421 bye"), hangUp)},
		},
		{
			Name: "whole-silence", Truth: Detectable, Silent: true, Does: "sends the whole file, then says nothing",
			plan: plan{retr: wholeFile(mute)},
		},
		{
			Name: "whole-hangup", Truth: Detectable, Does: "sends the whole file, then hangs up without a reply",
			plan: plan{retr: wholeFile(hangUp)},
		},
		{
			Name: "early-226", Truth: Honest, Does: "says 226 first, and sends the file later",
			plan: plan{retr: []step{open, begin, say(done), pause, send(lieSize), finish}},
		},
		{
			Name: "early-226-short", Truth: Detectable, Does: "says 226 first, and sends 60 000 bytes later",
			plan: plan{retr: []step{open, begin, say(done), pause, send(lieShort), finish}},
		},
		{
			Name: "late-226", Truth: Honest, Does: "sends the file, and 226 later",
			plan: plan{retr: wholeFile(pause, say(done))},
		},
		{
			Name: "no-data-226", Truth: Detectable, Does: "says 150 and 226 without a data connection",
			plan: plan{retr: []step{begin, say(done)}},
		},
		{
			Name: "no-data-425", Truth: Detectable, Does: "says 150 and then 425, without a data connection",
			plan: plan{retr: []step{begin, say("425 cannot connect")}},
		},
		{
			Name: "retr-silence", Truth: Detectable, Silent: true, Does: "says nothing to RETR, and sends nothing",
			plan: plan{retr: []step{mute}},
		},
		{
			Name: "retr-450", Truth: Detectable, Everywhere: true, Does: "says 450 to RETR",
			plan: plan{refuse: map[string]string{"RETR": "450 not now"}},
		},
		{
			Name: "rest-ignored", Truth: Honest, Resumes: true, Does: "grants REST, and sends the file from its start all the same",
			plan: plan{restIgnored: true},
		},
		{
			Name: "short-426-rest-ignored", Truth: Detectable, Resumes: true,
			Does: "sends 80 000 bytes, and 426 later; asked again, it grants REST and sends the file from its start",
			plan: plan{retr: sendFile(80_000, pause, say("426 broken")), again: wholeFile(say(done)), restIgnored: true},
		},
		{
			Name: "short-426-changed", Truth: Detectable, Resumes: true,
			Does: "sends 80 000 bytes, and 426 later; asked again, it has another file of the same size, as MDTM tells",
			plan: plan{retr: sendFile(80_000, pause, say("426 broken")), again: wholeFile(say(done)), changed: spoilEnds},
		},
		{
			Name: "wrong-bytes-hash", Truth: HashOnly, Does: "sends a file with one wrong byte, then 226; HASH tells",
			plan: plan{retr: wholeFile(say(done)), content: spoil, hashed: true, features: []string{"HASH SHA-256*", "SIZE", "REST STREAM"}},
		},
	}
	return directed(Download, lies)
}

// spoil changes one byte in the middle.
func spoil(file []byte) []byte {
	if len(file) > 0 {
		file[len(file)/2] ^= 1
	}
	return file
}

// spoilEnds changes the first byte and the last.
func spoilEnds(file []byte) []byte {
	file[0] ^= 1
	file[len(file)-1] ^= 1
	return file
}

func directed(d Direction, lies []Lie) []Lie {
	for i := range lies {
		lies[i].Direction = d
	}
	return lies
}
