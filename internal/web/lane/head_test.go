package lane_test

import (
	"bufio"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tollgate/internal/web/lane"
)

// ordinary requests are served by the lane.
func ordinary() []string {
	return []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /v1/models?limit=2&after=x HTTP/1.1\r\nhost: example.test:8787\r\nConnection: keep-alive\r\n\r\n",
		"GET /v1beta/models/gemini%2Fx:generateContent HTTP/1.1\r\nHost: [::1]:8787\r\n\r\n",
		"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\ncontent-type: application/json\r\nContent-Length: 2\r\n\r\n{}",
		"POST /v1/messages HTTP/1.1\r\nHost: a\r\nAuthorization:Bearer x y \r\nX-Tag: 1\r\nx-tag: 2\r\nX-Empty:\r\nsession_id: 7\r\nContent-Length: 0\r\n\r\n",
		"POST /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /body HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		"POST /zeroes HTTP/1.1\r\nHost: a\r\nContent-Length: 003\r\n\r\nabc",
	}
}

// odd requests are left to net/http, which refuses some of them and serves others.
func odd() []string {
	long := strings.Repeat("x", 9<<10)
	return []string{
		// Smuggling (SECURITY H-01).
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3_0\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\x0b\r\n\r\nabc",
		"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded: 2\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\tfolded\r\n\r\n",
		"GET / HTTP/1.1\nHost: a\n\n",
		"GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX\x00: 1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: caf\xc3\xa9\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: a\tb\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX Y: 1\r\n\r\n",
		// Targets and hosts (SECURITY H-02, H-04).
		"GET http://evil/admin HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET //evil/admin HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1 \r\nHost: a\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1\r\nX: 1\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"GET / HTTP/1.1\r\nHost:\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a/?\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
		// What changes how the connection is used.
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Api-Key\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nExpect: else\r\nContent-Length: 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nTrailer: X\r\nContent-Length: 3\r\n\r\nabc",
		"GET / HTTP/1.1\r\nHost: a\r\nPragma: no-cache\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03",
		// Other methods, other versions, no HTTP at all.
		"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		"get / HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.0\r\n\r\n",
		"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
		"GET / HTTP/2.0\r\nHost: a\r\n\r\n",
		"GET /\r\n\r\n",
		"\r\n\r\n",
		"hello\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: " + long + "\r\n\r\n",
		"GET /" + long + " HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: 1\r\n", 90) + "\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 50<<10) + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n",
		"",
	}
}

func TestTheLaneServesOrdinaryRequestsAsNetHTTPWould(t *testing.T) {
	p := newPair(t, echo)
	for _, raw := range ordinary() {
		before := p.kept.Load()
		want, got := normal(talk(t, p.plain, raw)), normal(talk(t, p.lane, raw))
		if want != got || !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
			t.Errorf("%q:\n%s", raw, cmp.Diff(want, got))
		}
		if p.kept.Load() != before+1 {
			t.Errorf("%q was handed over", raw)
		}
	}
}

func TestH01OddRequestsAreNetHTTPsMatter(t *testing.T) {
	p := newPair(t, echo)
	for _, raw := range odd() {
		want, got := normal(talk(t, p.plain, raw)), normal(talk(t, p.lane, raw))
		if want != got {
			t.Errorf("%.100q:\n%s", raw, cmp.Diff(want, got))
		}
		if n := p.kept.Swap(0); n != 0 {
			t.Errorf("%.100q was kept", raw)
		}
	}
}

// An odd request behind an ordinary one takes the connection with it.
func TestAConnectionIsHandedOverBetweenRequests(t *testing.T) {
	p := newPair(t, echo)
	first := "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
	for _, raw := range slices.Concat(odd(), []string{"\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\r\n\r\n", "\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"}) {
		want, got := normal(talk(t, p.plain, first+raw+ordinary()[0])), normal(talk(t, p.lane, first+raw+ordinary()[0]))
		if want != got {
			t.Errorf("%.100q:\n%s", raw, cmp.Diff(want, got))
		}
	}
	if p.kept.Load() < int64(len(odd())) {
		t.Errorf("only %d of the first requests were kept", p.kept.Load())
	}
}

func TestRequestsMayComeInTwoPiecesCutAnywhere(t *testing.T) {
	p := newPair(t, echo)
	for _, raw := range []string{ordinary()[3], odd()[0], odd()[5]} {
		want := normal(talk(t, p.plain, raw))
		for i := range raw {
			if got := normal(talk(t, p.lane, raw[:i], raw[i:])); want != got {
				t.Fatalf("%q | %q:\n%s", raw[:i], raw[i:], cmp.Diff(want, got))
			}
		}
	}
}

// Whatever the lane's parser takes, net/http reads in the same way.
func FuzzHead(f *testing.F) {
	for _, raw := range slices.Concat(ordinary(), odd()) {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		end := strings.Index(raw, "\r\n\r\n")
		if end < 0 || end > 8<<10 {
			return
		}
		head := raw[:end+4]
		var got http.Request
		if !lane.Parse(head, &got) {
			return
		}
		want, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head + strings.Repeat("x", int(min(got.ContentLength, 64<<10))))))
		if err != nil {
			t.Fatalf("net/http refuses %q: %v", head, err)
		}
		if want.ContentLength > 0 {
			want.Body = http.NoBody // the connection's to read
		}
		if diff := cmp.Diff(want, &got, cmpopts.IgnoreUnexported(http.Request{})); diff != "" {
			t.Fatalf("%q (-net/http +lane):\n%s", head, diff)
		}
	})
}
