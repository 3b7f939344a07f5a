package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// peerAddr returns the address of a connection's other end, as net/http
// writes it; invalid for sockets that have none.
func peerAddr(remote string) netip.Addr {
	ap, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

func contains(nets []netip.Prefix, a netip.Addr) bool {
	for _, n := range nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// forwardedFor returns the right-most address of X-Forwarded-For that is not
// a trusted proxy: each hop vouches only for what stands to its right
// (SECURITY H-03). Text that is no address ends the walk at the hop before.
func forwardedFor(h http.Header, peer netip.Addr, trusted []netip.Prefix) netip.Addr {
	last := peer
	for _, rest := range slices.Backward(h["X-Forwarded-For"]) {
		for more := true; more; {
			var hop string
			if j := strings.LastIndexByte(rest, ','); j >= 0 {
				rest, hop = rest[:j], rest[j+1:]
			} else {
				hop, more = rest, false
			}
			a, ok := hopAddr(strings.TrimSpace(hop))
			if !ok {
				return last
			}
			if last = a; !contains(trusted, a) {
				return a
			}
		}
	}
	return last
}

// hopAddr reads an address with or without port.
func hopAddr(s string) (netip.Addr, bool) {
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return a.Unmap().WithZone(""), true
	}
	ap, err := netip.ParseAddrPort(s)
	return ap.Addr().Unmap().WithZone(""), err == nil
}

// forwardedTLS reports whether the nearest proxy was reached over TLS.
func forwardedTLS(h http.Header) bool {
	values := h["X-Forwarded-Proto"]
	if len(values) == 0 {
		return false
	}
	last := values[len(values)-1]
	return strings.EqualFold(strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:]), "https")
}
