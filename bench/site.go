package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/seed-54eb6215/xftp/internal/lab"
)

// A site is where a case is measured: a client's interface and a server. It is
// a lab, or what the user names.
type site struct {
	iface   string // of the client
	address string // an unused one of its subnet, for xftp, as CIDR
	base    string // URL of the root, with a / at its end

	// root is the directory that the server serves, if it is on this machine.
	root string
	lab  *lab.Lab // nil if it is real
	kind lab.Kind

	server  *lab.Server
	traffic *os.File // counters of the interface that the bytes of a series are read from
}

// newLabSite makes a lab with a server of the content below root.
func newLabSite(ctx context.Context, c testCase, mtu int, root string) (s *site, err error) {
	l, kind := c.link, c.kind
	if l.mtu != 0 {
		mtu = l.mtu
	}
	if kind == lab.Embedded {
		kind = lab.Vsftpd
	}
	s = &site{root: root, kind: kind}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	cfg := lab.Config{MTU: mtu, Offload: l.offload, Threaded: l.threaded}
	if l.delay != 0 || l.loss != 0 { // else the hosts are joined directly
		cfg.Impairment = lab.Impairment{Delay: l.delay, Loss: l.loss, Seed: 1}
	}
	s.lab, err = lab.New(ctx, cfg)
	if err != nil {
		return s, err
	}
	s.server, err = s.lab.Server.StartServer(ctx, lab.ServerConfig{Kind: kind, Root: root, TLS: c.tls})
	if err != nil {
		return s, err
	}
	s.iface, s.address = s.lab.Client.Interface, s.lab.Client.OwnIPv4.String()
	s.base = s.server.URL("")
	// The server's end: at the client's, frames for AF_XDP are not counted
	// by every driver.
	err = s.lab.Server.Do(func() (err error) {
		s.traffic, err = os.Open("/proc/thread-self/net/dev") // of this namespace for good
		return err
	})
	return s, err
}

// newRealSite takes the machine's own interface and a server that is there.
func newRealSite(iface, address, base string) (*site, error) {
	traffic, err := os.Open("/proc/thread-self/net/dev")
	return &site{iface: iface, address: address, base: strings.TrimSuffix(base, "/") + "/", traffic: traffic}, err
}

func (s *site) close() error {
	var errs []error
	if s.traffic != nil {
		errs = append(errs, s.traffic.Close())
	}
	if s.lab != nil {
		errs = append(errs, s.lab.Close())
	}
	return errors.Join(errs...)
}

// start starts a command on the client's side. It is killed if this process
// dies.
func (s *site) start(cmd *exec.Cmd) error {
	if s.lab != nil {
		return s.lab.Client.Start(cmd)
	}
	return cmd.Start()
}

// doClient runs fn on a thread on the client's side.
func (s *site) doClient(fn func() error) error {
	if s.lab != nil {
		return s.lab.Client.Do(fn)
	}
	return fn()
}

// retransmits reads how many segments each kernel has sent again; -1 for what
// cannot be read.
func (s *site) retransmits() (server, client int64) {
	server, client = -1, -1
	if s.lab == nil {
		return server, client
	}
	if c, err := s.lab.Server.TCP(); err == nil {
		server = int64(c.RetransSegs)
	}
	if c, err := s.lab.Client.TCP(); err == nil {
		client = int64(c.RetransSegs)
	}
	return server, client
}

// transmitted reads how many bytes went towards the client so far.
func (s *site) transmitted() (int64, error) {
	if _, err := s.traffic.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	b, err := io.ReadAll(s.traffic)
	if err != nil {
		return 0, err
	}
	// proc_pid_net(5): received bytes are the first field, sent ones the ninth.
	name, field := s.iface, 0
	if s.lab != nil {
		name, field = s.lab.Server.Interface, 8
	}
	for line := range bytes.Lines(b) {
		who, values, ok := strings.Cut(string(line), ":")
		if f := strings.Fields(values); ok && strings.TrimSpace(who) == name && len(f) > field {
			return strconv.ParseInt(f[field], 10, 64)
		}
	}
	return 0, fmt.Errorf("no counters of %s", name)
}

// pinServer keeps the server, and the sessions that it starts from now on, on
// the CPUs of set.
func (s *site) pinServer(set *unix.CPUSet) error {
	if s.server == nil {
		return nil
	}
	for _, pid := range append(descendants(s.server.PID()), s.server.PID()) {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*", pid))
		if err != nil {
			return err
		}
		for _, dir := range tasks {
			tid, err := strconv.Atoi(filepath.Base(dir))
			if err != nil {
				return err
			}
			if err := unix.SchedSetaffinity(tid, set); err != nil && !errors.Is(err, unix.ESRCH) {
				return fmt.Errorf("sched_setaffinity %d: %w", tid, err)
			}
		}
	}
	return nil
}

// descendants returns the children of a process, theirs, and so on.
func descendants(pid int) []int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*/children", pid))
	var all []int
	for _, list := range lists {
		b, _ := os.ReadFile(list) // gone means that it has none
		for _, f := range strings.Fields(string(b)) {
			if child, err := strconv.Atoi(f); err == nil {
				all = append(append(all, child), descendants(child)...)
			}
		}
	}
	return all
}
