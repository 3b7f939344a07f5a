package wire_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/wire"
	anthropiccodec "tollgate/internal/wire/anthropic"
	geminicodec "tollgate/internal/wire/gemini"
	openaicodec "tollgate/internal/wire/openai"
	"tollgate/internal/wire/sse"
)

func codecs() map[tollgate.Dialect]wire.Codec {
	return map[tollgate.Dialect]wire.Codec{
		tollgate.DialectOpenAIChat:      openaicodec.Chat{},
		tollgate.DialectOpenAIResponses: openaicodec.Responses{},
		tollgate.DialectAnthropic:       anthropiccodec.Codec{},
		tollgate.DialectGemini:          geminicodec.Codec{},
	}
}

// refusal is an error in the shape of any dialect.
type refusal struct {
	Type      string
	RequestID string `json:"request_id"`
	Error     struct {
		Message, Type, Status string
		Code                  any
		Param                 *string
		Details               []map[string]any
	}
}

// kind is what clients of a dialect react to, as one string.
func (r refusal) kind(d tollgate.Dialect) string {
	switch d {
	case tollgate.DialectOpenAIChat, tollgate.DialectOpenAIResponses:
		code, _ := r.Error.Code.(string)
		return r.Error.Type + " " + code
	case tollgate.DialectAnthropic:
		return r.Error.Type
	case tollgate.DialectGemini:
		return r.Error.Status
	}
	return ""
}

func TestRefusalsHaveTheShapeOfTheCaller(t *testing.T) {
	type answer struct {
		status int
		kind   string
	}
	tests := []struct {
		err                       *tollgate.Error
		openai, anthropic, gemini answer
		retryable                 bool
	}{
		{tollgate.Invalidf("messages", "no"), answer{400, "invalid_request_error "}, answer{400, "invalid_request_error"}, answer{400, "INVALID_ARGUMENT"}, false},
		{
			&tollgate.Error{Code: tollgate.CodeInvalid, Reason: wire.ReasonMethod, Field: "method", Err: wire.NotAllowed{Allow: "POST"}},
			answer{405, "invalid_request_error method_not_supported"},
			answer{405, "invalid_request_error"},
			answer{405, "INVALID_ARGUMENT"},
			false,
		},
		{tollgate.Errorf(tollgate.CodeUnauthenticated, "no"), answer{401, "invalid_request_error invalid_api_key"}, answer{401, "authentication_error"}, answer{401, "UNAUTHENTICATED"}, false},
		{tollgate.Errorf(tollgate.CodeForbidden, "no"), answer{403, "permission_error permission_denied"}, answer{403, "permission_error"}, answer{403, "PERMISSION_DENIED"}, false},
		{&tollgate.Error{Code: tollgate.CodeNotFound, Field: "model"}, answer{404, "invalid_request_error model_not_found"}, answer{404, "not_found_error"}, answer{404, "NOT_FOUND"}, false},
		{tollgate.Errorf(tollgate.CodeNotFound, "no"), answer{404, "invalid_request_error not_found"}, answer{404, "not_found_error"}, answer{404, "NOT_FOUND"}, false},
		{tollgate.Errorf(tollgate.CodeConflict, "no"), answer{409, "invalid_request_error conflict"}, answer{409, "conflict_error"}, answer{409, "ABORTED"}, false},
		{tollgate.Errorf(tollgate.CodeTooLarge, "no"), answer{413, "invalid_request_error request_too_large"}, answer{413, "request_too_large"}, answer{413, "INVALID_ARGUMENT"}, false},
		{tollgate.Errorf(tollgate.CodeMediaType, "no"), answer{415, "invalid_request_error unsupported_media_type"}, answer{415, "invalid_request_error"}, answer{415, "INVALID_ARGUMENT"}, false},
		{tollgate.Errorf(tollgate.CodeQuota, "no"), answer{429, "insufficient_quota insufficient_quota"}, answer{402, "billing_error"}, answer{429, "RESOURCE_EXHAUSTED"}, false},
		{tollgate.Errorf(tollgate.CodeRateLimited, "no"), answer{429, "requests rate_limit_exceeded"}, answer{429, "rate_limit_error"}, answer{429, "RESOURCE_EXHAUSTED"}, true},
		{tollgate.Errorf(tollgate.CodeUnsupported, "no"), answer{501, "invalid_request_error unsupported_operation"}, answer{501, "invalid_request_error"}, answer{501, "UNIMPLEMENTED"}, false},
		{tollgate.Errorf(tollgate.CodeUpgradeRequired, "no"), answer{426, "invalid_request_error upgrade_required"}, answer{426, "invalid_request_error"}, answer{426, "FAILED_PRECONDITION"}, false},
		{tollgate.Errorf(tollgate.CodeUpstream, "no"), answer{502, "server_error upstream_error"}, answer{502, "api_error"}, answer{502, "UNAVAILABLE"}, true},
		{tollgate.Errorf(tollgate.CodeUnavailable, "no"), answer{503, "server_error service_unavailable"}, answer{529, "overloaded_error"}, answer{503, "UNAVAILABLE"}, true},
		{tollgate.Errorf(tollgate.CodeTimeout, "no"), answer{504, "server_error timeout"}, answer{504, "timeout_error"}, answer{504, "DEADLINE_EXCEEDED"}, true},
		{tollgate.Errorf(tollgate.CodeInternal, "no"), answer{500, "server_error internal_error"}, answer{500, "api_error"}, answer{500, "INTERNAL"}, true},
	}
	id := tollgate.RequestIDAt(time.Unix(1_800_000_000, 0))
	for _, tt := range tests {
		want := map[tollgate.Dialect]answer{chat: tt.openai, responses: tt.openai, anthropic: tt.anthropic, gemini: tt.gemini}
		e := *tt.err
		e.RetryAfter = 1500 * time.Millisecond
		for d, codec := range codecs() {
			if codec.Dialect() != d {
				t.Fatalf("%T is not %s", codec, d)
			}
			status, h, body := codec.EncodeError(&e, id)
			var got refusal
			if err := json.Unmarshal(body, &got); err != nil {
				t.Fatalf("%s: %s: %v", d, body, err)
			}
			if status != want[d].status || got.kind(d) != want[d].kind || got.Error.Message != e.Message && !strings.HasSuffix(got.Error.Message, e.Message) {
				t.Errorf("%s, %s: %d %q %s", d, e.Code, status, got.kind(d), body)
			}
			if !strings.HasPrefix(h.Get("Content-Type"), "application/json") {
				t.Errorf("%s: content type %q", d, h.Get("Content-Type"))
			}
			checkRetry(t, d, e.Code, h, tt.retryable)
			checkRequestID(t, d, h, got, id)
		}
	}
}

func checkRetry(t *testing.T, d tollgate.Dialect, code tollgate.Code, h http.Header, retryable bool) {
	t.Helper()
	if retryable && (h.Get("Retry-After") != "2" || h.Get("X-Should-Retry") != "") {
		t.Errorf("%s, %s: %v, want to be retried after 2 s", d, code, h)
	}
	if !retryable && (h.Get("X-Should-Retry") != "false" || h.Get("Retry-After") != "") {
		t.Errorf("%s, %s: %v, want no retry", d, code, h)
	}
}

func checkRequestID(t *testing.T, d tollgate.Dialect, h http.Header, got refusal, id tollgate.RequestID) {
	t.Helper()
	switch d {
	case anthropic:
		if h.Get("Request-Id") != id.String() || got.RequestID != id.String() || got.Type != "error" {
			t.Errorf("%s: request id %q, %+v", d, h.Get("Request-Id"), got)
		}
	case chat, responses:
		if h.Get("X-Request-Id") != id.String() {
			t.Errorf("%s: request id %q", d, h.Get("X-Request-Id"))
		}
	case gemini:
	}
}

func TestRefusalDetails(t *testing.T) {
	e := tollgate.Invalidf("stream", "stream must be true or false")
	_, _, body := openaicodec.Chat{}.EncodeError(e, 0)
	if want := `{"error":{"message":"stream must be true or false","type":"invalid_request_error","param":"stream","code":null}}`; string(body) != want {
		t.Errorf("openai: %s", body)
	}
	_, _, body = anthropiccodec.Codec{}.EncodeError(e, 0)
	if !strings.Contains(string(body), `"stream must be true or false"`) {
		t.Errorf("anthropic: %s", body)
	}
	_, _, body = anthropiccodec.Codec{}.EncodeError(tollgate.Invalidf("messages[1].role", "nobody speaks here"), 0)
	if !strings.Contains(string(body), `"messages[1].role: nobody speaks here"`) {
		t.Errorf("anthropic: %s", body)
	}
	_, _, body = geminicodec.Codec{}.EncodeError(e, 0)
	if !strings.Contains(string(body), `"fieldViolations":[{"field":"stream"`) {
		t.Errorf("gemini: %s", body)
	}
	wait := tollgate.Errorf(tollgate.CodeRateLimited, "slow down")
	wait.RetryAfter = 3 * time.Second
	_, _, body = geminicodec.Codec{}.EncodeError(wait, 0)
	if !strings.Contains(string(body), `"retryDelay":"3s"`) {
		t.Errorf("gemini: %s", body)
	}
	wait.Reason = "tokens"
	_, _, body = openaicodec.Chat{}.EncodeError(wait, 0)
	if !strings.Contains(string(body), `"type":"tokens"`) {
		t.Errorf("openai: %s", body)
	}
	gone := tollgate.Invalidf("previous_response_id", "not here")
	gone.Reason = "previous_response_not_found"
	_, _, body = openaicodec.Responses{}.EncodeError(gone, 0)
	if !strings.Contains(string(body), `"code":"previous_response_not_found"`) {
		t.Errorf("openai: %s", body)
	}
	_, h, _ := openaicodec.Chat{}.EncodeError(&tollgate.Error{Code: tollgate.CodeInvalid, Reason: wire.ReasonMethod, Err: wire.NotAllowed{Allow: "GET"}}, 0)
	if h.Get("Allow") != "GET" {
		t.Errorf("allow: %v", h)
	}
}

func TestErrorEventsEndAStream(t *testing.T) {
	e := tollgate.Errorf(tollgate.CodeUpstream, "the provider's answer\nbroke off")
	id := tollgate.RequestIDAt(time.Unix(1_800_000_000, 0))
	for d, codec := range codecs() {
		if out := codec.ErrorEvent(e, wire.FramingNone, 0, id); out != nil {
			t.Errorf("%s without framing: %s", d, out)
		}
		s := sse.NewScanner(sse.Limits{})
		s.Fill(copy(s.Buffer(), codec.ErrorEvent(e, wire.FramingSSE, 7, id)))
		var names []string
		watch := codec.Observe(tollgate.OpGenerate, wire.ObserveOptions{})
		for {
			ev, ok, err := s.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			names = append(names, string(ev.Name))
			if _, signal := watch.Event(ev.Name, ev.Data); signal != wire.SignalError {
				t.Errorf("%s does not read its own %s as an error", d, ev.Data)
			}
			if !strings.Contains(string(ev.Data), `broke off`) {
				t.Errorf("%s: %s", d, ev.Data)
			}
		}
		want := map[tollgate.Dialect]string{chat: "", responses: "error response.failed", anthropic: "error", gemini: ""}[d]
		if got := strings.Join(names, " "); got != want || len(names) == 0 {
			t.Errorf("%s: events %q, want %q", d, got, want)
		}
	}
}

func TestResponsesErrorEventGoesOnCounting(t *testing.T) {
	id := tollgate.RequestIDAt(time.Unix(1_800_000_000, 0))
	out := string(openaicodec.Responses{}.ErrorEvent(tollgate.Errorf(tollgate.CodeTimeout, "late"), wire.FramingSSE, 7, id))
	for _, want := range []string{
		`"type":"error","sequence_number":7,"code":"timeout","message":"late"`, `"type":"response.failed","sequence_number":8`,
		`"status":"failed","error":{"code":"timeout","message":"late"}`, `"created_at":1800000000`, `"id":"resp_` + id.String()[4:] + `"`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%s lacks %s", out, want)
		}
	}
}

func TestGeminiErrorClosesTheArray(t *testing.T) {
	e := tollgate.Errorf(tollgate.CodeUnavailable, "gone")
	codec := geminicodec.Codec{}
	for events, before := range map[int]string{0: "", 2: `[{"a":1},{"b":2}`} {
		whole := before + string(codec.ErrorEvent(e, wire.FramingJSONArray, events, 0))
		var got []map[string]any
		if err := json.Unmarshal([]byte(whole), &got); err != nil || len(got) != events+1 || got[events]["error"] == nil {
			t.Errorf("%s: %v", whole, err)
		}
	}
}

func TestInternalErrorsTellNothing(t *testing.T) {
	e := tollgate.AsError(json.Unmarshal([]byte("{"), new(int)))
	for d, codec := range codecs() {
		if _, _, body := codec.EncodeError(e, 0); strings.Contains(string(body), "JSON") {
			t.Errorf("%s leaks %s", d, body)
		}
	}
}

func TestStatusesOfProvidersHaveOneMeaning(t *testing.T) {
	for status, want := range map[int]tollgate.Code{
		400: tollgate.CodeInvalid, 422: tollgate.CodeInvalid, 401: tollgate.CodeUpstream, 402: tollgate.CodeUpstream, 407: tollgate.CodeUpstream,
		403: tollgate.CodeForbidden, 404: tollgate.CodeNotFound, 408: tollgate.CodeTimeout, 409: tollgate.CodeConflict, 413: tollgate.CodeTooLarge,
		429: tollgate.CodeRateLimited, 500: tollgate.CodeUpstream, 501: tollgate.CodeUnsupported, 502: tollgate.CodeUpstream,
		503: tollgate.CodeUnavailable, 504: tollgate.CodeTimeout, wire.StatusOverloaded: tollgate.CodeUnavailable, 0: tollgate.CodeUpstream,
	} {
		if got := wire.ProviderCode(status); got != want {
			t.Errorf("status %d is %s, want %s", status, got, want)
		}
	}
}
