package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// uploaded is the name that uploads get.
const uploaded = lab.UploadDir + "/back"

// task fills in a job. If keep is set, a download to nowhere goes to a file.
func (b *bench) task(j job, c *content, keep bool) (task, error) {
	t := task{job: j, ca: b.site.caFile(), url: b.site.base + c.name, files: c.files}
	switch j.verb {
	case discard, cat:
		t.out = devNull
		if keep {
			t.out = filepath.Join(b.out, "file")
			t.verb = discard // cat, too: to the file
		}
	case toFile, segments:
		t.out = filepath.Join(b.out, "file")
	case tree, mirror:
		t.out = filepath.Join(b.out, "tree")
		if err := os.MkdirAll(t.out, 0o755); err != nil {
			return t, err
		}
		t.list = filepath.Join(b.out, "list")
		var urls strings.Builder
		for _, name := range c.files {
			urls.WriteString(t.url + name + "\n")
		}
		return t, os.WriteFile(t.list, []byte(urls.String()), 0o644)
	case upload:
		t.local = filepath.Join(b.root, c.name)
		t.url = b.site.base + uploaded
	case noop, drain:
		return t, errors.New("no program does that")
	}
	return t, nil
}

// verify compares what was moved with what should have been, and says how.
func (b *bench) verify(ctx context.Context, t task, c *content) (string, error) {
	const how = "sha256"
	switch {
	case t.verb == upload && b.site.lab == nil:
		return how, b.site.checkUpload(ctx, c)
	case t.verb == upload:
		return how, c.check(filepath.Join(b.root, uploaded))
	case t.out == devNull:
		return "sha256 of the warm-up, which went to a file", nil
	}
	return how, c.check(t.out)
}

// cleanUp removes what a run has left, also one that failed.
func (b *bench) cleanUp(ctx context.Context, t task) error {
	if t.verb == upload {
		if b.site.lab == nil {
			return b.site.removeUpload(ctx)
		}
		return emptyDir(filepath.Join(b.root, lab.UploadDir))
	}
	return emptyDir(b.out)
}

// emptyDir removes what is in a directory: parts of files, too.
func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	var errs []error
	for _, e := range entries {
		errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return errors.Join(append(errs, err)...)
}
