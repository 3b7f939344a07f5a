// Package wire is what the dialects have in common: the classification of a
// data-plane path, the peek at a request body and the splices into it, and the
// two faces of a codec, Inbound towards clients and Outbound towards providers.
// Each dialect lives in a package of its own below this one; framing is in
// wire/sse. Nothing here dials, waits or logs.
package wire

import (
	"net/http"
	"time"

	"tollgate"
)

// Framing is how a streamed answer is cut into events.
type Framing uint8

// The framings served.
const (
	FramingNone      Framing = iota // one JSON body
	FramingSSE                      // text/event-stream
	FramingJSONArray                // Gemini without alt=sse: one JSON array
)

// Route is a classified data-plane request: what its path, query and headers tell.
type Route struct {
	// Scope is the provider named by the first path segment; empty = unscoped.
	Scope     string
	Dialect   tollgate.Dialect
	Operation tollgate.Operation
	// Version is the API version segment of the client's path: "v1" or "v1beta".
	Version string
	// Model is the model named by the path (Gemini, model lookup), unescaped
	// and without "models/"; empty where the body names it.
	Model string
	// ResponseID is the kept response that the path names (Responses).
	ResponseID string
	// Stream is set where the path says so (Gemini); elsewhere the body does.
	Stream bool
	// Framing of the streamed answer: JSONArray for Gemini without alt=sse, else SSE.
	Framing Framing
	// Pattern is the route as a bounded label ("/v1/chat/completions",
	// "/v1beta/models/{m}:generateContent") for logs and metrics.
	Pattern string
}

// ModelInfo is an entry of a model list.
type ModelInfo struct {
	ID            string // the name a client sends
	DisplayName   string
	Provider      string
	Created       int64 // Unix seconds; 0 = unknown
	ContextTokens int64 // 0 = unknown
	OutputTokens  int64 // 0 = unknown
}

// Inbound faces clients: it writes what the gateway itself has to say in the
// dialect's own shape.
type Inbound interface {
	Dialect() tollgate.Dialect
	// EncodeError returns status, headers (content-type, retry-after,
	// x-should-retry, the protocol's request id) and body of a refusal.
	EncodeError(e *tollgate.Error, id tollgate.RequestID) (int, http.Header, []byte)
	// ErrorEvent returns the framed bytes that end an open stream with an
	// error; events is how many events went out before (a JSON array needs it).
	ErrorEvent(e *tollgate.Error, f Framing, events int, id tollgate.RequestID) []byte
	// LimitHeader sets the protocol's headers that tell how rate limits stand:
	// those of requests and of tokens per minute, else per day.
	LimitHeader(h http.Header, limits []tollgate.LimitState, now time.Time)
	// EncodeModels returns the body of a model list. Shape only: paging
	// parameters of the protocol are honoured from q (limit, after_id, pageSize, pageToken).
	EncodeModels(models []ModelInfo, q map[string][]string) []byte
	// EncodeModel returns the body of a model lookup.
	EncodeModel(m ModelInfo) []byte
}

// Outbound faces providers: it reads their answers as they pass by.
type Outbound interface {
	Dialect() tollgate.Dialect
	// Observe starts watching one answer.
	Observe(op tollgate.Operation, o ObserveOptions) Observer
	// Cutter starts following a streamed answer that may have to be cut.
	Cutter(op tollgate.Operation, f Framing) Cutter
}

// Cutter ends a streamed answer that passes through before its time, in the
// way that the protocol ends one whose cap on output is reached. It is used by
// one goroutine.
type Cutter interface {
	// Event takes the data of an event as the client reads it. data is only
	// valid during the call.
	Event(name, data []byte)
	// Cut appends the framed events that end the answer, with what it used
	// where the protocol says that (usage says whether the client asked for it,
	// where it has to ask). It reports false, and appends nothing, when the
	// answer has not begun.
	Cut(dst []byte, used tollgate.Tokens, usage bool) ([]byte, bool)
}

// Codec is both faces of a dialect. Codecs are stateless values.
type Codec interface {
	Inbound
	Outbound
}

// ObserveOptions say how an answer is changed on its way (CONTRACT 9, pass-through).
type ObserveOptions struct {
	// Model replaces the answer's model name where the protocol has one; empty = leave.
	Model string
	// PreviousID is put where the answer names the response that it goes on from
	// (Responses); empty = leave.
	PreviousID string
	// DropUsageChunk removes the usage-only chunk that the client did not ask for.
	DropUsageChunk bool
}

// Observer reads one answer. It is used by one goroutine and keeps bounded
// state, whatever the length of the answer.
type Observer interface {
	// Body takes the whole body of a 2xx answer that is not streamed and
	// returns what to send on (the same bytes unless Model is set). Bytes that
	// are no answer of the protocol are CodeUpstream.
	Body(body []byte) ([]byte, error)
	// Event takes one stream event: its name (may be empty) and its data.
	// It returns the data to send on (the same slice when unchanged) and what
	// the relay has to do. data is only valid during the call.
	Event(name, data []byte) ([]byte, Signal)
	// Complete reports, at the end of the stream, whether the protocol's
	// terminator (or, for Gemini, a finish reason) has been seen.
	Complete() bool
	// Usage returns what is known so far.
	Usage() Usage
}

// Signal is what an event means for the relay.
type Signal uint8

// The signals.
const (
	SignalPass     Signal = iota // send it on
	SignalDrop                   // do not send it
	SignalTerminal               // the answer is complete: settle, then send it on
	SignalError                  // the provider reports a failure: send it on, then end as failed
)

// Usage is what an answer told about itself.
type Usage struct {
	Tokens tollgate.Tokens
	// Reported is set when the provider gave numbers.
	Reported bool
	// Content is set once an event carried generated content.
	Content bool
	// OutputBytes counts generated text, for an estimate when nothing is reported.
	OutputBytes int64
	ServiceTier string
}
