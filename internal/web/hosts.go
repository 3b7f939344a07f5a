package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Hosts are the names by which console and admin API answer. It stops a web
// page that points its own name at the gateway's address (DNS rebinding,
// SECURITY H-02, N-45). Allowed besides Names: loopback names, and the
// literal address that the connection came in on.
type Hosts struct {
	// Names are host names or addresses without port, in lower case: the
	// public URL's, the listen address, and those of the configuration.
	Names []string
}

// Allows reports whether r is addressed to one of the gateway's own names.
func (h Hosts) Allows(r *http.Request) bool {
	name := hostName(r.Host)
	if name == "" {
		return false
	}
	if name == "localhost" || slices.Contains(h.Names, name) {
		return true
	}
	addr, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	if addr = addr.Unmap(); addr.IsLoopback() {
		return true
	}
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && peerAddr(local.String()) == addr
}

// hostName returns the host of a Host header: lower case, without port,
// brackets and final dot.
func hostName(s string) string {
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return ""
		}
		return strings.ToLower(s[1:end])
	}
	if i := strings.LastIndexByte(s, ':'); i >= 0 && strings.IndexByte(s, ':') == i {
		s = s[:i]
	}
	return strings.ToLower(strings.TrimSuffix(s, "."))
}
