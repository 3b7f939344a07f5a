package openai_test

import (
	"encoding/json"
	"strings"
	"testing"

	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
)

// responsesBenchRequest is a request of about 1 kB with a history and a tool.
func responsesBenchRequest() []byte {
	return []byte(`{"model":"gpt-5.1","instructions":"You are a helpful assistant that answers briefly.","input":[` +
		`{"type":"message","role":"user","content":[{"type":"input_text","text":"What is the weather in Paris? ` + strings.Repeat("Please be exact. ", 10) + `"}]},` +
		`{"type":"reasoning","id":"rs_0a1b","summary":[],"encrypted_content":"gAAAAABpPDIUph8czEXzDePCV2lJ27wm7TsbCvazrvHSn0yW"},` +
		`{"type":"function_call","id":"fc_1","call_id":"call_1","name":"weather","arguments":"{\"city\":\"Paris\"}"},` +
		`{"type":"function_call_output","call_id":"call_1","output":"{\"temperature\":20}"}],` +
		`"tools":[{"type":"function","name":"weather","description":"Tells the weather.","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false},"strict":true}],` +
		`"store":false,"include":["reasoning.encrypted_content"],"stream":true,"parallel_tool_calls":true}`)
}

func BenchmarkResponsesDecodeRequest(b *testing.B) {
	body := responsesBenchRequest()
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := (openai.Responses{}).DecodeRequest(wire.Route{}, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResponsesEncodeRequest(b *testing.B) {
	req := responsesRequest(b, string(responsesBenchRequest()))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := (openai.Responses{}).EncodeRequest(req); err != nil {
			b.Fatal(err)
		}
	}
}

func responsesBenchAnswer(b *testing.B) *ir.Response {
	b.Helper()
	text, _ := json.Marshal(strings.Repeat("It is 20 degrees in Paris. ", 20))
	resp, _, err := openai.Responses{}.DecodeResponse([]byte(`{"id":"resp_0a1b","object":"response","created_at":1,"status":"completed","model":"gpt-5.1","output":[{"id":"msg_0a1b","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","text":` + string(text) + `,"annotations":[]}]}],"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}`))
	if err != nil {
		b.Fatal(err)
	}
	return resp
}

func BenchmarkResponsesEncodeResponse(b *testing.B) {
	req, resp := responsesRequest(b, string(responsesBenchRequest())), responsesBenchAnswer(b)
	b.ReportAllocs()
	for b.Loop() {
		openai.Responses{}.EncodeResponse(req, resp, 1<<40)
	}
}

func BenchmarkResponsesDecodeResponse(b *testing.B) {
	body, _ := openai.Responses{}.EncodeResponse(responsesRequest(b, string(responsesBenchRequest())), responsesBenchAnswer(b), 1<<40)
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, _, err := (openai.Responses{}).DecodeResponse(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkResponsesDecodeEvent(b *testing.B) {
	d := openai.Responses{}.StreamDecoder()
	var events []ir.Event
	first := `{"type":"response.output_item.added","output_index":1,"item":{"id":"msg_1","type":"message","role":"assistant","content":[]}}`
	events, err := d.Event(events, nil, []byte(first))
	if err != nil {
		b.Fatal(err)
	}
	delta := []byte(deltaEvent)
	b.ReportAllocs()
	for b.Loop() {
		if events, err = d.Event(events[:0], nil, delta); err != nil || len(events) != 1 {
			b.Fatal(err)
		}
	}
}

func BenchmarkResponsesEncodeEvent(b *testing.B) {
	e := openai.Responses{}.StreamEncoder(&ir.Request{Model: "m"}, wire.FramingSSE, 1<<40)
	out := e.Event(nil, ir.Start{})
	out = e.Event(out, ir.ItemStart{Item: ir.Message{Role: ir.RoleAssistant}})
	delta := ir.Event(ir.TextDelta{Text: " word"})
	b.ReportAllocs()
	for b.Loop() {
		out = e.Event(out[:0], delta)
	}
}
