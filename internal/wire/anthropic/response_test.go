package anthropic_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/anthropic"
)

// TestAnswersOfOtherDialects writes answers as other vendors give them, whole
// and as a stream, for clients of this dialect.
func TestAnswersOfOtherDialects(t *testing.T) {
	tests := map[string]struct {
		items  []ir.Item
		stop   ir.Stop
		body   []string
		losses []string
	}{
		"OpenAI reasoning": {
			items: []ir.Item{ir.Thought{ID: "rs_1", Texts: []string{"a", "b"}, Private: &ir.Private{Vendor: ir.VendorOpenAI, Data: "xyz"}}, said("So.")},
			stop:  ir.Stop{Reason: ir.StopEnd},
			body:  []string{`{"type":"thinking","thinking":"a\n\nb","signature":"tg1-openai-eHl6"}`}, losses: []string{"(choices[0].items[0].texts)", "(choices[0].items[0].id)"},
		},
		"sealed reasoning": {
			items: []ir.Item{ir.Thought{Redacted: true, Private: &ir.Private{Vendor: ir.VendorGemini, Data: "xyz"}}},
			stop:  ir.Stop{Reason: ir.StopLength},
			body:  []string{`{"type":"redacted_thinking","data":"tg1-gemini-eHl6"}`, `"stop_reason":"max_tokens"`},
		},
		"raw reasoning": {
			items: []ir.Item{ir.Thought{Texts: []string{"hm"}, Raw: true}, said("So.")},
			stop:  ir.Stop{Reason: ir.StopEnd},
			body:  []string{`{"type":"thinking","thinking":"hm","signature":""}`}, losses: []string{"(choices[0].items[0].raw)"},
		},
		"sealed calls": {
			items: []ir.Item{
				ir.ToolCall{ID: "call.1", Kind: ir.ToolFunction, Name: "ls", Arguments: `{"p":1}`, Private: &ir.Private{Vendor: ir.VendorGemini, Data: "sig"}},
				ir.ToolCall{ID: "b", ItemID: "fc_1", Kind: ir.ToolFunction, Name: "ls", Arguments: `{}`},
			},
			stop:   ir.Stop{Reason: ir.StopEnd},
			body:   []string{`"id":"call_x2e1__tg1-gemini-c2ln"`, `"stop_reason":"tool_use"`},
			losses: []string{"(choices[0].items[0].id)", "(choices[0].items[1].item_id)", "(choices[0].stop.reason)"},
		},
		"citations": {
			items: []ir.Item{ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: "As found", Citations: []ir.Citation{
				{Kind: ir.CitationURL, URL: "https://e.com", Title: "E", Start: new(int64(0)), End: new(int64(2))},
				{Kind: ir.CitationFile, FileID: "file-1"},
			}}}}},
			stop: ir.Stop{Reason: ir.StopEnd},
			body: []string{`{"type":"web_search_result_location","cited_text":"","url":"https://e.com","title":"E","encrypted_index":""}`},
			losses: []string{
				"(choices[0].items[0].parts[0].citations[0].dialect)", "(choices[0].items[0].parts[0].citations[0].raw)",
				"choices[0].items[0].parts[0].citations[0].start", "choices[0].items[0].parts[0].citations[0].end", "choices[0].items[0].parts[0].citations[1]",
			},
		},
		"refusal, image and what OpenAI ran": {
			items: []ir.Item{
				ir.Opaque{Dialect: "openai-responses", Type: "web_search_call", Raw: json.RawMessage(`{}`)},
				ir.Message{Role: ir.RoleAssistant, ID: "msg", Parts: []ir.Part{ir.Refusal{Text: "no"}, ir.Image{Source: ir.Source{Data: "AA=="}}, ir.Audio{Transcript: "hi"}}},
			},
			stop: ir.Stop{Reason: ir.StopRefusal, Detail: "policy"},
			body: []string{`{"type":"text","text":"no"}`, `{"type":"text","text":"hi"}`, `"stop_details":{"type":"refusal","category":null,"explanation":"policy"}`},
			losses: []string{
				"choices[0].items[0]", "(choices[0].items[1].id)", "(choices[0].items[1].parts[0])", "choices[0].items[1].parts[1]", "choices[0].items[1].parts[2]",
				"(extras.stop_details)",
			},
		},
		"filtered": {
			items: []ir.Item{said("x")}, stop: ir.Stop{Reason: ir.StopFilter, Detail: "SAFETY"},
			body: []string{`"stop_reason":"refusal"`, `"explanation":"SAFETY"`}, losses: []string{"(choices[0].stop.reason)", "(extras.stop_details)"},
		},
		"broken": {
			items: []ir.Item{said("x")}, stop: ir.Stop{Reason: ir.StopFailure, Detail: "MALFORMED_FUNCTION_CALL"},
			body: []string{`"stop_reason":"end_turn"`}, losses: []string{"choices[0].stop.reason", "(choices[0].stop.detail)"},
		},
		"two messages": {
			items:  []ir.Item{said("a"), ir.Opaque{Dialect: "gemini", Type: "x", Raw: json.RawMessage(`{}`)}, said("b"), call("c"), said("d")},
			stop:   ir.Stop{Reason: ir.StopTools},
			body:   []string{`[{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"tool_use"`},
			losses: []string{"choices[0].items[1]", "(choices[0].items[2])", "(choices[0].items[0].parts)"},
		},
		"nothing": {stop: ir.Stop{}, body: []string{`"content":[]`, `"stop_reason":"end_turn"`}, losses: []string{"(choices[0].stop.reason)"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			resp := &ir.Response{
				ID: "chatcmpl-1", Model: "gpt-5", Choices: []ir.Choice{{Items: tt.items, Stop: tt.stop}},
				Usage: ir.Usage{Reported: true, Tokens: tollgate.Tokens{Input: 5, CacheRead: 2, Output: 3}},
			}
			req := &ir.Request{Model: "alias"}
			body, losses := anthropic.Codec{}.EncodeResponse(req, resp, answerID)
			if diff := cmp.Diff(tt.losses, paths(losses)); diff != "" {
				t.Errorf("losses:\n%s", diff)
			}
			want := append(tt.body, `"id":"msg_`+answerID.String()+`"`, `"model":"alias"`, `"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":2,"output_tokens":3`)
			for _, s := range want {
				if !strings.Contains(string(body), s) {
					t.Errorf("%s is not in\n%s", s, body)
				}
			}
			whole, _, err := anthropic.Codec{}.DecodeResponse(body)
			if err != nil {
				t.Fatal(err)
			}
			streamSaysTheSame(t, req, resp, whole)
			for _, d := range unsaid(dump(*resp), dump(*whole), append(losses, ir.Loss{Path: "id"}, ir.Loss{Path: "model"})) {
				t.Errorf("lost silently: %s", d)
			}
		})
	}
}

func TestOfSeveralAnswersOneIsGiven(t *testing.T) {
	resp := &ir.Response{Choices: []ir.Choice{{Items: []ir.Item{said("a")}}, {Items: []ir.Item{said("b")}}}}
	body, losses := anthropic.Codec{}.EncodeResponse(&ir.Request{}, resp, answerID)
	if strings.Contains(string(body), `"b"`) || paths(losses)[0] != "choices[1]" {
		t.Errorf("%v in %s", paths(losses), body)
	}
	if got, _ := encodeStream(t, &ir.Request{}, resp); strings.Contains(string(got), `"b"`) {
		t.Errorf("the other answer is in\n%s", got)
	}
}

// kinds returns the types of the events of a stream, with the indices of blocks.
func kinds(t *testing.T, stream []byte) string {
	t.Helper()
	var out []string
	for _, f := range frames(stream) {
		var e struct {
			Type  string
			Index *int
		}
		if err := json.Unmarshal(f[1], &e); err != nil {
			t.Fatalf("%v: %s", err, f[1])
		}
		if e.Type != string(f[0]) {
			t.Errorf("event %s is called %s", e.Type, f[0])
		}
		short := strings.TrimPrefix(strings.TrimPrefix(e.Type, "content_block_"), "message_")
		if e.Index != nil {
			short += string(rune('0' + *e.Index))
		}
		out = append(out, short)
	}
	return strings.Join(out, " ")
}

func TestOverlappingItemsComeOneAfterTheOther(t *testing.T) {
	enc := anthropic.Codec{}.StreamEncoder(&ir.Request{Model: "m"}, wire.FramingSSE, answerID)
	var out []byte
	for _, ev := range []ir.Event{
		ir.Start{},
		ir.ItemStart{Index: 0, Item: ir.ToolCall{ID: "a", Kind: ir.ToolFunction, Name: "ls"}},
		ir.ItemStart{Index: 1, Item: ir.ToolCall{ID: "b", Kind: ir.ToolFunction, Name: "ls"}},
		ir.ItemStart{Index: 2, Item: ir.Message{Role: ir.RoleAssistant}},
		ir.ArgumentsDelta{Index: 1, Text: `{"q":`},
		ir.TextDelta{Index: 2, Text: "late"},
		ir.ArgumentsDelta{Index: 0, Text: `{"p":1}`},
		ir.ItemEnd{Index: 2},
		ir.ArgumentsDelta{Index: 1, Text: `2}`},
		ir.ItemEnd{Index: 0},
		ir.ItemEnd{Index: 1},
		ir.Stopped{Stop: ir.Stop{Reason: ir.StopTools}},
		ir.Finish{},
	} {
		out = enc.Event(out, ev)
	}
	want := "start start0 delta0 delta0 stop0 start1 delta1 delta1 delta1 stop1 start2 delta2 stop2 delta stop"
	if got := kinds(t, out); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	resp, _, err := fold(out)
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := resp.Choices[0].Items[1].(ir.ToolCall); !ok || c.Arguments != `{"q":2}` {
		t.Errorf("the second call is %v", resp.Choices[0].Items[1])
	}
}

func TestWhatOverlapsIsBounded(t *testing.T) {
	enc := anthropic.Codec{}.StreamEncoder(&ir.Request{}, wire.FramingSSE, answerID)
	out := enc.Event(nil, ir.Start{})
	out = enc.Event(out, ir.ItemStart{Index: 0, Item: ir.Message{}})
	out = enc.Event(out, ir.ItemStart{Index: 1, Item: ir.Message{}})
	long := strings.Repeat("x", 1<<20)
	for range 16 {
		out = enc.Event(out, ir.TextDelta{Index: 1, Text: long})
	}
	if got := kinds(t, out); got != "start error" {
		t.Errorf("got %s", got)
	}
	if more := enc.Event(nil, ir.TextDelta{Index: 0, Text: "x"}); len(more) > 0 {
		t.Errorf("after its error the stream says %s", more)
	}
}

func TestEveryDeltaIsWrittenAtOnce(t *testing.T) {
	enc := anthropic.Codec{}.StreamEncoder(&ir.Request{}, wire.FramingSSE, answerID)
	for _, ev := range []ir.Event{
		ir.Start{},
		ir.ItemStart{Index: 0, Item: ir.Thought{}},
		ir.ThoughtDelta{Text: "a"},
		ir.ThoughtDelta{Text: "b"},
		ir.ItemEnd{},
		ir.ItemStart{Index: 1, Item: ir.Message{}},
		ir.TextDelta{Index: 1, Text: "a"},
		ir.TextDelta{Index: 1, Text: "b"},
		ir.ItemEnd{Index: 1},
		ir.ItemStart{Index: 2, Item: ir.ToolCall{ID: "a", Name: "b"}},
		ir.ArgumentsDelta{Index: 2, Text: "{"},
		ir.ArgumentsDelta{Index: 2, Text: "}"},
	} {
		out := enc.Event(nil, ev)
		_, begins := ev.(ir.ItemStart)
		_, ends := ev.(ir.ItemEnd)
		if !begins && !ends && !bytes.HasSuffix(out, []byte("\n\n")) {
			t.Errorf("%T gives %q", ev, out)
		}
	}
}

func TestAFailureEndsTheStream(t *testing.T) {
	enc := anthropic.Codec{}.StreamEncoder(&ir.Request{}, wire.FramingSSE, answerID)
	out := enc.Event(nil, ir.Start{})
	out = enc.Event(out, ir.ItemStart{Item: ir.Message{}})
	out = enc.Event(out, ir.TextDelta{Text: "x"})
	out = enc.Event(out, ir.Ping{})
	out = enc.Event(out, ir.Failed{Err: tollgate.Errorf(tollgate.CodeUnavailable, "Overloaded")})
	out = enc.Event(out, ir.Finish{})
	out = enc.Error(out, tollgate.Errorf(tollgate.CodeUpstream, "again"))
	if got := kinds(t, out); got != "start start0 delta0 ping error" {
		t.Errorf("got %s", got)
	}
	if !strings.Contains(string(out), `"overloaded_error","message":"Overloaded"`) {
		t.Errorf("the error is not told in\n%s", out)
	}
}

func TestCounts(t *testing.T) {
	codec := anthropic.Codec{}
	body := codec.EncodeCount(42)
	if string(body) != `{"input_tokens":42}` {
		t.Errorf("written as %s", body)
	}
	if n, err := codec.DecodeCount(body); n != 42 || err != nil {
		t.Errorf("read as %d, %v", n, err)
	}
	for _, bad := range []string{``, `{}`, `{"input_tokens":"x"}`, `{"input_tokens":1`} {
		if _, err := codec.DecodeCount([]byte(bad)); tollgate.ErrorCode(err) != tollgate.CodeUpstream {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestPromptsThatAreTooLongAreSaidInTheVendorsWords(t *testing.T) {
	for message, want := range map[string]string{
		"maximum context length is 8192 tokens":      "prompt is too long: maximum context length is 8192 tokens",
		"prompt is too long: 9000 tokens > 8000 max": "prompt is too long: 9000 tokens > 8000 max",
	} {
		e := &tollgate.Error{Code: tollgate.CodeInvalid, Reason: "context_length_exceeded", Message: message}
		status, _, body := anthropic.Codec{}.EncodeError(e, answerID)
		if back := (anthropic.Codec{}).DecodeError(status, nil, body); back.Message != want || back.Reason != e.Reason {
			t.Errorf("%q became %+v", message, back)
		}
	}
}

// Clients of OpenAI's protocols stop at an unknown model when they are told
// that it is one, and try again when they are told that something is missing.
func TestAnUnknownModelIsNamedAsOne(t *testing.T) {
	for message, want := range map[string]string{"model: x": "model", "file_1 was not found": ""} {
		body := `{"type":"error","error":{"type":"not_found_error","message":"` + message + `"}}`
		if e := (anthropic.Codec{}).DecodeError(404, nil, []byte(body)); e.Field != want || e.Code != tollgate.CodeNotFound {
			t.Errorf("%s: %+v", message, e)
		}
	}
}
