package stack

import (
	"encoding/binary"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	gstack "gvisor.dev/gvisor/pkg/tcpip/stack"

	"github.com/seed-54eb6215/xftp/frame"
)

// linkEndpoint is the lower edge of the stack: outgoing packets become frames
// of a device here, and incoming ones enter through the dispatcher it holds.
//
// It owns no goroutine and blocks in nothing but WritePackets, so that the
// stack may call any other method with its locks held.
type linkEndpoint struct {
	mac        tcpip.LinkAddress
	mtu        uint32
	gsoSize    uint32
	tx         []*transmitter
	flows      *flowTable // nil with one device
	dispatcher atomic.Pointer[gstack.NetworkDispatcher]
	mute       atomic.Bool // packets go nowhere
}

var (
	_ gstack.LinkEndpoint = (*linkEndpoint)(nil)
	_ gstack.GSOEndpoint  = (*linkEndpoint)(nil)
)

func newLinkEndpoint(info frame.Info, tx []*transmitter) *linkEndpoint {
	e := &linkEndpoint{
		mac:     tcpip.LinkAddress(info.MAC[:]),
		mtu:     uint32(info.MTU),
		gsoSize: gsoSize(info.MTU),
		tx:      tx,
	}
	if len(tx) > 1 {
		e.flows = new(flowTable)
	}
	return e
}

// gsoSize returns the packet size in bytes to claim, so that the largest
// packet is a whole number of the segments that the stack reckons with.
func gsoSize(mtu int) uint32 {
	const headers = 40 + header.TCPOptionsMaximumSize
	segment := mtu - headers
	if segment <= 0 {
		return maxPacket
	}
	return uint32((maxPacket-reservedHeaders)/segment*segment + reservedHeaders)
}

// reservedHeaders is what the stack keeps of a packet's size in bytes: the
// longest headers and one.
const reservedHeaders = header.TCPTotalHeaderMaximumSize + 1

func (e *linkEndpoint) deliver(network tcpip.NetworkProtocolNumber, pkt *gstack.PacketBuffer) {
	if d := e.dispatcher.Load(); d != nil {
		(*d).DeliverNetworkPacket(network, pkt)
	}
}

// WritePackets sends packets. The stack ignores what it returns, but for
// counting: TCP takes a packet that was not sent as lost on the way.
func (e *linkEndpoint) WritePackets(list gstack.PacketBufferList) (int, tcpip.Error) {
	pkts := list.AsSlice()
	if e.mute.Load() {
		return len(pkts), nil
	}
	sent := 0
	if e.flows == nil {
		sent = e.tx[0].write(pkts)
	} else {
		for i := range pkts {
			sent += e.tx[e.flows.device(pkts[i])].write(pkts[i : i+1])
		}
	}
	if sent < len(pkts) {
		return sent, &tcpip.ErrNoBufferSpace{}
	}
	return sent, nil
}

// AddHeader writes the Ethernet header of an outgoing packet.
func (e *linkEndpoint) AddHeader(pkt *gstack.PacketBuffer) {
	h := pkt.LinkHeader().Push(frame.HeaderLen)
	copy(h, pkt.EgressRoute.RemoteLinkAddress)
	copy(h[6:], e.mac)
	binary.BigEndian.PutUint16(h[12:], uint16(pkt.NetworkProtocolNumber))
}

// ParseHeader is for packets that come with an Ethernet header. Ours come
// without one.
func (e *linkEndpoint) ParseHeader(*gstack.PacketBuffer) bool { return true }

// Attach takes the dispatcher, or nil when the endpoint is being removed. The
// stack holds its lock: to wait here for a receive goroutine, which may want
// that lock, would never end.
func (e *linkEndpoint) Attach(d gstack.NetworkDispatcher) {
	if d == nil {
		e.dispatcher.Store(nil)
		return
	}
	e.dispatcher.Store(&d)
}

func (e *linkEndpoint) IsAttached() bool { return e.dispatcher.Load() != nil }

// Capabilities claims receive checksums, which parse has verified, and asks
// the stack to resolve addresses by ARP and neighbour discovery.
func (e *linkEndpoint) Capabilities() gstack.LinkEndpointCapabilities {
	return gstack.CapabilityRXChecksumOffload | gstack.CapabilityResolutionRequired
}

func (e *linkEndpoint) SupportedGSO() gstack.SupportedGSO       { return gstack.HostGSOSupported }
func (e *linkEndpoint) GSOMaxSize() uint32                      { return e.gsoSize }
func (e *linkEndpoint) MTU() uint32                             { return e.mtu }
func (e *linkEndpoint) MaxHeaderLength() uint16                 { return frame.HeaderLen }
func (e *linkEndpoint) LinkAddress() tcpip.LinkAddress          { return e.mac }
func (e *linkEndpoint) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareEther }
func (e *linkEndpoint) SetMTU(uint32)                           {}
func (e *linkEndpoint) SetLinkAddress(tcpip.LinkAddress)        {}
func (e *linkEndpoint) Wait()                                   {}
func (e *linkEndpoint) Close()                                  {}
func (e *linkEndpoint) SetOnCloseAction(func())                 {}
