package gemini_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/gemini"
)

func user(text string) ir.Item {
	return ir.Message{Role: ir.RoleUser, Parts: []ir.Part{ir.Text{Text: text}}}
}

func call(id, name, args string) ir.ToolCall {
	return ir.ToolCall{ID: id, Kind: ir.ToolFunction, Name: name, Arguments: args}
}

func result(id, text string) ir.ToolResult {
	return ir.ToolResult{CallID: id, Kind: ir.ToolFunction, Parts: []ir.Part{ir.Text{Text: text}}}
}

// TestRequestsOfOtherDialects is about what only other dialects can ask.
func TestRequestsOfOtherDialects(t *testing.T) {
	image := ir.Image{Source: ir.Source{MIME: "image/png", Data: "iVBORw0K"}}
	tests := map[string]struct {
		req    ir.Request
		want   string // of the body
		losses string
	}{
		"parallel calls are one turn, and so are their results": {
			ir.Request{Model: "gemini-3-pro", Items: []ir.Item{user("q"), call("a", "f", `{"x":1}`), call("b", "f", `{}`), user("by the way"), result("b", "2"), result("a", "1")}},
			`{"contents":[{"parts":[{"text":"q"}],"role":"user"},{"parts":[{"functionCall":{"id":"a","name":"f","args":{"x":1}},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"id":"b","name":"f","args":{}}}],"role":"model"},{"parts":[{"functionResponse":{"id":"a","name":"f","response":{"output":"1"}}},{"functionResponse":{"id":"b","name":"f","response":{"output":"2"}}}],"role":"user"},{"parts":[{"text":"by the way"}],"role":"user"}]}`,
			"note items[4]: results stand before messages\nnote items[5]: results stand before messages\nnote items[5].name: that of its call\nnote items[4].name: that of its call\n",
		},
		"a sentinel for each step, none where Gemini signed": {
			ir.Request{Model: "models/gemini-3.8-flash", Items: []ir.Item{
				ir.ToolCall{ID: "a", Name: "f", Arguments: "{}", Private: &ir.Private{Vendor: ir.VendorGemini, Data: "c2ln"}},
				ir.ToolResult{CallID: "a", Name: "f"},
				ir.ToolCall{ID: "b", Name: "f", Arguments: "{}", Private: &ir.Private{Vendor: ir.VendorAnthropic, Data: "x"}},
				ir.ToolResult{CallID: "b", Name: "f"},
			}},
			`{"contents":[{"parts":[{"functionCall":{"id":"a","name":"f","args":{}},"thoughtSignature":"c2ln"}],"role":"model"},{"parts":[{"functionResponse":{"id":"a","name":"f","response":{}}}],"role":"user"},{"parts":[{"functionCall":{"id":"b","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"}],"role":"model"},{"parts":[{"functionResponse":{"id":"b","name":"f","response":{}}}],"role":"user"}]}`,
			"note items[2].private: sealed by anthropic, which alone may see it\n",
		},
		"images of results go behind them for models that take none inside": {
			ir.Request{Model: "gemini-2.5-pro", Items: []ir.Item{call("a", "shot", `{}`), ir.ToolResult{CallID: "a", Name: "shot", Parts: []ir.Part{image, ir.Text{Text: "see"}}}}},
			`{"contents":[{"parts":[{"functionCall":{"id":"a","name":"shot","args":{}}}],"role":"model"},{"parts":[{"functionResponse":{"id":"a","name":"shot","response":{"output":"see"}}},{"text":"Part of result 1 (shot):"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0K"}}],"role":"user"}]}`,
			"note items[1].parts: texts stand before media\nnote items[1].parts[0]: the model takes no media in results: a part behind them\n",
		},
		"results are objects": {
			ir.Request{Model: "gemini-3-pro", Items: []ir.Item{
				ir.ToolResult{CallID: "1", Name: "f", Parts: []ir.Part{ir.Text{Text: `{"a":1}`}}},
				ir.ToolResult{CallID: "2", Name: "f", Parts: []ir.Part{ir.Text{Text: `{"output":"x"}`}}},
				ir.ToolResult{CallID: "3", Name: "f", Parts: []ir.Part{ir.Text{Text: `[1]`}}, IsError: true},
				ir.ToolResult{CallID: "4", Name: "f", Parts: []ir.Part{ir.Text{Text: `{"code":5}`}}, IsError: true},
				ir.ToolResult{CallID: "5", Name: "f", Parts: []ir.Part{ir.Text{Text: strings.Repeat(`{"a":`, 50) + "1" + strings.Repeat("}", 50)}}},
			}},
			`{"contents":[{"parts":[{"functionResponse":{"id":"1","name":"f","response":{"a":1}}},{"functionResponse":{"id":"2","name":"f","response":{"output":"{\"output\":\"x\"}"}}},{"functionResponse":{"id":"3","name":"f","response":{"error":"[1]"}}},{"functionResponse":{"id":"4","name":"f","response":{"error":{"code":5}}}},{"functionResponse":{"id":"5","name":"f","response":{"output":"` + strings.Repeat(`{\"a\":`, 50) + "1" + strings.Repeat("}", 50) + `"}}}],"role":"user"}]}`,
			"",
		},
		"system messages in the middle, custom tools, namespaces, broken arguments": {
			ir.Request{
				Model: "gemini-2.5-pro", System: []ir.Part{ir.Text{Text: "s", Cache: &ir.Cache{}}},
				Items: []ir.Item{
					user("q"),
					ir.Message{Role: ir.RoleSystem, Parts: []ir.Part{ir.Text{Text: "now"}}},
					ir.ToolCall{ID: "a", Kind: ir.ToolCustom, Name: "patch", Arguments: "*** Begin"},
					ir.ToolCall{ID: "b", Kind: ir.ToolFunction, Namespace: "ns", Name: "g", Arguments: `[broken`},
				},
				Tools: []ir.Tool{
					{Kind: ir.ToolCustom, Name: "patch", Grammar: json.RawMessage(`{}`)},
					{Kind: ir.ToolFunction, Namespace: "ns", Name: "g", Strict: new(true)},
					{Kind: ir.ToolServer, Name: "web_search", Server: ir.Extra{Dialect: "anthropic", Path: "web_search_20250305", Raw: json.RawMessage(`{}`)}},
				},
				ToolChoice: ir.ToolChoice{Mode: ir.ToolNamed, Kind: ir.ToolFunction, Namespace: "ns", Name: "g"}, ParallelCalls: new(false),
			},
			`{"contents":[{"parts":[{"text":"q"}],"role":"user"},{"parts":[{"text":"<system-message>\nnow\n</system-message>"}],"role":"user"},{"parts":[{"functionCall":{"id":"a","name":"patch","args":{"input":"*** Begin"}}},{"functionCall":{"id":"b","name":"ns__g","args":{"input":"[broken"}}}],"role":"model"}],"systemInstruction":{"parts":[{"text":"s"}]},"tools":[{"functionDeclarations":[{"name":"patch","parametersJsonSchema":{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}},{"name":"ns__g"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["ns__g"]}}}`,
			`note items[1]: Gemini has one system prompt, at the head: a tagged turn of the user
note items[2].kind: Gemini has no tools with free text: a function with one text called input
note items[2].arguments: in an object
note items[3].namespace: Gemini has no namespaces: part of the name
note items[3].name: with its namespace in front
lost items[3].arguments: they are no JSON object: given as a text called input
note system[0].cache: Gemini caches prefixes by itself
note tools[0].kind: Gemini has no tools with free text: a function with one text called input
note tools[0].schema: of the function that stands for it
lost tools[0].grammar: Gemini does not bound texts by a grammar
note tools[1].namespace: Gemini has no namespaces: part of the name
note tools[1].name: with its namespace in front
lost tools[1].strict: Gemini does not promise that arguments fit their schema
lost tools[2]: anthropic's own tool, which Gemini does not have
note tool_choice.namespace: Gemini has no namespaces: part of the name
note tool_choice.name: with its namespace in front
lost parallel_calls: Gemini cannot be told to make one call at a time
`,
		},
		"everything that Gemini does not take": {
			ir.Request{
				Model: "gemini-3-pro", Items: []ir.Item{
					ir.Message{Role: ir.RoleUser, Name: "bob", ID: "m1", Phase: "commentary", Parts: []ir.Part{
						ir.Text{Text: "a", Citations: []ir.Citation{{URL: "u"}}},
						ir.Image{Source: image.Source, Detail: "low"},
						ir.File{Source: ir.Source{Text: "doc"}, Name: "n", Title: "t", Context: "c", Cite: true},
						ir.Text{},
						ir.Opaque{Dialect: "anthropic", Type: "search_result"},
						ir.Refusal{Text: "no"},
					}},
					ir.Opaque{Dialect: "openai-responses", Type: "compaction"},
					ir.Thought{ID: "rs", Private: &ir.Private{Vendor: ir.VendorOpenAI, Data: "x"}, Redacted: true},
					ir.Message{Role: ir.RoleAssistant},
				},
				Verbosity: "low", Seed: new(int64(1) << 40), Stop: []string{"1", "2", "3", "4", "5", "6"}, LogitBias: map[string]float64{"1": 2}, User: "u", SafetyID: "s", Metadata: map[string]string{"a": "b"},
				CacheKey: "k", CacheLife: "24h", ServiceTier: "scale", Store: new(true), TopLogprobs: new(int64(30)), Logprobs: true,
				Reasoning: ir.Reasoning{Effort: "max", Budget: new(int64(5)), Summary: "detailed", Sealed: true, Mode: ir.ReasoningAdaptive},
				Format:    ir.Format{Kind: ir.FormatSchema, Name: "n", Strict: new(true), Schema: json.RawMessage(`{"type":"object"}`)},
				Extras:    []ir.Extra{{Dialect: "anthropic", Path: "context_management", Raw: json.RawMessage(`{}`)}},
			},
			`{"contents":[{"parts":[{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"iVBORw0K"}},{"inlineData":{"mimeType":"text/plain","data":"ZG9j"}},{"text":"no"}],"role":"user"}],"generationConfig":{"stopSequences":["1","2","3","4","5"],"responseLogprobs":true,"logprobs":20,"responseMimeType":"application/json","responseJsonSchema":{"type":"object"},"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"HIGH"}}}`,
			`lost items[0].name: Gemini's speakers have no names
note items[0].id: Gemini's messages have no ids
note items[0].phase: Gemini does not tell remarks from answers
lost items[0].parts[0].citations: Gemini takes no citations back
lost items[0].parts[1].detail: Gemini decides itself how closely it looks
lost items[0].parts[2].name: Gemini's files have none
lost items[0].parts[2].title: Gemini's files have none
lost items[0].parts[2].context: Gemini's files have none
lost items[0].parts[2].cite: Gemini's files have none
note items[0].parts[2].source.mime: a plain text
note items[0].parts[3]: Gemini refuses empty texts
lost items[0].parts[4]: only anthropic knows search_result
note items[0].parts[5]: Gemini has no refusals: plain text
lost items[1]: only openai-responses knows compaction
note items[2].id: Gemini's thoughts have no ids
note items[2].private: sealed by openai, which alone may see it
note items[2]: a thought that nobody but its vendor can read
note items[3]: a message without content
lost stop: Gemini takes 5 stop sequences: the rest is left out
lost seed: Gemini's seeds have 32 bits
lost top_logprobs: Gemini gives 20 alternatives at most
lost logit_bias: Gemini does not weigh tokens
lost verbosity: Gemini cannot be told how much to say
note format.name: Gemini takes the schema alone and always holds to it
note format.strict: Gemini takes the schema alone and always holds to it
note reasoning.sealed: Gemini always seals what it thought
note reasoning.summary: Gemini has one kind of summary
lost reasoning.effort: high is the most that Gemini knows
lost reasoning.budget: Gemini takes a level or a budget: the level
note reasoning.mode: a level means thinking
lost service_tier: Gemini has no tier of that name
note user: Gemini does not take it; it changes no answer
note safety_id: Gemini does not take it; it changes no answer
note metadata: Gemini does not take it; it changes no answer
note cache_key: Gemini does not take it; it changes no answer
note cache_life: Gemini does not take it; it changes no answer
lost store: Gemini keeps no answers
lost extras.context_management: only anthropic has it
`,
		},
		"old models": {
			ir.Request{Model: "gemini-2.0-flash", Items: []ir.Item{call("a", "f", "{}"), ir.ToolResult{CallID: "a", Name: "f"}}, Reasoning: ir.Reasoning{Effort: "high"}},
			`{"contents":[{"parts":[{"functionCall":{"name":"f","args":{}}}],"role":"model"},{"parts":[{"functionResponse":{"name":"f","response":{}}}],"role":"user"}]}`,
			"note items[0].id: the model pairs calls and results by name and order\nnote items[1].call_id: the model pairs calls and results by name and order\nlost reasoning: the model does not think\n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			body, losses, err := gemini.Codec{}.EncodeRequest(&tt.req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(body)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.losses, lossLines(losses)); diff != "" {
				t.Error(diff)
			}
			if _, err := (gemini.Codec{}).DecodeRequest(wire.Route{Operation: tollgate.OpGenerate}, body); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestThinkingIsAskedForAsTheModelTakesIt(t *testing.T) {
	tests := []struct {
		model string
		r     ir.Reasoning
		want  string
		loss  string // path of what is lost
	}{
		{"gemini-2.5-flash", ir.Reasoning{Effort: "low"}, `{"thinkingBudget":1024}`, ""},
		{"gemini-2.5-flash", ir.Reasoning{Effort: "medium"}, `{"thinkingBudget":8192}`, ""},
		{"gemini-2.5-flash", ir.Reasoning{Effort: "none"}, `{"thinkingBudget":0}`, ""},
		{"gemini-2.5-pro", ir.Reasoning{Mode: ir.ReasoningOff}, `{"thinkingBudget":128}`, "reasoning"},
		{"gemini-2.5-pro", ir.Reasoning{Mode: ir.ReasoningOn, Budget: new(int64(64000))}, `{"thinkingBudget":32768}`, "reasoning.budget"},
		{"gemini-2.5-flash-lite", ir.Reasoning{Mode: ir.ReasoningOn, Budget: new(int64(100))}, `{"thinkingBudget":512}`, "reasoning.budget"},
		{"gemini-2.5-pro", ir.Reasoning{Mode: ir.ReasoningOn}, `{"thinkingBudget":-1}`, ""},
		{"gemini-3-pro-preview", ir.Reasoning{Effort: "minimal"}, `{"thinkingLevel":"LOW"}`, "reasoning.effort"},
		{"gemini-3-flash", ir.Reasoning{Effort: "minimal"}, `{"thinkingLevel":"MINIMAL"}`, ""},
		{"gemini-3-flash", ir.Reasoning{Mode: ir.ReasoningOff}, `{"thinkingLevel":"MINIMAL"}`, "reasoning"},
		{"gemini-flash-latest", ir.Reasoning{Effort: "high", Summary: "auto"}, `{"includeThoughts":true,"thinkingLevel":"HIGH"}`, ""},
		{"gemini-3-pro", ir.Reasoning{Mode: ir.ReasoningOn, Budget: new(int64(64000))}, `{"thinkingBudget":64000}`, ""},
		{"my-model", ir.Reasoning{Mode: ir.ReasoningOff}, `{"thinkingBudget":0}`, ""},
		{"gemini-3-pro", ir.Reasoning{Sealed: true}, ``, ""},
	}
	for _, tt := range tests {
		body, losses, err := gemini.Codec{}.EncodeRequest(&ir.Request{Model: tt.model, Items: []ir.Item{user("x")}, Reasoning: tt.r})
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			GenerationConfig struct{ ThinkingConfig json.RawMessage }
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
		var lost []string
		for _, l := range losses {
			if !l.Note {
				lost = append(lost, l.Path)
			}
		}
		if string(got.GenerationConfig.ThinkingConfig) != tt.want || strings.Join(lost, " ") != tt.loss {
			t.Errorf("%s %s: %s, lost %q; want %s, %q", tt.model, dump(tt.r), got.GenerationConfig.ThinkingConfig, lost, tt.want, tt.loss)
		}
	}
}

func TestWhatCannotBeAskedNamesItsPlace(t *testing.T) {
	for field, req := range map[string]ir.Request{
		"items[0].parts[1].source.url": {Items: []ir.Item{ir.Message{Role: ir.RoleUser, Parts: []ir.Part{ir.Text{Text: "x"}, ir.Image{Source: ir.Source{URL: "https://example.com/a.png"}}}}}},
		"items[0].parts[0].source.id":  {Items: []ir.Item{ir.Message{Role: ir.RoleUser, Parts: []ir.Part{ir.File{Source: ir.Source{ID: "file-abc"}}}}}},
		"items[0].call_id":             {Items: []ir.Item{result("nobody", "x")}},
		"previous_id":                  {Items: []ir.Item{user("x")}, PreviousID: "resp_1"},
		"tools[0].schema":              {Items: []ir.Item{user("x")}, Tools: []ir.Tool{{Kind: ir.ToolFunction, Name: "f", Schema: json.RawMessage(`[]`)}}},
		"format.schema":                {Items: []ir.Item{user("x")}, Format: ir.Format{Kind: ir.FormatSchema}},
	} {
		_, _, err := gemini.Codec{}.EncodeRequest(&req)
		if e := tollgate.AsError(err); err == nil || e.Code != tollgate.CodeInvalid || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
