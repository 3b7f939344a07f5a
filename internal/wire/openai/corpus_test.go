package openai_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
	"tollgate/internal/wire/wiretest"
)

func shared() string {
	if dir := os.Getenv("TOLLGATE_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "..", "..", "shared")
}

// codecFor tells from a recording which dialect it is in; nil = another one.
func codecFor(r wiretest.Recording) (wire.Outbound, tollgate.Operation) {
	all := r.Body + strings.Join(r.Events, "\n")
	switch {
	case strings.Contains(r.URI, "/chat/completions") || strings.Contains(all, `"chat.completion`):
		return openai.Chat{}, tollgate.OpGenerate
	case strings.Contains(all, `"response.completed"`) || strings.Contains(all, `"object":"response"`) || strings.Contains(all, `"object": "response"`):
		return openai.Responses{}, tollgate.OpGenerate
	case strings.HasSuffix(r.URI, "/embeddings"):
		return openai.Chat{}, tollgate.OpEmbed
	default:
		return nil, ""
	}
}

func TestUsageOfRecordings(t *testing.T) {
	judged := map[string]int{}
	for _, r := range wiretest.Recordings(t, filepath.Join(shared(), "corpus")) {
		if strings.Contains(r.File, "anthropic") || strings.Contains(r.File, "realtime") || strings.Contains(r.File, "speech") {
			continue
		}
		codec, op := codecFor(r)
		if codec == nil {
			continue
		}
		w := codec.Observe(op, wire.ObserveOptions{})
		texts, stream := wiretest.Replay(w, r)
		want, found := wiretest.OpenAIUsage(texts)
		got := w.Usage()
		if got.Reported != found {
			t.Errorf("%s: reported %v, want %v", r.File, got.Reported, found)
		}
		if diff := cmp.Diff(want, got.Tokens); diff != "" {
			t.Errorf("%s:\n%s", r.File, diff)
		}
		kind := string(codec.Dialect())
		if stream {
			kind += " stream"
		}
		judged[kind]++
	}
	t.Logf("recordings judged: %v", judged)
}
