package demo

import (
	"fmt"
	"net/http"
	"strconv"
)

// fail answers with the protocol's error for status. param is the offending
// field, if any.
func (x *exchange) fail(status int, param, message string) {
	x.write(status, x.errorBody(status, "", param, message))
}

// failWith answers with an OpenAI error code of its own.
func (x *exchange) failWith(status int, code, message string) {
	x.write(status, x.errorBody(status, code, "", message))
}

// failKey refuses a key the way vendors do: by repeating it, which is why
// error bodies have to be scrubbed.
func (x *exchange) failKey(status int, key string) {
	message := "The request was refused."
	switch status {
	case http.StatusUnauthorized:
		message = fmt.Sprintf("Incorrect API key provided: %s. You can find your API key in your account settings.", key)
	case http.StatusTooManyRequests:
		message = "Rate limit reached for organization org-demo0123456789abcdef on requests per minute."
		if x.w.Header().Get("Retry-After") == "" {
			x.w.Header().Set("Retry-After", "1")
		}
	}
	code := ""
	if status == http.StatusUnauthorized {
		code = "invalid_api_key"
	}
	x.failWith(status, code, message)
}

func (x *exchange) write(status int, body raw) {
	x.w.Header().Set("Content-Type", "application/json")
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body)
}

// errorBody writes the error in the family's shape.
func (x *exchange) errorBody(status int, code, param, message string) raw {
	switch x.family {
	case familyAnthropic:
		return o("type", "error", "error", o("type", anthropicType(status), "message", message), "request_id", x.id("req_"))
	case familyGemini:
		return o("error", o("code", status, "message", message, "status", geminiStatus(status)))
	case familyOpenAI:
	}
	kind, standard := openAIType(status)
	if code == "" {
		code = standard
	}
	return o("error", o("message", message, "type", kind, "param", orNull(param), "code", orNull(code)))
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func openAIType(status int) (kind, code string) {
	switch {
	case status == http.StatusTooManyRequests:
		return "requests", "rate_limit_exceeded"
	case status == http.StatusUnauthorized:
		return "invalid_request_error", "invalid_api_key"
	case status >= 500:
		return "server_error", ""
	default:
		return "invalid_request_error", ""
	}
}

func anthropicType(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "invalid_request_error"
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusPaymentRequired:
		return "billing_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "not_found_error"
	case http.StatusRequestEntityTooLarge:
		return "request_too_large"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusGatewayTimeout:
		return "timeout_error"
	case 529, http.StatusServiceUnavailable:
		return "overloaded_error"
	default:
		return "api_error"
	}
}

func geminiStatus(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "INVALID_ARGUMENT"
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return "NOT_FOUND"
	case http.StatusConflict:
		return "ABORTED"
	case http.StatusTooManyRequests:
		return "RESOURCE_EXHAUSTED"
	case http.StatusServiceUnavailable:
		return "UNAVAILABLE"
	case http.StatusGatewayTimeout:
		return "DEADLINE_EXCEEDED"
	default:
		return "INTERNAL"
	}
}
