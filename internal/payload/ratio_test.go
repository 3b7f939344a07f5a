package payload_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tollgate/internal/store/sqlstore"
)

// agent is a coding agent at work: instructions, tools, and a history that grows
// by a call and its result in each turn. Results are real source text.
type agent struct {
	tools    []any
	system   string
	messages []any
	sources  []string
	turn     int
}

func newAgent(tb testing.TB) *agent {
	tb.Helper()
	files, err := filepath.Glob("../proxy/*.go")
	if err != nil || len(files) < 20 {
		tb.Fatalf("%d sources: %v", len(files), err)
	}
	a := &agent{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			tb.Fatal(err)
		}
		a.sources = append(a.sources, string(text))
	}
	guide, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		tb.Fatal(err)
	}
	a.system = strings.Repeat(string(guide), 1+12_000/len(guide))[:12_000]
	for i := range 15 {
		a.tools = append(a.tools, map[string]any{
			"name": fmt.Sprint("tool_", i), "description": a.system[i*700 : i*700+1200],
			"input_schema": map[string]any{"type": "object", "properties": map[string]any{"path": map[string]any{"type": "string", "description": a.system[i*50 : i*50+200]}}},
		})
	}
	a.messages = []any{block("user", map[string]any{"type": "text", "text": "Find out why the tests fail, and mend what is wrong."})}
	return a
}

func block(role string, content ...any) map[string]any {
	return map[string]any{"role": role, "content": content}
}

// next returns the bodies of the next turn; cached marks the end of the history
// as clients of the Messages API do, where the mark moves on each turn.
func (a *agent) next(tb testing.TB, cached bool) (request, response string) {
	tb.Helper()
	last, ok := a.messages[len(a.messages)-1].(map[string]any)
	if !ok {
		tb.Fatal("no message")
	}
	marked := a.messages
	if cached {
		content, ok := last["content"].([]any)
		if !ok {
			tb.Fatal("no content")
		}
		end := map[string]any{"cache_control": map[string]any{"type": "ephemeral"}}
		if block, ok := content[len(content)-1].(map[string]any); ok {
			maps.Copy(end, block)
		}
		marked = append(slices.Clone(a.messages[:len(a.messages)-1]), block("user", append(slices.Clone(content[:len(content)-1]), end)...))
	}
	b, err := json.Marshal(map[string]any{"model": "m", "system": a.system, "tools": a.tools, "messages": marked, "max_tokens": 8000, "stream": true})
	if err != nil {
		tb.Fatal(err)
	}
	source := a.sources[a.turn%len(a.sources)]
	said := source[:min(len(source), 700)]
	var stream strings.Builder
	for i := 0; i < len(said); i += 5 {
		delta, _ := json.Marshal(said[i:min(i+5, len(said))])
		fmt.Fprintf(&stream, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":%s}}\n\n", delta)
	}
	id := fmt.Sprint("toolu_", a.turn)
	a.messages = append(a.messages,
		block("assistant", map[string]any{"type": "text", "text": said}, map[string]any{"type": "tool_use", "id": id, "name": "tool_1", "input": map[string]any{"path": fmt.Sprint("file", a.turn, ".go")}}),
		block("user", map[string]any{"type": "tool_result", "tool_use_id": id, "content": source[:min(len(source), 5000)]}))
	a.turn++
	return string(b), stream.String()
}

// TestAnAgentsHistoryTakesItsRoomOnce keeps 50 turns of a conversation that
// grows, as clients send them, and compares what that takes with what was sent.
func TestAnAgentsHistoryTakesItsRoomOnce(t *testing.T) {
	for _, cached := range []bool{false, true} {
		t.Run(fmt.Sprint("cache marks ", cached), func(t *testing.T) {
			r, a := newRig(t, sqlstore.Options{Dir: t.TempDir()}), newAgent(t)
			var plain int64
			for range 50 {
				request, response := a.next(t, cached)
				plain += int64(len(request) + len(response))
				id := r.keep(7, request, response)
				r.flush()
				if c := r.read(id); string(c.Request.Data) != request || string(c.Response.Data) != response {
					t.Fatal("a turn reads back otherwise")
				}
			}
			kept := r.Stats().Bytes
			t.Logf("%d bytes were sent in 50 turns, %d are kept: 1 in %.0f", plain, kept, float64(plain)/float64(kept))
			if plain < 30*kept {
				t.Errorf("%d bytes are kept of %d", kept, plain)
			}
		})
	}
}

// BenchmarkKeep keeps the 50th turn of a conversation, all in all.
func BenchmarkKeep(b *testing.B) {
	r, a := newRig(b, sqlstore.Options{Dir: b.TempDir()}), newAgent(b)
	var request, response string
	for range 50 {
		request, response = a.next(b, true)
	}
	b.SetBytes(int64(len(request) + len(response)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		r.keep(7, request, response)
		if n++; n%32 == 0 {
			r.flush()
		}
	}
	r.flush()
}
