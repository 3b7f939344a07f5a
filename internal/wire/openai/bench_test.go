package openai_test

import (
	"testing"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
)

func benchmarkEvent(b *testing.B, c wire.Outbound, o wire.ObserveOptions, data string) {
	b.Helper()
	w := c.Observe(tollgate.OpGenerate, o)
	event := []byte(data)
	b.ReportAllocs()
	for b.Loop() {
		if _, s := w.Event(nil, event); s != wire.SignalPass {
			b.Fatal(s)
		}
	}
}

const (
	plainChunk = `{"id":"chatcmpl-D8Z5oo6uDh67AD85p73ksdT1KxhE0","object":"chat.completion.chunk","created":1770933892,"model":"gpt-4.1-nano-2025-04-14","service_tier":"default","system_fingerprint":"fp_de604bd877","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"obfuscation":"RIdwxH030"}`
	nullChunk  = `{"id":"chatcmpl-D8Z5oo6uDh67AD85p73ksdT1KxhE0","object":"chat.completion.chunk","created":1770933892,"model":"gpt-4.1-nano-2025-04-14","service_tier":"default","system_fingerprint":"fp_de604bd877","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"RIdwxH030"}`
	deltaEvent = `{"type":"response.output_text.delta","sequence_number":17,"item_id":"msg_05500b38c2cd9bfc00691c7c9d222481a3b595421266dab424","output_index":1,"content_index":0,"delta":" word","logprobs":[],"obfuscation":"RIdwxH030"}`
)

func BenchmarkChatEvent(b *testing.B) {
	benchmarkEvent(b, openai.Chat{}, wire.ObserveOptions{}, plainChunk)
}

func BenchmarkChatEventWithUsageNull(b *testing.B) {
	benchmarkEvent(b, openai.Chat{}, wire.ObserveOptions{DropUsageChunk: true}, nullChunk)
}

func BenchmarkChatEventRenamed(b *testing.B) {
	benchmarkEvent(b, openai.Chat{}, wire.ObserveOptions{Model: "alias"}, nullChunk)
}

func BenchmarkResponsesEvent(b *testing.B) {
	benchmarkEvent(b, openai.Responses{}, wire.ObserveOptions{}, deltaEvent)
}
