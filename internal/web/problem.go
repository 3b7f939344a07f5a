package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"tollgate"
)

// Problem is the JSON of an error outside the data plane: RFC 9457 with the
// message also as "error" (CONTRACT 8).
type Problem struct {
	Type      string          `json:"type" doc:"Always about:blank"`
	Title     string          `json:"title" doc:"The status in words"`
	Status    int             `json:"status" doc:"The HTTP status"`
	Detail    string          `json:"detail" doc:"What is wrong"`
	Error     string          `json:"error" doc:"The same as detail"`
	Field     string          `json:"field,omitempty" doc:"The offending input"`
	Reason    string          `json:"reason,omitempty" doc:"A machine-readable refinement"`
	RequestID string          `json:"request_id,omitempty" doc:"The request, for support"`
	Errors    []ProblemDetail `json:"errors,omitempty" doc:"Every offending input, when there are several"`

	// Of a sign-in that lacks its second factor (CONTRACT 7).
	Factors    []string `json:"factors,omitempty" doc:"What the account can show: totp, passkey, recovery"`
	LoginToken string   `json:"login_token,omitempty" doc:"To send to /login/second-factor; good once, for five minutes"`
	Passkey    any      `json:"passkey,omitempty" doc:"What to give navigator.credentials.get, when a passkey will do"`
}

// ProblemDetail is one finding of many.
type ProblemDetail struct {
	Message  string `json:"message"`
	Location string `json:"location,omitempty"`
}

// Status returns the HTTP status of an error code outside the data plane.
func Status(c tollgate.Code) int {
	switch c {
	case tollgate.CodeInvalid:
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
	case tollgate.CodeQuota:
		return http.StatusPaymentRequired
	case tollgate.CodeRateLimited:
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
	}
	return http.StatusInternalServerError
}

// NewProblem describes err for the caller of e. What is not of the error
// vocabulary tells nothing.
func NewProblem(e *Event, err error) Problem {
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = tollgate.Errorf(tollgate.CodeTooLarge, "the request body is larger than %d bytes", tooLarge.Limit)
	}
	te := tollgate.AsError(err)
	status := Status(te.Code)
	p := Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: te.Message, Error: te.Message, Field: te.Field, Reason: te.Reason,
	}
	if e.ID != 0 {
		p.RequestID = e.ID.String()
	}
	if f := te.SecondFactor; f != nil {
		p.Factors, p.LoginToken = f.Factors, f.LoginToken.Reveal()
		if len(f.Options) > 0 {
			p.Passkey = json.RawMessage(f.Options)
		}
	}
	return p
}

// WriteError writes err as application/problem+json and notes it in the
// event. Once the header is out, it only notes it.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := EventFrom(r.Context())
	e.Err = err
	if e.Status != 0 {
		return
	}
	if after := RetryAfter(err); after != "" {
		w.Header().Set("Retry-After", after)
	}
	if tollgate.ErrorCode(err) == tollgate.CodeUnauthenticated {
		w.Header().Set("WWW-Authenticate", `Bearer realm="tollgate"`)
	}
	WriteProblem(w, NewProblem(e, err))
}

// RetryAfter returns the value of the Retry-After header for err: whole
// seconds, rounded up; empty if it does not say.
func RetryAfter(err error) string {
	after := tollgate.AsError(err).RetryAfter
	if after <= 0 {
		return ""
	}
	return strconv.FormatInt(int64((after+time.Second-1)/time.Second), 10)
}

// WriteProblem writes p with its status.
func WriteProblem(w http.ResponseWriter, p Problem) {
	WriteJSONAs(w, p.Status, "application/problem+json", p)
}

// WriteJSON writes v as application/json.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	WriteJSONAs(w, status, "application/json", v)
}

// WriteJSONAs writes v as JSON of the given content type. A value that cannot
// be encoded is answered by 500.
func WriteJSONAs(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, contentType = http.StatusInternalServerError, "application/problem+json"
		body = []byte(`{"type":"about:blank","status":500,"detail":"internal error","error":"internal error"}`)
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// writeRefusal answers for the door, before any route is known.
func writeRefusal(w http.ResponseWriter, r *http.Request, bad *refusal) {
	e := EventFrom(r.Context())
	e.Err = tollgate.Errorf(tollgate.CodeInvalid, "%s", bad.message)
	apiHeaders(w.Header())
	w.Header().Set("Connection", "close")
	p := NewProblem(e, e.Err)
	p.Status, p.Title = bad.status, http.StatusText(bad.status)
	WriteProblem(w, p)
}
