package ftpclient_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// demo starts a scripted server on an in-memory network. A program for real
// networks needs no Config: the default is the kernel's network.
func demo(script ...ftptest.Script) (*ftptest.Server, *ftpclient.Config) {
	var network ftptest.Network
	host := network.Host("192.0.2.2")
	ln, err := host.Listen(context.Background(), "tcp", "192.0.2.2:21")
	if err != nil {
		log.Fatal(err)
	}
	server := ftptest.Serve(ln, host, append([]ftptest.Script{ftptest.Login()}, script...)...)
	return server, &ftpclient.Config{Dialer: network.Host("192.0.2.1")}
}

func ExampleConn_Retr() {
	server, cfg := demo(
		ftptest.Exchange("TYPE I", "200 binary"),
		ftptest.Exchange("SIZE motd", "213 14"),
		ftptest.EPSV(),
		ftptest.Exchange("RETR motd", "150 here it comes"),
		ftptest.Write("Hello, world.\n"), ftptest.CloseData(),
		ftptest.Send("226 done"),
		ftptest.Exchange("QUIT", "221 bye"))
	defer server.Close()

	ctx := context.Background()
	c, err := ftpclient.Dial(ctx, "ftp://192.0.2.2/", cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	result, err := c.Retr(ctx, "motd", os.Stdout, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d bytes, verified by %v\n", result.Bytes, result.Verified)
	if err := c.Quit(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// Hello, world.
	// 14 bytes, verified by size
}

// A refusal leaves the Conn usable; a short file is an error even if the
// server calls it complete.
func ExampleReplyError() {
	server, cfg := demo(
		ftptest.Exchange("TYPE I", "200 binary"),
		ftptest.Exchange("SIZE missing", "550 No such file"),
		ftptest.EPSV(), ftptest.Exchange("RETR missing", "550 No such file"),
		ftptest.Exchange("SIZE motd", "213 14"),
		ftptest.EPSV(), ftptest.Exchange("RETR motd", "150 here it comes"),
		ftptest.Write("Hello"), ftptest.CloseData(),
		ftptest.Send("226 done"))
	defer server.Close()

	ctx := context.Background()
	c, err := ftpclient.Dial(ctx, "ftp://192.0.2.2/", cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	_, err = c.Retr(ctx, "missing", os.Stdout, nil)
	var refusal *ftpclient.ReplyError
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Code, refusal.Text, refusal.Temporary(), c.Usable())
	}
	_, err = c.Retr(ctx, "motd", os.Stdout, nil)
	fmt.Println()
	fmt.Println(err)
	// Output:
	// 550 No such file false true
	// Hello
	// ftpclient: retr: 5 bytes arrived, the file has 14
}

func ExampleParseURL() {
	u, err := ftpclient.ParseURL("ftp://ann:secret@[2001:db8::1]:2121/%2Fetc/motd;type=a")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(u)
	fmt.Println(u.Address(), u.Path, string(u.Type))
	// Output:
	// ftp://ann:xxxxx@[2001:db8::1]:2121/%2Fetc/motd;type=a
	// [2001:db8::1]:2121 /etc/motd A
}
