package guard

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"tollgate/internal/sock"
)

// Resolver looks names up. *net.Resolver implements it.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// maxAddresses bounds how many addresses of one name are tried.
const maxAddresses = 8

// stagger is the head start of each address over the next (RFC 8305 says 250 ms).
const stagger = 250 * time.Millisecond

// DialError says that no connection came about: the name did not resolve, the
// address is denied, or nothing answered there. Nothing was sent.
type DialError struct{ Err error }

// Error returns the cause with the word dial in front.
func (e *DialError) Error() string { return "dial: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *DialError) Unwrap() error { return e.Err }

// dialer makes the connections of one transport.
type dialer struct {
	policy   *Policy
	resolver Resolver
	timeout  time.Duration
	tls      *tls.Config
	tlsWait  time.Duration
	proxy    string // host:port of the outbound proxy, which is the operator's own choice
	ports    func(port uint16) bool
}

// plain connects for plain HTTP, or to the proxy.
func (d *dialer) plain(ctx context.Context, _, address string) (net.Conn, error) {
	return d.dial(ctx, address, false)
}

// secure connects and shakes hands.
func (d *dialer) secure(ctx context.Context, _, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, address, true)
	if err != nil {
		return nil, err
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		_ = conn.Close()
		return nil, &DialError{err}
	}
	conf := d.tls.Clone()
	if conf.ServerName == "" {
		conf.ServerName = host
	}
	if address == d.proxy {
		conf.NextProtos = nil // CONNECT is spoken in HTTP/1.1
	}
	tc := tls.Client(conn, conf)
	ctx, cancel := context.WithTimeout(ctx, d.tlsWait)
	defer cancel()
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, &DialError{fmt.Errorf("tls handshake: %w", err)}
	}
	return tc, nil
}

func (d *dialer) dial(ctx context.Context, address string, secure bool) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	if d.proxy != "" && address == d.proxy {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, &DialError{err}
		}
		return sock.Quick(conn), nil
	}
	targets, err := d.resolve(ctx, address, secure)
	if err != nil {
		return nil, &DialError{err}
	}
	conn, err := d.race(ctx, targets, secure)
	if err != nil {
		return nil, &DialError{err}
	}
	return conn, nil
}

// resolve returns the addresses behind host:port that may be dialled, IPv6 and
// IPv4 in turn. If none may, the error is of the first.
func (d *dialer) resolve(ctx context.Context, address string, secure bool) ([]netip.AddrPort, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	found, err := d.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	var six, four []netip.AddrPort
	var denied error
	for _, a := range found {
		to := netip.AddrPortFrom(a.Unmap(), uint16(port))
		if err := d.check(to, secure); err != nil {
			denied = errors.Join(denied, err)
			continue
		}
		if to.Addr().Is4() {
			four = append(four, to)
		} else {
			six = append(six, to)
		}
	}
	out := interleave(six, four)
	if len(out) == 0 {
		if denied == nil {
			denied = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
		}
		return nil, denied
	}
	return out[:min(len(out), maxAddresses)], nil
}

func (d *dialer) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	return d.resolver.LookupNetIP(ctx, "ip", host)
}

// check applies the policy and, for public addresses, the ports.
func (d *dialer) check(to netip.AddrPort, secure bool) error {
	if err := d.policy.Check(to, secure); err != nil {
		return err
	}
	if !d.policy.allowed(to.Addr().Unmap(), to.Port()) && !d.ports(to.Port()) {
		return &Denied{to, "this port of a public host is not open"}
	}
	return nil
}

func interleave(a, b []netip.AddrPort) []netip.AddrPort {
	out := make([]netip.AddrPort, 0, len(a)+len(b))
	for i := range max(len(a), len(b)) {
		if i < len(a) {
			out = append(out, a[i])
		}
		if i < len(b) {
			out = append(out, b[i])
		}
	}
	return out
}

// race dials the targets by address, each with a head start over the next, and
// returns the first connection.
func (d *dialer) race(ctx context.Context, targets []netip.AddrPort, secure bool) (net.Conn, error) {
	if len(targets) == 1 {
		return d.connect(ctx, targets[0], secure)
	}
	type result struct {
		conn net.Conn
		err  error
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan result, len(targets))
	started, pending := 0, 0
	start := func() {
		to := targets[started]
		started, pending = started+1, pending+1
		go func() {
			conn, err := d.connect(ctx, to, secure)
			results <- result{conn, err}
		}()
	}
	// Late winners are closed, never leaked.
	defer func() {
		cancel()
		go func(n int) {
			for range n {
				if r := <-results; r.conn != nil {
					_ = r.conn.Close()
				}
			}
		}(pending)
	}()
	var first error
	start()
	for pending > 0 {
		var next <-chan time.Time
		if started < len(targets) {
			next = time.After(stagger)
		}
		select {
		case r := <-results:
			pending--
			if r.err == nil {
				return r.conn, nil
			}
			if first == nil {
				first = r.err
			}
			if started < len(targets) {
				start()
			}
		case <-next:
			start()
		}
	}
	return nil, first
}

// connect dials one address. The socket is judged once more by the address
// that the kernel will be given, so that nothing between can swap it.
func (d *dialer) connect(ctx context.Context, to netip.AddrPort, secure bool) (net.Conn, error) {
	nd := net.Dialer{
		KeepAlive: 30 * time.Second,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			return d.check(ap, secure)
		},
	}
	conn, err := nd.DialContext(ctx, "tcp", to.String())
	if err != nil {
		return nil, err
	}
	return sock.Quick(conn), nil
}

// ofThisHost reports whether a is loopback, unspecified or an address of one
// of the host's interfaces.
func ofThisHost(a netip.Addr) bool {
	if a.IsLoopback() || a.IsUnspecified() {
		return true
	}
	list, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, x := range list {
		if p, err := netip.ParsePrefix(x.String()); err == nil && p.Addr().Unmap() == a {
			return true
		}
	}
	return false
}
