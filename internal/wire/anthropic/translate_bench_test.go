package anthropic_test

import (
	"testing"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/anthropic"
)

// request1k is about a kilobyte: a system prompt, a tool, a turn with a call.
const request1k = `{"model":"claude-sonnet-4-5","max_tokens":1024,"stream":true,"system":[{"type":"text","text":"You are a helpful assistant that answers in few words and looks things up when it has to.","cache_control":{"type":"ephemeral"}}],` +
	`"tools":[{"name":"get_weather","description":"Current weather of a city","input_schema":{"type":"object","properties":{"city":{"type":"string","description":"Name of the city"},"unit":{"type":"string","enum":["C","F"]}},"required":["city"]}}],` +
	`"messages":[{"role":"user","content":"What is the weather in Oslo, and what should I wear?"},` +
	`{"role":"assistant","content":[{"type":"thinking","thinking":"I should look it up.","signature":"c2lnbmF0dXJl"},{"type":"tool_use","id":"toolu_01A","name":"get_weather","input":{"city":"Oslo"}}]},` +
	`{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_01A","content":[{"type":"text","text":"4 degrees, rain"}]},{"type":"text","text":"Be brief."}]}],"thinking":{"type":"enabled","budget_tokens":1000},"metadata":{"user_id":"user_1"}}`

const answer1k = `{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"thinking","thinking":"Rain and cold.","signature":"c2lnbmF0dXJl"},{"type":"text","text":"It is 4 degrees and raining in Oslo: wear a rain coat, warm layers and boots."},{"type":"tool_use","id":"toolu_02","name":"get_weather","input":{"city":"Bergen"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":120,"cache_read_input_tokens":100,"cache_creation_input_tokens":0,"output_tokens":60}}`

func BenchmarkDecodeRequest(b *testing.B) {
	body := []byte(request1k)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (anthropic.Codec{}).DecodeRequest(wire.Route{Operation: tollgate.OpGenerate}, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeRequest(b *testing.B) {
	req, err := anthropic.Codec{}.DecodeRequest(wire.Route{}, []byte(request1k))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := (anthropic.Codec{}).EncodeRequest(req); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeResponse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := (anthropic.Codec{}).DecodeResponse([]byte(answer1k)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeResponse(b *testing.B) {
	resp, _, err := anthropic.Codec{}.DecodeResponse([]byte(answer1k))
	if err != nil {
		b.Fatal(err)
	}
	req := &ir.Request{Model: "m"}
	b.ReportAllocs()
	for b.Loop() {
		anthropic.Codec{}.EncodeResponse(req, resp, answerID)
	}
}

func BenchmarkDecodeStreamEvent(b *testing.B) {
	dec := anthropic.Codec{}.StreamDecoder()
	events, err := dec.Event(nil, []byte("message_start"), []byte(`{"type":"message_start","message":{"id":"m","usage":{"input_tokens":1}}}`))
	if err == nil {
		events, err = dec.Event(events, []byte("content_block_start"), []byte(`{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}`))
	}
	if err != nil {
		b.Fatal(err)
	}
	name, data := []byte("content_block_delta"), []byte(`{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if events, err = dec.Event(events[:0], name, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeStreamEvent(b *testing.B) {
	enc := anthropic.Codec{}.StreamEncoder(&ir.Request{}, wire.FramingSSE, answerID)
	out := enc.Event(nil, ir.Start{})
	out = enc.Event(out, ir.ItemStart{Item: ir.Message{Role: ir.RoleAssistant}})
	var ev ir.Event = ir.TextDelta{Text: " word"}
	b.ReportAllocs()
	for b.Loop() {
		out = enc.Event(out[:0], ev)
	}
}
