package openai_test

import (
	"encoding/json"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
)

// cut feeds events to a cutter and returns the data of those that end the answer.
func cut(t *testing.T, c wire.Cutter, events []string, usage bool) []string {
	t.Helper()
	for _, data := range events {
		c.Event(nil, []byte(data))
	}
	out, ok := c.Cut(nil, tollgate.Tokens{Input: 3, Output: 5}, usage)
	if !ok {
		if len(out) > 0 {
			t.Errorf("an answer that has not begun ends with %q", out)
		}
		return nil
	}
	var all []string
	for line := range strings.SplitSeq(string(out), "\n") {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			if data != "[DONE]" && !json.Valid([]byte(data)) {
				t.Errorf("no JSON: %q", data)
			}
			all = append(all, data)
		}
	}
	return all
}

func TestACutChatEndsEveryChoiceThatGoesOn(t *testing.T) {
	got := cut(t, openai.Chat{}.Cutter(tollgate.OpGenerate, wire.FramingSSE), []string{
		`{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}`,
		`{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":1,"delta":{"content":"b"},"finish_reason":null}]}`,
		`{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}`,
	}, true)
	want := []string{
		`{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":1,"delta":{},"logprobs":null,"finish_reason":"length"}]}`,
		`{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5,"total_tokens":8,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}}}`,
		"[DONE]",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestACutResponseEndsItsOpenItemsIncomplete(t *testing.T) {
	created := `{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","status":"in_progress","output":[],"usage":null}}`
	added := func(item string) string {
		return `{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":` + item + `}`
	}
	for _, c := range []struct {
		name   string
		events []string
		kinds  string // of the events that end it
		output string // in the last one
	}{
		{
			"text",
			[]string{
				created, added(`{"id":"msg_1","type":"message","status":"in_progress","content":[]}`),
				`{"type":"response.content_part.added","sequence_number":2,"item_id":"msg_1","output_index":0,"content_index":0,"part":{"type":"output_text","text":""}}`,
				`{"type":"response.output_text.delta","sequence_number":3,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"a\"b"}`,
				`{"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"c"}`,
			},
			"response.output_text.done response.content_part.done response.output_item.done response.incomplete",
			`[{"id":"msg_1","type":"message","status":"incomplete","content":[{"type":"output_text","text":"a\"bc"}]}]`,
		},
		{
			"a refusal",
			[]string{
				created, added(`{"id":"msg_1","type":"message","status":"in_progress","content":[]}`),
				`{"type":"response.content_part.added","sequence_number":2,"output_index":0,"content_index":0,"part":{"type":"refusal","refusal":""}}`,
				`{"type":"response.refusal.delta","sequence_number":3,"output_index":0,"content_index":0,"delta":"no"}`,
			},
			"response.refusal.done response.content_part.done response.output_item.done response.incomplete",
			`[{"id":"msg_1","type":"message","status":"incomplete","content":[{"type":"refusal","refusal":"no"}]}]`,
		},
		{
			"a call",
			[]string{
				created, added(`{"id":"fc_1","type":"function_call","status":"in_progress","arguments":""}`),
				`{"type":"response.function_call_arguments.delta","sequence_number":2,"output_index":0,"delta":"{\"a"}`,
			},
			"response.output_item.done response.incomplete",
			`[{"id":"fc_1","type":"function_call","status":"incomplete","arguments":"{\"a"}]`,
		},
		{
			"an item that is done",
			[]string{
				created, added(`{"id":"msg_1","type":"message"}`),
				`{"type":"response.output_item.done","sequence_number":2,"output_index":0,"item":{"id":"msg_1","type":"message","status":"completed"}}`,
			},
			"response.incomplete", `[{"id":"msg_1","type":"message","status":"completed"}]`,
		},
		{"nothing", nil, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var kinds []string
			var last struct {
				Type     string
				Response struct {
					Status            string
					IncompleteDetails struct{ Reason string } `json:"incomplete_details"`
					Output            json.RawMessage
				}
			}
			for _, data := range cut(t, openai.Responses{}.Cutter(tollgate.OpGenerate, wire.FramingSSE), c.events, false) {
				if err := json.Unmarshal([]byte(data), &last); err != nil {
					t.Fatal(err)
				}
				kinds = append(kinds, last.Type)
			}
			if strings.Join(kinds, " ") != c.kinds || string(last.Response.Output) != c.output {
				t.Errorf("%s with %s, want %s with %s", kinds, last.Response.Output, c.kinds, c.output)
			}
			if c.events != nil && (last.Response.Status != "incomplete" || last.Response.IncompleteDetails.Reason != "max_output_tokens") {
				t.Errorf("ends as %+v", last.Response)
			}
		})
	}
}

func FuzzCut(f *testing.F) {
	f.Add([]byte(`{"type":"response.created","response":{}}` + "\n" + `{"type":"response.output_item.added","item":{"type":"message"}}`))
	f.Add([]byte(`{"choices":[{"index":0,"delta":{}}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, c := range []wire.Cutter{openai.Chat{}.Cutter(tollgate.OpGenerate, wire.FramingSSE), openai.Responses{}.Cutter(tollgate.OpGenerate, wire.FramingSSE)} {
			var events []string
			for data := range strings.SplitSeq(string(text), "\n") {
				if json.Valid([]byte(data)) {
					events = append(events, data)
				}
			}
			cut(t, c, events, true)
		}
	})
}
