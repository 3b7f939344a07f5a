package openai_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
)

func TestResponsesConversationsAreKeptWhole(t *testing.T) {
	sealed := &ir.Private{Vendor: ir.VendorAnthropic, Data: "EqQB"}
	items := []ir.Item{
		ir.Message{Role: ir.RoleSystem, Parts: []ir.Part{ir.Text{Text: "D"}}},
		ir.Message{Role: ir.RoleUser, Parts: []ir.Part{ir.Text{Text: "a"}, ir.Image{Source: ir.Source{MIME: "image/png", Data: "AAAA"}}}},
		ir.Thought{Texts: []string{"hm"}, Private: sealed},
		ir.Thought{Private: sealed, Redacted: true},
		ir.Thought{Texts: []string{"raw"}, Raw: true},
		ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: "x"}, ir.Image{Source: ir.Source{MIME: "image/png", Data: "AAAA"}}}},
		ir.ToolCall{ID: "c", Kind: ir.ToolFunction, Name: "f", Namespace: "n", Arguments: "{}", Private: &ir.Private{Vendor: ir.VendorGemini, Data: "s"}},
		ir.ToolResult{CallID: "c", Kind: ir.ToolFunction, IsError: true, Parts: []ir.Part{ir.Text{Text: "no"}}},
		ir.Opaque{Dialect: "anthropic", Type: "server_tool_use", Raw: []byte(`{"id":"x"}`)},
		ir.Opaque{Dialect: "openai-responses", Type: "web_search_call", Raw: []byte(`{"type":"web_search_call"}`)},
	}
	got, err := openai.Responses{}.DecodeItems(openai.Responses{}.EncodeItems(items))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(items, got); diff != "" {
		t.Error(diff)
	}
	if _, err := (openai.Responses{}).DecodeItems([]byte(`[{"type":"function_call"}]`)); tollgate.AsError(err).Field != "input[0].name" {
		t.Errorf("%v", err)
	}
}

func TestResponsesConversationIsReadAndPutBack(t *testing.T) {
	c, err := openai.Responses{}.ReadConversation([]byte(`{"model":"m","previous_response_id":"resp_1","input":"hi","store":false}`))
	if err != nil || c.PreviousID != "resp_1" || c.Store || len(c.Items) != 1 {
		t.Fatalf("%+v, %v", c, err)
	}
	items := append([]json.RawMessage{[]byte(`{"role":"user","content":"first"}`)}, c.Items...)
	body, err := openai.Responses{}.WithItems([]byte(`{"model":"m","previous_response_id":"resp_1","input":"hi","temperature":0.50}`), items)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"model":"m","temperature":0.50,"input":[{"role":"user","content":"first"},{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]}]}`
	if string(body) != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
	c, err = openai.Responses{}.ReadConversation([]byte(`{"input":[{"id":"msg_1"},{"type":"compaction","encrypted_content":"x"},{"role":"user"}]}`))
	if err != nil || !c.Store {
		t.Fatalf("%+v, %v", c, err)
	}
	wantHeads := []openai.ItemHead{{Type: "item_reference", ID: "msg_1"}, {Type: "compaction", Sealed: "x"}, {Type: "message", Role: "user"}}
	for i, it := range c.Items {
		if got := (openai.Responses{}).ReadItemHead(it); got != wantHeads[i] {
			t.Errorf("%s is %+v", it, got)
		}
	}
	for _, bad := range []string{`[]`, `{"input":[1]}`, `{"store":"x"}`, `{"input":7}`} {
		if _, err := (openai.Responses{}).ReadConversation([]byte(bad)); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestResponsesCompactionHoldsWhatIsKeptAndTheSealedRest(t *testing.T) {
	body := openai.Responses{}.EncodeCompaction(openai.Compaction{
		Kept:   []ir.Message{{Role: ir.RoleUser, Parts: []ir.Part{ir.Text{Text: "hi"}}}},
		Sealed: "sealed", Usage: ir.Usage{Tokens: tollgate.Tokens{Input: 3, Output: 2}},
	}, 1<<40)
	want := `{"id":"resp_0000100000000","object":"response.compaction","created_at":1735689862,"output":[{"id":"msg_0000100000000_0","type":"message","status":"completed","role":"user","content":[{"type":"input_text","text":"hi"}]},{"type":"compaction","id":"cmp_0000100000000_1","encrypted_content":"sealed"}],"usage":{"input_tokens":3,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":5}}`
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Error(diff)
	}
}

func TestResponsesCounts(t *testing.T) {
	body := openai.Responses{}.EncodeCount(7)
	if string(body) != `{"object":"response.input_tokens","input_tokens":7}` {
		t.Errorf("%s", body)
	}
	if n, err := (openai.Responses{}).DecodeCount(body); n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, bad := range []string{`{}`, `x`, `{"input_tokens":-1}`, `{"input_tokens":"7"}`} {
		if _, err := (openai.Responses{}).DecodeCount([]byte(bad)); tollgate.ErrorCode(err) != tollgate.CodeUpstream {
			t.Errorf("%s: %v", bad, err)
		}
	}
	req := responsesRequest(t, `{"model":"m","instructions":"A","input":"hi","tools":[{"type":"function","name":"f","strict":true}],"temperature":1,"store":false}`)
	got, losses, err := openai.Responses{}.EncodeCountRequest(req)
	want := `{"model":"m","instructions":"A","input":[{"type":"message","role":"user","content":"hi"}],"tools":[{"type":"function","name":"f","parameters":null,"strict":true}]}`
	if string(got) != want || len(losses) > 0 || err != nil {
		t.Errorf("%s, %v, %v", got, losses, err)
	}
}

func TestResponsesErrorsOfProviders(t *testing.T) {
	tests := []struct {
		status int
		body   string
		header http.Header
		want   tollgate.Error
	}{
		{400, `{"error":{"message":"Too long.","type":"invalid_request_error","param":"input","code":"context_length_exceeded"}}`, nil, tollgate.Error{Code: tollgate.CodeInvalid, Message: "Too long.", Field: "input", Reason: "context_length_exceeded"}},
		{401, `{"error":{"message":"Incorrect API key provided: sk-abc","type":"invalid_request_error","code":"invalid_api_key"}}`, nil, tollgate.Error{Code: tollgate.CodeUpstream, Message: "the provider refused the gateway's credential", Reason: "invalid_api_key"}},
		{404, `{"error":{"message":"No model.","code":"model_not_found"}}`, nil, tollgate.Error{Code: tollgate.CodeNotFound, Message: "No model.", Reason: "model_not_found"}},
		{429, `{"error":{"message":"Slow.","type":"requests","code":"rate_limit_exceeded"}}`, http.Header{"Retry-After": {"2"}}, tollgate.Error{Code: tollgate.CodeRateLimited, Message: "Slow.", Reason: "rate_limit_exceeded", RetryAfter: 2 * time.Second}},
		{429, `{"error":{"message":"Spent.","type":"insufficient_quota","code":"insufficient_quota"}}`, http.Header{"Retry-After-Ms": {"1500"}}, tollgate.Error{Code: tollgate.CodeQuota, Message: "Spent.", Reason: "insufficient_quota", RetryAfter: 1500 * time.Millisecond}},
		{402, `{"error":"no money"}`, nil, tollgate.Error{Code: tollgate.CodeQuota, Message: "no money"}},
		{413, ``, nil, tollgate.Error{Code: tollgate.CodeTooLarge, Message: "the provider answered with status 413"}},
		{500, `<html>`, http.Header{"Retry-After": {"soon"}}, tollgate.Error{Code: tollgate.CodeUpstream, Message: "the provider answered with status 500"}},
		{503, `{"message":"Full.","type":"overloaded_error"}`, nil, tollgate.Error{Code: tollgate.CodeUnavailable, Message: "Full.", Reason: "overloaded_error"}},
		{529, `{}`, nil, tollgate.Error{Code: tollgate.CodeUnavailable, Message: "the provider answered with status 529"}},
		{504, `[]`, nil, tollgate.Error{Code: tollgate.CodeTimeout, Message: "the provider answered with status 504"}},
		{500, `{"error":{"message":"Bearer abc.def and sk-1234, sk-5"}}`, nil, tollgate.Error{Code: tollgate.CodeUpstream, Message: "Bearer … and sk-…, sk-…"}},
	}
	for _, tt := range tests {
		got := openai.Responses{}.DecodeError(tt.status, tt.header, []byte(tt.body))
		if diff := cmp.Diff(tt.want, *got); diff != "" {
			t.Errorf("%d %s:\n%s", tt.status, tt.body, diff)
		}
	}
	long := openai.Responses{}.DecodeError(500, nil, []byte(`{"error":{"message":"`+strings.Repeat("ä", 5000)+`"}}`))
	if len(long.Message) > 2100 {
		t.Errorf("the message has %d bytes", len(long.Message))
	}
}

// A codec's half is given any bytes; what it reads must be written and read as
// the same.
func FuzzResponsesDecodeRequest(f *testing.F) {
	for _, c := range responsesCases(f) {
		if body, ok := c.get("request"); ok {
			f.Add([]byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := openai.Responses{}.DecodeRequest(wire.Route{}, body)
		if err != nil {
			if e := tollgate.AsError(err); e.Code != tollgate.CodeInvalid || e.Field == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		out, _, err := openai.Responses{}.EncodeRequest(req)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(out) {
			t.Fatalf("%s is not JSON", out)
		}
		if _, err := (openai.Responses{}).DecodeRequest(wire.Route{}, out); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		answer, _ := openai.Responses{}.EncodeResponse(req, &ir.Response{}, 1)
		if !json.Valid(answer) {
			t.Fatalf("%s is not JSON", answer)
		}
	})
}

func FuzzResponsesDecodeResponse(f *testing.F) {
	for _, c := range responsesCases(f) {
		if body, ok := c.get("answer"); ok {
			f.Add([]byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		resp, _, err := openai.Responses{}.DecodeResponse(body)
		if err != nil {
			if tollgate.ErrorCode(err) == tollgate.CodeInternal {
				t.Fatal(err)
			}
			return
		}
		out, losses := openai.Responses{}.EncodeResponse(&ir.Request{Model: "m"}, resp, 1)
		got, _, err := openai.Responses{}.DecodeResponse(out)
		if err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		if diff := cmp.Diff(responsesSaid(resp), responsesSaid(got)); diff != "" && !strings.Contains(responsesLossText(losses), "items") {
			t.Errorf("%s\n%s", out, diff)
		}
	})
}

func FuzzResponsesStreamDecoder(f *testing.F) {
	for _, c := range responsesCases(f) {
		if stream, ok := c.get("stream"); ok {
			f.Add([]byte(stream))
		}
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		d := openai.Responses{}.StreamDecoder()
		var check ir.Checker
		e := openai.Responses{}.StreamEncoder(&ir.Request{Model: "m"}, wire.FramingSSE, 1)
		var events []ir.Event
		var out []byte
		_ = eachResponsesEvent(stream, func(name, data []byte) error {
			var err error
			events, err = d.Event(events[:0], name, data)
			for _, ev := range events {
				if err := check.Event(ev); err != nil {
					t.Fatal(err)
				}
				out = e.Event(out, ev)
			}
			return err
		})
		if events, err := d.End(nil); err == nil && len(events) == 0 && !check.Whole() && check.Event(ir.Ping{}) == nil {
			t.Fatal("the end is fine, but the answer is not whole")
		}
		if check.Whole() {
			checkResponsesStream(t, out)
		}
	})
}
