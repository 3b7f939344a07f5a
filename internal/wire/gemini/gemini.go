// Package gemini speaks Gemini's generateContent dialect, under /v1 and
// /v1beta, streamed as events or as one JSON array.
package gemini

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

// Codec is the dialect of models/{m}:generateContent and the actions beside
// it. It is a stateless value.
type Codec struct{}

var _ wire.Codec = Codec{}

// Dialect implements wire.Inbound and wire.Outbound.
func (Codec) Dialect() tollgate.Dialect { return tollgate.DialectGemini }

// Observe implements wire.Outbound.
func (Codec) Observe(op tollgate.Operation, o wire.ObserveOptions) wire.Observer {
	return &observer{op: op, rename: wire.NewRenamer(o.Model)}
}

type apiError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Details []any  `json:"details,omitempty"`
}

type badRequest struct {
	Type       string           `json:"@type"`
	Violations []fieldViolation `json:"fieldViolations"`
}

type fieldViolation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

type retryInfo struct {
	Type  string `json:"@type"`
	Delay string `json:"retryDelay"`
}

func describe(e *tollgate.Error) map[string]apiError {
	out := apiError{Code: wire.Status(e), Message: e.Message, Status: status(e.Code)}
	if e.Field != "" && e.Code == tollgate.CodeInvalid {
		out.Details = append(out.Details, badRequest{
			Type: "type.googleapis.com/google.rpc.BadRequest", Violations: []fieldViolation{{e.Field, e.Message}},
		})
	}
	if e.RetryAfter > 0 && wire.Retryable(e.Code) {
		out.Details = append(out.Details, retryInfo{
			Type: "type.googleapis.com/google.rpc.RetryInfo", Delay: strconv.FormatInt(wire.RetrySeconds(e.RetryAfter), 10) + "s",
		})
	}
	return map[string]apiError{"error": out}
}

// status names an error in the vocabulary of google.rpc.Code.
func status(c tollgate.Code) string {
	switch c {
	case tollgate.CodeInvalid, tollgate.CodeTooLarge, tollgate.CodeMediaType:
		return "INVALID_ARGUMENT"
	case tollgate.CodeUpgradeRequired:
		return "FAILED_PRECONDITION"
	case tollgate.CodeUnauthenticated:
		return "UNAUTHENTICATED"
	case tollgate.CodeForbidden:
		return "PERMISSION_DENIED"
	case tollgate.CodeNotFound:
		return "NOT_FOUND"
	case tollgate.CodeConflict:
		return "ABORTED"
	case tollgate.CodeQuota, tollgate.CodeRateLimited:
		return "RESOURCE_EXHAUSTED"
	case tollgate.CodeUnsupported:
		return "UNIMPLEMENTED"
	case tollgate.CodeUpstream, tollgate.CodeUnavailable:
		return "UNAVAILABLE"
	case tollgate.CodeTimeout:
		return "DEADLINE_EXCEEDED"
	case tollgate.CodeInternal:
		return "INTERNAL"
	default:
		return "INTERNAL"
	}
}

// EncodeError implements wire.Inbound. Gemini has no request id of its own.
func (Codec) EncodeError(e *tollgate.Error, _ tollgate.RequestID) (int, http.Header, []byte) {
	h := wire.RefusalHeader(e)
	h.Set("Content-Type", "application/json; charset=UTF-8")
	return wire.Status(e), h, mustJSON(describe(e))
}

// LimitHeader implements wire.Inbound. The protocol has no such headers; a
// refusal tells when to come again in its details.
func (Codec) LimitHeader(http.Header, []tollgate.LimitState, time.Time) {}

// ErrorEvent implements wire.Inbound: an event with an error member, or a last
// element of the array and its end.
func (Codec) ErrorEvent(e *tollgate.Error, f wire.Framing, events int, _ tollgate.RequestID) []byte {
	body := mustJSON(describe(e))
	switch f {
	case wire.FramingNone:
		return nil
	case wire.FramingSSE:
		return sse.AppendEvent(nil, nil, body)
	case wire.FramingJSONArray:
	}
	open := "["
	if events > 0 {
		open = ",\n"
	}
	return append(append([]byte(open), body...), "]\n"...)
}

type model struct {
	Name        string   `json:"name"`
	Version     string   `json:"version"`
	DisplayName string   `json:"displayName"`
	InputLimit  int64    `json:"inputTokenLimit,omitempty"`
	OutputLimit int64    `json:"outputTokenLimit,omitempty"`
	Methods     []string `json:"supportedGenerationMethods"`
}

type modelPage struct {
	Models []model `json:"models"`
	Next   string  `json:"nextPageToken,omitempty"`
}

// describeModel tells the methods from the name, which is all there is to tell
// them from: clients show only models with generateContent in their menus.
func describeModel(m wire.ModelInfo) model {
	out := model{
		Name: m.ID, Version: "001", DisplayName: m.DisplayName, InputLimit: m.ContextTokens, OutputLimit: m.OutputTokens,
		Methods: []string{"generateContent", "streamGenerateContent", "countTokens"},
	}
	if !strings.HasPrefix(m.ID, "tunedModels/") {
		out.Name = "models/" + m.ID
	}
	if out.DisplayName == "" {
		out.DisplayName = m.ID
	}
	if strings.Contains(m.ID, "embed") {
		out.Methods = []string{"embedContent", "batchEmbedContents", "countTokens"}
	}
	return out
}

// Page sizes of the model list.
const (
	defaultPage = 50
	maxPage     = 1000
)

// EncodeModels implements wire.Inbound: a page of pageSize models (50 when not
// said, up to 1,000). The page token is the name of the model that the page
// begins with; one that is not in the list gives the first page.
func (Codec) EncodeModels(models []wire.ModelInfo, q map[string][]string) []byte {
	size := defaultPage
	if n, err := strconv.Atoi(url.Values(q).Get("pageSize")); err == nil && n > 0 {
		size = min(n, maxPage)
	}
	from := 0
	if token := url.Values(q).Get("pageToken"); token != "" {
		for i, m := range models {
			if m.ID == token {
				from = i
				break
			}
		}
	}
	to := min(from+size, len(models))
	page := modelPage{Models: make([]model, 0, to-from)}
	for _, m := range models[from:to] {
		page.Models = append(page.Models, describeModel(m))
	}
	if to < len(models) {
		page.Next = models[to].ID
	}
	return mustJSON(page)
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
