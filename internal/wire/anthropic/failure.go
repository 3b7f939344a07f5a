package anthropic

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// maxMessage bounds what is kept of a provider's message, in bytes.
const maxMessage = 2048

// reasonContext refines CodeInvalid: the prompt does not fit. Clients know the
// word from OpenAI and shorten the conversation.
const reasonContext = "context_length_exceeded"

// DecodeError implements wire.Back. The caller has scrubbed body of secrets.
func (Codec) DecodeError(status int, h http.Header, body []byte) *tollgate.Error {
	var e *tollgate.Error
	if o, err := jsondoc.Parse(body, jsondoc.Options{Lenient: true}); err == nil {
		e = failure(status, o.Object("error"))
	} else {
		e = describeFailure(status, "", "")
	}
	e.RetryAfter = retryAfter(h)
	return e
}

// retryAfter reads whole seconds, which is what the vendor sends.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.ParseInt(strings.TrimSpace(h.Get("Retry-After")), 10, 32)
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(n) * time.Second
}

// failure reads the object that the vendor describes a failure with; status is
// 0 in a stream.
func failure(status int, o *jsondoc.Object) *tollgate.Error {
	return describeFailure(status, o.Str("type"), o.Str("message"))
}

func describeFailure(status int, typ, message string) *tollgate.Error {
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	e := &tollgate.Error{Code: failureCode(status, typ), Message: message}
	if e.Message == "" {
		e.Message = "the provider failed and said nothing"
		if status != 0 {
			e.Message = "the provider failed with status " + strconv.Itoa(status)
		}
	}
	switch {
	case e.Code == tollgate.CodeInvalid && tooLong(message):
		e.Reason = reasonContext
	case e.Code == tollgate.CodeNotFound && strings.HasPrefix(message, "model: "):
		e.Field = "model"
	}
	return e
}

// tooLong recognises the vendor's words for a prompt that does not fit.
func tooLong(message string) bool {
	for _, words := range []string{"prompt is too long", "exceed context limit", "exceeds context limit", "exceed the context window"} {
		if strings.Contains(message, words) {
			return true
		}
	}
	return false
}

// failureCode goes by the type of the error, which proxies in between keep,
// and by the status where the type says nothing.
func failureCode(status int, typ string) tollgate.Code {
	switch typ {
	case "invalid_request_error":
		if status == http.StatusRequestEntityTooLarge {
			return tollgate.CodeTooLarge
		}
		return tollgate.CodeInvalid
	case "authentication_error", "billing_error":
		return tollgate.CodeUpstream // of the gateway's own account, which no caller can cure
	case "permission_error":
		return tollgate.CodeForbidden
	case "not_found_error":
		return tollgate.CodeNotFound
	case "conflict_error":
		return tollgate.CodeConflict
	case "request_too_large":
		return tollgate.CodeTooLarge
	case "rate_limit_error":
		return tollgate.CodeRateLimited
	case "timeout_error":
		return tollgate.CodeTimeout
	case "overloaded_error":
		return tollgate.CodeUnavailable
	}
	return wire.ProviderCode(status)
}
