package openai

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"tollgate"
	"tollgate/internal/wire"
)

// apiError is the error object of OpenAI's API.
type apiError struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

// describe gives an error the type and code that OpenAI clients react to: SDKs
// decide by status, Codex stops on insufficient_quota, tools look for
// model_not_found and invalid_api_key.
func describe(e *tollgate.Error) apiError {
	typ, code := classify(e)
	out := apiError{Message: e.Message, Type: typ}
	if e.Reason != "" && e.Reason != wire.ReasonMethod && e.Code != tollgate.CodeQuota && e.Code != tollgate.CodeRateLimited {
		code = e.Reason
	}
	if code != "" {
		out.Code = &code
	}
	if e.Field != "" {
		out.Param = &e.Field
	}
	return out
}

func classify(e *tollgate.Error) (typ, code string) {
	const invalid, server = "invalid_request_error", "server_error"
	switch e.Code {
	case tollgate.CodeInvalid:
		if e.Reason == wire.ReasonMethod {
			return invalid, "method_not_supported"
		}
		return invalid, ""
	case tollgate.CodeUnauthenticated:
		return invalid, "invalid_api_key"
	case tollgate.CodeForbidden:
		return "permission_error", "permission_denied"
	case tollgate.CodeNotFound:
		if e.Field == "model" {
			return invalid, "model_not_found"
		}
		return invalid, "not_found"
	case tollgate.CodeConflict:
		return invalid, "conflict"
	case tollgate.CodeTooLarge:
		return invalid, "request_too_large"
	case tollgate.CodeMediaType:
		return invalid, "unsupported_media_type"
	case tollgate.CodeQuota:
		return "insufficient_quota", "insufficient_quota"
	case tollgate.CodeRateLimited:
		if e.Reason == "tokens" || e.Limit != nil && e.Limit.Kind == tollgate.LimitTokensMinute {
			return "tokens", "rate_limit_exceeded"
		}
		return "requests", "rate_limit_exceeded"
	case tollgate.CodeUnsupported:
		return invalid, "unsupported_operation"
	case tollgate.CodeUpgradeRequired:
		return invalid, "upgrade_required"
	case tollgate.CodeUpstream:
		return server, "upstream_error"
	case tollgate.CodeUnavailable:
		return server, "service_unavailable"
	case tollgate.CodeTimeout:
		return server, "timeout"
	case tollgate.CodeInternal:
		return server, "internal_error"
	default:
		return server, "internal_error"
	}
}

// encodeError is Inbound.EncodeError of both dialects.
func encodeError(e *tollgate.Error, id tollgate.RequestID) (int, http.Header, []byte) {
	h := wire.RefusalHeader(e)
	h.Set("X-Request-Id", id.String())
	return wire.Status(e), h, mustJSON(map[string]apiError{"error": describe(e)})
}

// limitHeader is Inbound.LimitHeader of both dialects. Resets are durations,
// as OpenAI writes them: 1s, 6m0s.
func limitHeader(h http.Header, limits []tollgate.LimitState) {
	requests, tokens := wire.Tightest(limits)
	set := func(what string, l *tollgate.LimitState) {
		if l == nil {
			return
		}
		h.Set("X-Ratelimit-Limit-"+what, strconv.FormatInt(l.Value, 10))
		h.Set("X-Ratelimit-Remaining-"+what, strconv.FormatInt(l.Remaining(), 10))
		h.Set("X-Ratelimit-Reset-"+what, l.Resets.Round(time.Millisecond).String())
	}
	set("Requests", requests)
	set("Tokens", tokens)
}

// mustJSON encodes values of this package, which cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("{}")
	}
	return b
}
