package lab

import (
	"fmt"
	"strings"

	"github.com/safchain/ethtool"
)

// setFeatures sets those features of an interface that choose says matter. It
// runs in the interface's namespace.
func setFeatures(iface string, choose func(feature string) (on, matters bool)) error {
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
		if on, ok := choose(name); ok && on != state.Active {
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

// wireTrue says whether a feature is to be on, so that what the interface sends
// is what a cable would carry. The names are those of ethtool -k in the kernel's
// own spelling.
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

// wireTrueRelay is wireTrue for an interface whose frames a relay takes: it
// wants them as they came, not joined.
func wireTrueRelay(feature string) (on, matters bool) {
	on, matters = wireTrue(feature)
	return on && feature != "rx-gro", matters
}
