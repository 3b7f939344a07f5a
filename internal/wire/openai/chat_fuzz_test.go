package openai_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
	"tollgate/internal/wire/sse"
)

// maxFuzzLosses is more than the losses of any input of a fuzzer's size.
const maxFuzzLosses = 1 << 16

func chatSeeds(f *testing.F, part string) {
	f.Helper()
	files, err := filepath.Glob("testdata/translate/chat/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no cases (%v)", err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, p := range a.Files {
			if p.Name == part {
				f.Add(p.Data)
			}
		}
	}
}

// FuzzChatDecodeRequest: what is taken for a request can be written and read
// again, and is not changed by being written.
func FuzzChatDecodeRequest(f *testing.F) {
	chatSeeds(f, "request")
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := openai.Chat{}.DecodeRequest(wire.Route{}, body)
		if err != nil {
			return
		}
		sent, losses, err := openai.Chat{}.EncodeRequest(req)
		if err != nil {
			return // a file that would have to be fetched
		}
		if !json.Valid(sent) || len(losses) > maxFuzzLosses {
			t.Fatalf("%q became %q with %d losses", body, sent, len(losses))
		}
		if _, err := (openai.Chat{}).DecodeRequest(wire.Route{}, sent); err != nil {
			t.Fatalf("%q became %q: %v", body, sent, err)
		}
	})
}

// FuzzChatDecodeResponse: what is taken for an answer can be written, whole and
// as a stream, and read again.
func FuzzChatDecodeResponse(f *testing.F) {
	chatSeeds(f, "answer")
	f.Fuzz(func(t *testing.T, body []byte) {
		resp, losses, err := openai.Chat{}.DecodeResponse(body)
		if err != nil {
			return
		}
		req := &ir.Request{Model: "m", Form: ir.AnswerForm{StreamUsage: true}}
		written, lost := openai.Chat{}.EncodeResponse(req, resp, chatRequestID)
		if !json.Valid(written) || len(losses)+len(lost) > maxFuzzLosses {
			t.Fatalf("%q became %q", body, written)
		}
		if _, _, err := (openai.Chat{}).DecodeResponse(written); err != nil {
			t.Fatalf("%q became %q: %v", body, written, err)
		}
		enc := openai.Chat{}.StreamEncoder(req, wire.FramingSSE, chatRequestID)
		var out []byte
		ir.Unfold(resp, func(ev ir.Event) bool {
			out = enc.Event(out, ev)
			return true
		})
		if !bytes.HasSuffix(out, []byte("data: [DONE]\n\n")) {
			t.Fatalf("%q became %q", body, out)
		}
	})
}

// FuzzChatStreamDecoder: whatever comes, the events are in order, what is
// written of them can be read, and only [DONE] ends a stream.
func FuzzChatStreamDecoder(f *testing.F) {
	chatSeeds(f, "stream")
	f.Fuzz(func(t *testing.T, body []byte) {
		dec := openai.Chat{}.StreamDecoder()
		enc := openai.Chat{}.StreamEncoder(&ir.Request{Model: "m"}, wire.FramingSSE, chatRequestID)
		var check ir.Checker
		take := func(events []ir.Event) {
			for _, ev := range events {
				if err := check.Event(ev); err != nil {
					t.Fatalf("%v in %q", err, body)
				}
				fuzzChunks(t, enc.Event(nil, ev))
			}
		}
		for data := range bytes.SplitSeq(body, []byte("\n")) {
			data = bytes.TrimPrefix(data, []byte("data: "))
			events, err := dec.Event(nil, nil, data)
			take(events)
			if err != nil {
				return
			}
		}
		events, err := dec.End(nil)
		take(events)
		if check.Whole() && err != nil {
			t.Fatalf("whole, but %v", err)
		}
		if len(dec.Losses()) > maxFuzzLosses || len(enc.Losses()) > maxFuzzLosses {
			t.Fatal("too many losses")
		}
	})
}

// fuzzChunks checks that what was written are whole events of JSON.
func fuzzChunks(t *testing.T, out []byte) {
	t.Helper()
	in := sse.NewScanner(sse.Limits{Line: 1 << 24, Event: 1 << 24})
	for len(out) > 0 {
		n := copy(in.Buffer(), out)
		in.Fill(n)
		out = out[n:]
		for {
			e, ok, err := in.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if e.Data != nil && !wire.CompleteData(e.Data) {
				t.Fatalf("not JSON: %q", e.Data)
			}
		}
	}
}

func BenchmarkChatDecodeRequest(b *testing.B) {
	body := chatBenchBody(b, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (openai.Chat{}).DecodeRequest(wire.Route{}, body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChatEncodeRequest(b *testing.B) {
	req, err := openai.Chat{}.DecodeRequest(wire.Route{}, chatBenchBody(b, 1024))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := (openai.Chat{}).EncodeRequest(req); err != nil {
			b.Fatal(err)
		}
	}
}

// chatBenchBody is a request of about n bytes with a tool and its use.
func chatBenchBody(b *testing.B, n int) []byte {
	b.Helper()
	head := `{"model":"gpt-4o","stream":true,"stream_options":{"include_usage":true},"max_tokens":100,"temperature":0.5,"tools":[{"type":"function","function":{"name":"ls","description":"lists","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}}],"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"`
	tail := `"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_a","type":"function","function":{"name":"ls","arguments":"{\"path\":\".\"}"}}]},{"role":"tool","tool_call_id":"call_a","content":"a b c"}]}`
	return []byte(head + string(bytes.Repeat([]byte("x"), n-len(head)-len(tail))) + tail)
}

const chatBenchAnswer = `{"id":"chatcmpl-1","object":"chat.completion","created":1770933892,"model":"gpt-4o","choices":[{"index":0,"message":{"role":"assistant","content":"Some words that answer.","refusal":null,"annotations":[],"tool_calls":[{"id":"call_a","type":"function","function":{"name":"ls","arguments":"{\"path\":\".\"}"}}]},"logprobs":null,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":10,"completion_tokens":4,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":6},"completion_tokens_details":{"reasoning_tokens":0}},"service_tier":"default","system_fingerprint":"fp"}`

func BenchmarkChatDecodeResponse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := (openai.Chat{}).DecodeResponse([]byte(chatBenchAnswer)); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChatEncodeResponse(b *testing.B) {
	resp, _, err := openai.Chat{}.DecodeResponse([]byte(chatBenchAnswer))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		(openai.Chat{}).EncodeResponse(&ir.Request{Model: "m"}, resp, chatRequestID)
	}
}

func BenchmarkChatDecodeStreamEvent(b *testing.B) {
	dec := openai.Chat{}.StreamDecoder()
	data := []byte(plainChunk)
	var events []ir.Event
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if events, err = dec.Event(events[:0], nil, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkChatEncodeStreamEvent(b *testing.B) {
	enc := openai.Chat{}.StreamEncoder(&ir.Request{Model: "m"}, wire.FramingSSE, chatRequestID)
	enc.Event(nil, ir.Start{ID: "x"})
	enc.Event(nil, ir.ItemStart{Item: ir.Message{Role: ir.RoleAssistant}})
	var out []byte
	var ev ir.Event = ir.TextDelta{Text: " word"}
	b.ReportAllocs()
	for b.Loop() {
		out = enc.Event(out[:0], ev)
	}
}
