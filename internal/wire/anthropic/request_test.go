package anthropic_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/anthropic"
)

func user(parts ...ir.Part) ir.Message { return ir.Message{Role: ir.RoleUser, Parts: parts} }

func said(text string) ir.Message {
	return ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: text}}}
}

func ask(items ...ir.Item) *ir.Request {
	if len(items) == 0 {
		items = []ir.Item{user(ir.Text{Text: "Hi"})}
	}
	return &ir.Request{Model: "claude-sonnet-4-5", MaxOutput: new(int64(8000)), Items: items}
}

func call(id string) ir.ToolCall {
	return ir.ToolCall{ID: id, Kind: ir.ToolFunction, Name: "ls", Arguments: `{"p":1}`}
}

func result(id string) ir.ToolResult {
	return ir.ToolResult{CallID: id, Kind: ir.ToolFunction, Parts: []ir.Part{ir.Text{Text: "x"}}}
}

func thought(vendor ir.Vendor) ir.Thought {
	return ir.Thought{Texts: []string{"hm"}, Private: &ir.Private{Vendor: vendor, Data: "sig"}}
}

func tool() []ir.Tool {
	return []ir.Tool{{Kind: ir.ToolFunction, Name: "ls", Schema: json.RawMessage(`{"type":"object"}`)}}
}

// TestRequestsOfOtherDialects gives requests as other dialects' clients make
// them. body is what must be in what is written; the losses are all there are,
// notes in parentheses.
func TestRequestsOfOtherDialects(t *testing.T) {
	tests := map[string]struct {
		change func(r *ir.Request)
		items  []ir.Item
		body   []string
		not    []string
		losses []string
	}{
		"default limit of a model": {
			change: func(r *ir.Request) { r.MaxOutput = nil },
			body:   []string{`"max_tokens":32000`}, losses: []string{"(max_output)"},
		},
		"default limit of an old model": {
			change: func(r *ir.Request) { r.MaxOutput, r.Model = nil, "claude-3-haiku-20240307" },
			body:   []string{`"max_tokens":4096`}, losses: []string{"(max_output)"},
		},
		"hot": {
			change: func(r *ir.Request) { r.Temperature = new(1.7) },
			body:   []string{`"temperature":1`}, losses: []string{"temperature"},
		},
		"temperature while thinking": {
			change: func(r *ir.Request) {
				r.Reasoning, r.Temperature, r.TopP, r.TopK = ir.Reasoning{Mode: ir.ReasoningOn, Budget: new(int64(2000)), Sealed: true}, new(0.2), new(0.5), new(int64(3))
			},
			body: []string{`"budget_tokens":2000`}, not: []string{"temperature", "top_p", "top_k"},
			losses: []string{"temperature", "top_p", "top_k"},
		},
		"what there is not": {
			change: func(r *ir.Request) {
				r.Seed, r.FrequencyPenalty, r.PresencePenalty, r.Logprobs, r.TopLogprobs = new(int64(1)), new(0.1), new(0.1), true, new(int64(2))
				r.LogitBias, r.Verbosity, r.Store, r.Metadata = map[string]float64{"1": 2}, "low", new(true), map[string]string{"a": "b"}
				r.CacheKey, r.CacheLife = "k", "24h"
			},
			losses: []string{"verbosity", "frequency_penalty", "presence_penalty", "seed", "logprobs", "top_logprobs", "logit_bias", "metadata", "(cache_key)", "(cache_life)", "store"},
		},
		"tiers": {
			change: func(r *ir.Request) { r.ServiceTier = "flex" }, not: []string{"service_tier"}, losses: []string{"service_tier"},
		},
		"priority": {
			change: func(r *ir.Request) { r.ServiceTier = "priority" }, body: []string{`"service_tier":"auto"`}, losses: []string{"service_tier"},
		},
		"safety id": {
			change: func(r *ir.Request) { r.SafetyID = "h" }, body: []string{`"metadata":{"user_id":"h"}`}, losses: []string{"(safety_id)", "(user)"},
		},
		"effort on a model with budgets": {
			change: func(r *ir.Request) { r.Reasoning = ir.Reasoning{Effort: "high"} },
			body:   []string{`"thinking":{"type":"enabled","budget_tokens":6400}`},
			losses: []string{"(reasoning.mode)", "(reasoning.budget)", "(reasoning.effort)", "(reasoning.sealed)"},
		},
		"effort on a model with efforts": {
			change: func(r *ir.Request) {
				r.Model, r.Reasoning = "claude-opus-4-8", ir.Reasoning{Effort: "minimal", Summary: "detailed"}
			},
			body:   []string{`"thinking":{"type":"adaptive","display":"summarized"}`, `"output_config":{"effort":"low"}`},
			losses: []string{"(reasoning.mode)", "(reasoning.effort)", "(reasoning.sealed)", "(reasoning.summary)"},
		},
		"budget on a model with efforts": {
			change: func(r *ir.Request) {
				r.Model, r.Reasoning = "claude-opus-5", ir.Reasoning{Mode: ir.ReasoningOn, Budget: new(int64(8192)), Sealed: true}
			},
			body:   []string{`"thinking":{"type":"adaptive"}`, `"effort":"medium"`},
			losses: []string{"(reasoning.mode)", "reasoning.budget", "(reasoning.effort)"},
		},
		"no effort": {
			change: func(r *ir.Request) { r.Reasoning = ir.Reasoning{Effort: "none"} },
			body:   []string{`"thinking":{"type":"disabled"}`}, losses: []string{"(reasoning)"},
		},
		"effort on a model that does not think": {
			change: func(r *ir.Request) { r.Model, r.Reasoning = "claude-3-5-haiku-latest", ir.Reasoning{Effort: "low"} },
			not:    []string{"thinking"}, losses: []string{"reasoning"},
		},
		"budget beyond the limit": {
			change: func(r *ir.Request) {
				r.Reasoning = ir.Reasoning{Mode: ir.ReasoningOn, Budget: new(int64(9000)), Sealed: true}
			},
			body: []string{`"budget_tokens":6400`}, losses: []string{"reasoning.budget"},
		},
		"no room for thoughts": {
			change: func(r *ir.Request) {
				r.MaxOutput, r.Reasoning = new(int64(100)), ir.Reasoning{Mode: ir.ReasoningOn, Sealed: true}
			},
			not: []string{`"thinking"`}, losses: []string{"reasoning", "(reasoning.sealed)"},
		},
		"forced call while thinking": {
			change: func(r *ir.Request) {
				r.Reasoning, r.Tools, r.ToolChoice = ir.Reasoning{Effort: "low"}, tool(), ir.ToolChoice{Mode: ir.ToolRequired}
			},
			body: []string{`"tool_choice":{"type":"any"}`}, not: []string{`"thinking"`}, losses: []string{"reasoning"},
		},
		"calls without signed thoughts while thinking": {
			items:  []ir.Item{user(ir.Text{Text: "q"}), thought(ir.VendorOpenAI), call("a"), result("a")},
			change: func(r *ir.Request) { r.Tools, r.Reasoning = tool(), ir.Reasoning{Effort: "low"} },
			not:    []string{`"thinking"`, "hm"}, losses: []string{"reasoning", "(items[1])"},
		},
		"calls with signed thoughts while thinking": {
			items: []ir.Item{user(ir.Text{Text: "q"}), thought(ir.VendorAnthropic), call("a"), result("a")},
			change: func(r *ir.Request) {
				r.Tools, r.Reasoning = tool(), ir.Reasoning{Mode: ir.ReasoningOn, Budget: new(int64(2000)), Sealed: true}
			},
			body: []string{`{"type":"thinking","thinking":"hm","signature":"sig"},{"type":"tool_use"`, `"type":"enabled"`},
		},
		"a later turn after calls without signed thoughts": {
			items: []ir.Item{user(ir.Text{Text: "q"}), call("a"), result("a"), said("done"), user(ir.Text{Text: "more"})},
			change: func(r *ir.Request) {
				r.Tools, r.Reasoning = tool(), ir.Reasoning{Mode: ir.ReasoningOn, Budget: new(int64(2000)), Sealed: true}
			},
			body: []string{`"type":"enabled"`},
		},
		"prefill while thinking": {
			items:  []ir.Item{user(ir.Text{Text: "q"}), said("Sure")},
			change: func(r *ir.Request) { r.Reasoning = ir.Reasoning{Effort: "low"} },
			not:    []string{`"thinking"`}, losses: []string{"reasoning"},
		},
		"parallel calls are one turn": {
			items:  []ir.Item{user(ir.Text{Text: "q"}), said("look"), call("a"), call("b"), result("a"), result("b"), user(ir.Text{Text: "and?"})},
			change: func(r *ir.Request) { r.Tools = tool() },
			body: []string{
				`{"role":"assistant","content":[{"type":"text","text":"look"},{"type":"tool_use","id":"a","name":"ls","input":{"p":1}},{"type":"tool_use","id":"b"`,
				`{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"x"},{"type":"tool_result","tool_use_id":"b","content":"x"},{"type":"text","text":"and?"}]}`,
			},
		},
		"a seal of Gemini stays away": {
			items: []ir.Item{user(ir.Text{Text: "q"}), ir.ToolCall{ID: "a", Kind: ir.ToolFunction, Name: "ls", Arguments: "{}", Private: &ir.Private{Vendor: ir.VendorGemini, Data: "s"}}, result("a")},
			body:  []string{`"id":"a"`}, not: []string{"tg1"}, losses: []string{"(items[1].private)"},
		},
		"broken arguments": {
			items: []ir.Item{user(ir.Text{Text: "q"}), ir.ToolCall{ID: "a", Kind: ir.ToolFunction, Name: "ls", Arguments: `{"p":`}, result("a")},
			body:  []string{`"input":{"input":"{\"p\":"}`}, losses: []string{"items[1].arguments"},
		},
		"custom tools and namespaces": {
			items: []ir.Item{
				user(ir.Text{Text: "q"}),
				ir.ToolCall{ID: "a", Kind: ir.ToolCustom, Name: "patch", Arguments: "*** \"x\""},
				ir.ToolResult{CallID: "a", Kind: ir.ToolCustom, Parts: []ir.Part{ir.Text{Text: "ok"}}},
			},
			change: func(r *ir.Request) {
				r.Tools = []ir.Tool{
					{Kind: ir.ToolCustom, Name: "patch", Grammar: json.RawMessage(`{"type":"grammar"}`)},
					{Kind: ir.ToolFunction, Namespace: "fs", Name: "ls"},
				}
				r.ToolChoice = ir.ToolChoice{Mode: ir.ToolNamed, Kind: ir.ToolFunction, Namespace: "fs", Name: "ls"}
			},
			body: []string{`"name":"fs__ls","input_schema":{"type":"object"}`, `"tool_choice":{"type":"tool","name":"fs__ls"}`, `"input":{"input":"*** \"x\""}`, ir.InputSchema},
			losses: []string{
				"(tools[0].kind)", "(tools[0].schema)", "tools[0].grammar", "(tools[1].namespace)", "(tools[1].name)", "(tools[1].schema)",
				"(tool_choice.namespace)", "(tool_choice.name)", "(items[1].kind)", "(items[1].arguments)", "(items[2].kind)",
			},
		},
		"foreign server tool": {
			change: func(r *ir.Request) {
				r.Tools = append(tool(), ir.Tool{Kind: ir.ToolServer, Name: "web_search", Server: ir.Extra{Dialect: "openai-responses", Path: "web_search", Raw: json.RawMessage(`{}`)}})
			},
			not: []string{"web_search"}, losses: []string{"tools[1]"},
		},
		"allowed tools": {
			change: func(r *ir.Request) {
				r.Tools = append(tool(), ir.Tool{Kind: ir.ToolFunction, Name: "rm", Schema: json.RawMessage(`{"type":"object"}`)})
				r.ToolChoice = ir.ToolChoice{Mode: ir.ToolRequired, Allowed: []string{"ls"}}
			},
			not: []string{`"rm"`}, losses: []string{"(tools[1])", "(tool_choice.allowed)"},
		},
		"a choice without tools": {
			change: func(r *ir.Request) { r.ToolChoice, r.ParallelCalls = ir.ToolChoice{Mode: ir.ToolAuto}, new(false) },
			not:    []string{"tool_choice"}, losses: []string{"(tool_choice)", "(parallel_calls)"},
		},
		"one call at a time": {
			change: func(r *ir.Request) { r.Tools, r.ParallelCalls = tool(), new(false) },
			body:   []string{`"tool_choice":{"type":"auto","disable_parallel_tool_use":true}`}, losses: []string{"(tool_choice.mode)"},
		},
		"any JSON": {
			change: func(r *ir.Request) {
				r.System, r.Format = []ir.Part{ir.Text{Text: "S"}}, ir.Format{Kind: ir.FormatJSON}
			},
			body: []string{`"system":[{"type":"text","text":"S"},{"type":"text","text":"Answer with one JSON object`}, losses: []string{"format", "(system[1])"},
		},
		"a schema": {
			change: func(r *ir.Request) {
				r.Format = ir.Format{Kind: ir.FormatSchema, Name: "n", Strict: new(true), Schema: json.RawMessage(`{"type":"object","properties":{"a":{"anyOf":[{"type":"object"},{"type":"string"}]}}}`)}
			},
			body:   []string{`"format":{"type":"json_schema","schema":{"type":"object","properties":{"a":{"anyOf":[{"type":"object","additionalProperties":false},{"type":"string"}]}},"additionalProperties":false}}`},
			losses: []string{"(format.schema)", "(format.name)", "(format.strict)"},
		},
		"a schema for an old model": {
			change: func(r *ir.Request) {
				r.Model, r.Format = "claude-sonnet-4-20250514", ir.Format{Kind: ir.FormatSchema, Schema: json.RawMessage(`{"type":"object"}`)}
			},
			body: []string{`It must fit this JSON schema:\n{\"type\":\"object\"}`}, not: []string{"output_config"}, losses: []string{"format", "(system[0])"},
		},
		"media": {
			items: []ir.Item{user(
				ir.Image{Source: ir.Source{URL: "https://e.com/a.png", MIME: "image/png"}, Detail: "high"},
				ir.Image{Source: ir.Source{ID: "file-abc"}},
				ir.File{Source: ir.Source{Data: "aGk=", MIME: "text/plain"}, Name: "a.txt"},
				ir.File{Source: ir.Source{Data: "AA==", MIME: "application/zip"}},
				ir.File{Source: ir.Source{Data: "AA==", MIME: "image/png"}},
				ir.Audio{Source: ir.Source{Data: "AA=="}, Transcript: "hello"},
				ir.Text{Text: "x", Private: &ir.Private{Vendor: ir.VendorGemini, Data: "s"}},
			)},
			body: []string{
				`{"type":"url","url":"https://e.com/a.png"}`, `"source":{"type":"text","media_type":"text/plain","data":"hi"},"title":"a.txt"`,
				`{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}`, `{"type":"text","text":"hello"}`,
			},
			not: []string{"zip", "file-abc"},
			losses: []string{
				"(items[0].parts[0].source.mime)", "(items[0].parts[0].detail)", "items[0].parts[1]", "(items[0].parts[2].source)", "(items[0].parts[2].title)",
				"(items[0].parts[2].name)", "items[0].parts[3]", "(items[0].parts[4])", "items[0].parts[5]", "(items[0].parts[6].private)",
			},
		},
		"what only others have": {
			items: []ir.Item{
				ir.Message{Role: ir.RoleUser, Name: "bob", ID: "msg", Parts: []ir.Part{ir.Text{Text: "q"}}},
				ir.Message{Role: ir.RoleAssistant, Phase: "commentary", Parts: []ir.Part{ir.Refusal{Text: "no"}, ir.Image{Source: ir.Source{Data: "AA=="}}}},
				ir.Opaque{Dialect: "openai-responses", Type: "computer_call", Raw: json.RawMessage(`{}`)},
				user(ir.Text{Text: "x"}),
			},
			body:   []string{`{"role":"assistant","content":[{"type":"text","text":"no"}]}`},
			losses: []string{"items[2]", "items[0].name", "(items[0].id)", "(items[1].phase)", "(items[1].parts[0])", "items[1].parts[1]"},
		},
		"a system prompt alone": {
			change: func(r *ir.Request) { r.Items, r.System = nil, []ir.Part{ir.Text{Text: "Say hi"}} },
			body:   []string{`"messages":[{"role":"user","content":"Say hi"}]`}, losses: []string{"(items)"},
		},
		"foreign extras": {
			change: func(r *ir.Request) {
				r.Extras = []ir.Extra{{Dialect: "gemini", Path: "safetySettings", Raw: json.RawMessage(`[]`)}, {Dialect: "openai-chat", Path: "x", Raw: json.RawMessage(`1`), Hint: true}}
			},
			not: []string{"safetySettings"}, losses: []string{"extras.safetySettings", "(extras.x)"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			req := ask(tt.items...)
			if tt.change != nil {
				tt.change(req)
			}
			before := dump(*req)
			body, losses, err := anthropic.Codec{}.EncodeRequest(req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, dump(*req)); diff != "" {
				t.Errorf("the request was changed:\n%s", diff)
			}
			if diff := cmp.Diff(tt.losses, paths(losses)); diff != "" {
				t.Errorf("losses:\n%s", diff)
			}
			for _, want := range tt.body {
				if !strings.Contains(string(body), want) {
					t.Errorf("%s is not in\n%s", want, body)
				}
			}
			for _, not := range tt.not {
				if strings.Contains(string(body), not) {
					t.Errorf("%s is in\n%s", not, body)
				}
			}
			again, err := anthropic.Codec{}.DecodeRequest(wire.Route{Operation: tollgate.OpGenerate}, body)
			if err != nil {
				t.Fatalf("%v\n%s", err, body)
			}
			for _, d := range unsaid(dump(*req), dump(*again), losses) {
				t.Errorf("lost silently: %s", d)
			}
		})
	}
}

func paths(losses []ir.Loss) []string {
	var out []string
	for _, l := range losses {
		if l.Note {
			out = append(out, "("+l.Path+")")
		} else {
			out = append(out, l.Path)
		}
	}
	return out
}

func TestWhatCannotBeAsked(t *testing.T) {
	tests := map[string]struct {
		req    *ir.Request
		field  string
		reason string
	}{
		"several answers": {&ir.Request{Choices: 2}, "choices", ""},
		"a kept answer":   {&ir.Request{PreviousID: "resp_1"}, "previous_id", "previous_response_not_found"},
		"an address that must be fetched": {
			ask(user(ir.Text{Text: "x"}, ir.Image{Source: ir.Source{URL: "gs://b/a.png"}})), "items[0].parts[1].source.url", "",
		},
		"a sound": {ask(user(ir.Audio{Source: ir.Source{Data: "AA=="}})), "items[0].parts[0]", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := anthropic.Codec{}.EncodeRequest(tt.req)
			e := tollgate.AsError(err)
			if err == nil || e.Code != tollgate.CodeInvalid || e.Field != tt.field || e.Reason != tt.reason {
				t.Errorf("%v (%+v), want it refused at %s", err, e, tt.field)
			}
		})
	}
}

func TestModelsAreKnownByName(t *testing.T) {
	thinks := func(model string) string {
		req := ask()
		req.Model, req.Reasoning = model, ir.Reasoning{Effort: "xhigh"}
		body, _, err := anthropic.Codec{}.EncodeRequest(req)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Thinking struct{ Type string }
			Config   struct{ Effort string } `json:"output_config"`
		}
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatal(err)
		}
		return v.Thinking.Type + " " + v.Config.Effort
	}
	for model, want := range map[string]string{
		"claude-3-opus-20240229": " ", "anthropic.claude-3-5-sonnet-20241022-v2:0": " ", "claude-3-7-sonnet-latest": "enabled ",
		"claude-sonnet-4-20250514": "enabled ", "claude-opus-4-1": "enabled ", "claude-haiku-4-5-20251001": "enabled ",
		"claude-sonnet-4-6": "adaptive high", "claude-opus-4-7": "adaptive xhigh", "anthropic/claude-opus-4.8": "adaptive xhigh",
		"claude-opus-5-5": "adaptive xhigh", "claude-fable-5": "adaptive xhigh", "some-model": "adaptive xhigh",
	} {
		if got := thinks(model); got != want {
			t.Errorf("%s: %q, want %q", model, got, want)
		}
	}
}
