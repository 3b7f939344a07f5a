package openai_test

import (
	"bytes"
	"testing"

	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
)

// TestChatStreamSaysTheTierOnceInAChunk: Responses names the tier that was
// asked for at the beginning, and the one that served at the end.
func TestChatStreamSaysTheTierOnceInAChunk(t *testing.T) {
	t.Parallel()
	req := &ir.Request{Model: "m"}
	req.Form.StreamUsage = true
	enc := openai.Chat{}.StreamEncoder(req, wire.FramingSSE, 1<<20)
	first := enc.Event(nil, ir.Start{ServiceTier: "auto"})
	last := enc.Event(enc.Event(nil, ir.Stopped{}), ir.Finish{ServiceTier: "default", Usage: ir.Usage{Reported: true}})
	for _, c := range []struct {
		events []byte
		want   string
	}{{first, `"service_tier":"auto"`}, {last, `"service_tier":"default"`}} {
		if !bytes.Contains(c.events, []byte(c.want)) {
			t.Errorf("no %s in %s", c.want, c.events)
		}
	}
	for event := range bytes.SplitSeq(append(first, last...), []byte("\n\n")) {
		if bytes.Count(event, []byte(`"service_tier"`)) > 1 {
			t.Errorf("the tier twice in %s", event)
		}
	}
}
