package tollgate

import (
	"errors"
	"fmt"
	"time"
)

// Code classifies an error for every edge. Each edge (admin, OpenAI,
// Anthropic, Gemini) owns one mapper from Code to its own shape.
type Code string

// The whole vocabulary. The HTTP status is what most edges answer.
const (
	CodeInvalid         Code = "invalid"          // 400: the request is wrong; Field names where
	CodeUnauthenticated Code = "unauthenticated"  // 401: no valid credential
	CodeForbidden       Code = "forbidden"        // 403: known caller, not allowed
	CodeNotFound        Code = "not_found"        // 404
	CodeConflict        Code = "conflict"         // 409: name taken, state moved on
	CodeTooLarge        Code = "too_large"        // 413
	CodeMediaType       Code = "media_type"       // 415: wrong content type
	CodeQuota           Code = "quota"            // 402 or 429 by protocol: money is spent, retrying cannot cure it
	CodeRateLimited     Code = "rate_limited"     // 429: RetryAfter says when
	CodeUnsupported     Code = "unsupported"      // 501: the route cannot do this
	CodeUpgradeRequired Code = "upgrade_required" // 426: WebSocket needs HTTP/1.1
	CodeUpstream        Code = "upstream"         // 502: the provider failed or answered nonsense
	CodeUnavailable     Code = "unavailable"      // 503: overloaded, draining or a dependency is down
	CodeTimeout         Code = "timeout"          // 504: the provider did not answer in time
	CodeInternal        Code = "internal"         // 500: ours; the client sees no detail
)

// Error is the error that crosses package borders. Message is written for the
// caller and must hold neither secrets nor internals; Err is for the log.
type Error struct {
	Code    Code
	Message string
	// Field is the path of the offending input ("messages[2].role"), if any.
	Field string
	// Reason is a machine-readable refinement ("recent_sign_in"), if any.
	Reason string
	// RetryAfter is how long the caller should wait; 0 = not said.
	RetryAfter time.Duration
	// Limit is the rate limit that refused (CodeRateLimited), for headers; nil = none.
	Limit *LimitState
	// SecondFactor says how a sign-in that lacks one goes on; nil = it does not.
	SecondFactor *SecondFactor
	// Err is the cause, for the log only.
	Err error
}

// SecondFactor is what a sign-in needs that has shown its password only.
type SecondFactor struct {
	Factors    []string // what the account has: totp, passkey, recovery
	LoginToken Secret   // comes back with the second factor; good once, for five minutes
	Options    []byte   // for the browser, as JSON, when a passkey will do
}

// Error returns the text for the log: the message and, if any, the cause.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an *Error whose Message is formatted for the caller.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalidf returns a CodeInvalid error about field.
func Invalidf(field, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// WrapError returns an *Error with a message for the caller and a cause for the log.
func WrapError(code Code, err error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Err: err}
}

// ErrorCode returns the code of the first *Error in err's chain,
// CodeInternal for any other error, and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// AsError returns the first *Error in err's chain; any other error becomes
// CodeInternal with a message that tells nothing.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Code: CodeInternal, Message: "internal error", Err: err}
}
