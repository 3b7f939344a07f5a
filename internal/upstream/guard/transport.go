package guard

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// Options describe one guarded transport. Policy is required.
type Options struct {
	Policy *Policy
	// Proxy is the outbound proxy of the operator (http, https, socks5); nil =
	// direct. The environment's proxy variables are never read (SECURITY F-07).
	Proxy *url.URL
	// Resolver looks names up; nil = Go's own resolver, which refuses the
	// odd spellings of addresses that the C library accepts.
	Resolver Resolver
	// DialTimeout and TLSTimeout bound the connection, 0 = 10 s each;
	// HeaderTimeout the wait for response headers, 0 = 120 s.
	DialTimeout, TLSTimeout, HeaderTimeout time.Duration
	// TLS is the client's configuration; nil = the system's roots, TLS 1.2 and up.
	TLS *tls.Config
	// AnyTLSPort opens every port of public hosts to TLS; else only 443. It
	// is for URLs that the operator or an admin wrote whole, never for ones
	// that arrive in data.
	AnyTLSPort bool
	// Idle bounds the idle connections per host; 0 = 16.
	Idle int
}

// errRefused is what a URL gets that must not be requested at all.
var errRefused = errors.New("guard: only plain http and https URLs without user information are requested")

// Transport returns a transport that dials through the guard. It never
// compresses, follows no redirect, and reads no environment.
func Transport(o Options) *http.Transport {
	d := newDialer(o)
	idle := o.Idle
	if idle == 0 {
		idle = 16
	}
	t := &http.Transport{
		DialContext:            d.plain,
		DialTLSContext:         d.secure,
		TLSClientConfig:        d.tls,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxIdleConns:           0,
		MaxIdleConnsPerHost:    idle,
		IdleConnTimeout:        90 * time.Second,
		ResponseHeaderTimeout:  orDefault(o.HeaderTimeout, 120*time.Second),
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		WriteBufferSize:        4 << 10, // larger writes and reads bypass the buffers
		ReadBufferSize:         4 << 10,
		Proxy:                  func(r *http.Request) (*url.URL, error) { return nil, requestable(r.URL) },
	}
	if o.Proxy != nil {
		d.proxy = hostPort(o.Proxy)
		t.Proxy = func(r *http.Request) (*url.URL, error) { return d.route(r.URL, o.Proxy) }
	}
	return t
}

// Dial returns the guarded dial of plain HTTP, for a transport of another make.
// Such a transport goes without the outbound proxy.
func Dial(o Options) func(ctx context.Context, network, address string) (net.Conn, error) {
	o.Proxy = nil
	return newDialer(o).plain
}

func newDialer(o Options) *dialer {
	d := &dialer{
		policy: o.Policy, resolver: o.Resolver, timeout: orDefault(o.DialTimeout, 10*time.Second),
		tls: o.TLS, tlsWait: orDefault(o.TLSTimeout, 10*time.Second),
		ports: func(port uint16) bool { return port == 443 || o.AnyTLSPort },
	}
	if d.resolver == nil {
		d.resolver = &net.Resolver{PreferGo: true}
	}
	if d.tls == nil {
		d.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if d.tls.NextProtos == nil {
		d.tls = d.tls.Clone()
		d.tls.NextProtos = []string{"h2", "http/1.1"}
	}
	return d
}

// Client returns a client on a guarded transport for small calls (discovery,
// webhooks): redirects are errors, cookies are not kept, timeout bounds the
// whole call. The caller bounds the body.
func Client(o Options, timeout time.Duration) *http.Client {
	return &http.Client{
		Transport: Transport(o),
		Timeout:   timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("guard: the answer is a redirect, which is not followed")
		},
	}
}

func requestable(u *url.URL) error {
	if u.User != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return errRefused
	}
	return nil
}

// route decides between the proxy and a direct connection. Behind a proxy
// names cannot be judged, so plain HTTP to them is refused and literal
// addresses are judged here.
func (d *dialer) route(u, proxy *url.URL) (*url.URL, error) {
	if err := requestable(u); err != nil {
		return nil, err
	}
	addr, err := netip.ParseAddr(u.Hostname())
	if err != nil {
		if u.Scheme != "https" {
			return nil, &DialError{fmt.Errorf("guard: plain HTTP to the name %q does not pass the outbound proxy", u.Hostname())}
		}
		return proxy, nil
	}
	to, err := netip.ParseAddrPort(hostPort(u))
	if err != nil {
		return nil, &DialError{err}
	}
	if d.policy.allowed(addr.Unmap(), to.Port()) {
		return nil, nil // dialled directly, where it is judged in full
	}
	if err := d.check(to, u.Scheme == "https"); err != nil {
		return nil, &DialError{err}
	}
	return proxy, nil
}

// hostPort returns host:port of u with the scheme's own port filled in.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		switch u.Scheme {
		case "https":
			port = "443"
		case "socks5", "socks5h":
			port = "1080"
		default:
			port = "80"
		}
	}
	return net.JoinHostPort(u.Hostname(), port)
}

func orDefault(d, fallback time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return fallback
}
