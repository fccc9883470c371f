package ftpclient_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// All connections of all Clients that have one Limiter share its rate.
func ExampleLimiter() {
	cfg, stop := demo(&ftptest.Site{Files: map[string]string{"motd": "Hello, world.\n"}})
	defer stop()
	cfg.Limiter = ftpclient.NewLimiter(2_500_000) // bytes per second

	ctx := context.Background()
	c, err := ftpclient.Dial(ctx, "ftp://192.0.2.2/", cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	result, err := c.Retr(ctx, "motd", os.Stdout, nil)
	fmt.Println(result.Bytes, err)
	// Output:
	// Hello, world.
	// 14 <nil>
}
