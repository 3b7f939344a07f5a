package tally_test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"tollgate/internal/ir"
	"tollgate/internal/tally"
)

func TestCountsWhatTheModelReads(t *testing.T) {
	t.Parallel()
	text := func(s string) []ir.Part { return []ir.Part{ir.Text{Text: s}} }
	var c tally.Counter
	for _, x := range []struct {
		name string
		req  ir.Request
		want int64
	}{
		{"nothing", ir.Request{}, 0},
		// "hello world" is two tokens of o200k.
		{"a system prompt", ir.Request{System: text("hello world")}, 2},
		{"a message", ir.Request{Items: []ir.Item{ir.Message{Role: ir.RoleUser, Parts: text("hello world")}}}, 6},
		{"a call and its result", ir.Request{Items: []ir.Item{
			ir.ToolCall{ID: "call_1", Name: "hello", Arguments: "{}"}, ir.ToolResult{CallID: "call_1", Parts: text("hello world")},
		}}, 12},
		{"a thought", ir.Request{Items: []ir.Item{ir.Thought{Texts: []string{"hello", " world"}}}}, 6},
		{"a picture", ir.Request{Items: []ir.Item{ir.Message{Parts: []ir.Part{ir.Image{Source: ir.Source{Data: strings.Repeat("A", 4000)}}}}}}, 1004},
		{"a text file", ir.Request{Items: []ir.Item{ir.Message{Parts: []ir.Part{ir.File{Source: ir.Source{Text: "hello world"}}}}}}, 6},
		{"a tool", ir.Request{Tools: []ir.Tool{{Name: "hello", Description: "hello world", Schema: json.RawMessage(`{}`)}}}, 8},
	} {
		got, err := c.Count(&x.req)
		if err != nil || got != x.want {
			t.Errorf("%s: %d tokens, %v; want %d", x.name, got, err, x.want)
		}
	}
}

func TestCountsFromManyGoroutines(t *testing.T) {
	t.Parallel()
	var c tally.Counter
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if n, err := c.Count(&ir.Request{System: []ir.Part{ir.Text{Text: "hello world"}}}); n != 2 || err != nil {
				t.Errorf("%d tokens, %v", n, err)
			}
		})
	}
	wg.Wait()
}
