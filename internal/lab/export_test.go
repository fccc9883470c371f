package lab

import (
	"path/filepath"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

// DoIn is Host.Do for any namespace that has a name.
func DoIn(name string, fn func() error) error {
	ns := &namespace{name: name}
	var err error
	if ns.handle, err = netns.GetFromPath(filepath.Join(netnsDir, name)); err != nil {
		return err
	}
	defer ns.handle.Close()
	return ns.do(fn)
}

// NumRxQueues returns how many receive queues an interface of the thread's
// namespace has.
func NumRxQueues(index int) (int, error) {
	link, err := netlink.LinkByIndex(index)
	if err != nil {
		return 0, err
	}
	return link.Attrs().NumRxQueues, nil
}
