package stack

import (
	"gvisor.dev/gvisor/pkg/tcpip"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"
)

// collector keeps what a coalescer delivers.
type collector struct{ packets [][]byte }

func (c *collector) coalescer() *coalescer {
	return &coalescer{deliver: func(_ tcpip.NetworkProtocolNumber, pkt *gstack.PacketBuffer) {
		v := pkt.ToView()
		c.packets = append(c.packets, append([]byte(nil), v.AsSlice()...))
		v.Release()
	}}
}
