package gemini_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/gemini"
)

// foreignAnswer is what only other dialects can answer.
func foreignAnswer() *ir.Response {
	return &ir.Response{
		ID: "msg_1", Model: "upstream", Created: 5, ServiceTier: "priority",
		Usage: ir.Usage{Reported: true, Tokens: tollgate.Tokens{Input: 10, CacheRead: 20, CacheWrite: 5, Output: 9, Reasoning: 4}},
		Choices: []ir.Choice{{
			Items: []ir.Item{
				ir.Thought{Texts: []string{"a", "b"}, Private: &ir.Private{Vendor: ir.VendorAnthropic, Data: "sig"}},
				ir.Thought{Redacted: true, Private: &ir.Private{Vendor: ir.VendorAnthropic, Data: "blob"}},
				ir.Thought{ID: "rs_1", Private: &ir.Private{Vendor: ir.VendorOpenAI, Data: "enc"}},
				ir.Message{Role: ir.RoleAssistant, ID: "m", Parts: []ir.Part{
					ir.Text{Text: "Grün ist ", Citations: []ir.Citation{{Kind: ir.CitationURL, URL: "https://a/", Title: "A", Start: new(int64(0)), End: new(int64(4))}}},
					ir.Text{Text: "schön", Citations: []ir.Citation{{Kind: ir.CitationURL, URL: "https://b/", Start: new(int64(1)), End: new(int64(5))}, {Kind: ir.CitationDocument}}},
				}},
				ir.ToolCall{ID: "toolu_1", Kind: ir.ToolFunction, Name: "f", Arguments: `{"a":1}`, Private: &ir.Private{Vendor: ir.VendorOpenAI, Data: "c"}},
				ir.ToolCall{ID: "toolu_2", Kind: ir.ToolFunction, Name: "g", Arguments: ``},
				ir.Opaque{Dialect: "anthropic", Type: "server_tool_use"},
			},
			Stop: ir.Stop{Reason: ir.StopTools},
		}},
	}
}

func TestAnswersOfOtherDialects(t *testing.T) {
	req := &ir.Request{Model: "alias"}
	body, losses := gemini.Codec{}.EncodeResponse(req, foreignAnswer(), 1<<40)
	// The call brings along what was sealed before it, for clients that drop thoughts.
	kept := base64.StdEncoding.EncodeToString([]byte(`tg1-thoughts-{"c":"tg1-openai-Yw","t":[{"s":"tg1-anthropic-c2ln","t":["a","b"],"a":true},` +
		`{"s":"tg1-anthropic-YmxvYg","r":true,"a":true},{"s":"tg1-openai-ZW5j","a":true}]}`))
	want := `{"candidates":[{"content":{"parts":[{"text":"a","thought":true},{"text":"b","thought":true,"thoughtSignature":"dGcxLWFudGhyb3BpYy1jMmxu"},` +
		`{"text":"","thought":true,"thoughtSignature":"dGcxLWFudGhyb3BpYy1ZbXh2WWcucmVkYWN0ZWQ="},{"text":"","thought":true,"thoughtSignature":"dGcxLW9wZW5haS1aVzVq"},` +
		`{"text":"Grün ist "},{"text":"schön"},{"functionCall":{"id":"toolu_1","name":"f","args":{"a":1}},"thoughtSignature":"` + kept + `"},{"functionCall":{"id":"toolu_2","name":"g","args":{}}}],"role":"model"},"finishReason":"STOP","index":0,` +
		`"groundingMetadata":{"groundingChunks":[{"web":{"uri":"https://a/","title":"A"}},{"web":{"uri":"https://b/"}}],"groundingSupports":[{"segment":{"partIndex":4,"endIndex":5},"groundingChunkIndices":[0]},{"segment":{"partIndex":5,"startIndex":1,"endIndex":6},"groundingChunkIndices":[1]}]}}],` +
		`"usageMetadata":{"promptTokenCount":35,"cachedContentTokenCount":20,"candidatesTokenCount":5,"thoughtsTokenCount":4,"totalTokenCount":44,"serviceTier":"priority"},"modelVersion":"alias","responseId":"msg_1"}`
	if diff := cmp.Diff(want, string(body)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(`note choices[0].items[0].texts: readers take them for one
note choices[0].items[2].id: Gemini's thoughts have no ids
note choices[0].items[3].id: Gemini's messages have no ids
note choices[0].items[3].parts: readers take texts without a seal between them for one
lost choices[0].items[3].parts[1].citations[1]: Gemini cites addresses alone
note choices[0].items[5].arguments: no arguments are an empty object
lost choices[0].items[6]: only anthropic knows server_tool_use
note usage.tokens: Gemini does not tell what was written to the cache: part of the prompt
note created: Gemini's answers do not say when
note model: the name that the client sent
`, lossLines(losses)); diff != "" {
		t.Error(diff)
	}
	checkAnswer(t, req, foreignAnswer())
	back, _, err := gemini.Codec{}.DecodeResponse(body)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range foreignAnswer().Choices[0].Items[:3] {
		got, _ := back.Choices[0].Items[i].(ir.Thought)
		asked, _ := want.(ir.Thought)
		if diff := cmp.Diff(asked.Private, got.Private); diff != "" || got.Redacted != asked.Redacted {
			t.Errorf("thought %d comes back as %s", i, dump(got))
		}
	}
}

func TestStopReasons(t *testing.T) {
	tests := []struct {
		stop ir.Stop
		want string
	}{
		{ir.Stop{Reason: ir.StopEnd}, "STOP"},
		{ir.Stop{Reason: ir.StopSequence, Sequence: "END"}, "STOP"},
		{ir.Stop{Reason: ir.StopLength}, "MAX_TOKENS"},
		{ir.Stop{Reason: ir.StopContext}, "MAX_TOKENS"},
		{ir.Stop{Reason: ir.StopPause}, "STOP"},
		{ir.Stop{Reason: ir.StopFilter, Detail: "SPII"}, "SPII"},
		{ir.Stop{Reason: ir.StopFilter, Detail: "IMAGE_SAFETY"}, "IMAGE_SAFETY"},
		{ir.Stop{Reason: ir.StopFilter, Detail: "content_filter"}, "SAFETY"},
		{ir.Stop{Reason: ir.StopRefusal}, "SAFETY"},
		{ir.Stop{Reason: ir.StopFailure, Detail: "TOO_MANY_TOOL_CALLS"}, "TOO_MANY_TOOL_CALLS"},
		{ir.Stop{Reason: ir.StopFailure}, "MALFORMED_FUNCTION_CALL"},
		{ir.Stop{Detail: "OTHER"}, "OTHER"},
		{ir.Stop{}, "STOP"},
	}
	for _, tt := range tests {
		resp := &ir.Response{Model: "m", Choices: []ir.Choice{{Items: []ir.Item{ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: "x"}}}}, Stop: tt.stop}}}
		body, losses := gemini.Codec{}.EncodeResponse(&ir.Request{Model: "m"}, resp, 1<<40)
		if !strings.Contains(string(body), `"finishReason":"`+tt.want+`"`) {
			t.Errorf("%+v: %s", tt.stop, body)
		}
		back, _, err := gemini.Codec{}.DecodeResponse(body)
		if err != nil {
			t.Fatal(err)
		}
		if got := back.Choices[0].Stop; got != tt.stop && len(losses) == 0 {
			t.Errorf("%+v comes back as %+v without a loss", tt.stop, got)
		}
	}
}

// TestItemsThatOverlap is about providers that give several items at once,
// which Gemini's parts cannot tell apart: each waits for its turn.
func TestItemsThatOverlap(t *testing.T) {
	e := gemini.Codec{}.StreamEncoder(&ir.Request{Model: "m"}, wire.FramingSSE, 1<<40)
	steps := []struct {
		ev   ir.Event
		want string // texts and names that this event makes visible
	}{
		{ir.Start{ID: "r", Model: "m"}, ""},
		{ir.ItemStart{Index: 0, Item: ir.ToolCall{ID: "a", Name: "f"}}, ""},
		{ir.ArgumentsDelta{Index: 0, Text: `{"x"`}, ""},
		{ir.ItemStart{Index: 1, Item: ir.Message{Role: ir.RoleAssistant}}, ""},
		{ir.TextDelta{Index: 1, Text: "one"}, ""},
		{ir.ItemStart{Index: 2, Item: ir.ToolCall{ID: "b", Name: "g"}}, ""},
		{ir.ItemEnd{Index: 2}, ""},
		{ir.ArgumentsDelta{Index: 0, Text: `:1}`}, ""},
		{ir.ItemEnd{Index: 0}, "f one"},
		{ir.TextDelta{Index: 1, Text: "two"}, "two"},
		{ir.ItemEnd{Index: 1}, "g"},
		{ir.Stopped{Stop: ir.Stop{Reason: ir.StopTools}}, ""},
		{ir.Finish{}, ""},
	}
	var all []byte
	for _, step := range steps {
		out := e.Event(nil, step.ev)
		all = append(all, out...)
		var seen []string
		for _, word := range []string{`"f"`, `"one"`, `"two"`, `"g"`} {
			if strings.Contains(string(out), word) {
				seen = append(seen, strings.Trim(word, `"`))
			}
		}
		if got := strings.Join(seen, " "); got != step.want {
			t.Errorf("%s makes %q visible, want %q", dump(step.ev), got, step.want)
		}
	}
	if !strings.HasSuffix(string(all), "\r\n\r\n") || len(e.Losses()) > 1 {
		t.Errorf("%s\n%v", all, e.Losses())
	}
}

func TestErrorsEndAStreamInItsFraming(t *testing.T) {
	failure := tollgate.Errorf(tollgate.CodeUpstream, "gone")
	body := `{"error":{"code":502,"message":"gone","status":"UNAVAILABLE"}}`
	for _, tt := range []struct {
		framing wire.Framing
		events  int
		want    string
	}{
		{wire.FramingSSE, 0, "data: " + body + "\n\n"},
		{wire.FramingSSE, 1, "data: " + body + "\n\n"},
		{wire.FramingJSONArray, 0, "[" + body + "]\n"},
		{wire.FramingJSONArray, 1, ",\n" + body + "]\n"},
	} {
		e := gemini.Codec{}.StreamEncoder(&ir.Request{Model: "m"}, tt.framing, 1)
		e.Event(nil, ir.Start{})
		e.Event(nil, ir.ItemStart{Item: ir.Message{}})
		for range tt.events {
			e.Event(nil, ir.TextDelta{Text: "x"})
		}
		if got := string(e.Error(nil, failure)); got != tt.want {
			t.Errorf("framing %d after %d events: %q", tt.framing, tt.events, got)
		}
		if got := e.Event(nil, ir.Finish{}); len(got) > 0 {
			t.Errorf("%q follows the error", got)
		}
	}
}

func TestPingsAreNotWritten(t *testing.T) {
	for _, framing := range []wire.Framing{wire.FramingNone, wire.FramingSSE, wire.FramingJSONArray} {
		e := gemini.Codec{}.StreamEncoder(&ir.Request{}, framing, 1)
		if got := string(e.Event(e.Ping(nil), ir.Ping{})); got != "" {
			t.Errorf("framing %d: %q, which Google's clients cannot read", framing, got)
		}
	}
}

func TestDecodeError(t *testing.T) {
	retry := `{"error":{"code":429,"message":"quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}]}}`
	tests := map[string]struct {
		status int
		header string
		body   string
		want   tollgate.Error
	}{
		"retry info":    {429, "", retry, tollgate.Error{Code: tollgate.CodeRateLimited, Message: "quota", RetryAfter: 34400 * time.Millisecond}},
		"in an array":   {429, "7", "[" + retry + "\n]", tollgate.Error{Code: tollgate.CodeRateLimited, Message: "quota", RetryAfter: 34400 * time.Millisecond}},
		"header":        {503, "7", `{"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}`, tollgate.Error{Code: tollgate.CodeUnavailable, Message: "overloaded", RetryAfter: 7 * time.Second}},
		"too long":      {400, "", `{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}}`, tollgate.Error{Code: tollgate.CodeInvalid, Reason: "context_length_exceeded", Message: "The input token count (9) exceeds the maximum number of tokens allowed (8)."}},
		"own key":       {400, "", `{"error":{"code":400,"message":"API key not valid: secret","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}`, tollgate.Error{Code: tollgate.CodeUpstream, Message: "the provider refused this gateway's credential; the operator has to look at it"}},
		"not found":     {404, "", `{"error":{"code":404,"message":"no model","status":"NOT_FOUND"}}`, tollgate.Error{Code: tollgate.CodeNotFound, Message: "no model"}},
		"no model":      {404, "", `{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}`, tollgate.Error{Code: tollgate.CodeNotFound, Message: "models/x is not found", Field: "model"}},
		"html":          {502, "", `<html>`, tollgate.Error{Code: tollgate.CodeUpstream, Message: "the provider answered with status 502"}},
		"timeout":       {504, "", `{"error":{"message":"Deadline expired"}}`, tollgate.Error{Code: tollgate.CodeTimeout, Message: "Deadline expired"}},
		"odd types":     {500, "", `{"error":{"code":"x","message":5,"details":[7,{"@type":1}]}}`, tollgate.Error{Code: tollgate.CodeUpstream, Message: "the provider failed without saying why"}},
		"529":           {529, "", `{}`, tollgate.Error{Code: tollgate.CodeUnavailable, Message: "the provider answered with status 529"}},
		"forbidden":     {403, "", `{"error":{"message":"no"}}`, tollgate.Error{Code: tollgate.CodeForbidden, Message: "no"}},
		"unprocessable": {422, "", `{"error":{"message":"no"}}`, tollgate.Error{Code: tollgate.CodeInvalid, Message: "no"}},
	}
	for name, tt := range tests {
		h := http.Header{}
		if tt.header != "" {
			h.Set("Retry-After", tt.header)
		}
		if diff := cmp.Diff(&tt.want, (gemini.Codec{}).DecodeError(tt.status, h, []byte(tt.body))); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
	}
}

func TestCounts(t *testing.T) {
	for body, want := range map[string]int64{`{"totalTokens":12}`: 12, `{"totalTokens":"12","promptTokensDetails":[]}`: 12, `{"total_tokens":3}`: 3} {
		if n, err := (gemini.Codec{}).DecodeCount([]byte(body)); err != nil || n != want {
			t.Errorf("%s: %d, %v", body, n, err)
		}
	}
	for _, body := range []string{`{}`, `[]`, `{"totalTokens":-1}`, `{"totalTokens":true}`} {
		if _, err := (gemini.Codec{}).DecodeCount([]byte(body)); tollgate.ErrorCode(err) != tollgate.CodeUpstream {
			t.Errorf("%s: %v", body, err)
		}
	}
	if got := string(gemini.Codec{}.EncodeCount(7)); got != `{"totalTokens":7}` {
		t.Error(got)
	}
}
