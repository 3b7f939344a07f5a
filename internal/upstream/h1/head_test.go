package h1_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/upstream/h1"
)

// scripted is a connection on which a server says what it says, whatever it is
// asked, and hangs up.
type scripted struct {
	io.Reader
	closed int
}

func (*scripted) Write(p []byte) (int, error)      { return len(p), nil }
func (s *scripted) Close() error                   { s.closed++; return nil }
func (*scripted) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*scripted) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*scripted) SetDeadline(time.Time) error      { return nil }
func (*scripted) SetReadDeadline(time.Time) error  { return nil }
func (*scripted) SetWriteDeadline(time.Time) error { return nil }
func transportTo(c net.Conn) *h1.Transport {
	return &h1.Transport{Dial: func(context.Context, string, string) (net.Conn, error) { return c, nil }, HeaderTimeout: time.Minute}
}

// ask sends one request to a server that answers raw. kept reports whether the
// connection was kept for another exchange.
func ask(t *testing.T, method, raw string) (a answer, kept bool, err error) {
	t.Helper()
	c := &scripted{Reader: strings.NewReader(raw)}
	tr := transportTo(c)
	defer tr.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://vendor.test/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return answer{}, false, err
	}
	body, err := io.ReadAll(resp.Body)
	if cerr := resp.Body.Close(); cerr != nil {
		t.Errorf("close: %v", cerr)
	}
	return answer{resp.StatusCode, resp.Header, resp.ContentLength, body}, c.closed == 0, err
}

func TestHeadersAreReadAsTheyStand(t *testing.T) {
	long := strings.Repeat("v", 10_000)
	for name, c := range map[string]struct {
		method, raw string
		want        answer
		closed      bool
	}{
		"length":              {raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", want: answer{200, http.Header{"Content-Length": {"2"}}, 2, []byte("ok")}},
		"names, blanks":       {raw: "HTTP/1.1 200\r\ncontent-length:2\r\nx-a: \t b c \t\r\nX-A:d\r\nX-Empty:\r\n\r\nok", want: answer{200, http.Header{"Content-Length": {"2"}, "X-A": {"b c", "d"}, "X-Empty": {""}}, 2, []byte("ok")}},
		"LF alone":            {raw: "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", want: answer{200, http.Header{"Content-Length": {"2"}}, 2, []byte("ok")}},
		"longer than a read":  {raw: "HTTP/1.1 200 OK\r\nX-Long: " + long + "\r\nContent-Length: 2\r\n\r\nok", want: answer{200, http.Header{"Content-Length": {"2"}, "X-Long": {long}}, 2, []byte("ok")}},
		"same length twice":   {raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", want: answer{200, http.Header{"Content-Length": {"2"}}, 2, []byte("ok")}},
		"no fields":           {raw: "HTTP/1.1 200 OK\r\n\r\nto the end", want: answer{200, http.Header{}, -1, []byte("to the end")}, closed: true},
		"HTTP/1.0":            {raw: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", want: answer{200, http.Header{"Content-Length": {"2"}}, 2, []byte("ok")}, closed: true},
		"HTTP/1.0 kept":       {raw: "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nok", want: answer{200, http.Header{"Connection": {"Keep-Alive"}, "Content-Length": {"2"}}, 2, []byte("ok")}},
		"close":               {raw: "HTTP/1.1 200 OK\r\nConnection: x-a, Close\r\nContent-Length: 0\r\n\r\n", want: answer{200, http.Header{"Connection": {"x-a, Close"}, "Content-Length": {"0"}}, 0, []byte{}}, closed: true},
		"chunks":              {raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", want: answer{200, http.Header{}, -1, []byte("ok")}},
		"chunks, trailer":     {raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2;x=y\r\nok\r\n0\r\nX-T: v\r\n\r\n", want: answer{200, http.Header{}, -1, []byte("ok")}},
		"chunks and length":   {raw: "HTTP/1.1 200 OK\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", want: answer{200, http.Header{}, -1, []byte("ok")}, closed: true},
		"HEAD":                {method: "HEAD", raw: "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", want: answer{200, http.Header{"Content-Length": {"7"}}, 7, []byte{}}},
		"HEAD, chunks":        {method: "HEAD", raw: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", want: answer{200, http.Header{}, -1, []byte{}}},
		"204":                 {raw: "HTTP/1.1 204 No Content\r\n\r\n", want: answer{204, http.Header{}, 0, []byte{}}},
		"304 with a length":   {raw: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", want: answer{304, http.Header{"Content-Length": {"9"}}, 0, []byte{}}},
		"after informational": {raw: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", want: answer{200, http.Header{"Content-Length": {"2"}}, 2, []byte("ok")}},
		"more than the body":  {raw: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok?", want: answer{200, http.Header{"Content-Length": {"2"}}, 2, []byte("ok")}, closed: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, kept, err := ask(t, c.method, c.raw)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if kept == c.closed {
				t.Errorf("connection kept: %v", kept)
			}
		})
	}
}

func TestUnsoundResponsesAreRefused(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	chunked := ok + "Transfer-Encoding: chunked\r\n"
	for name, raw := range map[string]string{
		"nothing":                    "",
		"no HTTP":                    "SSH-2.0-OpenSSH_9.7\r\n\r\n",
		"empty first line":           "\r\n" + ok + "\r\n",
		"HTTP/2 in text":             "HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/0.9":                   "HTTP/0.9 200 OK\r\n\r\n",
		"lower case":                 "http/1.1 200 OK\r\n\r\n",
		"two spaces":                 "HTTP/1.1  200 OK\r\n\r\n",
		"no status":                  "HTTP/1.1\r\n\r\n",
		"short status":               "HTTP/1.1 20 OK\r\n\r\n",
		"long status":                "HTTP/1.1 2000 OK\r\n\r\n",
		"status below 100":           "HTTP/1.1 099 OK\r\n\r\n",
		"signed status":              "HTTP/1.1 +20 OK\r\n\r\n",
		"header cut off":             ok + "Content-Length: 2\r\n",
		"line cut off":               ok + "Content-Le",
		"folded line":                ok + "X-A: b\r\n c\r\n\r\n",
		"folded with a colon":        ok + "X-A: b\r\n\tX-B: c\r\n\r\n",
		"first line folded":          ok + " X-A: b\r\n\r\n",
		"no colon":                   ok + "X-A\r\n\r\n",
		"no name":                    ok + ": x\r\n\r\n",
		"blank before the colon":     ok + "Content-Length : 2\r\n\r\nok",
		"blank in the name":          ok + "X A: b\r\n\r\n",
		"control in the value":       ok + "X-A: b\x00c\r\n\r\n",
		"CR in the value":            ok + "X-A: b\rc\r\n\r\n",
		"two CR":                     ok + "X-A: b\r\r\n\r\n",
		"contradicting lengths":      ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
		"a list of lengths":          ok + "Content-Length: 2, 2\r\n\r\nok",
		"negative length":            ok + "Content-Length: -1\r\n\r\n",
		"signed length":              ok + "Content-Length: +2\r\n\r\nok",
		"empty length":               ok + "Content-Length:\r\n\r\n",
		"length beyond all bounds":   ok + "Content-Length: 9223372036854775808\r\n\r\n",
		"length shorter than said":   ok + "Content-Length: 3\r\n\r\nok",
		"other coding":               ok + "Transfer-Encoding: gzip\r\n\r\n",
		"coding list":                ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"coding twice":               chunked + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"coding in HTTP/1.0":         "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"coding with a bad length":   chunked + "Content-Length: x\r\n\r\n0\r\n\r\n",
		"chunk size is no number":    chunked + "\r\nx\r\nok\r\n0\r\n\r\n",
		"chunk longer than said":     chunked + "\r\n1\r\nok\r\n0\r\n\r\n",
		"chunks without an end":      chunked + "\r\n2\r\nok\r\n",
		"end of chunks cut off":      chunked + "\r\n2\r\nok\r\n0\r\n",
		"trailer is no field":        chunked + "\r\n0\r\nX-T\r\n\r\n",
		"trailer without an end":     chunked + "\r\n0\r\nX-T: v\r\n",
		"trailer larger than 64 KiB": chunked + "\r\n0\r\n" + strings.Repeat("X-T: "+strings.Repeat("v", 1000)+"\r\n", 80) + "\r\n",
		"header larger than 256 KiB": ok + strings.Repeat("X-H: "+strings.Repeat("v", 1000)+"\r\n", 300) + "\r\n",
		"only informational":         strings.Repeat("HTTP/1.1 103 Early Hints\r\n\r\n", 11) + ok + "\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got, kept, err := ask(t, "POST", raw); err == nil || kept {
				t.Errorf("accepted as %.200v, connection kept %v", got, kept)
			}
		})
	}
}

func TestABodyThatWasClosedOrBrokeIsNotReadOn(t *testing.T) {
	for name, raw := range map[string]string{
		"closed": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"broken": "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
	} {
		c := &scripted{Reader: strings.NewReader(raw)}
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://vendor.test/", nil)
		resp, err := transportTo(c).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		if name == "broken" {
			if _, err := io.ReadAll(resp.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %v", name, err)
			}
		}
		_ = resp.Body.Close()
		if _, err := resp.Body.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) || c.closed != 1 {
			t.Errorf("%s: read afterwards: %v; closed %d times", name, err, c.closed)
		}
	}
}

// FuzzResponse compares with net/http: what is accepted here, is accepted
// there, and with the same meaning.
func FuzzResponse(f *testing.F) {
	for _, raw := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n2\r\nok\r\n0\r\nX-T: v\r\n\r\n",
		"HTTP/1.0 404 Not Found\r\nConnection: keep-alive, x\r\nConnection: close\r\n\r\nrest",
		"HTTP/1.1 204 No Content\r\ncontent-length: 3\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 1\n\nx",
		"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nX-B : d\r\n\r\n",
	} {
		f.Add("GET", []byte(raw))
		f.Add("HEAD", []byte(raw))
	}
	f.Fuzz(func(t *testing.T, method string, raw []byte) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://vendor.test/", nil)
		if err != nil {
			return
		}
		got, err := transportTo(&scripted{Reader: bytes.NewReader(raw)}).RoundTrip(req)
		if err != nil {
			return
		}
		gotBody, gotErr := io.ReadAll(got.Body)
		want, br := final(t, req, raw)
		wantBody, wantErr := io.ReadAll(want.Body)
		if !bytes.Equal(gotBody, wantBody) || gotErr == nil && wantErr != nil {
			t.Errorf("body %q, %v\nnet/http %q, %v, left %q", gotBody, gotErr, wantBody, wantErr, rest(br))
		}
		if got.StatusCode != want.StatusCode || got.ContentLength != want.ContentLength || want.Close && !got.Close {
			t.Errorf("%d, length %d, close %v\nnet/http %d, length %d, close %v",
				got.StatusCode, got.ContentLength, got.Close, want.StatusCode, want.ContentLength, want.Close)
		}
		for _, h := range []http.Header{got.Header, want.Header} {
			h.Del("Connection")
			if h.Get("Pragma") != "" {
				h.Del("Cache-Control") // net/http adds one
			}
		}
		if diff := cmp.Diff(want.Header, got.Header); diff != "" {
			t.Errorf("-net/http +h1\n%s", diff)
		}
	})
}

// final reads raw as net/http does, up to the final response.
func final(t *testing.T, req *http.Request, raw []byte) (*http.Response, *bufio.Reader) {
	t.Helper()
	br := bufio.NewReader(bytes.NewReader(raw))
	for {
		resp, err := http.ReadResponse(br, req)
		if err != nil {
			t.Fatalf("net/http: %v", err)
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, br
		}
	}
}

func rest(br *bufio.Reader) []byte {
	b, _ := io.ReadAll(br)
	return b
}
