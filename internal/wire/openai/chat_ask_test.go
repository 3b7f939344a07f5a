package openai_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
)

func user(parts ...ir.Part) ir.Message { return ir.Message{Role: ir.RoleUser, Parts: parts} }

func said(text string) ir.Message {
	return ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: text}}}
}

func called(id, name string) ir.ToolCall {
	return ir.ToolCall{ID: id, Kind: ir.ToolFunction, Name: name, Arguments: "{}"}
}

func gave(id string, parts ...ir.Part) ir.ToolResult {
	return ir.ToolResult{CallID: id, Kind: ir.ToolFunction, Parts: parts}
}

// TestWhatOtherDialectsSayBecomesChat encodes what only requests of other
// dialects hold. want is the body without the model, lost as in the cases.
func TestWhatOtherDialectsSayBecomesChat(t *testing.T) {
	pixel := ir.Source{MIME: "image/png", Data: "iVBORw0KGgo="}
	anthropic := &ir.Private{Vendor: ir.VendorAnthropic, Data: "sig"}
	tests := map[string]struct {
		req        ir.Request
		want, lost string
	}{
		"images of results follow in a user message": {
			req: ir.Request{Items: []ir.Item{
				called("a", "shot"), called("b", "shot"),
				gave("a", ir.Text{Text: "here"}, ir.Image{Source: pixel}), gave("b", ir.Image{Source: pixel}),
				user(ir.Text{Text: "So?"}),
			}},
			want: `"messages":[{"role":"assistant","content":null,"tool_calls":[` +
				`{"id":"a","type":"function","function":{"name":"shot","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"shot","arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"here"},{"role":"tool","tool_call_id":"b","content":"The result is in the user message that follows."},` +
				`{"role":"user","content":[{"type":"text","text":"Content of the result of tool call a:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}},` +
				`{"type":"text","text":"Content of the result of tool call b:"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]},` +
				`{"role":"user","content":"So?"}]`,
			lost: "~ items[2].parts[1]\n~ items[3].parts[0]\n~ items[3].parts",
		},
		"an error is marked": {
			req: ir.Request{Items: []ir.Item{called("a", "x"), ir.ToolResult{CallID: "a", Kind: ir.ToolFunction, IsError: true}}},
			want: `"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"x","arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"[tool error] "}]`,
			lost: "~ items[1].is_error",
		},
		"what is said between calls moves before them": {
			req: ir.Request{Items: []ir.Item{said("one"), called("a", "x"), said("two"), called("b", "x"), gave("a", ir.Text{Text: "1"}), gave("b", ir.Text{Text: "2"})}},
			want: `"messages":[{"role":"assistant","content":[{"type":"text","text":"one"},{"type":"text","text":"two"}],"tool_calls":[` +
				`{"id":"a","type":"function","function":{"name":"x","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"x","arguments":"{}"}}]},` +
				`{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"}]`,
			lost: "~ items[0]\n~ items[2]\n~ items[1]\n~ items[3]",
		},
		"messages in a row stay apart": {
			req: ir.Request{Items: []ir.Item{said("one"), ir.Thought{Raw: true, Texts: []string{"hm"}}, said("two"), called("a", "x")}},
			want: `"messages":[{"role":"assistant","content":"one"},{"role":"assistant","content":"two","reasoning_content":"hm",` +
				`"tool_calls":[{"id":"a","type":"function","function":{"name":"x","arguments":"{}"}}]}]`,
		},
		"sealed thoughts stay with their vendor": {
			req:  ir.Request{Items: []ir.Item{ir.Thought{Texts: []string{"hm"}, Private: anthropic}, ir.Thought{Redacted: true, Private: anthropic}, said("two")}},
			want: `"messages":[{"role":"assistant","content":"two"}]`,
			lost: "~ items[0]\n~ items[1]",
		},
		"thoughts in blocks are joined": {
			req:  ir.Request{Items: []ir.Item{ir.Thought{Texts: []string{"a", "b"}}, ir.Thought{Texts: []string{"c"}}, said("x")}},
			want: `"messages":[{"role":"assistant","content":"x","reasoning_content":"a\n\nb\n\nc"}]`,
			lost: "~ items[0].raw\n~ items[0].texts\n~ items[1].raw\n~ items[0]\n~ items[1]",
		},
		"namespaces become part of names": {
			req: ir.Request{
				Items:      []ir.Item{ir.ToolCall{ID: "a", Kind: ir.ToolFunction, Namespace: "fs", Name: "ls", Arguments: "{}"}},
				Tools:      []ir.Tool{{Kind: ir.ToolFunction, Namespace: "fs", Name: "ls"}, {Kind: ir.ToolServer, Name: "web_search", Server: ir.Extra{Dialect: "anthropic"}}},
				ToolChoice: ir.ToolChoice{Mode: ir.ToolNamed, Kind: ir.ToolFunction, Namespace: "fs", Name: "ls"},
			},
			want: `"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"fs__ls","arguments":"{}"}}]}],` +
				`"tools":[{"type":"function","function":{"name":"fs__ls"}}],"tool_choice":{"type":"function","function":{"name":"fs__ls"}}`,
			lost: "~ items[0].namespace\n~ items[0].name\n~ tools[0].namespace\n~ tools[0].name\ntools[1]\n~ tool_choice.namespace\n~ tool_choice.name",
		},
		"documents": {
			req: ir.Request{Items: []ir.Item{user(
				ir.File{Title: "T", Cite: true, Source: ir.Source{MIME: "application/pdf", Data: "JVBERi0="}},
				ir.File{Title: "T", Name: "n.txt", Source: ir.Source{MIME: "text/plain", Text: "plain"}},
				ir.Image{Source: ir.Source{ID: "file-1"}}, ir.Audio{Source: ir.Source{MIME: "audio/flac", Data: "AA=="}},
				ir.Opaque{Dialect: "gemini", Type: "videoMetadata"},
			)}},
			want: `"messages":[{"role":"user","content":[{"type":"file","file":{"filename":"file.pdf","file_data":"data:application/pdf;base64,JVBERi0="}},` +
				`{"type":"text","text":"Title: T\nFile: n.txt\n\nplain"}]}]`,
			lost: "~ items[0].parts[0].name\nitems[0].parts[0].title\nitems[0].parts[0].cite\n~ items[0].parts[1]\nitems[0].parts[2]\nitems[0].parts[3]\nitems[0].parts[4]",
		},
		"what assistants and systems show": {
			req: ir.Request{
				System: []ir.Part{ir.Text{Text: "x-anthropic-billing-header: v=1"}, ir.Text{Text: "Be.", Cache: &ir.Cache{}}},
				Items: []ir.Item{
					ir.Message{Role: ir.RoleAssistant, ID: "msg_1", Phase: "commentary", Parts: []ir.Part{ir.Image{Source: pixel}, ir.Text{Text: "x", Citations: []ir.Citation{{Kind: ir.CitationURL}}}}},
					user(ir.Image{Source: ir.Source{ID: "f"}}),
				},
			},
			want: `"messages":[{"role":"system","content":"Be."},{"role":"assistant","content":"x"}]`,
			lost: "~ system[0]\n~ system[1].cache\n~ items[0].id\n~ items[0].phase\nitems[0].parts[0]\nitems[0].parts[1].citations\nitems[1].parts[0]\nitems[1]",
		},
		"thinking by budget becomes an effort": {
			req:  ir.Request{Reasoning: ir.Reasoning{Mode: ir.ReasoningOn, Budget: new(int64(10000)), Summary: "auto", Sealed: true}},
			want: `"messages":[],"reasoning_effort":"medium"`,
			lost: "reasoning.budget\n~ reasoning.effort\n~ reasoning.mode\n~ reasoning.summary\n~ reasoning.sealed",
		},
		"no thinking": {
			req:  ir.Request{Reasoning: ir.Reasoning{Mode: ir.ReasoningOff}},
			want: `"messages":[],"reasoning_effort":"none"`,
			lost: "~ reasoning.effort",
		},
		"a model that does not think is not asked to": {
			req:  ir.Request{Model: "gpt-4.1-mini", Reasoning: ir.Reasoning{Mode: ir.ReasoningAdaptive, Effort: "high"}},
			want: `"messages":[]`,
			lost: "~ reasoning.mode\nreasoning.effort",
		},
		"choices without tools": {
			req:  ir.Request{ToolChoice: ir.ToolChoice{Mode: ir.ToolAuto}, ParallelCalls: new(true), TopK: new(int64(3)), Format: ir.Format{Kind: ir.FormatSchema}},
			want: `"messages":[],"response_format":{"type":"json_schema","json_schema":{"name":"answer"}}`,
			lost: "~ tool_choice\n~ parallel_calls\n~ format.name\ntop_k",
		},
		"extras of others": {
			req:  ir.Request{Stream: true, Extras: []ir.Extra{{Dialect: "gemini", Path: "safetySettings", Raw: []byte(`[]`)}}, Items: []ir.Item{ir.Opaque{Dialect: "anthropic", Type: "server_tool_use"}}},
			want: `"stream":true,"stream_options":{"include_usage":true},"messages":[]`,
			lost: "items[0]\nextras.safetySettings",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.req.Model == "" {
				tt.req.Model = "m"
			}
			body, losses, err := openai.Chat{}.EncodeRequest(&tt.req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(`{"model":"`+tt.req.Model+`",`+tt.want+`}`, string(body)); diff != "" {
				t.Error(diff)
			}
			var paths []string
			for _, l := range losses {
				if l.Note {
					l.Path = "~ " + l.Path
				}
				paths = append(paths, l.Path)
			}
			if diff := cmp.Diff(tt.lost, strings.Join(paths, "\n")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatChatCannotBeAskedIsRefused(t *testing.T) {
	file := func(s ir.Source) ir.Request {
		return ir.Request{Items: []ir.Item{user(ir.Text{Text: "x"}, ir.File{Source: s})}}
	}
	tests := map[string]struct {
		req   ir.Request
		field string
	}{
		"kept answer":  {ir.Request{PreviousID: "resp_1"}, "previous_id"},
		"file address": {file(ir.Source{URL: "https://e.x/a.pdf"}), "items[0].parts[1].source.url"},
		"bucket":       {ir.Request{Items: []ir.Item{user(ir.Image{Source: ir.Source{URL: "gs://b/a.png"}})}}, "items[0].parts[0].source.url"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := openai.Chat{}.EncodeRequest(&tt.req)
			if e := tollgate.AsError(err); err == nil || e.Code != tollgate.CodeInvalid || e.Field != tt.field {
				t.Errorf("EncodeRequest = %v, field %q", err, e.Field)
			}
		})
	}
	_, _, err := openai.Chat{}.EncodeCountRequest(&ir.Request{})
	if _, other := (openai.Chat{}).DecodeCount(nil); tollgate.ErrorCode(err) != tollgate.CodeUnsupported || tollgate.ErrorCode(other) != tollgate.CodeUnsupported {
		t.Errorf("counting gives %v and %v", err, other)
	}
}

func TestCountsHaveTheShapeOfResponses(t *testing.T) {
	if got := string(openai.Chat{}.EncodeCount(42)); got != `{"object":"response.input_tokens","input_tokens":42}` {
		t.Error(got)
	}
}

// TestModelNamesDecideWhatServersTake is the rule that ARCHITECTURE leaves to
// the codec: the provider itself cannot be seen.
func TestModelNamesDecideWhatServersTake(t *testing.T) {
	tests := map[string]string{
		"gpt-4o": "max_tokens", "gpt-4.1": "max_tokens", "chatgpt-4o-latest": "max_tokens", "ft:gpt-4o-mini:acme::1": "max_tokens",
		"o1": "max_completion_tokens", "o4-mini": "max_completion_tokens", "gpt-5.2": "max_completion_tokens", "openai/gpt-5-mini": "max_completion_tokens",
		"gpt-6": "max_completion_tokens", "gpt-oss-120b": "max_tokens", "openai/gpt-oss-20b": "max_tokens", "gpt-audio": "max_tokens",
		"deepseek-reasoner": "max_tokens", "qwen3-coder": "max_tokens", "olmo-2": "max_tokens", "o": "max_tokens", "": "max_tokens",
	}
	for model, want := range tests {
		body, _, err := openai.Chat{}.EncodeRequest(&ir.Request{Model: model, MaxOutput: new(int64(5))})
		if err != nil || !strings.Contains(string(body), `"`+want+`":5`) {
			t.Errorf("%q: %s (%v)", model, body, err)
		}
	}
}

// TestAnswersOfOtherDialectsBecomeChat encodes what only answers of other
// dialects hold, whole and as a stream, and reads both back.
func TestAnswersOfOtherDialectsBecomeChat(t *testing.T) {
	seal := func(v ir.Vendor, data string) *ir.Private { return &ir.Private{Vendor: v, Data: data} }
	tests := map[string]struct {
		choice ir.Choice
		want   string // the message and what follows
		lost   string
	}{
		"thinking of Anthropic": {
			choice: ir.Choice{Stop: ir.Stop{Reason: ir.StopTools}, Items: []ir.Item{
				ir.Thought{Texts: []string{"one"}, Private: seal(ir.VendorAnthropic, "s")},
				ir.Thought{Redacted: true, Private: seal(ir.VendorAnthropic, "r")},
				said("x"), called("toolu_1", "ls"),
			}},
			want: `"message":{"role":"assistant","content":"x","refusal":null,"reasoning_content":"one","reasoning_details":[` +
				`{"type":"reasoning.encrypted","data":"tg1-anthropic-cw","index":0,"spans":[0,3]},{"type":"reasoning.encrypted","data":"tg1-anthropic-cg","index":1,"redacted":true}],` +
				`"annotations":[],"tool_calls":[{"id":"toolu_1","type":"function","function":{"name":"ls","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"`,
		},
		"signatures of Gemini": {
			choice: ir.Choice{Stop: ir.Stop{Reason: ir.StopTools}, Items: []ir.Item{
				ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: "x", Private: seal(ir.VendorGemini, "t")}}},
				ir.ToolCall{ID: "c", Kind: ir.ToolFunction, Name: "ls", Arguments: "{}", Private: seal(ir.VendorGemini, "s")},
			}},
			want: `"message":{"role":"assistant","content":"x","refusal":null,"annotations":[],"tool_calls":[` +
				`{"id":"c__tg1-gemini-cw","type":"function","function":{"name":"ls","arguments":"{}"}}]},"logprobs":null,"finish_reason":"tool_calls"`,
			lost: "~ choices[0].items[0].parts[0].private",
		},
		"texts in pieces with citations": {
			choice: ir.Choice{Stop: ir.Stop{Reason: ir.StopEnd}, Items: []ir.Item{
				ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{
					ir.Text{Text: "Ünder "}, ir.Text{Text: "rain", Citations: []ir.Citation{{Kind: ir.CitationURL, URL: "https://e.x", Title: "E", Quote: "q", Dialect: "anthropic"}, {Kind: ir.CitationDocument}}},
				}},
			}},
			want: `"message":{"role":"assistant","content":"Ünder rain","refusal":null,"annotations":[{"type":"url_citation","url_citation":` +
				`{"start_index":6,"end_index":10,"url":"https://e.x","title":"E","content":"q"}}]},"logprobs":null,"finish_reason":"stop"`,
			lost: "~ choices[0].items[0].parts[1].citations[0]\nchoices[0].items[0].parts[1].citations[1]\n~ choices[0].items[0].parts",
		},
		"an order that Chat has not": {
			choice: ir.Choice{Stop: ir.Stop{Reason: ir.StopPause}, Items: []ir.Item{
				said("a"), ir.Thought{Raw: true, Texts: []string{"t"}}, said("b"), ir.Opaque{Dialect: "anthropic", Type: "server_tool_use"},
			}},
			want: `"message":{"role":"assistant","content":"a\n\nb","refusal":null,"reasoning_content":"t","annotations":[]},"logprobs":null,"finish_reason":"stop"`,
			lost: "~ choices[0].items\nchoices[0].items[3]\nchoices[0].stop",
		},
		"a refusal without words": {
			choice: ir.Choice{Stop: ir.Stop{Reason: ir.StopRefusal}},
			want:   `"message":{"role":"assistant","content":"","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"content_filter"`,
			lost:   "~ choices[0].stop",
		},
		"a broken call": {
			choice: ir.Choice{Stop: ir.Stop{Reason: ir.StopFailure, Detail: "MALFORMED_FUNCTION_CALL"}},
			want:   `"message":{"role":"assistant","content":"","refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"content_filter"`,
			lost:   "choices[0].stop",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			req := &ir.Request{Model: "m"}
			resp := &ir.Response{ID: "msg_1", Created: 5, Choices: []ir.Choice{tt.choice}}
			body, losses := openai.Chat{}.EncodeResponse(req, resp, chatRequestID)
			want := `{"id":"chatcmpl-034000000000g","object":"chat.completion","created":5,"model":"m","choices":[{"index":0,` + tt.want + `}]}`
			if diff := cmp.Diff(want, string(body)); diff != "" {
				t.Error(diff)
			}
			var paths []string
			for _, l := range losses {
				if l.Note {
					l.Path = "~ " + l.Path
				}
				paths = append(paths, l.Path)
			}
			if diff := cmp.Diff(tt.lost, strings.Join(paths, "\n")); diff != "" {
				t.Error(diff)
			}
			checkUnfolded(t, req, resp, body)
		})
	}
}

// checkUnfolded says that a stream of resp says what body, the whole answer,
// says, but for the order of items.
func checkUnfolded(t *testing.T, req *ir.Request, resp *ir.Response, body []byte) {
	t.Helper()
	whole, _, err := openai.Chat{}.DecodeResponse(body)
	if err != nil {
		t.Fatal(err)
	}
	enc := openai.Chat{}.StreamEncoder(req, wire.FramingSSE, chatRequestID)
	var out []byte
	ir.Unfold(resp, func(ev ir.Event) bool {
		out = enc.Event(out, ev)
		return true
	})
	dec := openai.Chat{}.StreamDecoder()
	var fold ir.Folder
	for _, e := range chatEvents(t, string(out)) {
		events, err := dec.Event(nil, e.Name, e.Data)
		if err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		for _, ev := range events {
			if err := fold.Event(ev); err != nil {
				t.Fatalf("%v in %s", err, out)
			}
		}
	}
	streamed, ok := fold.Response()
	if !ok {
		t.Fatalf("no end: %s", out)
	}
	if diff := cmp.Diff(spokenBy(whole), spokenBy(streamed)); diff != "" {
		t.Errorf("%s\n%s", diff, out)
	}
}

// spokenBy is what the first choice of an answer holds, by kind.
func spokenBy(r *ir.Response) map[string]string {
	out := map[string]string{"stop": string(r.Choices[0].Stop.Reason)}
	for _, it := range r.Choices[0].Items {
		switch x := it.(type) {
		case ir.Message:
			for _, p := range x.Parts {
				if text, ok := p.(ir.Text); ok {
					out["text"] += text.Text
					for _, c := range text.Citations {
						out["cited"] += string(c.Raw)
					}
				}
			}
		case ir.Thought:
			out["thought"] += strings.Join(x.Texts, "")
			if x.Private != nil {
				out["seal"] += x.Private.Data
			}
		case ir.ToolCall:
			b, _ := json.Marshal(x)
			out["call"] += string(b)
		case ir.ToolResult, ir.Opaque:
			out["other"] += "x"
		}
	}
	return out
}
