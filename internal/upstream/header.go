package upstream

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"
)

// forwardable reports whether the client's header with the canonical name k
// crosses to the provider: the protocols' own headers and those that the
// well-known clients send about themselves. Everything else stays here.
func forwardable(k string) bool {
	switch k {
	case "Accept", "Content-Type", "User-Agent", "Idempotency-Key", "X-Idempotency-Key",
		"X-App", "Originator", "Version", "Session-Id", "Session_id", "Conversation_id", "Thread-Id", "X-Client-Request-Id":
		return true
	}
	if strings.IndexByte(k, '_') >= 0 {
		return false
	}
	switch {
	case strings.HasPrefix(k, "Anthropic-"), strings.HasPrefix(k, "Openai-"), strings.HasPrefix(k, "X-Openai-"):
		return !ofAccount(k)
	case strings.HasPrefix(k, "X-Goog-"):
		return !ofAccount(k) && !strings.HasPrefix(k, "X-Goog-Authenticated-") && !strings.HasPrefix(k, "X-Goog-Iam-") &&
			!strings.HasPrefix(k, "X-Goog-Iap-") && !strings.HasPrefix(k, "X-Goog-Metadata-")
	default:
		return strings.HasPrefix(k, "X-Stainless-") || strings.HasPrefix(k, "X-Codex-") || strings.HasPrefix(k, "X-Claude-Code-")
	}
}

// ofAccount reports whether a header of a provider's own family names a key,
// an account, an organisation or a project: those are ours, not the client's.
func ofAccount(k string) bool {
	for _, word := range []string{"Key", "Organization", "Project", "Workspace", "Token", "Authorization"} {
		if strings.Contains(k, word) {
			return true
		}
	}
	return false
}

// neverForward reports whether even settings.forward_headers cannot let the
// canonical header k cross: credentials, cookies, framing, connection
// handling, forwarding and metadata headers, and our own.
func neverForward(k string) bool {
	switch k {
	case "Authorization", "Cookie", "Cookie2", "Set-Cookie", "Host", "Content-Length", "Content-Encoding", "Content-Type",
		"Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Proxy-Connection", "Expect", "Accept-Encoding",
		"Api-Key", "X-Api-Key", "X-Access-Key", "X-Goog-Api-Key", "X-Goog-User-Project", "X-Auth-Token", "X-Amz-Security-Token",
		"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Metadata", "Metadata-Flavor",
		"X-Google-Metadata-Request", "X-Csrf-Token":
		return true
	}
	return strings.HasPrefix(k, "X-Forwarded-") || strings.HasPrefix(k, "X-Tollgate-") || strings.HasPrefix(k, "Proxy-") ||
		strings.HasPrefix(k, "X-Aws-Ec2-Metadata-") || strings.HasPrefix(k, "Sec-") || ofAccount(k) && forwardableFamily(k)
}

func forwardableFamily(k string) bool {
	return strings.HasPrefix(k, "Anthropic-") || strings.HasPrefix(k, "Openai-") || strings.HasPrefix(k, "X-Goog-")
}

// returnable reports whether the provider's header with the canonical name k
// goes back to the client.
func returnable(k string) bool {
	switch k {
	case "Content-Type", "Request-Id", "X-Request-Id", "Retry-After", "Retry-After-Ms", "X-Should-Retry",
		"Openai-Processing-Ms", "Openai-Version", "Openai-Model", "X-Gemini-Service-Tier", "X-Reasoning-Included", "X-Models-Etag":
		return true
	}
	if strings.IndexByte(k, '_') >= 0 {
		return false
	}
	switch {
	case strings.HasPrefix(k, "X-Ratelimit-"), strings.HasPrefix(k, "X-Codex-"):
		return true
	case strings.HasPrefix(k, "Anthropic-Ratelimit-"):
		return true // names token kinds, so ofAccount does not apply
	case strings.HasPrefix(k, "Anthropic-"):
		return !ofAccount(k)
	default:
		return strings.HasPrefix(k, "Ratelimit-") || k == "Ratelimit"
	}
}

// ResponseHeader copies the headers of a provider's answer that go back to the
// client. Cookies, server timing, authentication challenges, CORS,
// organisation ids, framing, and whatever the Connection header names stay
// here (SECURITY H-03, H-05). The value slices are shared: do not modify them.
func ResponseHeader(dst, src http.Header) {
	named := connectionNamed(src)
	for k, v := range src {
		if returnable(k) && !named.has(k) {
			dst[k] = v
		}
	}
}

// headerNames are the canonical names that a Connection header lists.
type headerNames []string

func (n headerNames) has(k string) bool {
	return slices.Contains(n, k)
}

// connectionNamed returns the headers that Connection declares to be of one
// hop, nil for the usual keep-alive and close.
func connectionNamed(h http.Header) headerNames {
	var out headerNames
	for _, line := range h["Connection"] {
		if strings.EqualFold(line, "keep-alive") || strings.EqualFold(line, "close") {
			continue
		}
		for name := range strings.SplitSeq(line, ",") {
			out = append(out, textproto.CanonicalMIMEHeaderKey(strings.TrimSpace(name)))
		}
	}
	return out
}

// copyRequestHeader copies what crosses from the client's header to dst.
func copyRequestHeader(dst, src http.Header, also []string) {
	named := connectionNamed(src)
	for k, v := range src {
		if len(v) > 0 && forwardable(k) && !named.has(k) {
			dst[k] = v
		}
	}
	for _, k := range also {
		if v := src[k]; len(v) > 0 && !named.has(k) {
			dst[k] = v
		}
	}
}

// copyTranslatedHeader copies what crosses from a client of another dialect:
// what is no part of any protocol, and what the operator lets through, less
// the version of an API that the body no longer has.
func copyTranslatedHeader(dst, src http.Header, also []string) {
	named := connectionNamed(src)
	for _, k := range append([]string{"Idempotency-Key", "X-Idempotency-Key"}, also...) {
		if v := src[k]; len(v) > 0 && k != "Anthropic-Version" && !named.has(k) {
			dst[k] = v
		}
	}
}
