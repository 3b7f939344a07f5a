package anthropic_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/anthropic"
	"tollgate/internal/wire/wiretest"
)

func shared() string {
	if dir := os.Getenv("TOLLGATE_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "..", "shared")
}

func TestUsageOfRecordings(t *testing.T) {
	streams, bodies := 0, 0
	for _, r := range wiretest.Recordings(t, filepath.Join(shared(), "corpus")) {
		all := r.Body + strings.Join(r.Events, "\n")
		if !strings.Contains(all, `"message_start"`) && !strings.Contains(all, `"type":"message"`) && !strings.Contains(all, `"type": "message"`) ||
			strings.Contains(all, `"object":"response"`) || strings.Contains(all, `"object": "response"`) {
			continue
		}
		w := anthropic.Codec{}.Observe(tollgate.OpGenerate, wire.ObserveOptions{})
		texts, stream := wiretest.Replay(w, r)
		want, found := wiretest.AnthropicUsage(texts)
		got := w.Usage()
		if got.Reported != found {
			t.Errorf("%s: reported %v, want %v", r.File, got.Reported, found)
		}
		if diff := cmp.Diff(want, got.Tokens); diff != "" {
			t.Errorf("%s:\n%s", r.File, diff)
		}
		if stream {
			streams++
		} else {
			bodies++
		}
	}
	t.Logf("recordings judged: %d streams, %d bodies", streams, bodies)
}
