package gemini_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/gemini"
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
		if !strings.Contains(all, `"candidates"`) {
			continue
		}
		w := gemini.Codec{}.Observe(tollgate.OpGenerate, wire.ObserveOptions{})
		texts, stream := wiretest.Replay(w, r)
		want, found := wiretest.GeminiUsage(texts)
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
		if finished := strings.Contains(all, `"finishReason"`); stream && w.Complete() != finished {
			t.Errorf("%s: complete %v, want %v", r.File, w.Complete(), finished)
		}
	}
	t.Logf("recordings judged: %d streams, %d bodies", streams, bodies)
}
