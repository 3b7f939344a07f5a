package guard_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"tollgate/internal/upstream/guard"
)

// deniedAddresses is the corpus of SECURITY 5.2 and F-03: what must not be
// dialled unless an operator opens it.
func deniedAddresses() []string {
	return []string{
		// IPv4 special-purpose registry, first and last addresses.
		"0.0.0.0", "0.1.2.3", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1", "127.255.255.255",
		"169.254.0.1", "169.254.255.255", "172.16.0.0", "172.31.255.255", "192.0.0.0", "192.0.0.255", "192.0.2.1", "192.31.196.1", "192.52.193.1",
		"192.88.99.1", "192.168.0.0", "192.168.255.255", "192.175.48.1", "198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.255",
		"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		// IPv6.
		"::", "::1", "::2", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "::127.0.0.1", "::8.8.8.8", "::ffff:0:127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8",
		"64:ff9b:1::1", "100::1", "100:0:0:1::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff::1",
		"2001:db8::1", "2002:a00:1::1", "2002:808:808::1", "2620:4f:8000::1", "3fff::1", "3fff:fff::1", "4000::1", "5f00::1", "fc00::1", "fd12:3456::1",
		"fe80::1", "febf::1", "fec0::1", "feff::1", "ff02::1",
		"2a00:1450::5efe:10.0.0.1", "2a00:1450::200:5efe:192.168.1.1", // ISATAP with a private end
	}
}

func metadataAddresses() []string {
	return []string{
		"169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
		"::ffff:169.254.169.254", "::169.254.169.254", "::ffff:0:169.254.169.254", "64:ff9b::169.254.169.254", "64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1::169.254.169.254",
		"2002:a9fe:a9fe::1", "2001:0:a9fe:a9fe::1", "2001:0:1:2:3:4:5601:5601", "fe80::5efe:169.254.169.254", "fd00::200:5efe:100.100.100.200",
	}
}

func publicAddresses() []string {
	return []string{
		"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255", "192.169.0.0", "198.17.255.255",
		"198.20.0.0", "223.255.255.255", "126.255.255.255", "128.0.0.1", "11.0.0.0", "9.255.255.255", "169.253.255.255", "169.255.0.0",
		"2001:4860:4860::8888", "2606:4700::1111", "2a00:1450::1", "2001:200::1", "2003::1", "2620:4f:8001::1", "3ffe::1", "::ffff:8.8.8.8", "2a00:1450::5efe:8.8.8.8",
	}
}

func at(t *testing.T, addr string, port uint16) netip.AddrPort {
	t.Helper()
	a, err := netip.ParseAddr(addr)
	if err != nil {
		t.Fatal(err)
	}
	return netip.AddrPortFrom(a, port)
}

func policy(t *testing.T, allow ...string) *guard.Policy {
	t.Helper()
	list, err := guard.ParseAllowList(allow)
	if err != nil {
		t.Fatal(err)
	}
	return guard.NewPolicy(guard.Rules{Allow: list})
}

func TestF03DeniesSpecialRanges(t *testing.T) {
	p := policy(t)
	for _, s := range append(deniedAddresses(), metadataAddresses()...) {
		if err := p.Check(at(t, s, 443), true); err == nil {
			t.Errorf("%s may be dialled", s)
		} else if _, ok := errors.AsType[*guard.Denied](err); !ok {
			t.Errorf("%s: %v is no *Denied", s, err)
		}
	}
	for _, s := range publicAddresses() {
		if err := p.Check(at(t, s, 443), true); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestF03DeniesOwnListeners(t *testing.T) {
	p := policy(t, "127.0.0.0/8", "::1/128")
	p.SetOwn([]netip.AddrPort{at(t, "127.0.0.1", 8787), at(t, "0.0.0.0", 9999)})
	for _, c := range []struct {
		addr string
		port uint16
		ok   bool
	}{
		{"127.0.0.1", 8787, false},
		{"::ffff:127.0.0.1", 8787, false},
		{"127.0.0.1", 8788, true},
		{"127.0.0.2", 8787, true},
		{"127.0.0.1", 9999, false},
		{"127.0.0.77", 9999, false},
		{"::1", 9999, false},
	} {
		if err := p.Check(at(t, c.addr, c.port), false); (err == nil) != c.ok {
			t.Errorf("%s port %d: %v", c.addr, c.port, err)
		}
	}
}

func TestF04OnlyTheListOpensPrivateRangesAndNeverMetadata(t *testing.T) {
	p := policy(t, "127.0.0.1/32:9000", "10.20.0.0/16", "fd00::/8", "169.254.0.0/16", "100.64.0.0/10", "64:ff9b::/96", "64:ff9b:1::/48", "fe80::/10")
	for _, c := range []struct {
		addr string
		port uint16
		ok   bool
	}{
		{"127.0.0.1", 9000, true},
		{"::ffff:127.0.0.1", 9000, true},
		{"127.0.0.1", 9001, false},
		{"127.0.0.2", 9000, false},
		{"10.20.255.1", 80, true},
		{"10.21.0.1", 80, false},
		{"fd12::1", 1234, true},
		{"169.254.1.1", 80, true},
	} {
		if err := p.Check(at(t, c.addr, c.port), false); (err == nil) != c.ok {
			t.Errorf("%s port %d: %v", c.addr, c.port, err)
		}
	}
	for _, s := range metadataAddresses() {
		if p.Check(at(t, s, 80), false) == nil || p.Check(at(t, s, 443), true) == nil {
			t.Errorf("%s may be dialled", s)
		}
	}
}

func TestF05PlainHTTPGoesOnlyToOpenedRanges(t *testing.T) {
	p := policy(t, "10.0.0.0/8")
	if err := p.Check(at(t, "8.8.8.8", 80), false); err == nil {
		t.Error("plain HTTP to a public address")
	}
	if err := p.Check(at(t, "10.1.1.1", 80), false); err != nil {
		t.Error(err)
	}
}

func TestRulesTakeEffectWhenSet(t *testing.T) {
	p := policy(t)
	if p.AllowsPrivate() || p.Check(at(t, "10.0.0.1", 80), false) == nil {
		t.Fatal("open before it is opened")
	}
	list, err := guard.ParseAllowList([]string{"10.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	p.Set(guard.Rules{Allow: append(list, guard.Allow{Prefix: netip.MustParsePrefix("0.0.0.0/0")})})
	if !p.AllowsPrivate() || p.Check(at(t, "10.0.0.1", 80), false) != nil {
		t.Error("closed after it is opened")
	}
	if p.Check(at(t, "8.8.8.8", 80), false) == nil {
		t.Error("an entry that is not private was taken")
	}
}

func TestParseAllow(t *testing.T) {
	for in, want := range map[string]string{
		"127.0.0.1/32:9000": "127.0.0.1/32:9000",
		"10.20.0.0/16":      "10.20.0.0/16",
		"10.20.30.40/16":    "10.20.0.0/16",
		"fd00::/8:443":      "fd00::/8:443",
		"[::1]:9000":        "::1/128:9000",
		"[::1]/128:9000":    "::1/128:9000",
		"::1":               "::1/128",
		"127.0.0.1:9000":    "127.0.0.1/32:9000",
		"192.168.1.7":       "192.168.1.7/32",
	} {
		a, err := guard.ParseAllow(in)
		if err != nil || a.String() != want {
			t.Errorf("%q: %s %v", in, a, err)
		}
	}
	for _, in := range []string{
		"", "x", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8:", "10.0.0.0/8:0", "10.0.0.0/8:65536", "10.0.0.0/8:x", "8.8.8.8/32", "0.0.0.0/0", "::/0",
		"172.0.0.0/8", "fe80::1%eth0/64", "localhost", "::ffff:10.0.0.1/128", "2001:4860::/32", "10.0.0.0/8:80:90", "1.2.3/8",
	} {
		if a, err := guard.ParseAllow(in); err == nil {
			t.Errorf("%q was read as %s", in, a)
		} else if in != "" && !strings.Contains(err.Error(), in) && !strings.Contains(err.Error(), "not inside") {
			t.Errorf("%q: the error does not name it: %v", in, err)
		}
	}
	_, err := guard.ParseAllowList([]string{"x", "10.0.0.0/8", "y"})
	if err == nil || !strings.Contains(err.Error(), `"x"`) || !strings.Contains(err.Error(), `"y"`) {
		t.Errorf("not every fault is reported: %v", err)
	}
}

// FuzzClassify compares the bit tests with the registry written as prefixes.
func FuzzClassify(f *testing.F) {
	for _, s := range append(append(deniedAddresses(), metadataAddresses()...), publicAddresses()...) {
		f.Add(netip.MustParseAddr(s).AsSlice())
	}
	var registry []netip.Prefix
	for s := range strings.FieldsSeq(`0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24
		192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
		::/3 2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 4000::/2 8000::/1`) {
		registry = append(registry, netip.MustParsePrefix(s))
	}
	p := guard.NewPolicy(guard.Rules{})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		inside := false
		for _, x := range registry {
			inside = inside || x.Contains(a.Unmap())
		}
		open := p.Check(netip.AddrPortFrom(a, 443), true) == nil
		if inside && open {
			t.Fatalf("%s is special and may be dialled", a)
		}
		isatap := a.Is6() && b[10] == 0x5e && b[11] == 0xfe
		// Outside the registry only Azure's address and ISATAP ends are closed.
		if !inside && !open && a.Unmap().String() != "168.63.129.16" && !isatap {
			t.Fatalf("%s is public and denied", a)
		}
	})
}

func FuzzParseAllow(f *testing.F) {
	for _, s := range []string{"127.0.0.1/32:9000", "10.0.0.0/8", "[::1]:1", "fd00::/8:443", "::/0", "a/b:c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := guard.ParseAllow(s)
		if err != nil {
			return
		}
		again, err := guard.ParseAllow(a.String())
		if err != nil || again != a {
			t.Fatalf("%q reads as %s, which reads as %s (%v)", s, a, again, err)
		}
		if guard.NewPolicy(guard.Rules{}).Check(netip.AddrPortFrom(a.Prefix.Addr(), 443), true) == nil {
			t.Fatalf("%q opens a public range", s)
		}
	})
}
