package openai

import (
	"net/http"
	"time"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/sse"
)

// Responses is the dialect of /v1/responses.
type Responses struct{}

var (
	_ wire.Codec      = Responses{}
	_ wire.Translator = Responses{}
)

// Dialect implements wire.Inbound and wire.Outbound.
func (Responses) Dialect() tollgate.Dialect { return tollgate.DialectOpenAIResponses }

// EncodeError implements wire.Inbound.
func (Responses) EncodeError(e *tollgate.Error, id tollgate.RequestID) (int, http.Header, []byte) {
	return encodeError(e, id)
}

// errorEvent is sent in both forms that are in use: with the error's fields
// beside the type, as the API is described, and in an object of its own, as
// the API answers.
type errorEvent struct {
	Type     string   `json:"type"`
	Sequence int      `json:"sequence_number"`
	Code     *string  `json:"code"`
	Message  string   `json:"message"`
	Param    *string  `json:"param"`
	Error    apiError `json:"error"`
}

type failedEvent struct {
	Type     string         `json:"type"`
	Sequence int            `json:"sequence_number"`
	Response failedResponse `json:"response"`
}

// failedResponse has the members that SDKs expect of every response.
type failedResponse struct {
	ID                string            `json:"id"`
	Object            string            `json:"object"`
	CreatedAt         int64             `json:"created_at"`
	Status            string            `json:"status"`
	Error             failedError       `json:"error"`
	IncompleteDetails *struct{}         `json:"incomplete_details"`
	Instructions      *string           `json:"instructions"`
	Metadata          map[string]string `json:"metadata"`
	Model             string            `json:"model"`
	Output            []struct{}        `json:"output"`
	ParallelToolCalls bool              `json:"parallel_tool_calls"`
	Temperature       *float64          `json:"temperature"`
	ToolChoice        string            `json:"tool_choice"`
	Tools             []struct{}        `json:"tools"`
	TopP              *float64          `json:"top_p"`
	Usage             *struct{}         `json:"usage"`
}

type failedError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// ErrorEvent implements wire.Inbound: an error event, which some SDKs throw
// on, then response.failed, which the others wait for (TRANSLATION 6.11).
// events numbers them on.
func (Responses) ErrorEvent(e *tollgate.Error, f wire.Framing, events int, id tollgate.RequestID) []byte {
	if f == wire.FramingNone {
		return nil
	}
	d := describe(e)
	code := "server_error"
	if d.Code != nil {
		code = *d.Code
	}
	out := sse.AppendEvent(nil, []byte("error"), mustJSON(errorEvent{
		Type: "error", Sequence: events, Code: &code, Message: d.Message, Param: d.Param, Error: d,
	}))
	return sse.AppendEvent(out, []byte("response.failed"), mustJSON(failedEvent{
		Type: "response.failed", Sequence: events + 1,
		Response: failedResponse{
			ID: "resp_" + id.String()[len("req_"):], Object: "response", CreatedAt: id.Time().Unix(), Status: "failed",
			Error: failedError{Code: code, Message: d.Message}, Metadata: map[string]string{}, Output: []struct{}{},
			ParallelToolCalls: true, ToolChoice: "auto", Tools: []struct{}{},
		},
	}))
}

// LimitHeader implements wire.Inbound.
func (Responses) LimitHeader(h http.Header, limits []tollgate.LimitState, _ time.Time) {
	limitHeader(h, limits)
}

// EncodeModels implements wire.Inbound.
func (Responses) EncodeModels(models []wire.ModelInfo, _ map[string][]string) []byte {
	return encodeModels(models)
}

// EncodeModel implements wire.Inbound.
func (Responses) EncodeModel(m wire.ModelInfo) []byte { return mustJSON(describeModel(m)) }

// Observe implements wire.Outbound.
func (Responses) Observe(op tollgate.Operation, o wire.ObserveOptions) wire.Observer {
	return &responsesObserver{op: op, rename: wire.NewRenamer(o.Model), previous: wire.NewRenamer(o.PreviousID)}
}
