package gemini_test

import (
	"testing"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/gemini"
)

func BenchmarkEvent(b *testing.B) {
	data := []byte(`{"candidates": [{"content": {"parts": [{"text": "thirty or so tokens of generated text come in each of these events, since they are few and large"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 46,"candidatesTokenCount": 46,"totalTokenCount": 159,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 46}],"thoughtsTokenCount": 67},"modelVersion": "gemini-3-flash-preview","responseId": "n1P6abvRFaKdz7IPkcuQ2Aw"}`)
	for _, model := range []string{"", "alias"} {
		b.Run("renamed to "+model, func(b *testing.B) {
			w := gemini.Codec{}.Observe(tollgate.OpGenerate, wire.ObserveOptions{Model: model})
			b.ReportAllocs()
			for b.Loop() {
				if _, s := w.Event(nil, data); s != wire.SignalPass {
					b.Fatal(s)
				}
			}
		})
	}
}
