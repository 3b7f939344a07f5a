package judge_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/test/laws"

	"tollgate/test/judge"
)

// codes are all that a client can be refused with.
func codes() []tollgate.Code {
	return []tollgate.Code{
		tollgate.CodeInvalid, tollgate.CodeUnauthenticated, tollgate.CodeForbidden, tollgate.CodeNotFound, tollgate.CodeConflict,
		tollgate.CodeTooLarge, tollgate.CodeMediaType, tollgate.CodeQuota, tollgate.CodeRateLimited, tollgate.CodeUnsupported,
		tollgate.CodeUpgradeRequired, tollgate.CodeUpstream, tollgate.CodeUnavailable, tollgate.CodeTimeout, tollgate.CodeInternal,
	}
}

const requestID tollgate.RequestID = 0x0190_0000_0000_0020

func (b *bench) errors(t *testing.T) {
	t.Helper()
	for d, tr := range laws.Translators() {
		codec, ok := tr.(wire.Codec)
		if !ok {
			t.Fatalf("%T writes no errors", tr)
		}
		for _, code := range codes() {
			e := &tollgate.Error{Code: code, Message: "it is so", Field: "model", RetryAfter: time.Second}
			_, _, body := codec.EncodeError(e, requestID)
			b.failure(t, d, body)
			enc := tr.StreamEncoder(&ir.Request{Model: "m"}, wire.FramingSSE, requestID)
			out := enc.Event(nil, ir.Start{ID: "x", Model: "m"})
			out = enc.Event(out, ir.ItemStart{Item: ir.Message{Role: ir.RoleAssistant}})
			out = enc.Error(enc.Event(out, ir.TextDelta{Text: "ha"}), e)
			events, err := laws.Data(out)
			if err != nil {
				t.Fatal(err)
			}
			b.judge(t, d, laws.Written{Events: events})
		}
	}
}

// failure judges the body of an error answer.
func (b *bench) failure(t *testing.T, d tollgate.Dialect, body []byte) {
	t.Helper()
	switch d {
	case tollgate.DialectAnthropic:
		b.take(t, "Anthropic", "error", body, judge.AnthropicEvent(body))
	case tollgate.DialectGemini:
		b.take(t, "Gemini", "error", body, judge.GeminiAnswer(body))
	case tollgate.DialectOpenAIChat, tollgate.DialectOpenAIResponses:
		b.named(t, "OpenAI", b.openai, "error", "ErrorResponse", body)
	}
}

func (b *bench) counts(t *testing.T) {
	t.Helper()
	all := laws.Translators()
	b.take(t, "Anthropic", "count", nil, judge.AnthropicCount(all[tollgate.DialectAnthropic].EncodeCount(7)))
	b.take(t, "Gemini", "count", nil, judge.GeminiCount(all[tollgate.DialectGemini].EncodeCount(7)))
	b.named(t, "OpenAI", b.openai, "count", "TokenCountsResource", all[tollgate.DialectOpenAIResponses].EncodeCount(7))
	for _, c := range sources(t)["corpus"] {
		if c.Parts["request"] == "" || slices.Contains(c.Points, "0") {
			continue
		}
		for d, tr := range all {
			body, err := laws.CountRequest(c, d)
			if err != nil || body == nil { // a refusal is the law's matter
				continue
			}
			switch tr.Dialect() {
			case tollgate.DialectAnthropic:
				b.take(t, "Anthropic", "request", body, judge.AnthropicCountRequest(body))
			case tollgate.DialectGemini:
				b.take(t, "Gemini", "request", body, judge.GeminiCountRequest(body))
			case tollgate.DialectOpenAIResponses:
				b.named(t, "OpenAI", b.openai, "request", "TokenCountsBody", body)
			case tollgate.DialectOpenAIChat:
			}
		}
	}
}

func (b *bench) embeddings(t *testing.T) {
	t.Helper()
	in := &ir.Embedding{Model: "m", Inputs: []string{"a", "b"}, Dimensions: 2}
	one := &ir.Embedding{Model: "m", Inputs: []string{"a"}, Single: true}
	out := &ir.Embeddings{Model: "m", Vectors: [][]float32{{0.5, 1}, {0, -1}}}
	for d, tr := range laws.Translators() {
		back, ok := tr.(wire.EmbedBack)
		front, also := tr.(wire.EmbedFront)
		if !ok || !also {
			continue
		}
		request, _, err := back.EncodeEmbedding(in)
		if err != nil {
			t.Fatal(err)
		}
		answer, _ := front.EncodeEmbeddings(in, out)
		single, _ := front.EncodeEmbeddings(one, &ir.Embeddings{Model: "m", Vectors: out.Vectors[:1]})
		if d == tollgate.DialectGemini {
			b.take(t, "Gemini", "embedding", request, judge.GeminiEmbedRequest(request))
			b.take(t, "Gemini", "embedding", answer, judge.GeminiEmbedAnswer(answer))
			b.take(t, "Gemini", "embedding", single, judge.GeminiEmbedOne(single))
			continue
		}
		b.named(t, "OpenAI", b.openai, "embedding", "CreateEmbeddingRequest", request)
		b.named(t, "OpenAI", b.openai, "embedding", "CreateEmbeddingResponse", answer)
	}
}

func (b *bench) models(t *testing.T) {
	t.Helper()
	models := []wire.ModelInfo{{ID: "a", DisplayName: "A", Provider: "p", Created: 1763800000, ContextTokens: 9, OutputTokens: 8}, {ID: "b"}}
	for d, tr := range laws.Translators() {
		codec, ok := tr.(wire.Codec)
		if !ok {
			t.Fatalf("%T writes no models", tr)
		}
		list, one := codec.EncodeModels(models, nil), codec.EncodeModel(models[0])
		switch d {
		case tollgate.DialectAnthropic:
			b.take(t, "Anthropic", "models", list, judge.AnthropicModels(list))
			b.take(t, "Anthropic", "models", one, judge.AnthropicModel(one))
		case tollgate.DialectGemini:
			b.take(t, "Gemini", "models", list, judge.GeminiModels(list))
			b.take(t, "Gemini", "models", one, judge.GeminiModel(one))
		case tollgate.DialectOpenAIChat, tollgate.DialectOpenAIResponses:
			b.named(t, "OpenAI", b.openai, "models", "ListModelsResponse", list)
			b.named(t, "OpenAI", b.openai, "models", "Model", one)
		}
	}
}

// valid reports whether text is JSON.
func valid(text []byte) error {
	var v any
	return json.Unmarshal(text, &v)
}
