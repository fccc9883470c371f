package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// A digest is a SHA-256.
type digest [sha256.Size]byte

// content is the files of a set, made below a directory.
type content struct {
	name  string            // of the file or, with a / at its end, of the directory
	sums  map[string]digest // by the last part of the name
	files []string          // names in order
	bytes int64             // together
}

// shape says what is in a set: how many files of what length, and where.
func (s set) shape(size int64) (name string, n int, each int64) {
	switch s {
	case big:
		return "file", 1, size
	case tenth:
		return "tenth", 1, max(size/10, 1)
	case hundredth:
		return "hundredth", 1, max(size/100, 1)
	case many:
		return "many/", 64, max(size/64, 1)
	case small:
		return "small/", 1000, 4096
	case tenThousand:
		return "tenthousand/", 10_000, 4096
	case tiny:
		return "tiny", 1, 1024
	}
	return "", 0, 0
}

// make makes the files of a set below root, with bytes that are random and the
// same each time.
func (s set) make(root string, size int64) (*content, error) {
	name, n, each := s.shape(size)
	c := &content{name: name, sums: make(map[string]digest), bytes: int64(n) * each}
	random := rand.NewChaCha8([32]byte{byte(s)})
	if n == 0 {
		return c, nil
	}
	if n == 1 {
		sum, err := writeRandom(filepath.Join(root, name), random, each)
		c.files, c.sums[name] = []string{name}, sum
		return c, err
	}
	dir := filepath.Join(root, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	width := len(fmt.Sprint(n - 1))
	for i := range n {
		file := fmt.Sprintf("f%0*d", width, i)
		sum, err := writeRandom(filepath.Join(dir, file), random, each)
		if err != nil {
			return nil, err
		}
		c.files, c.sums[file] = append(c.files, file), sum
	}
	return c, nil
}

func writeRandom(path string, random io.Reader, size int64) (sum digest, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return sum, err
	}
	h := sha256.New()
	_, err = io.CopyN(io.MultiWriter(f, h), random, size)
	h.Sum(sum[:0])
	return sum, errors.Join(err, f.Close())
}

func hashFile(path string) (sum digest, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	h.Sum(sum[:0])
	return sum, err
}

// check compares what lies at path, a file or a tree, with the content. In a
// tree it may lie at any depth: where a program puts it is its own affair.
func (c *content) check(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		sum, err := hashFile(path)
		if err == nil && sum != c.sums[c.files[0]] {
			err = errors.New("what came is not what was sent")
		}
		return err
	}
	seen := make(map[string]bool)
	err = filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		want, ok := c.sums[d.Name()]
		if !ok || seen[d.Name()] {
			return fmt.Errorf("unexpected file %s", path)
		}
		seen[d.Name()] = true
		sum, err := hashFile(path)
		if err == nil && sum != want {
			err = fmt.Errorf("%s is not what was sent", d.Name())
		}
		return err
	})
	if err == nil && len(seen) != len(c.sums) {
		err = fmt.Errorf("%d files of %d came", len(seen), len(c.sums))
	}
	return err
}
