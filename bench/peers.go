package main

import (
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// The names of what is compared that are not names of programs.
const (
	xftp          = "xftp"
	kernel        = "xftp --net kernel"
	kernelSockets = "kernel sockets" // package ftpclient over package net
)

// A task is a job with everything filled in.
type task struct {
	job
	active bool     // the server opens the data connections
	ca     string   // file with the authority of the server's certificate; empty without TLS
	url    string   // of the file or, with a / at its end, of the directory
	local  string   // file that is uploaded
	out    string   // file or directory that a download goes to; os.DevNull for nowhere
	list   string   // file that names the URLs of the files of a tree, one a line
	files  []string // names of the files of a tree
}

// A peer is a program, found on this machine, that is told what to do.
type peer struct {
	name    string
	program lab.Program
	words   func(t task) []string // arguments, nil if it cannot do that
}

// findPeer looks for a peer; the error says why it is not there.
func (b *bench) findPeer(name string) (peer, error) {
	switch name {
	case xftp:
		// In copy and zero-copy mode there are counters to print.
		return peer{name, lab.Program{Path: b.o.program}, func(t task) []string {
			words := xftpWords(t)
			if words == nil {
				return nil
			}
			words = append(words, "--iface", b.site.iface, "--address", b.site.address, "--stats", "-q")
			if b.o.gateway != "" {
				words = append(words, "--gateway", b.o.gateway)
			}
			return words
		}}, nil
	case kernel:
		return peer{name, lab.Program{Path: b.o.program}, func(t task) []string {
			words := xftpWords(t)
			if words == nil {
				return nil
			}
			return append(words, "--net", "kernel", "-q")
		}}, nil
	}
	words, ok := map[string]func(task) []string{"curl": curlWords, "lftp": lftpWords, "aria2c": aria2Words, "wget": wgetWords}[name]
	if !ok {
		return peer{}, fmt.Errorf("there is no peer %q", name)
	}
	p, err := lab.FindProgram(name)
	return peer{name, p, words}, err
}

func xftpWords(t task) []string {
	if t.ca != "" {
		ca := t.ca
		t.ca = ""
		return append(xftpWords(t), "--cacert", ca)
	}
	if t.active {
		t.active = false
		return append(xftpWords(t), "--active")
	}
	switch t.verb {
	case discard, toFile:
		return []string{"get", t.url, "-o", t.out}
	case segments:
		return []string{"get", t.url, "-o", t.out, "-n", strconv.Itoa(t.conns)}
	case tree:
		return []string{"get", "-r", t.url, "-o", t.out + "/", "--parallel", strconv.Itoa(t.conns)}
	case mirror:
		return []string{"mirror", t.url, t.out + "/", "--parallel", strconv.Itoa(t.conns)}
	case upload:
		return []string{"put", t.local, t.url}
	case cat:
		return []string{"cat", t.url}
	}
	return nil
}

// Over TLS all use the cipher that xftp and vsftpd agree upon. By themselves the
// others would have one with a longer key, and be slower for it.
const (
	opensslCipher = "TLS_AES_128_GCM_SHA256"
	gnutlsCipher  = "NORMAL:-CIPHER-ALL:+AES-128-GCM"
)

// curlWords: without its directory changes, which cost it round trips.
func curlWords(t task) []string {
	words := []string{"-q", "-sS", "--ftp-method", "nocwd"}
	if t.ca != "" {
		words = append(words, "--ssl-reqd", "--cacert", t.ca, "--tls13-ciphers", opensslCipher)
		t.url = t.otherURL("ftp")
	}
	if t.active {
		words = append(words, "-P", "-")
	}
	switch t.verb {
	case discard, toFile:
		return append(words, "-o", t.out, t.url)
	case tree:
		if t.conns > 1 {
			words = append(words, "-Z", "--parallel-immediate", "--parallel-max", strconv.Itoa(t.conns))
		}
		first, last := t.files[0], t.files[len(t.files)-1] // f0000 to f0999
		return append(words, "-o", t.out+"/f#1", t.url+"f["+first[1:]+"-"+last[1:]+"]")
	case upload:
		return append(words, "-T", t.local, t.url)
	case cat:
		return append(words, t.url)
	}
	return nil
}

// lftpWords: with commands sent ahead of replies. To nowhere means to standard
// output, which is /dev/null: as a file it might be replaced.
func lftpWords(t task) []string {
	script := "set ftp:sync-mode off; set net:max-retries 2; set cmd:fail-exit yes; "
	if t.ca != "" {
		// It protects no anonymous sessions unless it is told to.
		script += "set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ftp:ssl-allow-anonymous yes; set ssl:ca-file " + t.ca + "; set ssl:priority " + gnutlsCipher + "; "
		t.url = t.otherURL("ftp")
	}
	if t.active {
		script += "set ftp:passive-mode no; "
	}
	switch t.verb {
	case discard, cat:
		if t.out != "" && t.out != devNull {
			script += "get " + t.url + " -o " + t.out
		} else {
			script += "cat " + t.url
		}
	case toFile:
		script += "get " + t.url + " -o " + t.out
	case segments:
		script += fmt.Sprintf("pget -n %d %s -o %s", t.conns, t.url, t.out)
	case tree, mirror:
		script += fmt.Sprintf("mirror --parallel=%d %s %s", t.conns, t.url, t.out)
	case upload:
		script += "put " + t.local + " -o " + t.url
	default:
		return nil
	}
	return []string{"--norc", "-c", script}
}

// aria2Words: it cannot download to nowhere, nor upload.
func aria2Words(t task) []string {
	words := []string{"--no-conf", "-q", "--file-allocation=none", "--allow-overwrite=true", "--auto-file-renaming=false"}
	conns := strconv.Itoa(t.conns)
	switch t.verb {
	case toFile, segments:
		return append(words, "-x"+conns, "-s"+conns, "-k1M", "-d", filepath.Dir(t.out), "-o", filepath.Base(t.out), t.url)
	case tree:
		return append(words, "-x1", "-s1", "-j"+conns, "-d", t.out, "-i", t.list)
	}
	return nil
}

// wgetWords: it has one connection, and does not upload.
func wgetWords(t task) []string {
	words := []string{"--no-config", "-nv"}
	if t.ca != "" {
		words = append(words, "--ca-certificate="+t.ca, "--ciphers="+gnutlsCipher)
		t.url = t.otherURL("ftps") // explicit TLS all the same
	}
	switch {
	case t.verb == discard || t.verb == toFile:
		return append(words, "-O", t.out, t.url)
	case t.verb == cat:
		return append(words, "-O", "-", t.url)
	case t.verb == tree && t.conns == 1:
		depth := strings.Count(path.Clean(urlPath(t.url)), "/")
		return append(words, "-r", "-nH", "--no-parent", "--cut-dirs="+strconv.Itoa(depth), "-P", t.out, t.url)
	}
	return nil
}

// otherURL returns the URL with the scheme that a program knows TLS by.
func (t task) otherURL(scheme string) string {
	_, rest, _ := strings.Cut(t.url, "://")
	return scheme + "://" + rest
}

// urlPath returns what follows the host in a URL.
func urlPath(u string) string {
	_, rest, _ := strings.Cut(u, "://")
	_, p, _ := strings.Cut(rest, "/")
	return "/" + p
}
