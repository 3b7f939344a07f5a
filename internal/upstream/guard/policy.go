package guard

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"tollgate"
)

// Allow opens one private range to upstream calls.
type Allow struct {
	Prefix netip.Prefix
	Port   uint16 // 0 = every port
}

// String returns the form that ParseAllow reads.
func (a Allow) String() string {
	if a.Port == 0 {
		return a.Prefix.String()
	}
	return a.Prefix.String() + ":" + strconv.Itoa(int(a.Port))
}

// Valid refuses what is not private: the list opens special ranges, and a
// public address in it would be spoken to in plain HTTP. Errors are CodeInvalid.
func (a Allow) Valid() error {
	if !a.Prefix.IsValid() {
		return tollgate.Errorf(tollgate.CodeInvalid, "allow_private: the network is missing")
	}
	if !specialPrefix(a.Prefix) {
		return tollgate.Errorf(tollgate.CodeInvalid, "allow_private: %s is not inside a private or loopback range", a.Prefix)
	}
	return nil
}

// specialPrefix reports whether every address of p is special: p lies inside
// one aligned special block, which holds when its first and last address do
// and it is at least as long as the shortest such block at that place.
func specialPrefix(p netip.Prefix) bool {
	for _, s := range openable() {
		if s.Contains(p.Masked().Addr()) && p.Bits() >= s.Bits() {
			return true
		}
	}
	return false
}

// openable lists the ranges that an operator may open: the ones that local
// networks use.
func openable() []netip.Prefix {
	list := []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "198.18.0.0/15",
		"::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "64:ff9b::/96", "64:ff9b:1::/48",
	}
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// ParseAllow reads a range with an optional port: "10.20.0.0/16",
// "127.0.0.1/32:9000", "fd00::/8:443", "127.0.0.1:9000", "[::1]:9000" or a bare
// address. Errors are CodeInvalid and name s.
func ParseAllow(s string) (Allow, error) {
	bad := func(why string) (Allow, error) {
		return Allow{}, tollgate.Errorf(tollgate.CodeInvalid, "allow_private: %q: %s; write a network with an optional port, such as 10.20.0.0/16 or 127.0.0.1/32:9000", s, why)
	}
	address, bits, isNet := strings.Cut(s, "/")
	port := ""
	if isNet {
		bits, port, _ = strings.Cut(bits, ":")
	} else if ap, err := netip.ParseAddrPort(s); err == nil {
		address, port = ap.Addr().String(), strconv.Itoa(int(ap.Port()))
	}
	addr, err := netip.ParseAddr(strings.Trim(address, "[]"))
	if err != nil || addr.Zone() != "" {
		return bad("not an address")
	}
	n := addr.BitLen()
	if isNet {
		if n, err = strconv.Atoi(bits); err != nil || n < 0 || n > addr.BitLen() {
			return bad("bad prefix length")
		}
	}
	if addr.Is4In6() {
		return bad("write the IPv4 address itself")
	}
	allow := Allow{Prefix: netip.PrefixFrom(addr, n).Masked()}
	if port != "" || strings.HasSuffix(s, ":") {
		p, err := strconv.ParseUint(port, 10, 16)
		if err != nil || p == 0 {
			return bad("bad port")
		}
		allow.Port = uint16(p)
	}
	return allow, allow.Valid()
}

// ParseAllowList reads every entry and reports every fault at once.
func ParseAllowList(list []string) ([]Allow, error) {
	var out []Allow
	var faults []error
	for _, s := range list {
		a, err := ParseAllow(s)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		out = append(out, a)
	}
	return out, errors.Join(faults...)
}

// Rules are what the operator has configured.
type Rules struct {
	// Allow opens private ranges; empty = public addresses only.
	Allow []Allow
}

// Policy decides which addresses may be dialled. One is shared by everything
// that dials; it is safe for concurrent use and changes with the configuration.
type Policy struct {
	rules atomic.Pointer[Rules]
	own   atomic.Pointer[[]netip.AddrPort]
}

// NewPolicy returns a policy with the given rules.
func NewPolicy(r Rules) *Policy {
	p := &Policy{}
	p.Set(r)
	return p
}

// Set replaces the rules; the next dial sees them. Entries that are not Valid
// are ignored. Connections that are open stay open: see upstream.Fleet.Flush.
func (p *Policy) Set(r Rules) {
	kept := Rules{}
	for _, a := range r.Allow {
		if a.Valid() == nil {
			kept.Allow = append(kept.Allow, a)
		}
	}
	p.rules.Store(&kept)
}

// SetOwn names the gateway's own listeners, which are never dialled. An
// unspecified address (0.0.0.0, ::) stands for every address of this host.
func (p *Policy) SetOwn(listeners []netip.AddrPort) { p.own.Store(&listeners) }

// AllowsPrivate reports whether any private range is open.
func (p *Policy) AllowsPrivate() bool {
	r := p.rules.Load()
	return r != nil && len(r.Allow) > 0
}

// Denied says that an address may not be dialled. Its text is for the
// operator: who asks over the network gets a generic message (SECURITY F-10).
type Denied struct {
	To  netip.AddrPort
	Why string
}

// Error returns the address and the reason.
func (d *Denied) Error() string { return fmt.Sprintf("guard: %s is denied: %s", d.To, d.Why) }

// Check decides whether to may be dialled, tls saying that TLS will be spoken.
// The error is a *Denied. The port of a public address is not judged here.
func (p *Policy) Check(to netip.AddrPort, tls bool) error {
	if to.Addr().Zone() != "" || !to.IsValid() || to.Port() == 0 {
		return &Denied{to, "not a plain address and port"}
	}
	addr := to.Addr().Unmap()
	hidden := embedded(addr)
	if metadata(addr) || anyOf(hidden, metadata) {
		return &Denied{to, "a cloud metadata service"}
	}
	if p.isOwn(netip.AddrPortFrom(addr, to.Port())) {
		return &Denied{to, "the gateway's own listener"}
	}
	if p.allowed(addr, to.Port()) {
		return nil
	}
	if special(addr) || anyOf(hidden, special) {
		return &Denied{to, "a private or special range that [upstream] allow_private does not open"}
	}
	if !tls {
		return &Denied{to, "plain HTTP goes only to ranges that [upstream] allow_private opens"}
	}
	return nil
}

func anyOf(list []netip.Addr, is func(netip.Addr) bool) bool {
	return slices.ContainsFunc(list, is)
}

func (p *Policy) allowed(a netip.Addr, port uint16) bool {
	r := p.rules.Load()
	if r == nil {
		return false
	}
	for _, x := range r.Allow {
		if (x.Port == 0 || x.Port == port) && x.Prefix.Contains(a) {
			return true
		}
	}
	return false
}

func (p *Policy) isOwn(to netip.AddrPort) bool {
	own := p.own.Load()
	if own == nil {
		return false
	}
	for _, l := range *own {
		if l.Port() != to.Port() {
			continue
		}
		la := l.Addr().Unmap()
		if la == to.Addr() || la.IsUnspecified() && ofThisHost(to.Addr()) {
			return true
		}
	}
	return false
}
