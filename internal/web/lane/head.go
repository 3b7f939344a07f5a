package lane

import (
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Bounds of what the lane takes; what is beyond them is not refused but left
// to net/http.
const (
	maxHead    = 8 << 10 // bytes of a head, and of one read
	maxLines   = 64      // header lines
	maxLengths = 15      // digits of a Content-Length
)

// headEnd is what ends a head.
const headEnd = "\r\n\r\n"

// parse reads a head, which ends with headEnd, into r, if it is a member of
// the lane's subset of RFC 9112: POST or GET, a path in ASCII, HTTP/1.1,
// lines that end with CRLF, names that are tokens, values of visible ASCII and
// spaces, one Host, at most one Content-Length, and nothing that changes how
// the connection or the body is to be read; it reports whether it is. The
// strings of the request are parts of head.
func parse(head string, r *http.Request) bool {
	line, rest, _ := strings.Cut(head, "\r\n")
	method, line, _ := strings.Cut(line, " ")
	target, proto, _ := strings.Cut(line, " ")
	if method != http.MethodPost && method != http.MethodGet || proto != "HTTP/1.1" || !plainTarget(target) {
		return false
	}
	h := parseFields(rest)
	if h == nil {
		return false
	}
	host := h["Host"]
	if len(host) != 1 || !plainHost(host[0]) {
		return false
	}
	delete(h, "Host")
	length, ok := plainFraming(h)
	if !ok {
		return false
	}
	u := parseTarget(target)
	if u == nil {
		return false
	}
	*r = http.Request{
		Method: method, URL: u, Proto: proto, ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: http.NoBody,
		ContentLength: length, Host: host[0], RequestURI: target,
	}
	return true
}

// parseFields reads header lines up to the empty one; nil = not plain.
func parseFields(rest string) http.Header {
	n := strings.Count(rest, "\n") - 1
	if n < 1 || n > maxLines {
		return nil
	}
	h := make(http.Header, n)
	values := make([]string, n)
	for {
		var line string
		if line, rest, _ = strings.Cut(rest, "\r\n"); line == "" {
			return h
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !httpguts.ValidHeaderFieldName(name) || !plainValue(value) {
			return nil
		}
		name, value = textproto.CanonicalMIMEHeaderKey(name), strings.Trim(value, " ")
		if had, ok := h[name]; ok {
			h[name] = append(had, value)
			continue
		}
		values[0] = value
		h[name], values = values[:1:1], values[1:]
	}
}

// plainFraming returns the length of the body, if nothing but a Content-Length
// tells of it and the connection is to stay as it is. Pragma is left to
// net/http too, which derives a Cache-Control from it.
func plainFraming(h http.Header) (length int64, ok bool) {
	for name, values := range h {
		switch name {
		case "Transfer-Encoding", "Trailer", "Te", "Upgrade", "Expect", "Http2-Settings", "Proxy-Connection", "Keep-Alive", "Pragma":
			return 0, false
		case "Connection":
			if len(values) != 1 || !strings.EqualFold(values[0], "keep-alive") {
				return 0, false
			}
		case "Content-Length":
			if length, ok = plainLength(values); !ok {
				return 0, false
			}
		}
	}
	return length, true
}

func plainLength(values []string) (int64, bool) {
	if len(values) != 1 || len(values[0]) > maxLengths {
		return 0, false
	}
	n, err := strconv.ParseUint(values[0], 10, 63)
	return int64(n), err == nil
}

// plainTarget reports whether a target is a path, perhaps with a query.
func plainTarget(s string) bool {
	if s == "" || s[0] != '/' || strings.HasPrefix(s, "//") {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '#' {
			return false
		}
	}
	return true
}

// parseTarget returns a target's URL, nil if it is none. A path of ordinary
// characters is its own reading.
func parseTarget(s string) *url.URL {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '/', c == '-', c == '_', c == '.':
		default:
			u, err := url.ParseRequestURI(s)
			if err != nil {
				return nil
			}
			return u
		}
	}
	return &url.URL{Path: s}
}

func plainHost(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '.', c == ':', c == '-', c == '_', c == '[', c == ']':
		default:
			return false
		}
	}
	return s != ""
}

func plainValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
