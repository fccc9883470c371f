package stack

import (
	"fmt"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// setTCPOptions sets what bulk transfer needs.
func setTCPOptions(s *gstack.Stack, cfg Config) error {
	sack := tcpip.TCPSACKEnabled(true)
	// Recovery by SACK alone, not RACK (RFC 8985): RACK resends one segment
	// per acknowledgement of a lost packet of 64 KiB, because the rest that it
	// splits off is no longer known as lost, and looks at every packet in
	// flight on every acknowledgement. The price is paid where one packet in a
	// hundred is lost: there more recoveries end in a time-out.
	recovery := tcpip.TCPRecovery(0)
	// A short pipe stays in the cache. The maximum only fixes the window
	// scale, so that a buffer can grow.
	receive := tcpip.TCPReceiveBufferSizeRangeOption{Min: 4096, Default: cfg.ReceiveBuffer, Max: max(maxBuffer, cfg.ReceiveBuffer)}
	send := tcpip.TCPSendBufferSizeRangeOption{Min: 4096, Default: cfg.SendBuffer, Max: max(maxBuffer, cfg.SendBuffer)}
	for _, o := range []tcpip.SettableTransportProtocolOption{&sack, &recovery, &receive, &send} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, o); err != nil {
			return fmt.Errorf("set TCP option %T: %w", o, errorOf(err))
		}
	}
	return nil
}

// keepAliveProbes is how many questions in a row may go unanswered, as in Linux
// (tcp_keepalive_probes in tcp(7)).
const keepAliveProbes = 9

// setKeepAlive makes ep notice a dead peer also while it only receives, unless
// every is negative.
func setKeepAlive(ep tcpip.Endpoint, every time.Duration) {
	if every < 0 {
		ep.SocketOptions().SetKeepAlive(false)
		return
	}
	idle := tcpip.KeepaliveIdleOption(every)
	interval := tcpip.KeepaliveIntervalOption(every)
	// These options exist for every TCP endpoint; there is no error to see.
	_ = ep.SetSockOpt(&idle)
	_ = ep.SetSockOpt(&interval)
	_ = ep.SetSockOptInt(tcpip.KeepaliveCountOption, keepAliveProbes)
	ep.SocketOptions().SetKeepAlive(true)
}
