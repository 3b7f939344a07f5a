package openai

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// openaiFailure reads an error answer of either dialect, as wire.Back's
// DecodeError says it. Compatible servers leave out members, say error as a
// string, or answer with a page of HTML.
func openaiFailure(status int, h http.Header, body []byte) *tollgate.Error {
	e := openaiErrorBody(body)
	e.Code = openaiStatusCode(status, e.Reason)
	if e.Message == "" {
		e.Message = "the provider answered with status " + strconv.Itoa(status)
	}
	if status == http.StatusUnauthorized || status == http.StatusForbidden {
		e.Message = "the provider refused the gateway's credential" // its own words quote the key
	}
	e.RetryAfter = openaiRetryAfter(h)
	return e
}

// openaiErrorBody reads what the body of an error says: message, and code or
// type as the Reason.
func openaiErrorBody(body []byte) *tollgate.Error {
	o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return &tollgate.Error{}
	}
	return openaiErrorObject(o)
}

// openaiErrorObject reads an error from the member error of o, which is an
// object or a text, else from o itself.
func openaiErrorObject(o *jsondoc.Object) *tollgate.Error {
	switch v := o.Get("error"); v.Kind() {
	case jsondoc.IsObject:
		o = v.Object()
	case jsondoc.String:
		return &tollgate.Error{Message: openaiScrub(v.Str())}
	case jsondoc.Absent, jsondoc.Number, jsondoc.Bool, jsondoc.IsArray:
	}
	e := &tollgate.Error{Message: openaiScrub(textOf(o, "message")), Field: textOf(o, "param"), Reason: textOf(o, "code")}
	if kind := textOf(o, "type"); e.Reason == "" && kind != "error" {
		e.Reason = kind
	}
	return e
}

// textOf returns a string member; empty for anything else.
func textOf(o *jsondoc.Object, name string) string {
	if v := o.Get(name); v.Kind() == jsondoc.String {
		return v.Str()
	}
	return ""
}

// openaiStatusCode is the code of an error answer, reason its machine-readable
// refinement.
func openaiStatusCode(status int, reason string) tollgate.Code {
	switch {
	case reason == "insufficient_quota" || status == http.StatusPaymentRequired:
		return tollgate.CodeQuota
	case status == http.StatusForbidden: // of a key, as OpenAI uses it
		return tollgate.CodeUpstream
	case status >= http.StatusBadRequest:
		return wire.ProviderCode(status)
	default:
		return openaiReasonCode(reason)
	}
}

// openaiReasonCode is the code of an error that came without a status, inside
// of an answer.
func openaiReasonCode(reason string) tollgate.Code {
	switch reason {
	case "insufficient_quota", "usage_limit_reached", "billing_hard_limit_reached":
		return tollgate.CodeQuota
	case "rate_limit_exceeded", "rate_limit_error", "requests", "tokens":
		return tollgate.CodeRateLimited
	case "context_length_exceeded", "invalid_prompt", "invalid_request_error", "bio_policy", "cyber_policy", "content_filter":
		return tollgate.CodeInvalid
	case "server_is_overloaded", "slow_down", "service_unavailable", "overloaded_error":
		return tollgate.CodeUnavailable
	case "timeout", "vector_store_timeout":
		return tollgate.CodeTimeout
	}
	if strings.Contains(reason, "image") {
		return tollgate.CodeInvalid
	}
	return tollgate.CodeUpstream
}

// openaiRetryAfter reads how long to wait: milliseconds, seconds, or none.
func openaiRetryAfter(h http.Header) time.Duration {
	const most = 24 * 60 * 60 * 1000
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 && ms < most {
		return time.Duration(ms * float64(time.Millisecond))
	}
	if s, err := strconv.ParseFloat(h.Get("Retry-After"), 64); err == nil && s > 0 && s < most/1000 {
		return time.Duration(s * float64(time.Second))
	}
	return 0
}

// openaiScrub takes keys out of a provider's message, which quotes them at
// times: every word that begins like one.
func openaiScrub(message string) string {
	const limit = 2000
	if len(message) > limit {
		message = strings.ToValidUTF8(message[:limit], "") + "…"
	}
	for _, mark := range []string{"sk-", "Bearer ", "sess-"} {
		for from := 0; ; {
			i := strings.Index(message[from:], mark)
			if i < 0 {
				break
			}
			from += i + len(mark)
			end := from
			for end < len(message) && !strings.ContainsRune(" \t\n\"'`,;)", rune(message[end])) {
				end++
			}
			message = message[:from] + "…" + message[end:]
			from += len("…")
		}
	}
	return message
}
