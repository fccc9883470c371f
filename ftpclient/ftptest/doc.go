// Package ftptest holds an FTP server that says what a test tells it to say.
//
// A [Script] is a dialogue: the lines that the client must send, the lines that
// the server answers, and what happens on the data connection. It plays over
// any pair of a listener and a dialer; [Network] is one in memory, which also
// works within a bubble of testing/synctest, and [Kernel] is the real one. The
// server has no opinions: it lies, dawdles and hangs up as the script says.
//
//	server := ftptest.Serve(ln, network.Host("192.0.2.2"),
//		ftptest.Login(),
//		ftptest.Exchange("TYPE I", "200 ok"),
//		ftptest.Exchange("SIZE f", "213 5"),
//		ftptest.EPSV(),
//		ftptest.Exchange("RETR f", "150 here it comes"),
//		ftptest.Write("hello"), ftptest.CloseData(),
//		ftptest.Send("226 done"))
//	defer server.Close()
package ftptest
