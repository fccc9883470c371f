package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/internal/lab"
)

// withServer calls f with a connection to the server over kernel sockets.
func (s *site) withServer(ctx context.Context, f func(*ftpclient.Conn, string) error) error {
	u, err := ftpclient.ParseURL(s.base)
	if err != nil {
		return err
	}
	c, err := ftpclient.Dial(ctx, s.base, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	return errors.Join(f(c, u.Path), c.Quit(ctx))
}

// publish uploads files to a server that is not ours, those that it does not
// have in that length. They are left there for the next time.
func (s *site) publish(ctx context.Context, content *content, root string) error {
	return s.withServer(ctx, func(c *ftpclient.Conn, base string) error {
		_ = c.MakeDir(ctx, base+lab.UploadDir) // it may be there
		dir := ""
		if len(content.files) > 1 {
			dir = content.name
			_ = c.MakeDir(ctx, base+dir)
		}
		for _, name := range content.files {
			local := filepath.Join(root, dir, name)
			info, err := os.Stat(local)
			if err != nil {
				return err
			}
			if size, err := c.Size(ctx, base+dir+name); err == nil && size == info.Size() {
				continue
			}
			if err := store(ctx, c, base+dir+name, local); err != nil {
				return fmt.Errorf("%s: %w", dir+name, err)
			}
		}
		return nil
	})
}

func store(ctx context.Context, c *ftpclient.Conn, path, local string) error {
	f, err := os.Open(local)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = c.Stor(ctx, path, f, nil)
	return err
}

// checkUpload downloads what was uploaded and compares it.
func (s *site) checkUpload(ctx context.Context, content *content) error {
	return s.withServer(ctx, func(c *ftpclient.Conn, base string) error {
		h := sha256.New()
		if _, err := c.Retr(ctx, base+uploaded, h, nil); err != nil {
			return err
		}
		if digest(h.Sum(nil)) != content.sums[content.files[0]] {
			return errors.New("what was uploaded is not what was sent")
		}
		return nil
	})
}

func (s *site) removeUpload(ctx context.Context) error {
	return s.withServer(ctx, func(c *ftpclient.Conn, base string) error {
		var reply *ftpclient.ReplyError
		if err := c.Delete(ctx, base+uploaded); err != nil && !errors.As(err, &reply) {
			return err
		}
		return nil
	})
}
