package web

import (
	"net/http"
	"strings"
)

// Limits of what a request may look like before any handler sees it (SECURITY D-02).
const (
	MaxURL         = 8 << 10  // bytes of the request target
	MaxHeaderBytes = 32 << 10 // bytes of all header lines
	MaxHeaders     = 100      // header lines
	MaxCookies     = 50
	MaxQuery       = 200 // query parameters
)

// refusal is an answer of the door, which has no code of the error vocabulary.
type refusal struct {
	status  int
	message string
}

// checkHeader counts the header lines and removes those that could be taken
// for what they are not: names with an underscore that some proxy maps to a
// name we trust (SECURITY H-10), and forwarding headers of untrusted peers.
func checkHeader(h http.Header, trusted bool) *refusal {
	lines, size, cookies := 0, 0, 0
	for name, values := range h {
		lines += len(values)
		for _, v := range values {
			size += len(name) + len(v) + 4
		}
		switch {
		case strings.IndexByte(name, '_') >= 0:
			if isTrustedName(http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))) {
				delete(h, name)
			}
		case name == "Cookie":
			for _, v := range values {
				cookies += 1 + strings.Count(v, ";")
			}
		case !trusted && isForwarding(name):
			delete(h, name)
		}
	}
	switch {
	case lines > MaxHeaders || size > MaxHeaderBytes:
		return &refusal{http.StatusRequestHeaderFieldsTooLarge, "too many or too large request headers"}
	case cookies > MaxCookies:
		return &refusal{http.StatusBadRequest, "too many cookies"}
	}
	return nil
}

func isForwarding(canonical string) bool {
	switch canonical {
	case "Forwarded", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip":
		return true
	}
	return strings.HasPrefix(canonical, "X-Forwarded-")
}

// isTrustedName reports whether some part of the gateway acts on the header.
func isTrustedName(canonical string) bool {
	switch canonical {
	case "Authorization", "Cookie", "Host", "Origin", "Referer", "Connection", "Upgrade", "Content-Type", "Content-Length",
		"Content-Encoding", "Transfer-Encoding", "Te", "Trailer", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "X-Access-Key",
		"Anthropic-Version", "Idempotency-Key":
		return true
	}
	return isForwarding(canonical) || strings.HasPrefix(canonical, "Sec-") ||
		strings.HasPrefix(canonical, "X-Tollgate-") || strings.HasPrefix(canonical, "Access-Control-")
}

// checkTarget refuses request targets that different handlers could read
// differently (SECURITY H-02, H-04). Encoded slashes pass: a model id may
// hold one, and the router matches no path that needs decoding.
func checkTarget(r *http.Request, own Hosts) *refusal {
	switch r.Method {
	case http.MethodConnect, http.MethodTrace:
		return &refusal{http.StatusMethodNotAllowed, "the method is not allowed"}
	}
	switch {
	case len(r.RequestURI) > MaxURL:
		return &refusal{http.StatusRequestURITooLong, "the URL is longer than 8 KiB"}
	case r.URL.Path == "" || r.URL.Path[0] != '/':
		return &refusal{http.StatusBadRequest, "the request target must be a path"}
	case r.URL.User != nil:
		return &refusal{http.StatusBadRequest, "the request target must not name a user"}
	case r.URL.Host != "" && !own.Allows(r):
		// net/http has already replaced the Host header by the target's
		// host, so that nothing behind us can see two.
		return &refusal{http.StatusBadRequest, "the request target names another host; this is no forward proxy"}
	case strings.Count(r.URL.RawQuery, "&") >= MaxQuery:
		return &refusal{http.StatusBadRequest, "too many query parameters"}
	case !plainPath(r.URL.Path):
		return &refusal{http.StatusBadRequest, "the path is not in its plain form (no //, no dot segments, no control characters)"}
	}
	return nil
}

// plainPath reports whether a decoded path has one reading: no empty or dot
// segment, no backslash, no control character.
func plainPath(p string) bool {
	start := 1 // of the running segment
	for i := 1; i <= len(p); i++ {
		if i < len(p) {
			if c := p[i]; c < 0x20 || c == 0x7f || c == '\\' {
				return false
			} else if c != '/' {
				continue
			}
		}
		switch seg := p[start:i]; seg {
		case ".", "..":
			return false
		case "":
			if i < len(p) {
				return false
			}
		}
		start = i + 1
	}
	return true
}
