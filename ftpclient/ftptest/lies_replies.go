package ftptest

import (
	"fmt"
	"strings"
)

// replyLies are about the form of replies.
func replyLies() []Lie {
	const done = "226 done"
	long := strings.Repeat("and so on ", 800)
	lies := []Lie{
		{
			Name: "no-150", Truth: Honest, Does: "sends the file and 226, without 150",
			plan: plan{retr: []step{open, meanwhile(send(lieSize), finish), say(done)}},
		},
		{
			Name: "one-packet", Truth: Honest, Does: "sends the file, and 150 and 226 in one packet",
			plan: plan{retr: []step{open, meanwhile(send(lieSize), finish), saw("150 here it comes\r\n226 done\r\n")}},
		},
		{
			Name: "one-packet-short", Truth: Detectable, Does: "150 and 226 in one packet, then 60 000 bytes",
			plan: plan{retr: []step{open, saw("150 here it comes\r\n226 done\r\n"), send(lieShort), finish}},
		},
		{
			Name: "byte-by-byte", Truth: Honest, Does: "sends each byte of each reply on its own",
			plan: plan{write: byteByByte},
		},
		{
			Name: "byte-by-byte-short", Truth: Detectable, Does: "the same, and 60 000 bytes of data",
			plan: plan{write: byteByByte, retr: shortFile(say(done))},
		},
		{
			Name: "reply-in-halves", Truth: Honest, Does: "sends the file and half of the 226, the other half later",
			plan: plan{retr: wholeFile(saw("22"), pause, saw("6 done\r\n"))},
		},
		{
			Name: "half-a-reply", Truth: Detectable, Does: "sends the file and 226 without the end of the line, then hangs up",
			plan: plan{retr: wholeFile(saw("226 do"), hangUp)},
		},
		{
			Name: "endless-reply", Truth: Detectable, Silent: true, Does: "sends the file and the first line of a reply of several, then nothing",
			plan: plan{retr: wholeFile(saw("226-done\r\n more\r\n"), mute)},
		},
		{
			Name: "huge-reply", Truth: Honest, Does: "sends the file and a 226 of 2000 lines",
			plan: plan{retr: wholeFile(saw("226-done\r\n" + strings.Repeat(" and more\r\n", 2000) + "226 end\r\n"))},
		},
		{
			Name: "long-reply", Truth: Honest, Does: "sends the file and a 226 of one line of 8 000 bytes",
			plan: plan{retr: wholeFile(say("226 done " + long))},
		},
		{
			Name: "flood", Truth: Detectable, Does: "sends the file and, instead of a final reply, 4 MB without the end of a line",
			plan: plan{retr: wholeFile(saw("226 "+strings.Repeat(long, 500)), hangUp)},
		},
		{
			Name: "nul", Truth: Honest, Does: "sends the file and replies with NUL bytes in their text",
			plan: plan{write: func(v *lieSession, text string) error { return v.write(strings.Replace(text, " ", " \x00", 1)) }},
		},
		{
			Name: "bare-lf", Truth: Honest, Does: "sends the file and replies whose lines end in LF alone",
			plan: plan{write: func(v *lieSession, text string) error { return v.write(strings.ReplaceAll(text, "\r\n", "\n")) }},
		},
		{
			Name: "bare-lf-short", Truth: Detectable, Does: "the same, and 60 000 bytes of data",
			plan: plan{
				write: func(v *lieSession, text string) error { return v.write(strings.ReplaceAll(text, "\r\n", "\n")) },
				retr:  shortFile(say(done)),
			},
		},
		{
			Name: "226-within-426", Truth: Detectable, Unsized: true, Does: "sends 60 000 bytes and a 426 with a line in it that begins with 226; nothing tells the size",
			plan: plan{retr: shortFile(say("426-broken", "226 done", "426 end")), refuse: noSize},
		},
		{
			Name: "unknown-2yz", Truth: Honest, Does: "sends the file, then 299",
			plan: plan{retr: wholeFile(say("299 done, in a way"))},
		},
		{
			Name: "unknown-6yz", Truth: Detectable, Does: "sends the file, then 666",
			plan: plan{retr: wholeFile(say("666 done"))},
		},
		{
			Name: "final-3yz", Truth: Detectable, Does: "sends the file, then 350 as if more were to come",
			plan: plan{retr: wholeFile(say("350 and now"))},
		},
		{
			Name: "code-000", Truth: Detectable, Does: "sends the file, then 000",
			plan: plan{retr: wholeFile(say("000 done"))},
		},
		{
			Name: "junk", Truth: Detectable, Does: "sends the file, then a line without a code",
			plan: plan{retr: wholeFile(say("done, I think"))},
		},
		{
			Name: "junk-150", Truth: Detectable, Does: "sends a line without a code instead of 150, then the file and 226",
			plan: plan{retr: []step{open, say("here it comes"), meanwhile(send(lieSize), finish), say(done)}},
		},
		{
			Name: "226-twice", Truth: Honest, Does: "sends the file, then 226 twice",
			plan: plan{retr: wholeFile(say(done, done))},
		},
	}
	return directed(Download, lies)
}

func byteByByte(v *lieSession, text string) error {
	for i := range len(text) {
		if err := v.write(text[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

// passiveLies are about where the server listens.
func passiveLies() []Lie {
	noEPSV := map[string]string{"EPSV": "502 what"}
	fixed := func(reply string) func(*lieSession, int) string {
		return func(*lieSession, int) string { return reply }
	}
	lies := []Lie{
		{
			Name: "epsv-port", Truth: Honest, Does: "names a port in its answer to EPSV where nobody listens; PASV is right",
			plan: plan{epsv: func(v *lieSession, _ int) string { return fmt.Sprintf("229 Extended (|||%d|)", v.nowhere()) }},
		},
		{
			Name: "epsv-junk", Truth: Honest, Does: "answers EPSV with 229 and no port; PASV is right",
			plan: plan{epsv: fixed("229 Extended (||||)")},
		},
		{
			Name: "epsv-range", Truth: Honest, Does: "answers EPSV with port 70000; PASV is right",
			plan: plan{epsv: fixed("229 Extended (|||70000|)")},
		},
		{
			Name: "pasv-host", Truth: Honest, Does: "names another host in its answer to PASV, and the right port; no EPSV",
			plan: plan{refuse: noEPSV, pasv: func(_ *lieSession, port int) string { return pasvReply("192.0.2.200", port) }},
		},
		{
			Name: "pasv-bare", Truth: Honest, Does: "answers PASV without parentheses; no EPSV",
			plan: plan{refuse: noEPSV, pasv: func(v *lieSession, port int) string {
				return strings.NewReplacer("(", "=", ")", "").Replace(pasvReply(v.host(), port))
			}},
		},
		{
			Name: "pasv-port", Truth: Detectable, Does: "names a port in its answer to PASV where nobody listens; no EPSV",
			plan: plan{refuse: noEPSV, pasv: func(v *lieSession, _ int) string { return pasvReply(v.host(), v.nowhere()) }},
		},
		{
			Name: "pasv-junk", Truth: Detectable, Does: "answers PASV with 227 and no address; no EPSV",
			plan: plan{refuse: noEPSV, pasv: fixed("227 Entering ) ( Passive Mode")},
		},
		{
			Name: "pasv-range", Truth: Detectable, Does: "answers PASV with numbers above 255; no EPSV",
			plan: plan{refuse: noEPSV, pasv: fixed("227 Entering Passive Mode (127,0,0,1,1000,1000)")},
		},
		{
			Name: "pasv-zero", Truth: Detectable, Does: "answers PASV with port 0; no EPSV",
			plan: plan{refuse: noEPSV, pasv: fixed("227 Entering Passive Mode (127,0,0,1,0,0)")},
		},
		{
			Name: "passive-refused", Truth: Detectable, Does: "refuses EPSV and PASV",
			plan: plan{refuse: map[string]string{"EPSV": "502 what", "PASV": "502 what"}},
		},
	}
	for i := range lies {
		lies[i].Passive, lies[i].Everywhere = true, lies[i].Truth == Detectable
	}
	return directed(Download, lies)
}
