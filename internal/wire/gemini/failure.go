package gemini

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// reasonContext is the Reason that clients look for when the prompt is too long.
const reasonContext = "context_length_exceeded"

// DecodeError implements wire.Back. The body is a google.rpc.Status in an
// error member, or a list of such bodies where a stream was asked for.
func (Codec) DecodeError(httpStatus int, h http.Header, body []byte) *tollgate.Error {
	text := strings.TrimSpace(string(body))
	if rest, ok := strings.CutPrefix(text, "["); ok { // the first of a list
		text = strings.TrimSpace(strings.TrimSuffix(rest, "]"))
	}
	e := &tollgate.Error{Code: codeOf(httpStatus, ""), Message: "the provider answered with status " + strconv.Itoa(httpStatus)}
	if o, err := parse([]byte(text)); err == nil && o.Get("error").Kind() == jsondoc.IsObject {
		e = readStatus(o.Object("error"), httpStatus)
	}
	if seconds, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After")), 64); err == nil && e.RetryAfter == 0 && seconds > 0 && seconds < 1e6 {
		e.RetryAfter = time.Duration(seconds * float64(time.Second))
	}
	return e
}

// readStatus reads a google.rpc.Status; httpStatus is 0 inside of a stream,
// where the status tells its own.
func readStatus(o *jsondoc.Object, httpStatus int) *tollgate.Error {
	message, word := text(o.Get("message")), text(o.Get("status"))
	if n := number(o.Get("code")); httpStatus == 0 && n >= 400 && n < 600 {
		httpStatus = n
	}
	e := &tollgate.Error{Code: codeOf(httpStatus, word), Message: message}
	if message == "" {
		e.Message = "the provider failed without saying why"
	}
	details := o.Get("details")
	if details.Kind() == jsondoc.IsArray {
		for _, d := range details.Array() {
			if d.Kind() == jsondoc.IsObject {
				readDetail(e, d.Object())
			}
		}
	}
	switch {
	case e.Code == tollgate.CodeInvalid && tooLong(message):
		e.Reason = reasonContext
	case e.Code == tollgate.CodeNotFound && strings.HasPrefix(message, "models/"):
		e.Field = "model"
	}
	return e
}

func readDetail(e *tollgate.Error, o *jsondoc.Object) {
	kind := text(o.Get("@type"))
	switch kind[strings.LastIndexByte(kind, '.')+1:] {
	case "RetryInfo":
		if d, err := time.ParseDuration(text(o.Get("retryDelay"))); err == nil && d > 0 {
			e.RetryAfter = d
		}
	case "ErrorInfo":
		if strings.HasPrefix(text(o.Get("reason")), "API_KEY_") { // the gateway's own key, with status 400
			e.Code = tollgate.CodeUpstream
			e.Message = "the provider refused this gateway's credential; the operator has to look at it"
		}
	}
}

// text and number read what an error says, whatever its type.
func text(v jsondoc.Value) string {
	if v.Kind() != jsondoc.String {
		return ""
	}
	return v.Str()
}

func number(v jsondoc.Value) int {
	if v.Kind() != jsondoc.Number {
		return 0
	}
	f := v.Float()
	if f == nil || *f < 0 || *f > 1000 {
		return 0
	}
	return int(*f)
}

// tooLong recognises the sentence about prompts that do not fit: "The input
// token count (…) exceeds the maximum number of tokens allowed (…)".
func tooLong(message string) bool {
	return strings.Contains(message, "token") && strings.Contains(message, "exceeds the maximum")
}

// codeOf maps an HTTP status, or the word of google.rpc.Code where there is
// none. Refusals of the gateway's own credential are the operator's matter.
func codeOf(httpStatus int, word string) tollgate.Code {
	if httpStatus >= http.StatusBadRequest {
		return wire.ProviderCode(httpStatus)
	}
	switch word {
	case "INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE":
		return tollgate.CodeInvalid
	case "RESOURCE_EXHAUSTED":
		return tollgate.CodeRateLimited
	case "UNAVAILABLE":
		return tollgate.CodeUnavailable
	case "DEADLINE_EXCEEDED":
		return tollgate.CodeTimeout
	case "NOT_FOUND":
		return tollgate.CodeNotFound
	default:
		return tollgate.CodeUpstream
	}
}
