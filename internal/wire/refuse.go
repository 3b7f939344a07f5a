package wire

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"tollgate"
)

// Status returns the HTTP status of a refusal in a dialect that has no status
// of its own for it.
func Status(e *tollgate.Error) int {
	switch e.Code {
	case tollgate.CodeInvalid:
		if e.Reason == ReasonMethod {
			return http.StatusMethodNotAllowed
		}
		return http.StatusBadRequest
	case tollgate.CodeUnauthenticated:
		return http.StatusUnauthorized
	case tollgate.CodeForbidden:
		return http.StatusForbidden
	case tollgate.CodeNotFound:
		return http.StatusNotFound
	case tollgate.CodeConflict:
		return http.StatusConflict
	case tollgate.CodeTooLarge:
		return http.StatusRequestEntityTooLarge
	case tollgate.CodeMediaType:
		return http.StatusUnsupportedMediaType
	case tollgate.CodeQuota, tollgate.CodeRateLimited:
		return http.StatusTooManyRequests
	case tollgate.CodeUnsupported:
		return http.StatusNotImplemented
	case tollgate.CodeUpgradeRequired:
		return http.StatusUpgradeRequired
	case tollgate.CodeUpstream:
		return http.StatusBadGateway
	case tollgate.CodeUnavailable:
		return http.StatusServiceUnavailable
	case tollgate.CodeTimeout:
		return http.StatusGatewayTimeout
	case tollgate.CodeInternal:
		return http.StatusInternalServerError
	default:
		return http.StatusInternalServerError
	}
}

// StatusOverloaded is Anthropic's own status for an overloaded service.
const StatusOverloaded = 529

// ProviderCode is the code of a provider's error answer by its status alone, as
// the caller is to see it. That the gateway's own credential or account was
// refused is the operator's matter: CodeUpstream.
func ProviderCode(status int) tollgate.Code {
	switch status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusProxyAuthRequired:
		return tollgate.CodeUpstream
	case http.StatusForbidden:
		return tollgate.CodeForbidden
	case http.StatusNotFound:
		return tollgate.CodeNotFound
	case http.StatusConflict:
		return tollgate.CodeConflict
	case http.StatusRequestEntityTooLarge:
		return tollgate.CodeTooLarge
	case http.StatusTooManyRequests:
		return tollgate.CodeRateLimited
	case http.StatusNotImplemented:
		return tollgate.CodeUnsupported
	case http.StatusServiceUnavailable, StatusOverloaded:
		return tollgate.CodeUnavailable
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return tollgate.CodeTimeout
	}
	if status >= http.StatusBadRequest && status < http.StatusInternalServerError {
		return tollgate.CodeInvalid
	}
	return tollgate.CodeUpstream
}

// Retryable reports whether the same request may succeed later.
func Retryable(c tollgate.Code) bool {
	switch c {
	case tollgate.CodeRateLimited, tollgate.CodeUpstream, tollgate.CodeUnavailable, tollgate.CodeTimeout, tollgate.CodeInternal:
		return true
	case tollgate.CodeInvalid, tollgate.CodeUnauthenticated, tollgate.CodeForbidden, tollgate.CodeNotFound, tollgate.CodeConflict,
		tollgate.CodeTooLarge, tollgate.CodeMediaType, tollgate.CodeQuota, tollgate.CodeUnsupported, tollgate.CodeUpgradeRequired:
		return false
	default:
		return true
	}
}

// RefusalHeader returns the headers that every dialect gives a refusal:
// content-type; x-should-retry: false and no retry-after where retrying cannot
// help, which the SDKs would otherwise do on 409, 429 and 5xx; retry-after in
// whole seconds, rounded up, where it is known; allow for a wrong method.
func RefusalHeader(e *tollgate.Error) http.Header {
	h := http.Header{"Content-Type": {"application/json"}}
	switch {
	case !Retryable(e.Code):
		h.Set("X-Should-Retry", "false")
	case e.RetryAfter > 0:
		h.Set("Retry-After", strconv.FormatInt(RetrySeconds(e.RetryAfter), 10))
	}
	if na, ok := errors.AsType[NotAllowed](e.Err); ok {
		h.Set("Allow", na.Allow)
	}
	return h
}

// RetrySeconds rounds a wait up to whole seconds.
func RetrySeconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// Tightest picks the limit on requests and the one on tokens that a protocol's
// headers tell of: a day's only where it has less left than a minute's. nil =
// there is none.
func Tightest(limits []tollgate.LimitState) (requests, tokens *tollgate.LimitState) {
	for i := range limits {
		l := &limits[i]
		switch l.Kind {
		case tollgate.LimitRequestsMinute, tollgate.LimitRequestsDay:
			if requests == nil || l.Remaining() < requests.Remaining() {
				requests = l
			}
		case tollgate.LimitTokensMinute:
			tokens = l
		case tollgate.LimitConcurrency: // no protocol has a header for it
		}
	}
	return requests, tokens
}
