package guard_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tollgate/internal/upstream/guard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// resolver answers with what fn says at each look-up.
type resolver func(n int64) []netip.Addr

type countingResolver struct {
	fn resolver
	n  atomic.Int64
}

func (r *countingResolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return r.fn(r.n.Add(1)), nil
}

func addrs(list ...string) []netip.Addr {
	out := make([]netip.Addr, len(list))
	for i, s := range list {
		out[i] = netip.MustParseAddr(s)
	}
	return out
}

// listener is a server on loopback that counts connections.
func listener(t *testing.T) (port string, hits *atomic.Int64) {
	t.Helper()
	hits = &atomic.Int64{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			hits.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, hits
}

func get(t *testing.T, tr *http.Transport, to string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, to, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := tr.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return fmt.Sprintf("%d %s", res.StatusCode, b), err
}

// TestF02RebindingNeverReachesAPrivateAddress: a name whose answer alternates
// between a public address and a listener on loopback, without any life time,
// 10,000 times: the listener is never reached.
func TestF02RebindingNeverReachesAPrivateAddress(t *testing.T) {
	port, hits := listener(t)
	r := &countingResolver{fn: func(n int64) []netip.Addr {
		switch n % 4 {
		case 0:
			return addrs("127.0.0.1")
		case 1:
			return addrs("::ffff:127.0.0.1", "127.0.0.1")
		case 2:
			return addrs("169.254.169.254", "127.0.0.1")
		default:
			// A public address beside the private one: TEST-NET would be denied,
			// so one that is public but that the port rule closes.
			return addrs("8.8.8.8", "127.0.0.1")
		}
	}}
	tr := guard.Transport(guard.Options{Policy: guard.NewPolicy(guard.Rules{}), Resolver: r, DialTimeout: time.Second})
	defer tr.CloseIdleConnections()
	for i := range 10_000 {
		scheme := "https"
		if i%2 == 0 {
			scheme = "http"
		}
		_, err := get(t, tr, scheme+"://rebind.example:"+port+"/")
		if _, ok := errors.AsType[*guard.DialError](err); !ok {
			t.Fatalf("try %d: %v is no *DialError", i, err)
		}
	}
	if hits.Load() != 0 || r.n.Load() != 10_000 {
		t.Errorf("%d hits in %d look-ups", hits.Load(), r.n.Load())
	}
}

func TestPrivateAddressIsReachedWhenOpened(t *testing.T) {
	port, hits := listener(t)
	list, err := guard.ParseAllowList([]string{"127.0.0.1/32:" + port})
	if err != nil {
		t.Fatal(err)
	}
	r := &countingResolver{fn: func(int64) []netip.Addr { return addrs("10.0.0.1", "127.0.0.1") }} // the first is not open
	tr := guard.Transport(guard.Options{Policy: guard.NewPolicy(guard.Rules{Allow: list}), Resolver: r})
	defer tr.CloseIdleConnections()
	for _, host := range []string{"127.0.0.1", "lab.example"} {
		if got, err := get(t, tr, "http://"+host+":"+port+"/"); err != nil || got != "200 ok" {
			t.Errorf("%s: %q %v", host, got, err)
		}
	}
	if hits.Load() == 0 {
		t.Error("no connection")
	}
}

// TestF07OddSpellingsOfAddressesDoNotResolve: whatever a resolver makes of
// them, they do not lead to loopback.
func TestF07OddSpellingsOfAddressesDoNotResolve(t *testing.T) {
	port, hits := listener(t)
	tr := guard.Transport(guard.Options{Policy: guard.NewPolicy(guard.Rules{}), DialTimeout: 2 * time.Second})
	defer tr.CloseIdleConnections()
	for _, host := range []string{"2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0x7f.1", "0", "localhost", "[::ffff:7f00:1]", "[::]", "[::1]"} {
		if got, err := get(t, tr, "http://"+host+":"+port+"/"); err == nil {
			t.Errorf("%s: %q", host, got)
		}
	}
	if hits.Load() != 0 {
		t.Errorf("%d hits", hits.Load())
	}
}

func TestF05RefusesURLsWithUserInformation(t *testing.T) {
	tr := guard.Transport(guard.Options{Policy: guard.NewPolicy(guard.Rules{})})
	if _, err := get(t, tr, "https://user:pass@example.com/"); err == nil || !strings.Contains(err.Error(), "user information") {
		t.Errorf("%v", err)
	}
}

func TestF05PortsOfPublicHosts(t *testing.T) {
	for _, c := range []struct {
		any  bool
		port string
		ok   bool // judged as dialable: the error is of the network, not of the guard
	}{{false, "443", true}, {false, "6379", false}, {true, "8443", true}} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		tr := guard.Transport(guard.Options{
			Policy: guard.NewPolicy(guard.Rules{}), AnyTLSPort: c.any,
			Resolver: &countingResolver{fn: func(int64) []netip.Addr { return addrs("192.0.1.1") }},
		})
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://public.example:"+c.port+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := tr.RoundTrip(req)
		if err == nil {
			_ = res.Body.Close()
			t.Fatal("an answer from nowhere")
		}
		if _, denied := errors.AsType[*guard.Denied](err); denied == c.ok {
			t.Errorf("port %s, any %v: %v", c.port, c.any, err)
		}
		cancel()
		tr.CloseIdleConnections()
	}
}

func TestF06RedirectsAreErrors(t *testing.T) {
	var second atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/second" {
			second.Add(1)
		}
		http.Redirect(w, r, "/second", http.StatusTemporaryRedirect)
	}))
	defer srv.Close()
	list, err := guard.ParseAllowList([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	c := guard.Client(guard.Options{Policy: guard.NewPolicy(guard.Rules{Allow: list})}, 5*time.Second)
	defer c.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/first", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	res, err := c.Do(req)
	if err == nil {
		_ = res.Body.Close()
		t.Error("followed")
	}
	if second.Load() != 0 {
		t.Error("the redirect was requested")
	}
}

func TestTLSIsVerifiedAgainstTheName(t *testing.T) {
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer srv.Close()
	srv.Config.ErrorLog = nil
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	list, err := guard.ParseAllowList([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	tr := guard.Transport(guard.Options{
		Policy: guard.NewPolicy(guard.Rules{Allow: list}), TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		Resolver: &countingResolver{fn: func(int64) []netip.Addr { return addrs("127.0.0.1") }},
	})
	defer tr.CloseIdleConnections()
	if got, err := get(t, tr, "https://example.com:"+port+"/"); err != nil || got != "200 ok" { // the test certificate's name
		t.Errorf("%q %v", got, err)
	}
	_, err = get(t, tr, "https://other.test:"+port+"/")
	if _, ok := errors.AsType[*guard.DialError](err); !ok {
		t.Errorf("wrong name: %v", err)
	}
}

// TestProxyTakesNamesAndNothingDenied: names go through the operator's proxy, opened addresses directly,
// denied ones nowhere.
func TestProxyTakesNamesAndNothingDenied(t *testing.T) {
	port, direct := listener(t)
	var asked atomic.Pointer[string]
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		asked.Store(&host)
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	u, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	list, err := guard.ParseAllowList([]string{"127.0.0.1/32:" + port})
	if err != nil {
		t.Fatal(err)
	}
	tr := guard.Transport(guard.Options{Policy: guard.NewPolicy(guard.Rules{Allow: list}), Proxy: u})
	defer tr.CloseIdleConnections()
	if _, err := get(t, tr, "https://api.example.com/"); err == nil || asked.Load() == nil || *asked.Load() != "api.example.com:443" {
		t.Errorf("a name: asked %v, %v", asked.Load(), err)
	}
	asked.Store(nil)
	if got, err := get(t, tr, "http://127.0.0.1:"+port+"/"); err != nil || got != "200 ok" || direct.Load() != 1 {
		t.Errorf("an opened address: %q %v", got, err)
	}
	for _, bad := range []string{"https://10.0.0.1/", "http://169.254.169.254/latest", "https://[fd00:ec2::254]/", "http://api.example.com/"} {
		if _, err := get(t, tr, bad); err == nil || asked.Load() != nil {
			t.Errorf("%s: %v, proxy asked: %v", bad, err, asked.Load() != nil)
		}
	}
}

func TestDialTriesTheNextAddress(t *testing.T) {
	port, hits := listener(t)
	list, err := guard.ParseAllowList([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	// 127.0.0.9 has no listener on that port, so it refuses at once.
	r := &countingResolver{fn: func(int64) []netip.Addr { return addrs("127.0.0.9", "127.0.0.1") }}
	tr := guard.Transport(guard.Options{Policy: guard.NewPolicy(guard.Rules{Allow: list}), Resolver: r})
	defer tr.CloseIdleConnections()
	if got, err := get(t, tr, "http://two.example:"+port+"/"); err != nil || got != "200 ok" || hits.Load() != 1 {
		t.Errorf("%q %v, %d hits", got, err, hits.Load())
	}
}
