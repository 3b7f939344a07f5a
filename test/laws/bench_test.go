//go:build unix

package laws_test

import (
	"strings"
	"syscall"
	"testing"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/test/laws"
)

// benchRequest is a conversation with a tool and its use, 1 kB in Chat's dialect.
func benchRequest(b *testing.B) *ir.Request {
	b.Helper()
	head := `{"model":"m","stream":true,"max_tokens":100,"temperature":0.5,"tools":[{"type":"function","function":{"name":"ls","description":"lists","parameters":{"type":"object","properties":{"path":{"type":"string"}}}}}],"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"`
	tail := `"},{"role":"assistant","content":null,"tool_calls":[{"id":"call_a","type":"function","function":{"name":"ls","arguments":"{\"path\":\".\"}"}}]},{"role":"tool","tool_call_id":"call_a","content":"a b c"}]}`
	body := head + strings.Repeat("word ", (1024-len(head)-len(tail))/5) + tail
	req, err := laws.Translators()[tollgate.DialectOpenAIChat].DecodeRequest(route(b, tollgate.DialectOpenAIChat), []byte(body))
	if err != nil {
		b.Fatal(err)
	}
	return req
}

func route(b *testing.B, d tollgate.Dialect) wire.Route {
	b.Helper()
	r, err := laws.Case{Dialect: d, Parts: map[string]string{}}.Route()
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func benchAnswer() *ir.Response {
	return &ir.Response{
		ID: "x", Model: "m", Created: 1763800000,
		Choices: []ir.Choice{{
			Items: []ir.Item{
				ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: strings.Repeat("word ", 60)}}},
				ir.ToolCall{ID: "call_b", Kind: ir.ToolFunction, Name: "ls", Arguments: `{"path":"."}`},
			},
			Stop: ir.Stop{Reason: ir.StopTools},
		}},
		Usage: ir.Usage{Reported: true, Tokens: tollgate.Tokens{Input: 100, Output: 60}},
	}
}

// pairs runs fn for every pair of different dialects.
func pairs(b *testing.B, fn func(b *testing.B, front, back tollgate.Dialect)) {
	b.Helper()
	for _, front := range tollgate.Dialects() {
		for _, back := range tollgate.Dialects() {
			if front != back {
				b.Run(string(front)+"-to-"+string(back), func(b *testing.B) {
					b.ReportAllocs()
					fn(b, front, back)
				})
			}
		}
	}
}

// onCPU starts to measure what the process works, collecting garbage included;
// the function that it returns reports it. The bars are about work, and a busy
// machine makes the clock say more.
func onCPU(b *testing.B) (report func()) {
	b.Helper()
	before := cpuTime(b)
	return func() { b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op") }
}

func cpuTime(b *testing.B) int64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkExchange is one exchange of 1 kB: the request to the provider, its
// whole answer to the client. The bar is 60 µs.
func BenchmarkExchange(b *testing.B) {
	req, resp, all := benchRequest(b), benchAnswer(), laws.Translators()
	pairs(b, func(b *testing.B, front, back tollgate.Dialect) {
		b.Helper()
		body, _, err := all[front].EncodeRequest(req)
		if err != nil {
			b.Fatal(err)
		}
		answer, _ := all[back].EncodeResponse(req, resp, 1)
		r := route(b, front)
		defer onCPU(b)()
		for b.Loop() {
			asked, err := all[front].DecodeRequest(r, body)
			if err != nil {
				b.Fatal(err)
			}
			if _, _, err := all[back].EncodeRequest(asked); err != nil {
				b.Fatal(err)
			}
			said, _, err := all[back].DecodeResponse(answer)
			if err != nil {
				b.Fatal(err)
			}
			all[front].EncodeResponse(asked, said, 1)
		}
	})
}

// BenchmarkEvent is one event of a stream with text, through both halves. The
// bar is 10 µs.
func BenchmarkEvent(b *testing.B) {
	req, all := benchRequest(b), laws.Translators()
	pairs(b, func(b *testing.B, front, back tollgate.Dialect) {
		b.Helper()
		head := []ir.Event{ir.Start{ID: "x", Model: "m"}, ir.ItemStart{Item: ir.Message{Role: ir.RoleAssistant}}, ir.TextDelta{Text: "Some"}}
		write := all[back].StreamEncoder(req, wire.FramingSSE, 1)
		var before []byte
		for _, ev := range head {
			before = write.Event(before, ev)
		}
		name, data := lastEvent(write.Event(nil, ir.TextDelta{Text: " word"}))
		dec, enc := all[back].StreamDecoder(), all[front].StreamEncoder(req, wire.FramingSSE, 1)
		var events []ir.Event
		var out []byte
		for chunk := range strings.SplitSeq(strings.TrimSpace(string(before)), "\n\n") {
			n, d := lastEvent([]byte(chunk))
			var err error
			if events, err = dec.Event(events[:0], n, d); err != nil {
				b.Fatal(err)
			}
			for _, ev := range events {
				out = enc.Event(out, ev)
			}
		}
		defer onCPU(b)()
		for b.Loop() {
			var err error
			if events, err = dec.Event(events[:0], name, data); err != nil {
				b.Fatal(err)
			}
			out = out[:0]
			for _, ev := range events {
				out = enc.Event(out, ev)
			}
		}
	})
}

// lastEvent is the name and the data of an event that was written.
func lastEvent(text []byte) (name, data []byte) {
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(strings.TrimSpace(line), "event: "); ok {
			name = []byte(n)
		}
		if d, ok := strings.CutPrefix(strings.TrimSpace(line), "data: "); ok {
			data = []byte(d)
		}
	}
	return name, data
}
