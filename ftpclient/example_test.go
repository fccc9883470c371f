package ftpclient_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// demo starts a server on a network in memory; stop ends it. A program for real
// networks needs no Config: the default is the kernel's network.
func demo(site *ftptest.Site) (cfg *ftpclient.Config, stop func()) {
	var network ftptest.Network
	host := network.Host("192.0.2.2")
	ln, err := host.Listen(context.Background(), "tcp", "192.0.2.2:21")
	if err != nil {
		log.Fatal(err)
	}
	site.Start(ln, host)
	return &ftpclient.Config{Dialer: network.Host("192.0.2.1")}, site.Close
}

func ExampleConn_Retr() {
	cfg, stop := demo(&ftptest.Site{Files: map[string]string{"motd": "Hello, world.\n"}})
	defer stop()

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

// Progress is told while bytes move.
func ExampleTransferOptions() {
	cfg, stop := demo(&ftptest.Site{Files: map[string]string{"motd": "Hello, world.\n"}})
	defer stop()

	ctx := context.Background()
	c, err := ftpclient.Dial(ctx, "ftp://192.0.2.2/", cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	_, err = c.Retr(ctx, "motd", io.Discard, &ftpclient.TransferOptions{
		Progress: func(done, total int64) { fmt.Printf("%d of %d bytes\n", done, total) },
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output: 14 of 14 bytes
}

// A command that there is no method for.
func ExampleConn_Command() {
	cfg, stop := demo(&ftptest.Site{
		Files: map[string]string{"motd": "Hello, world.\n"}, Refuse: map[string]string{"SITE IDLE 600": "200 Idle time is 600 seconds"},
	})
	defer stop()

	ctx := context.Background()
	c, err := ftpclient.Dial(ctx, "ftp://192.0.2.2/", cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	reply, err := c.Command(ctx, "SITE IDLE 600")
	fmt.Println(reply.Code, reply.Text(), err)
	_, err = c.Command(ctx, "XYZZY")
	fmt.Println(err)
	// Output:
	// 200 Idle time is 600 seconds <nil>
	// ftpclient: command: 500 what
}

// A refusal leaves the Conn usable; a short file is an error even if the
// server calls it complete.
func ExampleReplyError() {
	cfg, stop := demo(&ftptest.Site{
		Files: map[string]string{"motd": "Hello, world.\n"},
		Fault: func(_, _ int, line string) ftptest.Fault { return ftptest.Fault{Short: line == "RETR motd", Bytes: 5} },
	})
	defer stop()

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
	// 550 no such file false true
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
