// Package openai speaks OpenAI's two dialects: Chat, with the legacy
// completions, embeddings, moderations and model lists beside it, and
// Responses. Both are stateless values.
package openai

import (
	"net/http"
	"time"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/sse"
)

// Chat is the dialect of /v1/chat/completions and of the operations beside it.
type Chat struct{}

var (
	_ wire.Codec      = Chat{}
	_ wire.Translator = Chat{}
	_ wire.EmbedFront = Chat{}
	_ wire.EmbedBack  = Chat{}
)

// Dialect implements wire.Inbound and wire.Outbound.
func (Chat) Dialect() tollgate.Dialect { return tollgate.DialectOpenAIChat }

// EncodeError implements wire.Inbound.
func (Chat) EncodeError(e *tollgate.Error, id tollgate.RequestID) (int, http.Header, []byte) {
	return encodeError(e, id)
}

// ErrorEvent implements wire.Inbound. SDKs throw on an event whose data has an
// error member; no [DONE] follows it.
func (Chat) ErrorEvent(e *tollgate.Error, f wire.Framing, _ int, _ tollgate.RequestID) []byte {
	if f == wire.FramingNone {
		return nil
	}
	return sse.AppendEvent(nil, nil, mustJSON(map[string]apiError{"error": describe(e)}))
}

// LimitHeader implements wire.Inbound.
func (Chat) LimitHeader(h http.Header, limits []tollgate.LimitState, _ time.Time) {
	limitHeader(h, limits)
}

// EncodeModels implements wire.Inbound.
func (Chat) EncodeModels(models []wire.ModelInfo, _ map[string][]string) []byte {
	return encodeModels(models)
}

// EncodeModel implements wire.Inbound.
func (Chat) EncodeModel(m wire.ModelInfo) []byte { return mustJSON(describeModel(m)) }

// Observe implements wire.Outbound.
func (Chat) Observe(op tollgate.Operation, o wire.ObserveOptions) wire.Observer {
	return &chatObserver{op: op, dropUsage: o.DropUsageChunk, rename: wire.NewRenamer(o.Model)}
}
