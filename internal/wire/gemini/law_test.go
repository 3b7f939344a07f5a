package gemini_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/gemini"
)

// flatten writes every value below v with its path, as Loss spells it.
func flatten(at string, v reflect.Value, out map[string]string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			flatten(at, v.Elem(), out)
		}
	case reflect.Interface:
		out[at] = v.Elem().Type().Name()
		flatten(at, v.Elem(), out)
	case reflect.Struct:
		if e, ok := reflect.TypeAssert[ir.Extra](v); ok && e.Dialect != "gemini" {
			return // reported by its own path
		}
		for i := range v.NumField() {
			name := snake(v.Type().Field(i).Name)
			if at != "" {
				name = at + "." + name
			}
			flatten(name, v.Field(i), out)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			out[at] = string(v.Bytes())
			return
		}
		for i := range v.Len() {
			flatten(fmt.Sprintf("%s[%d]", at, i), v.Index(i), out)
		}
	default:
		if !v.IsZero() {
			out[at] = fmt.Sprint(v.Interface())
		}
	}
}

func snake(name string) string {
	var b strings.Builder
	for i, c := range name {
		if c >= 'A' && c <= 'Z' {
			if i > 0 && (name[i-1] >= 'a' && name[i-1] <= 'z') {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteRune(c)
	}
	return b.String()
}

// uncovered returns the places where two values differ and no loss says so.
func uncovered(a, b any, losses []ir.Loss) []string {
	left, right := map[string]string{}, map[string]string{}
	flatten("", reflect.ValueOf(a), left)
	flatten("", reflect.ValueOf(b), right)
	var out []string
	for _, m := range []map[string]string{left, right} {
		for path := range m {
			said := slices.ContainsFunc(losses, func(l ir.Loss) bool { return l.Covers(path) })
			if left[path] != right[path] && !said && !slices.Contains(out, path) {
				out = append(out, path)
			}
		}
	}
	slices.Sort(out)
	return out
}

// TestNothingIsLostSilently sends what only other dialects can say, one thing
// at a time, and wants a loss for every place that reads otherwise.
func TestNothingIsLostSilently(t *testing.T) {
	cache := &ir.Cache{Life: "1h"}
	items := func(list ...ir.Item) ir.Request { return ir.Request{Items: list} }
	message := func(parts ...ir.Part) ir.Request { return items(ir.Message{Role: ir.RoleUser, Parts: parts}) }
	png := ir.Source{MIME: "image/png", Data: "iVBORw0K"}
	answered := func(r ir.ToolResult) ir.Request {
		r.CallID, r.Name = "a", "f"
		return items(call("a", "f", "{}"), r)
	}
	cases := []ir.Request{
		message(ir.Text{Text: "x", Cache: cache, Citations: []ir.Citation{{URL: "u"}}, Logprobs: []ir.Logprob{{Token: "t"}}}),
		message(ir.Text{Text: "x"}, ir.Text{Text: "y"}, ir.Text{}),
		message(ir.Refusal{Text: "no"}), message(ir.Image{Source: png, Detail: "low", Cache: cache}), message(ir.Audio{Source: ir.Source{MIME: "audio/wav", Data: "AAAA"}, Transcript: "t"}),
		message(ir.File{Source: ir.Source{MIME: "text/csv", Text: "a,b"}, Name: "n"}), message(ir.File{Source: ir.Source{Data: "AAAA"}}), message(ir.Text{Text: "y"}, ir.Opaque{Dialect: "x"}),
		items(ir.Message{Role: ir.RoleUser, Name: "n", ID: "i", Phase: "p", Parts: []ir.Part{ir.Text{Text: "x"}}, Extras: []ir.Extra{{Dialect: "anthropic", Path: "q"}}}),
		items(user("a"), user("b"), ir.Message{Role: ir.RoleSystem, Parts: []ir.Part{ir.Text{Text: "s"}, ir.Text{Text: "t"}}}),
		items(ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: "a"}}}, ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: "b"}}}),
		items(ir.Thought{ID: "i", Texts: []string{"a", "b"}, Raw: true, Private: &ir.Private{Vendor: ir.VendorOpenAI, Data: "x"}, Redacted: true}),
		items(ir.Thought{Texts: []string{""}}), items(ir.Thought{Texts: []string{"a"}}, ir.Thought{Texts: []string{"b"}}), items(ir.Thought{Private: &ir.Private{Vendor: ir.VendorAnthropic, Data: "x"}, Redacted: true}),
		items(ir.ToolCall{ID: "a", Kind: ir.ToolCustom, Name: "f", Arguments: "x", ItemID: "i", Cache: cache}), items(ir.ToolCall{ID: "a", Kind: ir.ToolFunction, Name: "f", Namespace: "n", Arguments: " "}),
		items(call("a", "f", "{\n \"a\": 1}")), items(call("a", "f", "[1]")), items(call("a", "f", `{"a":1} `)),
		answered(ir.ToolResult{Kind: ir.ToolFunction, Parts: []ir.Part{ir.Text{Text: "a"}, ir.Text{Text: "b", Cache: cache}}}), answered(ir.ToolResult{Kind: ir.ToolCustom, IsError: true, Cache: cache}),
		answered(ir.ToolResult{Kind: ir.ToolFunction, Parts: []ir.Part{ir.Image{Source: png, Detail: "high"}, ir.Text{Text: "a"}}}), answered(ir.ToolResult{Kind: ir.ToolFunction, Parts: []ir.Part{ir.Refusal{Text: "a"}, ir.Opaque{}}}),
		answered(ir.ToolResult{Kind: ir.ToolFunction, Parts: []ir.Part{ir.Text{Text: `{"error":"x"}`}}}), answered(ir.ToolResult{Kind: ir.ToolFunction, Parts: []ir.Part{ir.Text{}}}), answered(ir.ToolResult{Kind: ir.ToolFunction}),
		answered(ir.ToolResult{Kind: ir.ToolFunction, IsError: true, Parts: []ir.Part{ir.Text{Text: `{"error": 5}`}}}),
		{System: []ir.Part{ir.Text{Text: "a", Cache: cache}, ir.Text{Text: "b"}}},
		{Tools: []ir.Tool{{Kind: ir.ToolFunction, Name: "f", Namespace: "n", Description: "d", Schema: []byte(`{"$schema":"x","type":"object","properties":{"a":{"type":"string","pattern":"x"}}}`), Strict: new(false), Cache: cache}}},
		{Tools: []ir.Tool{{Kind: ir.ToolCustom, Name: "f", Grammar: []byte("{}")}, {Kind: ir.ToolServer, Name: "w", Server: ir.Extra{Dialect: "x"}}}},
		{Tools: []ir.Tool{{Kind: ir.ToolFunction, Name: "f", Extras: []ir.Extra{{Dialect: "x", Path: "y"}}}}, ToolChoice: ir.ToolChoice{Mode: ir.ToolRequired, Allowed: []string{"f"}}, ParallelCalls: new(true)},
		{ToolChoice: ir.ToolChoice{Mode: ir.ToolAuto, Allowed: []string{"f"}}},
		{ToolChoice: ir.ToolChoice{Mode: ir.ToolNamed, Kind: ir.ToolCustom, Name: "f", Namespace: "n"}},
		{ToolChoice: ir.ToolChoice{Mode: ir.ToolNone, Allowed: []string{"f"}}},
		{ToolChoice: ir.ToolChoice{Mode: ir.ToolNamed, Server: ir.Extra{Dialect: "x", Path: "y"}}},
		{ToolChoice: ir.ToolChoice{Mode: ir.ToolAuto}},
		{Format: ir.Format{Kind: ir.FormatSchema, Name: "n", Description: "d", Strict: new(true), Schema: []byte(`{"type":"object","additionalProperties":false}`)}},
		{Format: ir.Format{Kind: ir.FormatJSON}},
		{Reasoning: ir.Reasoning{Effort: "none"}},
		{Reasoning: ir.Reasoning{Effort: "xhigh", Summary: "concise", Sealed: true}},
		{Reasoning: ir.Reasoning{Mode: ir.ReasoningOn}},
		{Reasoning: ir.Reasoning{Mode: ir.ReasoningAdaptive, Effort: "high"}},
		{Reasoning: ir.Reasoning{Mode: ir.ReasoningOn, Budget: new(int64(9)), Effort: "low"}},
		{Reasoning: ir.Reasoning{Budget: new(int64(9))}},
		{Reasoning: ir.Reasoning{Mode: ir.ReasoningOff, Budget: new(int64(9)), Summary: "none"}},
		{Verbosity: "low", Seed: new(int64(1) << 40), Stop: []string{"1", "2", "3", "4", "5", "6"}, LogitBias: map[string]float64{"1": 2}, User: "u", SafetyID: "s", Metadata: map[string]string{"a": "b"}, Stream: true},
		{CacheKey: "k", CacheLife: "24h", ServiceTier: "scale", Store: new(true), TopLogprobs: new(int64(30)), Logprobs: true, Choices: 3, Temperature: new(2.0), TopK: new(int64(5))},
		{ServiceTier: "auto", Store: new(false)},
		{ServiceTier: "default"},
		{Extras: []ir.Extra{{Dialect: "anthropic", Path: "context_management", Raw: []byte(`{}`)}}},
	}
	judged := 0
	for _, model := range []string{"gemini-3-pro", "gemini-3-flash", "gemini-2.5-flash", "gemini-2.5-pro", "gemini-2.0-flash", "other"} {
		for i, req := range cases {
			req.Model = model
			body, losses, err := gemini.Codec{}.EncodeRequest(&req)
			if err != nil {
				t.Fatalf("case %d: %v", i, err)
			}
			back, err := gemini.Codec{}.DecodeRequest(wire.Route{Model: model, Operation: tollgate.OpGenerate}, body)
			if err != nil {
				t.Fatalf("case %d: %v\n%s", i, err, body)
			}
			if list := uncovered(req, *back, losses); len(list) > 0 {
				t.Errorf("case %d of %s: nothing is said about %s\n%s\n%s", i, model, list, lossLines(losses), body)
			}
			judged++
		}
	}
	t.Logf("requests judged: %d", judged)
}

// TestNothingOfAnAnswerIsLostSilently is the same for answers to clients.
func TestNothingOfAnAnswerIsLostSilently(t *testing.T) {
	message := func(parts ...ir.Part) []ir.Item { return []ir.Item{ir.Message{Role: ir.RoleAssistant, Parts: parts}} }
	cases := [][]ir.Item{
		foreignAnswer().Choices[0].Items, message(ir.Text{Text: "a"}, ir.Text{Text: "b"}), message(ir.Text{}), message(), message(ir.Refusal{Text: "no"}),
		message(ir.Text{Text: "a", Logprobs: []ir.Logprob{{Token: "a", Bytes: []int{97}}}}), message(ir.Audio{Source: ir.Source{MIME: "audio/wav", Data: "AAAA"}, Transcript: "t"}),
		message(ir.Image{Source: ir.Source{MIME: "image/png", URL: "https://a/b.png"}}),
		{call("a", "f", "{\n}")},
		{call("a", "f", "broken")},
		{ir.ToolCall{ID: "a", Kind: ir.ToolCustom, Name: "f", Arguments: "x", ItemID: "i"}},
		{ir.Thought{Texts: []string{"a"}}, ir.Thought{Texts: []string{"b"}}},
		{ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: "a"}}}, ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: "b"}}}},
		message(ir.Text{Text: "é", Citations: []ir.Citation{{Kind: ir.CitationURL, URL: "u", Start: new(int64(0)), End: new(int64(1)), Quote: "q", Dialect: "x", Raw: []byte("{}")}, {Kind: ir.CitationURL, URL: "v"}, {Kind: ir.CitationURL, URL: "w", Start: new(int64(5)), End: new(int64(9))}}}),
	}
	for i, list := range cases {
		for _, stop := range []ir.StopReason{ir.StopEnd, ir.StopTools, ir.StopSequence, ir.StopRefusal, ir.StopPause} {
			resp := &ir.Response{
				ID: "i", Model: "m", Created: 4, ServiceTier: "scale", Choices: []ir.Choice{{Items: list, Stop: ir.Stop{Reason: stop, Sequence: "s"}}},
				Usage: ir.Usage{Reported: true, Tokens: tollgate.Tokens{Input: 1, CacheWrite: 2, CacheWrite1h: 3, Output: 5, Reasoning: 1}, AudioInput: 1, ImageOutput: 2},
			}
			body, losses := gemini.Codec{}.EncodeResponse(&ir.Request{Model: "m"}, resp, 1)
			back, _, err := gemini.Codec{}.DecodeResponse(body)
			if err != nil {
				t.Fatalf("case %d: %v\n%s", i, err, body)
			}
			if list := uncovered(*resp, *back, losses); len(list) > 0 {
				t.Errorf("case %d: nothing is said about %s\n%s\n%s", i, list, lossLines(losses), body)
			}
			checkAnswer(t, &ir.Request{Model: "m"}, resp)
		}
	}
}
