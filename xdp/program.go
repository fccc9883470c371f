package xdp

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// ProgramConfig says how to attach a [Program]. The zero value attaches it in
// the driver, or generically where the driver has no XDP.
type ProgramConfig struct {
	// Generic attaches the program in generic mode without trying the driver.
	Generic bool

	// NativeOnly refuses generic mode where the driver has no XDP.
	NativeOnly bool

	// Queues is the number of queues of the interface. If zero, it is read
	// with [Queues].
	Queues int
}

// Program is the steering program on one interface. It hands xftp's own
// frames to the sockets that are registered with it and everything else to
// the kernel. The kernel detaches it when the process ends, however it ends.
//
// Its methods may be called by several goroutines at once, while frames flow.
type Program struct {
	ifindex int
	queues  int
	generic bool

	mu      sync.Mutex
	objects *steerObjects // nil after Close
	link    link.Link
}

// LoadProgram loads the steering program and attaches it to an interface of
// the calling thread's network namespace. It is switched off and matches
// nothing yet.
//
// Errors: *[IncumbentError] if another program is attached already; else
// *[OpError], which wraps the kernel's errno (EPERM without CAP_NET_ADMIN and
// CAP_BPF, ENODEV for an unknown interface).
func LoadProgram(ifindex int, cfg ProgramConfig) (*Program, error) {
	facts, err := readLink(ifindex)
	if err != nil {
		return nil, opError("attach", err)
	}
	queues := cfg.Queues
	if queues == 0 {
		if queues, err = Queues(ifindex); err != nil {
			return nil, err
		}
	}
	objects, err := loadObjects(queues)
	if err != nil {
		return nil, opError("load program", err)
	}
	p := &Program{ifindex: ifindex, queues: queues, objects: objects}
	if err := p.attach(cfg); err != nil {
		objects.Close()
		return nil, attachError(ifindex, facts.mtu, err)
	}
	return p, nil
}

// loadObjects loads the program and its maps, with a slot for the socket of
// each queue.
func loadObjects(queues int) (*steerObjects, error) {
	spec, err := loadSteer()
	if err != nil {
		return nil, err
	}
	spec.Maps[steerMapXftpSockets].MaxEntries = uint32(queues)
	objects := new(steerObjects)
	if err := spec.LoadAndAssign(objects, nil); err != nil {
		return nil, err
	}
	return objects, nil
}

func (p *Program) attach(cfg ProgramConfig) error {
	options := link.XDPOptions{Program: p.objects.XftpSteer, Interface: p.ifindex, Flags: link.XDPDriverMode}
	if !cfg.Generic {
		l, err := link.AttachXDP(options)
		if err == nil {
			p.link = l
			return nil
		}
		if cfg.NativeOnly || !errors.Is(err, unix.EOPNOTSUPP) {
			return err
		}
	}
	options.Flags = link.XDPGenericMode
	l, err := link.AttachXDP(options)
	if err != nil {
		return err
	}
	p.link, p.generic = l, true
	return nil
}

// attachError says why a program could not be attached.
func attachError(ifindex, mtu int, err error) error {
	if errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EEXIST) {
		if facts, err := readLink(ifindex); err == nil {
			if err := facts.incumbent(); err != nil {
				return err
			}
		}
	}
	e := opError("attach", err)
	switch {
	case errors.Is(err, unix.ERANGE), errors.Is(err, unix.EINVAL):
		e.Err = fmt.Errorf("the driver refuses a program, perhaps because the MTU of the link or of its peer is too large (it is %d here): %w", mtu, err)
	case errors.Is(err, unix.EOPNOTSUPP):
		e.Err = fmt.Errorf("the driver cannot run an XDP program as the interface is set up: %w", err)
	case errors.Is(err, unix.ENOMEM):
		e.Err = fmt.Errorf("the driver has no queues left for XDP; fewer channels may help: %w", err)
	}
	return e
}

// incumbent returns an *IncumbentError if a program is attached.
func (f *linkFacts) incumbent() error {
	modes := [...]struct {
		attached uint8
		name     string
	}{
		{xdpAttachedDriver, "native"},
		{xdpAttachedGeneric, "generic"},
		{xdpAttachedOffload, "hardware"},
	}
	for _, m := range modes {
		id, ok := f.programs[m.attached]
		if !ok {
			continue
		}
		return &IncumbentError{ID: id, Name: programName(id), Attached: m.name}
	}
	return nil
}

// programName returns the name of a loaded program, or "".
func programName(id uint32) string {
	program, err := ebpf.NewProgramFromID(ebpf.ProgramID(id))
	if err != nil {
		return ""
	}
	defer program.Close()
	info, err := program.Info()
	if err != nil {
		return ""
	}
	return info.Name
}

// Generic says that the program is attached in generic mode.
func (p *Program) Generic() bool { return p.generic }

// Queues returns the number of queues that sockets can be registered for: what
// the interface had before the program was attached.
func (p *Program) Queues() int { return p.queues }

// Allow makes the program take what m describes. It may be called again with
// the same match. An address holds up to 16 port ranges; one more is an error
// that wraps [unix.ENOSPC].
func (p *Program) Allow(m Match) error {
	return p.change("allow", m, (*steerMatch).add)
}

// Revoke takes back one Allow of the same match. Frames that were redirected
// before are still delivered. If the match was not allowed the error wraps
// [fs.ErrNotExist].
func (p *Program) Revoke(m Match) error {
	return p.change("revoke", m, (*steerMatch).remove)
}

// change replaces an address's entry in the filter; the program sees either
// the old one or the new one.
func (p *Program) change(op string, m Match, apply func(*steerMatch, Match) error) error {
	key, err := m.key()
	if err != nil {
		return opError(op+" "+m.String(), err)
	}
	return p.do(op+" "+m.String(), func(o *steerObjects) error {
		var entry steerMatch
		err := o.XftpMatches.Lookup(key, &entry)
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return err
		}
		if err := apply(&entry, m); err != nil {
			return err
		}
		if entry.empty() {
			return o.XftpMatches.Delete(key)
		}
		return o.XftpMatches.Put(key, entry)
	})
}

// Register makes frames of a queue go to s, which must be bound to that queue
// of the program's interface.
func (p *Program) Register(queue int, s *Socket) error {
	return p.do("register socket", func(o *steerObjects) error {
		switch {
		case queue < 0 || queue >= p.queues:
			return fmt.Errorf("queue %d of %d: %w", queue, p.queues, unix.EINVAL)
		case s.ifindex != p.ifindex || s.info.Queue != queue:
			return fmt.Errorf("socket is bound to queue %d of interface %d: %w", s.info.Queue, s.ifindex, unix.EINVAL)
		}
		return s.withDescriptor(func(fd int) error {
			return o.XftpSockets.Put(uint32(queue), uint32(fd))
		})
	})
}

// Unregister makes frames of a queue go to the kernel. It is not an error if
// the queue has no socket: the kernel removes a socket itself when the socket
// is closed.
func (p *Program) Unregister(queue int) error {
	return p.do("unregister socket", func(o *steerObjects) error {
		err := o.XftpSockets.Delete(uint32(queue))
		if errors.Is(err, ebpf.ErrKeyNotExist) || errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

// Enable switches the filter on or off. While it is off every frame goes to
// the kernel.
func (p *Program) Enable(on bool) error {
	return p.do("enable filter", func(o *steerObjects) error {
		var value uint32
		if on {
			value = 1
		}
		return o.XftpSwitch.Put(uint32(0), value)
	})
}

// do runs f with the program's maps, unless the program is closed.
func (p *Program) do(op string, f func(*steerObjects) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.objects == nil {
		return &OpError{Op: op, Err: net.ErrClosed}
	}
	if err := f(p.objects); err != nil {
		return opError(op, err)
	}
	return nil
}

// Close switches the filter off, detaches the program and frees it and its
// maps. Further calls do nothing.
func (p *Program) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.objects == nil {
		return nil
	}
	err := errors.Join(p.link.Close(), p.objects.Close())
	p.objects = nil
	if err != nil {
		return opError("detach", err)
	}
	return nil
}
