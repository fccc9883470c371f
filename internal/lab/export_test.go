package lab

import "github.com/vishvananda/netlink"

// NumRxQueues returns how many receive queues an interface of the thread's
// namespace has.
func NumRxQueues(index int) (int, error) {
	link, err := netlink.LinkByIndex(index)
	if err != nil {
		return 0, err
	}
	return link.Attrs().NumRxQueues, nil
}
