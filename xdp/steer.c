//go:build ignore

// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause

// The steering program. It runs for every frame that the interface receives
// and sends to the AF_XDP socket of the frame's queue only what an address or
// a port range in xftp_matches asks for. Everything else - other traffic,
// frames with a VLAN tag, malformed frames, queues without a socket, the time
// before the switch is on - goes on to the kernel's own stack (XDP_PASS).
//
// An address is matched in one of two ways:
//
//   whole   the address is xftp's own: IPv4 and IPv6 to it, ARP that asks for
//           it or answers it, and neighbour solicitations for it.
//   ranges  the address is the host's, shared: only unfragmented TCP, without
//           IPv6 extension headers, to a port in one of the ranges. ARP,
//           neighbour discovery and ICMP stay with the kernel.
//
// The few kernel definitions that the program needs stand here, so that no
// header of the kernel or of libbpf has to be installed to compile it.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
#define UINT(name, val) int(*name)[val]
#define TYPE(name, val) typeof(val) *name

#define htons(x) __builtin_bswap16(x)
#define ntohs(x) __builtin_bswap16(x)

// Most kernels before 7.0 know nothing of what a byte swap leaves, and refuse to
// add it to a packet pointer: the mask bounds it again, the barrier keeps the mask.
#define BOUND16(v) do { asm volatile("" : "+r"(v)); (v) &= 0xffff; } while (0)

// linux/bpf.h
struct xdp_md {
	u32 data;
	u32 data_end;
	u32 data_meta;
	u32 ingress_ifindex;
	u32 rx_queue_index;
	u32 egress_ifindex;
};

enum { MAP_TYPE_HASH = 1, MAP_TYPE_ARRAY = 2, MAP_TYPE_PERCPU_ARRAY = 6, MAP_TYPE_XSKMAP = 17 };
enum { XDP_PASS = 2, XDP_REDIRECT = 4 };

static void *(*const map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const redirect_map)(void *map, u32 key, u64 flags) = (void *)51;

// Packet formats: IEEE 802.3, RFC 826, RFC 791, RFC 8200, RFC 4861.
enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_VLAN = 0x8100,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_QINQ = 0x88a8,
	PROTOCOL_TCP = 6,
	PROTOCOL_ICMPV6 = 58,
	ICMPV6_NEIGHBOR_SOLICITATION = 135,
	IPV4_FRAGMENT = 0x3fff, // more-fragments flag and offset
};

struct ethernet {
	u8 dst[6];
	u8 src[6];
	u16 type;
} __attribute__((packed));

struct arp {
	u16 hardware_type;
	u16 protocol_type;
	u8 hardware_len;
	u8 protocol_len;
	u16 operation;
	u8 sender_mac[6];
	u8 sender[4];
	u8 target_mac[6];
	u8 target[4];
} __attribute__((packed));

struct ipv4 {
	u8 version_ihl;
	u8 tos;
	u16 total_len;
	u16 id;
	u16 fragment;
	u8 ttl;
	u8 protocol;
	u16 checksum;
	u8 src[4];
	u8 dst[4];
} __attribute__((packed));

struct ipv6 {
	u32 version_class_flow;
	u16 payload_len;
	u8 next_header;
	u8 hop_limit;
	u8 src[16];
	u8 dst[16];
} __attribute__((packed));

struct tcp {
	u16 src_port;
	u16 dst_port;
	u8 rest[16];
} __attribute__((packed));

struct solicitation {
	u8 type;
	u8 code;
	u16 checksum;
	u32 reserved;
	u8 target[16];
} __attribute__((packed));

// What the frame's fate is; also the index of its counter.
enum verdict {
	REDIRECTED,
	PASSED_OFF,       // the switch is off
	PASSED_NOT_OURS,  // no match
	PASSED_MALFORMED, // too short, or lengths that contradict one another
	PASSED_TAGGED,    // a VLAN tag
	PASSED_NO_SOCKET, // ours, but there is no socket on this queue
	VERDICTS,
};

#define MAX_RANGES 16

struct range {
	u16 lo;
	u16 hi;
};

// An IPv6 address, or an IPv4 address mapped into IPv6 (::ffff:a.b.c.d).
struct address {
	u8 b[16];
};

struct match {
	u32 whole;
	u32 count;
	struct range ranges[MAX_RANGES];
};

struct {
	UINT(type, MAP_TYPE_XSKMAP);
	UINT(max_entries, 1); // set to the number of queues when loaded
	// Sizes, not types: this kind of map takes no type information, and the
	// kernel would refuse it after a grace period of RCU, 10 ms.
	UINT(key_size, sizeof(u32));
	UINT(value_size, sizeof(u32));
} xftp_sockets SEC(".maps");

struct {
	UINT(type, MAP_TYPE_HASH);
	UINT(max_entries, 64);
	TYPE(key, struct address);
	TYPE(value, struct match);
} xftp_matches SEC(".maps");

struct {
	UINT(type, MAP_TYPE_ARRAY);
	UINT(max_entries, 1);
	TYPE(key, u32);
	TYPE(value, u32);
} xftp_switch SEC(".maps");

struct {
	UINT(type, MAP_TYPE_PERCPU_ARRAY);
	UINT(max_entries, VERDICTS);
	TYPE(key, u32);
	TYPE(value, u64);
} xftp_counters SEC(".maps");

INLINE struct match *match_ipv4(const u8 *address)
{
	struct address key = {};

	key.b[10] = 0xff;
	key.b[11] = 0xff;
	__builtin_memcpy(&key.b[12], address, 4);
	return map_lookup_elem(&xftp_matches, &key);
}

INLINE struct match *match_ipv6(const u8 *address)
{
	struct address key;
	u32 word[3];

	__builtin_memcpy(key.b, address, 16);
	__builtin_memcpy(word, key.b, sizeof word);
	// A key that stands for an IPv4 address is none on the wire.
	if (!word[0] && !word[1] && word[2] == __builtin_bswap32(0xffff))
		return 0;
	return map_lookup_elem(&xftp_matches, &key);
}

// steer_tcp says whether a segment goes to one of the match's port ranges.
INLINE enum verdict steer_tcp(const struct match *m, const void *p, const void *end)
{
	const struct tcp *t = p;
	u16 port;

	if ((const void *)(t + 1) > end)
		return PASSED_MALFORMED;
	port = ntohs(t->dst_port);
#pragma unroll
	for (u32 i = 0; i < MAX_RANGES; i++)
		if (i < m->count && port >= m->ranges[i].lo && port <= m->ranges[i].hi)
			return REDIRECTED;
	return PASSED_NOT_OURS;
}

INLINE enum verdict steer_arp(const void *p, const void *end)
{
	const struct arp *a = p;
	struct match *m;

	if ((const void *)(a + 1) > end)
		return PASSED_MALFORMED;
	if (a->hardware_type != htons(1) || a->protocol_type != htons(ETHERTYPE_IPV4) ||
	    a->hardware_len != 6 || a->protocol_len != 4)
		return PASSED_NOT_OURS;
	m = match_ipv4(a->target);
	return m && m->whole ? REDIRECTED : PASSED_NOT_OURS;
}

INLINE enum verdict steer_ipv4(const void *p, const void *end)
{
	const struct ipv4 *ip = p;
	struct match *m;
	u32 header, total;

	if ((const void *)(ip + 1) > end)
		return PASSED_MALFORMED;
	header = (ip->version_ihl & 15) * 4;
	total = ntohs(ip->total_len);
	BOUND16(total);
	if (ip->version_ihl >> 4 != 4 || header < sizeof *ip || total < header ||
	    p + total > end)
		return PASSED_MALFORMED;
	m = match_ipv4(ip->dst);
	if (!m)
		return PASSED_NOT_OURS;
	if (m->whole)
		return REDIRECTED;
	if (ip->protocol != PROTOCOL_TCP || ip->fragment & htons(IPV4_FRAGMENT))
		return PASSED_NOT_OURS;
	if (total < header + sizeof(struct tcp))
		return PASSED_MALFORMED;
	return steer_tcp(m, p + header, end);
}

INLINE enum verdict steer_ipv6(const void *p, const void *end)
{
	const struct ipv6 *ip = p;
	const struct solicitation *ns = p + sizeof *ip;
	struct match *m;
	u32 payload;

	if ((const void *)(ip + 1) > end)
		return PASSED_MALFORMED;
	payload = ntohs(ip->payload_len);
	BOUND16(payload);
	if ((ip->version_class_flow & 0xf0) != 0x60 || p + sizeof *ip + payload > end)
		return PASSED_MALFORMED;
	m = match_ipv6(ip->dst);
	if (m && m->whole)
		return REDIRECTED;
	if (m) {
		if (ip->next_header != PROTOCOL_TCP)
			return PASSED_NOT_OURS;
		if (payload < sizeof(struct tcp))
			return PASSED_MALFORMED;
		return steer_tcp(m, p + sizeof *ip, end);
	}

	// A solicitation for an address goes to the multicast group of the
	// address's last 24 bits, ff02::1:ff00:0/104; the target tells whose it is.
	if (ip->next_header != PROTOCOL_ICMPV6 || ip->dst[0] != 0xff || ip->dst[1] != 0x02)
		return PASSED_NOT_OURS;
	if (payload < sizeof *ns || (const void *)(ns + 1) > end)
		return PASSED_NOT_OURS;
	if (ns->type != ICMPV6_NEIGHBOR_SOLICITATION)
		return PASSED_NOT_OURS;
	m = match_ipv6(ns->target);
	return m && m->whole ? REDIRECTED : PASSED_NOT_OURS;
}

INLINE enum verdict steer_frame(const void *p, const void *end)
{
	const struct ethernet *eth = p;
	u32 zero = 0;
	u32 *on = map_lookup_elem(&xftp_switch, &zero);

	if (!on || !*on)
		return PASSED_OFF;
	if ((const void *)(eth + 1) > end)
		return PASSED_MALFORMED;
	switch (eth->type) {
	case htons(ETHERTYPE_ARP):
		return steer_arp(eth + 1, end);
	case htons(ETHERTYPE_IPV4):
		return steer_ipv4(eth + 1, end);
	case htons(ETHERTYPE_IPV6):
		return steer_ipv6(eth + 1, end);
	case htons(ETHERTYPE_VLAN):
	case htons(ETHERTYPE_QINQ):
		return PASSED_TAGGED;
	}
	return PASSED_NOT_OURS;
}

SEC("xdp")
int xftp_steer(struct xdp_md *ctx)
{
	const void *p = (const void *)(unsigned long)ctx->data;
	const void *end = (const void *)(unsigned long)ctx->data_end;
	enum verdict v = steer_frame(p, end);
	int action = XDP_PASS;
	u32 index;
	u64 *counter;

	if (v == REDIRECTED) {
		action = redirect_map(&xftp_sockets, ctx->rx_queue_index, XDP_PASS);
		if (action != XDP_REDIRECT)
			v = PASSED_NO_SOCKET;
	}
	index = v;
	counter = map_lookup_elem(&xftp_counters, &index);
	if (counter)
		++*counter;
	return action;
}

char steer_license[] SEC("license") = "Dual BSD/GPL";
