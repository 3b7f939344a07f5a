package openai_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
)

// foreignResponsesRequest is a request as no client of this dialect sends it.
func foreignResponsesRequest() *ir.Request {
	signed := &ir.Private{Vendor: ir.VendorAnthropic, Data: "EqQB"}
	marked := &ir.Cache{Life: "1h"}
	return &ir.Request{
		Model:  "gpt-5.1",
		System: []ir.Part{ir.Text{Text: "A", Cache: marked}, ir.Text{Text: "B"}},
		Items: []ir.Item{
			ir.Message{Role: ir.RoleUser, Name: "ann", Parts: []ir.Part{
				ir.Text{Text: "hi", Cache: marked},
				ir.Image{Source: ir.Source{Data: "AAAA"}},
				ir.File{Source: ir.Source{Text: "doc"}, Title: "Doc", Context: "ctx", Cite: true},
				ir.File{Source: ir.Source{URL: "gs://b/o", MIME: "application/pdf"}},
				ir.Audio{Source: ir.Source{MIME: "audio/flac", Data: "AAAA"}},
				ir.Opaque{Dialect: "anthropic", Type: "search_result", Raw: []byte(`{}`)},
				ir.Refusal{Text: "no"},
			}},
			ir.Thought{Texts: []string{"hm"}, Private: signed},
			ir.Thought{Texts: []string{"unsealed"}},
			ir.ToolCall{ID: "c1", Kind: ir.ToolFunction, Name: "f", Arguments: "{}", Cache: marked, Private: &ir.Private{Vendor: ir.VendorGemini, Data: "s"}},
			ir.ToolResult{CallID: "c1", Kind: ir.ToolFunction, IsError: true, Cache: marked},
			ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{
				ir.Text{Text: "see", Citations: []ir.Citation{
					{Kind: ir.CitationURL, URL: "https://a", Quote: "q", Dialect: "anthropic", Raw: []byte(`{}`)},
					{Kind: ir.CitationDocument, Dialect: "anthropic", Raw: []byte(`{}`)},
				}},
				ir.Image{Source: ir.Source{Data: "AAAA", MIME: "image/png"}},
			}},
			ir.Opaque{Dialect: "anthropic", Type: "server_tool_use", Raw: []byte(`{}`)},
		},
		Tools: []ir.Tool{
			{Kind: ir.ToolFunction, Name: "f", Schema: []byte(`{}`), Cache: marked},
			{Kind: ir.ToolServer, Name: "web_search", Server: ir.Extra{Dialect: "anthropic", Path: "web_search_20250305", Raw: []byte(`{}`)}},
		},
		ToolChoice: ir.ToolChoice{Mode: ir.ToolRequired},
		Format:     ir.Format{Kind: ir.FormatSchema},
		Reasoning:  ir.Reasoning{Mode: ir.ReasoningOn, Budget: new(int64(5000)), Summary: "none"},
		MaxOutput:  new(int64(1)), TopK: new(int64(5)), Seed: new(int64(7)), Stop: []string{"x"}, LogitBias: map[string]float64{"1": 1},
		User:   strings.Repeat("u", 100),
		Extras: []ir.Extra{{Dialect: "anthropic", Path: "context_management", Raw: []byte(`{}`)}},
	}
}

func TestResponsesSaysWhatOfAForeignRequestIsLost(t *testing.T) {
	body, losses, err := openai.Responses{}.EncodeRequest(foreignResponsesRequest())
	if err != nil {
		t.Fatal(err)
	}
	want := `note system[0].cache: prefixes are cached without marks
note items[0].parts[0].cache: prefixes are cached without marks
note items[0].parts[1].source.mime: said to be image/png
note items[0].parts[2].title: carried as the file's name
note items[0].parts[2].name: it is the title
lost items[0].parts[2].context: a file has no context beside it
lost items[0].parts[2].cite: citations of given files cannot be asked for
lost items[0].parts[3]: files in Google's storage cannot be reached
lost items[0].parts[4]: audio must be wav or mp3 and in the request itself
lost items[0].parts[5]: only anthropic has search_result
note items[0].parts[6]: carried as text: only the model refuses
lost items[0].name: messages have no name
note items[1]: reasoning that anthropic sealed goes back to it alone
note items[2]: reasoning goes back to OpenAI in its sealed form alone
note items[3].private: only gemini reads it
note items[3].cache: prefixes are cached without marks
note items[4].is_error: said in words: [tool error]
note items[4].cache: prefixes are cached without marks
lost items[5].parts[0].citations[0].quote: citations do not quote
note items[5].parts[0].citations[0]: written as a url_citation
lost items[5].parts[0].citations[1]: only web pages and files that OpenAI keeps are cited
lost items[5].parts[1]: the model's own messages hold no images
lost items[6]: only anthropic has server_tool_use
note tools[0].strict: said to be false, which silence means in other dialects
note tools[0].cache: prefixes are cached without marks
lost tools[1]: only anthropic runs web_search
note format.name: a schema needs one: response
note format.schema: none is one that everything fits
note reasoning.effort: made of the budget
lost reasoning.budget: effort is said in words: medium
note reasoning.mode: models that can think do
note reasoning.summary: none is shown unless asked for
lost max_output: raised to 16, the least that can be asked for
lost top_k: the Responses API has no such parameter
lost seed: the Responses API has no such parameter
lost stop: the Responses API has no such parameter
lost logit_bias: the Responses API has no such parameter
note reasoning.sealed: asked for, so that the client can give it back
note store: said to be false, which silence means in other dialects
note user: hashed, since only 64 characters are allowed
note cache_key: made of the user, since prefixes are marked
lost extras.context_management: only anthropic has it
`
	if diff := cmp.Diff(want, responsesLossText(losses)); diff != "" {
		t.Error(diff)
	}
	if _, err := (openai.Responses{}).DecodeRequest(wire.Route{}, body); err != nil {
		t.Errorf("%v in %s", err, body)
	}
	for _, secret := range []string{"EqQB", "tg1-"} {
		if strings.Contains(string(body), secret) {
			t.Errorf("the body holds %s, which another vendor sealed", secret)
		}
	}
}

func TestResponsesCannotBeAskedForSeveralAnswers(t *testing.T) {
	_, _, err := openai.Responses{}.EncodeRequest(&ir.Request{Model: "m", Choices: 2})
	if e := tollgate.AsError(err); e.Code != tollgate.CodeInvalid || e.Field != "choices" {
		t.Errorf("%v", err)
	}
}

func TestResponsesDoesNotChooseAmongLostTools(t *testing.T) {
	req := foreignResponsesRequest()
	req.Tools = req.Tools[1:]
	body, losses, err := openai.Responses{}.EncodeRequest(req)
	if err != nil || strings.Contains(string(body), "tool_choice") || !strings.Contains(responsesLossText(losses), "lost tool_choice") {
		t.Errorf("%v: %s", err, body)
	}
}

// foreignResponsesAnswer is an answer of other providers to a client with tools in a
// namespace and a custom tool.
func foreignResponsesAnswer() *ir.Response {
	signed := &ir.Private{Vendor: ir.VendorAnthropic, Data: "EqQB"}
	return &ir.Response{
		ID: "chatcmpl-1", Model: "claude", Created: 0,
		Choices: []ir.Choice{{
			Items: []ir.Item{
				ir.Thought{Texts: []string{"hm"}, Private: signed},
				ir.Thought{Private: signed, Redacted: true},
				ir.Thought{Texts: []string{"chain"}, Raw: true},
				ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{
					ir.Text{Text: "a", Citations: []ir.Citation{{Kind: ir.CitationURL, URL: "https://a", Start: new(int64(0)), End: new(int64(1))}, {Kind: ir.CitationDocument}}},
					ir.Image{Source: ir.Source{MIME: "image/png", Data: "AAAA"}},
					ir.Text{Text: "b"},
				}},
				ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Image{Source: ir.Source{MIME: "image/webp", Data: "BBBB"}}}},
				ir.Message{Role: ir.RoleAssistant},
				ir.Opaque{Dialect: "anthropic", Type: "server_tool_use", Raw: []byte(`{}`)},
				ir.ToolCall{ID: "c1", Kind: ir.ToolFunction, Name: "agents__spawn", Arguments: "", Private: &ir.Private{Vendor: ir.VendorGemini, Data: "sig"}},
				ir.ToolCall{ID: "c2", Kind: ir.ToolFunction, Name: "sql", Arguments: `{"input":"SELECT \"1\"\n"}`},
				ir.ToolCall{ID: "c3", Kind: ir.ToolFunction, Name: "plain", Arguments: `{"a":1}`},
			},
			Stop: ir.Stop{Reason: ir.StopTools},
		}},
		Usage: ir.Usage{Reported: true, Tokens: tollgate.Tokens{Input: 1, CacheRead: 2, CacheWrite: 3, CacheWrite1h: 4, Output: 5}, AudioOutput: 2},
	}
}

const responsesToolClient = `{"model":"alias","input":"x","tools":[{"type":"custom","name":"sql"},{"type":"namespace","name":"agents","description":"","tools":[{"type":"function","name":"spawn","strict":false}]},{"type":"function","name":"plain"}]}`

func responsesRequest(tb testing.TB, body string) *ir.Request {
	tb.Helper()
	req, err := openai.Responses{}.DecodeRequest(wire.Route{}, []byte(body))
	if err != nil {
		tb.Fatal(err)
	}
	return req
}

func TestResponsesAnswersOfOtherVendorsCarryWhatTheySealed(t *testing.T) {
	req := responsesRequest(t, responsesToolClient)
	body, losses := openai.Responses{}.EncodeResponse(req, foreignResponsesAnswer(), 1<<40)
	got, _, err := openai.Responses{}.DecodeResponse(body)
	if err != nil {
		t.Fatal(err)
	}
	want := foreignResponsesAnswer().Choices[0].Items
	want[3] = ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{
		ir.Text{Text: "a", Citations: []ir.Citation{{
			Kind: ir.CitationURL, URL: "https://a", Start: new(int64(0)), End: new(int64(1)), Dialect: "openai-responses",
			Raw: []byte(`{"type":"url_citation","url":"https://a","title":"","start_index":0,"end_index":1}`),
		}}},
		ir.Text{Text: "b"},
	}}
	first := ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Image{Source: ir.Source{MIME: "image/png", Data: "AAAA"}}}}
	want[6] = first // the picture inside of a message comes behind its beginning
	want = append(append(append([]ir.Item{}, want[:4]...), first), append(append([]ir.Item{}, want[4:6]...), want[7:]...)...)
	want[7] = ir.ToolCall{ID: "c1", Kind: ir.ToolFunction, Namespace: "agents", Name: "spawn", Arguments: "{}", Private: &ir.Private{Vendor: ir.VendorGemini, Data: "sig"}}
	want[8] = ir.ToolCall{ID: "c2", Kind: ir.ToolCustom, Name: "sql", Arguments: "SELECT \"1\"\n"}
	if diff := cmp.Diff(want, got.Choices[0].Items); diff != "" {
		t.Error(diff)
	}
	wantLosses := `note id: an answer has an id that begins with resp_
note created: the time of the request stands for it
note model: the name that was asked for
note choices[0].items[3].parts[0].citations[0]: written as a url_citation
lost choices[0].items[3].parts[0].citations[1]: only web pages and files that OpenAI keeps are cited
note choices[0].items[3].parts[1]: an image_generation_call of its own
note choices[0].items[4].parts[0]: an image_generation_call of its own
lost choices[0].items[6]: only anthropic has server_tool_use
note choices[0].items[7]: a call of the tool as the client knows it
note choices[0].items[8]: a call of the tool as the client knows it
note service_tier: default where the provider says none
note usage.tokens: what was written to a cache is counted whatever its life
note usage.audio_output: counted with the others
`
	if diff := cmp.Diff(wantLosses, responsesLossText(losses)); diff != "" {
		t.Error(diff)
	}
}

func TestResponsesStreamsOfOtherVendorsEqualTheirWholeAnswers(t *testing.T) {
	req := responsesRequest(t, responsesToolClient)
	resp := foreignResponsesAnswer()
	e := openai.Responses{}.StreamEncoder(req, wire.FramingSSE, 1<<40)
	var out []byte
	ir.Unfold(resp, func(ev ir.Event) bool {
		if d, ok := ev.(ir.ArgumentsDelta); ok { // in small pieces
			for i := range d.Text {
				out = e.Event(out, ir.ArgumentsDelta{Index: d.Index, Text: d.Text[i : i+1]})
			}
			return true
		}
		out = e.Event(out, ev)
		return true
	})
	checkResponsesStream(t, out)
	whole, _ := openai.Responses{}.EncodeResponse(req, resp, 1<<40)
	if diff := cmp.Diff(string(whole), lastResponsesObject(t, out)); diff != "" {
		t.Error(diff)
	}
	events, err := responsesEvents(openai.Responses{}.StreamDecoder(), out)
	if err != nil {
		t.Fatal(err)
	}
	got, err := foldResponses(t, events)
	if err != nil {
		t.Fatal(err)
	}
	want, _, err := openai.Responses{}.DecodeResponse(whole)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stream (+) and whole answer (-):\n%s", diff)
	}
}

func TestResponsesEndsAsTheAnswerStopped(t *testing.T) {
	text := []ir.Item{ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: "x"}}}}
	tests := map[ir.StopReason]string{
		ir.StopEnd: `"status":"completed"`, ir.StopSequence: `"status":"completed"`, ir.StopPause: `"status":"completed"`, ir.StopUnknown: `"status":"completed"`,
		ir.StopTools:  `"status":"completed"`,
		ir.StopLength: `"incomplete_details":{"reason":"max_output_tokens"}`, ir.StopContext: `"incomplete_details":{"reason":"max_output_tokens"}`,
		ir.StopFilter: `"incomplete_details":{"reason":"content_filter"}`, ir.StopRefusal: `"incomplete_details":{"reason":"content_filter"}`,
		ir.StopFailure: `"status":"failed"`,
	}
	for reason, want := range tests {
		resp := &ir.Response{Choices: []ir.Choice{{Items: text, Stop: ir.Stop{Reason: reason, Sequence: "s", Detail: "d"}}, {Items: text}}}
		body, losses := openai.Responses{}.EncodeResponse(&ir.Request{Model: "m"}, resp, 1<<40)
		if !strings.Contains(string(body), want) {
			t.Errorf("%s gives %s", reason, body)
		}
		list := responsesLossText(losses)
		for _, l := range []string{"lost choices[1]", "lost choices[0].stop.sequence", "note choices[0].stop.detail"} {
			if !strings.Contains(list, l) {
				t.Errorf("%s: %s is not among %s", reason, l, list)
			}
		}
		same := reason == ir.StopEnd || reason == ir.StopLength || reason == ir.StopFilter || reason == ir.StopFailure
		if strings.Contains(list, "stop.reason") == same {
			t.Errorf("%s: %s", reason, list)
		}
	}
}

func TestResponsesErrorEndsTheStreamWithWhatWasMade(t *testing.T) {
	e := openai.Responses{}.StreamEncoder(&ir.Request{Model: "alias"}, wire.FramingSSE, 1<<40)
	var out []byte
	for _, ev := range []ir.Event{
		ir.Start{},
		ir.ItemStart{Item: ir.Message{Role: ir.RoleAssistant}},
		ir.TextDelta{Text: "Ha"},
		ir.ItemStart{Index: 1, Item: ir.ToolCall{ID: "c", Kind: ir.ToolFunction, Name: "f"}},
	} {
		out = e.Event(out, ev)
	}
	out = e.Ping(out)
	out = e.Error(out, tollgate.Errorf(tollgate.CodeUnavailable, "gone"))
	checkResponsesStream(t, out)
	last := lastResponsesObject(t, out)
	for _, want := range []string{`"status":"failed"`, `"error":{"code":"server_error","message":"gone"}`, `"status":"incomplete","role":"assistant","content":[{"type":"output_text","text":"Ha"`, `"model":"alias"`} {
		if !strings.Contains(last, want) {
			t.Errorf("%s is not in %s", want, last)
		}
	}
	if !strings.Contains(string(out), "event: error\ndata: {\"type\":\"error\",\"sequence_number\":5,") {
		t.Errorf("%s", out)
	}
	early := openai.Responses{}.StreamEncoder(&ir.Request{Model: "m"}, wire.FramingSSE, 1<<40)
	checkResponsesStream(t, early.Event(nil, ir.Failed{Err: tollgate.Errorf(tollgate.CodeQuota, "spent")}))
}

func TestResponsesEventsStayWholeWhateverJSONHolds(t *testing.T) {
	e := openai.Responses{}.StreamEncoder(responsesRequest(t, "{\"model\":\"m\",\"input\":\"x\",\"tools\":[{\"type\":\"function\",\"name\":\"a\",\"parameters\":{\r\n\"type\":\n\"object\"}}]}"), wire.FramingSSE, 1<<40)
	out := e.Event(nil, ir.Start{})
	out = e.Event(out, ir.ItemStart{Item: ir.Opaque{Dialect: "openai-responses", Type: "x", Raw: []byte("{\n\"id\":\"x_1\",\r\"type\":\"x\"}")}})
	out = e.Event(out, ir.ItemEnd{})
	out = e.Event(out, ir.Stopped{Stop: ir.Stop{Reason: ir.StopEnd}})
	out = e.Event(out, ir.Finish{})
	if strings.Contains(string(out), "\r") {
		t.Error("there is a line end inside of an event")
	}
	checkResponsesStream(t, out)
}

func TestResponsesLateDeltasReachTheirPart(t *testing.T) {
	e := openai.Responses{}.StreamEncoder(&ir.Request{Model: "m"}, wire.FramingSSE, 1<<40)
	var out []byte
	for _, ev := range []ir.Event{
		ir.Start{},
		ir.ItemStart{Item: ir.Message{Role: ir.RoleAssistant}},
		ir.TextDelta{Text: "a"},
		ir.TextDelta{Part: 1, Text: "b"},
		ir.Cited{Citation: ir.Citation{Kind: ir.CitationURL, URL: "https://a"}},
		ir.TextDelta{Text: "c"},
		ir.ItemEnd{},
		ir.Stopped{},
		ir.Finish{},
	} {
		out = e.Event(out, ev)
	}
	if last := lastResponsesObject(t, out); !strings.Contains(last, `"text":"ac","annotations":[{"type":"url_citation"`) || !strings.Contains(last, `"text":"b"`) {
		t.Error(last)
	}
}
