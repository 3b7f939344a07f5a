package guard

import (
	"encoding/binary"
	"net/netip"
)

// ipv4Special lists IANA's IPv4 special-purpose registry, and multicast. The
// predicates of net/netip miss about half of it (SECURITY 5.2).
func ipv4Special(a [4]byte) bool {
	v := binary.BigEndian.Uint32(a[:])
	in := func(prefix uint32, bits int) bool { return (v^prefix)>>(32-bits) == 0 }
	switch a[0] {
	case 0, 10, 127: // this network, private, loopback
		return true
	case 100:
		return in(0x64400000, 10) // 100.64.0.0/10 shared (carrier NAT)
	case 169:
		return in(0xa9fe0000, 16) // 169.254.0.0/16 link local
	case 172:
		return in(0xac100000, 12) // 172.16.0.0/12 private
	case 192:
		return in(0xc0000000, 24) || // 192.0.0.0/24 protocol assignments
			in(0xc0000200, 24) || // 192.0.2.0/24 documentation
			in(0xc01fc400, 24) || // 192.31.196.0/24 AS112
			in(0xc034c100, 24) || // 192.52.193.0/24 AMT
			in(0xc0586300, 24) || // 192.88.99.0/24 6to4 relay
			in(0xc0a80000, 16) || // 192.168.0.0/16 private
			in(0xc0af3000, 24) // 192.175.48.0/24 AS112
	case 198:
		return in(0xc6120000, 15) || in(0xc6336400, 24) // benchmarking, documentation
	case 203:
		return in(0xcb007100, 24) // 203.0.113.0/24 documentation
	default:
		return a[0] >= 224 // multicast, reserved, broadcast
	}
}

// ipv6Special reports whether a is outside 2000::/3, the only block handed out
// for the public Internet, or in one of the special blocks inside it.
func ipv6Special(a [16]byte) bool {
	if a[0]>>5 != 1 {
		return true // loopback, mapped, NAT64, unique local, link local, site local, multicast…
	}
	switch binary.BigEndian.Uint16(a[:2]) {
	case 0x2001:
		return a[2]>>1 == 0 || // 2001::/23 protocol assignments: Teredo, ORCHID, benchmarking
			(a[2] == 0x0d && a[3] == 0xb8) // 2001:db8::/32 documentation
	case 0x2002: // 2002::/16 6to4
		return true
	case 0x2620:
		return a[2] == 0 && a[3] == 0x4f && a[4] == 0x80 && a[5] == 0 // 2620:4f:8000::/48 AS112
	case 0x3fff: // 3fff::/20 documentation
		return a[2]>>4 == 0
	default:
		return false
	}
}

// special reports whether a, unmapped, is anything but an address of a public host.
func special(a netip.Addr) bool {
	if a.Is4() {
		return ipv4Special(a.As4())
	}
	return ipv6Special(a.As16())
}

// embedded returns the IPv4 addresses that the transition formats hide in a:
// compatible, translated, NAT64 (well-known and local-use), 6to4, Teredo (both
// ends) and ISATAP.
func embedded(a netip.Addr) []netip.Addr {
	if !a.Is6() || a.Is4In6() {
		return nil
	}
	b := a.As16()
	var out []netip.Addr
	add := func(w, x, y, z byte) { out = append(out, netip.AddrFrom4([4]byte{w, x, y, z})) }
	head := binary.BigEndian.Uint32(b[:4])
	switch {
	case head == 0 && binary.BigEndian.Uint64(b[4:12]) == 0, // ::/96 compatible
		head == 0 && binary.BigEndian.Uint64(b[4:12]) == 0xffff<<16: // ::ffff:0:0:0/96 translated
		add(b[12], b[13], b[14], b[15])
	case head == 0x0064ff9b: // 64:ff9b::/96 and 64:ff9b:1::/48 (RFC 6052 forms /48 and /96)
		add(b[12], b[13], b[14], b[15])
		add(b[6], b[7], b[9], b[10])
	case b[0] == 0x20 && b[1] == 0x02: // 6to4
		add(b[2], b[3], b[4], b[5])
	case head == 0x20010000: // Teredo: server, and client inverted
		add(b[4], b[5], b[6], b[7])
		add(^b[12], ^b[13], ^b[14], ^b[15])
	}
	if b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe { // ISATAP interface id
		add(b[12], b[13], b[14], b[15])
	}
	return out
}

// metadata reports whether a is a cloud's metadata or platform service, which
// hands credentials to whoever can reach it. 168.63.129.16 is a public
// address that only exists inside Azure.
func metadata(a netip.Addr) bool {
	switch a.WithZone("").String() {
	case "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "192.0.0.192", "168.63.129.16",
		"fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254":
		return true
	default:
		return false
	}
}
