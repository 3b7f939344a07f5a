package gemini_test

import (
	"testing"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/gemini"
)

// benchRequest is a turn of 1 kB with tools.
const benchRequest = `{"contents":[{"parts":[{"text":"What is in this folder, and which of these files is the largest one? Please list them all with their sizes."}],"role":"user"},{"parts":[{"functionCall":{"id":"list_directory_1_0","args":{"dir_path":"."},"name":"list_directory"},"thoughtSignature":"VEhPVUdIVFNJRy1tb2Nr"}],"role":"model"},{"parts":[{"functionResponse":{"name":"list_directory","response":{"output":"Directory listing for /home/user/w: a.txt b.txt c.txt"},"id":"list_directory_1_0"}}],"role":"user"}],"systemInstruction":{"parts":[{"text":"You are a helpful agent."}],"role":"user"},"tools":[{"functionDeclarations":[{"name":"list_directory","description":"Lists the names of files","parametersJsonSchema":{"type":"object","properties":{"dir_path":{"description":"The path to the directory to list","type":"string"},"ignore":{"items":{"type":"string"},"type":"array"}},"required":["dir_path"]}}]}],"generationConfig":{"temperature":1,"topP":0.95,"topK":64,"thinkingConfig":{"includeThoughts":true,"thinkingLevel":"HIGH"}}}`

const benchAnswer = `{"candidates":[{"content":{"parts":[{"text":"There are three files."},{"functionCall":{"name":"stat","args":{"path":"a.txt"}},"thoughtSignature":"AAAA"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":46,"candidatesTokenCount":46,"totalTokenCount":159,"promptTokensDetails":[{"modality":"TEXT","tokenCount":46}],"thoughtsTokenCount":67},"modelVersion":"gemini-3-flash-preview","responseId":"n1P6abvRFaKdz7IPkcuQ2Aw"}`

const benchEvent = `{"candidates": [{"content": {"parts": [{"text": "thirty or so tokens of generated text come in each of these events, since they are few and large"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 46,"candidatesTokenCount": 46,"totalTokenCount": 159,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 46}],"thoughtsTokenCount": 67},"modelVersion": "gemini-3-flash-preview","responseId": "n1P6abvRFaKdz7IPkcuQ2Aw"}`

func BenchmarkDecodeRequest(b *testing.B) {
	b.ReportAllocs()
	route := wire.Route{Operation: tollgate.OpGenerate, Model: "gemini-3-pro"}
	for b.Loop() {
		if _, err := (gemini.Codec{}).DecodeRequest(route, []byte(benchRequest)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeRequest(b *testing.B) {
	req, err := gemini.Codec{}.DecodeRequest(wire.Route{Model: "gemini-3-pro"}, []byte(benchRequest))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := (gemini.Codec{}).EncodeRequest(req); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeResponse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := (gemini.Codec{}).DecodeResponse([]byte(benchAnswer)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeResponse(b *testing.B) {
	resp, _, err := gemini.Codec{}.DecodeResponse([]byte(benchAnswer))
	if err != nil {
		b.Fatal(err)
	}
	req := &ir.Request{Model: "alias"}
	b.ReportAllocs()
	for b.Loop() {
		gemini.Codec{}.EncodeResponse(req, resp, 1)
	}
}

func BenchmarkStreamDecoder(b *testing.B) {
	d := gemini.Codec{}.StreamDecoder()
	var events []ir.Event
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if events, err = d.Event(events[:0], nil, []byte(benchEvent)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStreamEncoder(b *testing.B) {
	e := gemini.Codec{}.StreamEncoder(&ir.Request{Model: "alias"}, wire.FramingSSE, 1)
	out := e.Event(nil, ir.Start{ID: "r"})
	out = e.Event(out, ir.ItemStart{Item: ir.Message{Role: ir.RoleAssistant}})
	var ev ir.Event = ir.TextDelta{Text: "thirty or so tokens of generated text come in each of these events, since they are few and large"}
	b.ReportAllocs()
	for b.Loop() {
		out = e.Event(out[:0], ev)
	}
}
