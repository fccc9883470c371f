package lab

import (
	"fmt"
	"strings"

	"github.com/safchain/ethtool"
)

// makeWireTrue sets the features of an interface so that what it sends is
// what a cable would carry. It runs in the interface's namespace.
func makeWireTrue(iface string) error {
	e, err := ethtool.NewEthtool()
	if err != nil {
		return err
	}
	defer e.Close()
	states, err := e.FeaturesWithState(iface)
	if err != nil {
		return fmt.Errorf("read features of %s: %w", iface, err)
	}
	want := make(map[string]bool)
	for name, state := range states {
		if !state.Available || state.NeverChanged {
			continue
		}
		if on, ok := wireTrue(name); ok && on != state.Active {
			want[name] = on
		}
	}
	if len(want) == 0 {
		return nil
	}
	if err := e.Change(iface, want); err != nil {
		return fmt.Errorf("change features of %s: %w", iface, err)
	}
	return nil
}

// wireTrue says whether a feature is to be on, for those that matter. The
// names are those of ethtool -k in the kernel's own spelling.
func wireTrue(feature string) (on, matters bool) {
	switch {
	case strings.HasSuffix(feature, "-segmentation"), // tso, gso, udp
		strings.HasPrefix(feature, "tx-checksum-"):
		return false, true
	case feature == "rx-gro":
		return true, true
	}
	return false, false
}
