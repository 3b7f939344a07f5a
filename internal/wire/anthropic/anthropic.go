// Package anthropic speaks Anthropic's Messages dialect, in both API versions.
package anthropic

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/sse"
)

// Codec is the dialect of /v1/messages. It is a stateless value.
type Codec struct{}

var _ wire.Codec = Codec{}

// Dialect implements wire.Inbound and wire.Outbound.
func (Codec) Dialect() tollgate.Dialect { return tollgate.DialectAnthropic }

// Observe implements wire.Outbound.
func (Codec) Observe(op tollgate.Operation, o wire.ObserveOptions) wire.Observer {
	return &observer{op: op, rename: wire.NewRenamer(o.Model)}
}

type apiError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}

type errorBody struct {
	Type      string   `json:"type"`
	Error     apiError `json:"error"`
	RequestID string   `json:"request_id"`
}

func describe(e *tollgate.Error, id tollgate.RequestID) errorBody {
	_, typ := classify(e)
	message := e.Message
	if e.Field != "" && e.Code == tollgate.CodeInvalid && e.Reason == "" && !strings.HasPrefix(message, e.Field) {
		message = e.Field + ": " + message
	}
	if e.Reason == reasonContext && !tooLong(message) {
		message = "prompt is too long: " + message // the words that Claude Code shortens the conversation at
	}
	return errorBody{Type: "error", Error: apiError{Type: typ, Message: message}, RequestID: id.String()}
}

// classify gives an error Anthropic's status and type. Claude Code stops at
// once on 402 and retries 429 and 529.
func classify(e *tollgate.Error) (status int, typ string) {
	status = wire.Status(e)
	switch e.Code {
	case tollgate.CodeInvalid, tollgate.CodeMediaType, tollgate.CodeUpgradeRequired, tollgate.CodeUnsupported:
		return status, "invalid_request_error"
	case tollgate.CodeUnauthenticated:
		return status, "authentication_error"
	case tollgate.CodeForbidden:
		return status, "permission_error"
	case tollgate.CodeNotFound:
		return status, "not_found_error"
	case tollgate.CodeConflict:
		return status, "conflict_error"
	case tollgate.CodeTooLarge:
		return status, "request_too_large"
	case tollgate.CodeQuota:
		return http.StatusPaymentRequired, "billing_error"
	case tollgate.CodeRateLimited:
		return status, "rate_limit_error"
	case tollgate.CodeUnavailable:
		return wire.StatusOverloaded, "overloaded_error"
	case tollgate.CodeTimeout:
		return status, "timeout_error"
	case tollgate.CodeUpstream, tollgate.CodeInternal:
		return status, "api_error"
	default:
		return status, "api_error"
	}
}

// EncodeError implements wire.Inbound.
func (Codec) EncodeError(e *tollgate.Error, id tollgate.RequestID) (int, http.Header, []byte) {
	h := wire.RefusalHeader(e)
	h.Set("Request-Id", id.String())
	status, _ := classify(e)
	return status, h, mustJSON(describe(e, id))
}

// ErrorEvent implements wire.Inbound.
func (Codec) ErrorEvent(e *tollgate.Error, f wire.Framing, _ int, id tollgate.RequestID) []byte {
	if f == wire.FramingNone {
		return nil
	}
	return sse.AppendEvent(nil, []byte("error"), mustJSON(describe(e, id)))
}

// LimitHeader implements wire.Inbound. Resets are times.
func (Codec) LimitHeader(h http.Header, limits []tollgate.LimitState, now time.Time) {
	requests, tokens := wire.Tightest(limits)
	set := func(what string, l *tollgate.LimitState) {
		if l == nil {
			return
		}
		h.Set("Anthropic-Ratelimit-"+what+"-Limit", strconv.FormatInt(l.Value, 10))
		h.Set("Anthropic-Ratelimit-"+what+"-Remaining", strconv.FormatInt(l.Remaining(), 10))
		h.Set("Anthropic-Ratelimit-"+what+"-Reset", now.Add(l.Resets).UTC().Format(time.RFC3339))
	}
	set("Requests", requests)
	set("Tokens", tokens)
}

type model struct {
	Type           string `json:"type"`
	ID             string `json:"id"`
	DisplayName    string `json:"display_name"`
	CreatedAt      string `json:"created_at"`
	MaxInputTokens int64  `json:"max_input_tokens,omitempty"`
	MaxTokens      int64  `json:"max_tokens,omitempty"`
}

type modelPage struct {
	Data    []model `json:"data"`
	HasMore bool    `json:"has_more"`
	FirstID *string `json:"first_id"`
	LastID  *string `json:"last_id"`
}

// describeModel gives an unknown date as the epoch, as the API says it does.
func describeModel(m wire.ModelInfo) model {
	name := m.DisplayName
	if name == "" {
		name = m.ID
	}
	return model{
		Type: "model", ID: m.ID, DisplayName: name, CreatedAt: time.Unix(m.Created, 0).UTC().Format(time.RFC3339),
		MaxInputTokens: m.ContextTokens, MaxTokens: m.OutputTokens,
	}
}

// Page sizes of the model list.
const (
	defaultPage = 20
	maxPage     = 1000
)

// EncodeModels implements wire.Inbound: a page of at most limit models (20
// when not said, up to 1,000) after after_id, or before before_id. An id that
// is not in the list gives the list's beginning, or its end.
func (Codec) EncodeModels(models []wire.ModelInfo, q map[string][]string) []byte {
	limit := defaultPage
	if n, err := strconv.Atoi(url.Values(q).Get("limit")); err == nil && n > 0 {
		limit = min(n, maxPage)
	}
	page := modelPage{Data: []model{}}
	from, to := 0, len(models)
	if i := indexOf(models, url.Values(q).Get("after_id")); i >= 0 {
		from = i + 1
	}
	if i := indexOf(models, url.Values(q).Get("before_id")); i >= 0 {
		to = max(i, from)
		page.HasMore = to-from > limit
		from = max(from, to-limit)
	} else {
		page.HasMore = to-from > limit
		to = min(to, from+limit)
	}
	for _, m := range models[from:to] {
		page.Data = append(page.Data, describeModel(m))
	}
	if n := len(page.Data); n > 0 {
		page.FirstID, page.LastID = &page.Data[0].ID, &page.Data[n-1].ID
	}
	return mustJSON(page)
}

func indexOf(models []wire.ModelInfo, id string) int {
	for i, m := range models {
		if m.ID == id && id != "" {
			return i
		}
	}
	return -1
}

// EncodeModel implements wire.Inbound.
func (Codec) EncodeModel(m wire.ModelInfo) []byte { return mustJSON(describeModel(m)) }

// mustJSON encodes values of this package, which cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("{}")
	}
	return b
}
