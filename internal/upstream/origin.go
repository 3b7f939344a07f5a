package upstream

import (
	"net"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"

	"tollgate"
	"tollgate/internal/upstream/guard"
)

// maxURLLength bounds a base URL, in bytes.
const maxURLLength = 2048

// base is a checked base URL, rebuilt from its parts.
type base struct {
	scheme string // "https" or "http"
	host   string // lower case; an IPv6 address without brackets
	port   uint16 // never 0
	path   string // "" or "/…" without a trailing slash
}

// origin returns scheme://host:port, the port always written.
func (b base) origin() string {
	return b.scheme + "://" + net.JoinHostPort(b.host, strconv.Itoa(int(b.port)))
}

// url returns the URL of below, appended to b. The port is left out when it is the scheme's own.
func (b base) url(below string) *url.URL {
	host := b.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if b.scheme == "https" && b.port != 443 || b.scheme == "http" && b.port != 80 {
		host += ":" + strconv.Itoa(int(b.port))
	}
	return &url.URL{Scheme: b.scheme, Host: host, Path: b.path + below}
}

// versioned reports whether the base path ends in a version such as /v1 or /v1beta.
func (b base) versioned() bool {
	last := path.Base(b.path)
	return len(last) >= 2 && last[0] == 'v' && last[1] >= '0' && last[1] <= '9'
}

// parseBase reads a base URL strictly: what two parsers could read in two ways
// is refused (SECURITY F-05). Errors are CodeInvalid about base_url.
func parseBase(s string) (base, error) {
	bad := func(why string) (base, error) {
		return base{}, tollgate.Invalidf("base_url", "base_url %s", why)
	}
	if len(s) > maxURLLength {
		return bad("is too long")
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f || strings.IndexByte("\\\"<>^`{|}@", c) >= 0 {
			return bad("holds a character that a base URL cannot have; write https://host[:port][/path] without user information, in ASCII")
		}
	}
	u, err := url.Parse(s)
	if err != nil {
		return bad("is not a URL")
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return bad("must begin with https:// (or http:// for a private address)")
	}
	if u.User != nil || u.Opaque != "" || strings.ContainsAny(s, "?#") {
		return bad("must be scheme, host and path only: no user information, query or fragment")
	}
	b := base{scheme: u.Scheme, host: strings.ToLower(u.Hostname())}
	if err := validHost(b.host, u.Host); err != nil {
		return base{}, err
	}
	switch p := u.Port(); {
	case p != "":
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return bad("has a bad port")
		}
		b.port = uint16(n)
	case strings.HasSuffix(u.Host, ":"):
		return bad("has a bad port")
	case b.scheme == "https":
		b.port = 443
	default:
		b.port = 80
	}
	b.path = strings.TrimRight(u.Path, "/")
	if strings.Contains(u.EscapedPath(), "%") || strings.Contains(b.path, "//") || b.path != "" && path.Clean(b.path) != b.path {
		return bad("has a path with dots, double slashes or escapes")
	}
	return b, nil
}

// validHost accepts an IP address in its usual spelling or a DNS name; not the
// spellings of addresses that only some resolvers know ("2130706433", "0x7f.1").
func validHost(host, raw string) error {
	bad := func() error {
		return tollgate.Invalidf("base_url", "base_url: %q is not a host name or address", host)
	}
	if host == "" || len(host) > 253 || strings.Contains(raw, "%") {
		return bad()
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if a.Zone() != "" || a.Is4In6() {
			return bad()
		}
		return nil
	}
	labels := strings.Split(host, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' || strings.Trim(l, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return bad()
		}
	}
	if last := labels[len(labels)-1]; last[0] >= '0' && last[0] <= '9' {
		return bad()
	}
	return nil
}

// reachable refuses what the guard would never dial, so that the mistake shows
// when it is made: plain HTTP to a public address, a private address that is
// not opened, plain HTTP to a name while nothing private is opened.
func (b base) reachable(p *guard.Policy) error {
	addr, err := netip.ParseAddr(b.host)
	if err != nil {
		if b.scheme == "http" && (p == nil || !p.AllowsPrivate()) {
			return tollgate.Invalidf("base_url", "base_url: plain http reaches only private addresses that [upstream] allow_private opens, and it opens none; use https, or add the address there")
		}
		return nil
	}
	if p == nil {
		p = guard.NewPolicy(guard.Rules{})
	}
	if p.Check(netip.AddrPortFrom(addr, b.port), b.scheme == "https") != nil {
		return tollgate.Invalidf("base_url", "base_url: %s is not an address that the gateway may call this way; private addresses need an entry in [upstream] allow_private, public ones https", b.host)
	}
	return nil
}
