package anthropic_test

import (
	"testing"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/anthropic"
)

func BenchmarkEvent(b *testing.B) {
	w := anthropic.Codec{}.Observe(tollgate.OpGenerate, wire.ObserveOptions{Model: "alias"})
	name, data := []byte("content_block_delta"), []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, s := w.Event(name, data); s != wire.SignalPass {
			b.Fatal(s)
		}
	}
}
