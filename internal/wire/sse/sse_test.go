package sse_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tollgate/internal/wire/sse"
)

// event is a copy of what a reader gave.
type event struct {
	Name, Data, ID          string
	HasName, HasData, HasID bool
	Irregular, Partial, End bool
	Raw                     string
}

func copied(e sse.Event) event {
	return event{
		Name: string(e.Name), Data: string(e.Data), ID: string(e.ID), HasName: e.Name != nil, HasData: e.Data != nil, HasID: e.ID != nil,
		Irregular: e.Irregular, Partial: e.Partial, End: e.End, Raw: string(e.Raw),
	}
}

// read feeds input to r in pieces of the given sizes (then the rest) and
// returns every event and the first error.
func read(r sse.Reader, input []byte, sizes ...int) ([]event, error) {
	var out []event
	for len(input) > 0 {
		n := len(input)
		if len(sizes) > 0 {
			n, sizes = min(n, max(sizes[0], 1)), sizes[1:]
		}
		n = copy(r.Buffer(), input[:n])
		r.Fill(n)
		input = input[n:]
		for {
			e, ok, err := r.Next()
			if err != nil {
				return out, err
			}
			if !ok {
				break
			}
			out = append(out, copied(e))
		}
	}
	e, ok, err := r.Finish()
	if ok {
		out = append(out, copied(e))
	}
	return out, err
}

func TestScannerReadsTheFormat(t *testing.T) {
	tests := []struct {
		name, in string
		want     []event
	}{
		{"one event", "event: ping\ndata: {}\n\n", []event{{Name: "ping", Data: "{}", HasName: true, HasData: true, Raw: "event: ping\ndata: {}\n\n"}}},
		{"no space after the colon", "data:x\n\n", []event{{Data: "x", HasData: true, Raw: "data:x\n\n"}}},
		{"only one space is taken", "data:  x\n\n", []event{{Data: " x", HasData: true, Raw: "data:  x\n\n"}}},
		{"CRLF", "data: a\r\n\r\ndata: b\r\n\r\n", []event{{Data: "a", HasData: true, Raw: "data: a\r\n\r\n"}, {Data: "b", HasData: true, Raw: "data: b\r\n\r\n"}}},
		{"CR alone", "data: a\r\rdata: b\r\r", []event{
			{Data: "a", HasData: true, Irregular: true, Raw: "data: a\r\r"},
			{Data: "b", HasData: true, Partial: true, Irregular: true, Raw: "data: b\r\r"},
		}},
		{"several data lines", "data: a\ndata:\ndata: b\n\n", []event{{Data: "a\n\nb", HasData: true, Raw: "data: a\ndata:\ndata: b\n\n"}}},
		{"empty data", "data\n\ndata:\n\n", []event{{HasData: true, Raw: "data\n\n"}, {HasData: true, Raw: "data:\n\n"}}},
		{"comments", ": OPENROUTER PROCESSING\n\n:\ndata: x\n\n", []event{{Raw: ": OPENROUTER PROCESSING\n\n"}, {Data: "x", HasData: true, Raw: ":\ndata: x\n\n"}}},
		{"ids and retry", "id: 7\nretry: 10\ndata: x\n\n", []event{{Data: "x", ID: "7", HasData: true, HasID: true, Raw: "id: 7\nretry: 10\ndata: x\n\n"}}},
		{"an id with NUL is none", "id: 7\x00\ndata: x\n\n", []event{{Data: "x", HasData: true, Raw: "id: 7\x00\ndata: x\n\n"}}},
		{"the last name counts", "event: a\nevent: b\ndata: x\n\n", []event{{Name: "b", Data: "x", HasName: true, HasData: true, Raw: "event: a\nevent: b\ndata: x\n\n"}}},
		{"unknown and look-alike fields", "Data: x\ndata : y\nfoo\n\n", []event{{Raw: "Data: x\ndata : y\nfoo\n\n"}}},
		{"byte order mark", "\xef\xbb\xbfdata: x\n\ndata: y\n\n", []event{{Data: "x", HasData: true, Irregular: true, Raw: "\xef\xbb\xbfdata: x\n\n"}, {Data: "y", HasData: true, Raw: "data: y\n\n"}}},
		{"lone blank lines", "\n\r\ndata: x\n\n", []event{{Raw: "\n"}, {Raw: "\r\n"}, {Data: "x", HasData: true, Raw: "data: x\n\n"}}},
		{"cut in a line", "data: a\n\ndata: [DON", []event{{Data: "a", HasData: true, Raw: "data: a\n\n"}, {Data: "[DON", HasData: true, Partial: true, Raw: "data: [DON"}}},
		{"cut before the blank line", "data: [DONE]\n", []event{{Data: "[DONE]", HasData: true, Partial: true, Raw: "data: [DONE]\n"}}},
		{"nothing", "", nil},
		{"half a byte order mark", "\xef\xbb", []event{{Partial: true, Raw: "\xef\xbb"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := read(sse.NewScanner(sse.Limits{}), []byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			// The lone CR at the very end of "CR alone" is only complete at EOF.
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func checkChunking(tb testing.TB, fresh func() sse.Reader, in []byte, sizes []int) {
	tb.Helper()
	want, wantErr := read(fresh(), in)
	got, gotErr := read(fresh(), in, sizes...)
	if diff := cmp.Diff(want, got); diff != "" || (wantErr == nil) != (gotErr == nil) {
		tb.Fatalf("cut %v of %q changes the events (errors %v, %v):\n%s", sizes, in, wantErr, gotErr, diff)
	}
	var raw strings.Builder
	for _, e := range got {
		raw.WriteString(e.Raw)
	}
	if gotErr == nil && string(in) != raw.String() {
		tb.Fatalf("raw events of %q are %q", in, raw.String())
	}
}

func TestAnyChunkingGivesTheSameEvents(t *testing.T) {
	line := rapid.SampledFrom([]string{
		"data: {\"a\":1}", "data:", "data: x", "event: e", "event:", ": c", "id: 1", "", "", "", "junk", "data: [DONE]", "retry: 5", "\xef\xbb\xbf",
	})
	end := rapid.SampledFrom([]string{"\n", "\n", "\r\n", "\r\n", "\r"})
	rapid.Check(t, func(rt *rapid.T) {
		var in strings.Builder
		if rapid.Bool().Draw(rt, "bom") {
			in.WriteString("\xef\xbb\xbf")
		}
		for range rapid.IntRange(0, 30).Draw(rt, "lines") {
			in.WriteString(line.Draw(rt, "line") + end.Draw(rt, "end"))
		}
		sizes := rapid.SliceOf(rapid.IntRange(1, 9)).Draw(rt, "sizes")
		checkChunking(t, func() sse.Reader { return sse.NewScanner(sse.Limits{}) }, []byte(in.String()), sizes)
		checkChunking(t, func() sse.Reader { return sse.NewScanner(sse.Limits{}) }, []byte(in.String()), slices.Repeat([]int{1}, in.Len()))
	})
}

func TestH06ParseOfEmitIsTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringOfN(rapid.RuneFrom([]rune("ab :\n\t{}\"é")), 0, 40, -1)
		name := strings.ReplaceAll(text.Draw(rt, "name"), "\n", "")
		data := text.Draw(rt, "data")
		got, err := read(sse.NewScanner(sse.Limits{}), sse.AppendEvent(nil, []byte(name), []byte(data)))
		if err != nil || len(got) != 1 || got[0].Name != name || got[0].Data != data || got[0].Partial || got[0].Irregular {
			rt.Fatalf("emitting %q, %q reads back as %+v (%v)", name, data, got, err)
		}
	})
}

func TestH06NothingForgesAField(t *testing.T) {
	out := sse.AppendEvent(nil, []byte("a\ndata: forged"), []byte("x\r\nevent: b\rid: 1\n\ndata: y"))
	got, err := read(sse.NewScanner(sse.Limits{}), out)
	if err != nil || len(got) != 1 || got[0].Name != "a" || got[0].HasID || got[0].Data != "x\nevent: b\nid: 1\n\ndata: y" {
		t.Errorf("%q reads back as %+v (%v)", out, got, err)
	}
}

func TestAppendToKeepsRawUnlessSomethingChanged(t *testing.T) {
	tests := []struct{ in, data, want string }{
		{"event: e\r\ndata: old\r\nretry: 3\r\n\r\n", "", "event: e\r\ndata: old\r\nretry: 3\r\n\r\n"},
		{"event: e\r\ndata: old\r\n\r\n", "new", "event: e\ndata: new\n\n"},
		{"id: 4\ndata: old\n\n", "new", "id: 4\ndata: new\n\n"},
		{"data: old\r\rx", "", "data: old\n\n"},
		{"\xef\xbb\xbfdata: old\n\n", "", "data: old\n\n"},
		{"\xef\xbb\xbf: hi\n\n", "", ":\n\n"},
		{": hi\n\n", "", ": hi\n\n"},
	}
	for _, tt := range tests {
		s := sse.NewScanner(sse.Limits{})
		s.Fill(copy(s.Buffer(), tt.in))
		e, ok, err := s.Next()
		if !ok || err != nil {
			t.Fatalf("%q: %v, %v", tt.in, ok, err)
		}
		data := e.Data
		if tt.data != "" {
			data = []byte(tt.data)
		}
		if got := e.AppendTo([]byte("<"), data); string(got) != "<"+tt.want {
			t.Errorf("AppendTo of %q with %q = %q, want %q", tt.in, tt.data, got, tt.want)
		}
	}
}

func TestD06Limits(t *testing.T) {
	lim := sse.Limits{Line: 100, Event: 300, Empty: 5}
	tests := []struct {
		name, in, what string
		reader         sse.Reader
	}{
		{"line", "data: " + strings.Repeat("x", 95), "line", sse.NewScanner(lim)},
		{"whole line", "data: " + strings.Repeat("x", 95) + "\n", "line", sse.NewScanner(lim)},
		{"event", strings.Repeat("data: "+strings.Repeat("x", 80)+"\n", 4), "event", sse.NewScanner(lim)},
		{"empty", strings.Repeat("\n", 6), "empty events", sse.NewScanner(lim)},
		{"comments", strings.Repeat(":x\n\n", 6), "empty events", sse.NewScanner(lim)},
		{"element", `[{"a":"` + strings.Repeat("x", 300), "event", sse.NewArrayScanner(lim)},
		{"space between elements", "[" + strings.Repeat(" ", 301), "event", sse.NewArrayScanner(lim)},
		{"whole element", `[{"a":"` + strings.Repeat("x", 300) + `"}]`, "event", sse.NewArrayScanner(lim)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read(tt.reader, []byte(tt.in))
			e, ok := errors.AsType[*sse.LimitError](err)
			if !ok || e.What != tt.what {
				t.Fatalf("error is %v, want a limit on %s", err, tt.what)
			}
			if _, ok, again := tt.reader.Next(); ok || again == nil {
				t.Error("the error did not stay")
			}
			tt.reader.Reset()
			if got, err := read(tt.reader, []byte("data: x\n\n")); tt.what == "line" && (err != nil || len(got) != 1) {
				t.Errorf("after Reset: %v, %v", got, err)
			}
		})
	}
	ok := "data: " + strings.Repeat("x", 94) + "\n\n"
	if got, err := read(sse.NewScanner(lim), []byte(strings.Repeat(ok, 50))); err != nil || len(got) != 50 {
		t.Errorf("events within the limits: %d, %v", len(got), err)
	}
}

func TestBufferGrowsAndShrinks(t *testing.T) {
	s := sse.NewScanner(sse.Limits{})
	in := []byte("data: " + strings.Repeat("x", 900<<10) + "\n\ndata: y\n\n")
	got, err := read(s, in)
	if err != nil || len(got) != 2 || len(got[0].Data) != 900<<10 || got[1].Data != "y" {
		t.Fatalf("%d events, %v", len(got), err)
	}
	if n := len(s.Buffer()); n > 64<<10 {
		t.Errorf("an idle scanner keeps %d bytes", n)
	}
}

func TestArrayScanner(t *testing.T) {
	in := "[{\n  \"text\": \"a ] } , \\\" \\\\\"\n}\r\n,\r\n{\"b\":[{}]}\n]\n"
	want := []event{
		{Data: "{\n  \"text\": \"a ] } , \\\" \\\\\"\n}", HasData: true, Raw: "[{\n  \"text\": \"a ] } , \\\" \\\\\"\n}"},
		{Data: `{"b":[{}]}`, HasData: true, Raw: "\r\n,\r\n{\"b\":[{}]}"},
		{End: true, Raw: "\n]"},
		{Raw: "\n"},
	}
	got, err := read(sse.NewArrayScanner(sse.Limits{}), []byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for n := range len(in) {
		checkChunking(t, func() sse.Reader { return sse.NewArrayScanner(sse.Limits{}) }, []byte(in), []int{n})
	}
	checkChunking(t, func() sse.Reader { return sse.NewArrayScanner(sse.Limits{}) }, []byte(in), slices.Repeat([]int{1}, len(in)))
	if got, err := read(sse.NewArrayScanner(sse.Limits{}), []byte(" [ ] ")); err != nil || len(got) != 2 || !got[0].End || got[1].Raw != " " {
		t.Errorf("empty array: %+v, %v", got, err)
	}
}

func TestArrayScannerRefusesWhatIsNoArray(t *testing.T) {
	for _, in := range []string{`{"error":{}}`, `<html>`, `[1]`, `["a"]`, `[,{}]`, `[{},]`, `[{} {}]`, `[{}]]`, `[{}] x`, `data: {}`} {
		if _, err := read(sse.NewArrayScanner(sse.Limits{}), []byte(in)); err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v, want a syntax error", in, err)
		}
	}
	for _, in := range []string{``, ` `, `[`, `[{`, `[{}`, `[{},`, `[{"a":"]}`} {
		if _, err := read(sse.NewArrayScanner(sse.Limits{}), []byte(in)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: %v, want an unexpected end", in, err)
		}
	}
}

func TestArrayAppendToReplacesTheElement(t *testing.T) {
	s := sse.NewArrayScanner(sse.Limits{})
	s.Fill(copy(s.Buffer(), "[{\"a\":1}\n,\n{\"b\":2}]"))
	var out []byte
	for i := 0; ; i++ {
		e, ok, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		data := e.Data
		if i == 1 {
			data = []byte(`{"changed":true}`)
		}
		out = e.AppendTo(out, data)
	}
	if want := "[{\"a\":1}\n,\n{\"changed\":true}]"; string(out) != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func FuzzScanner(f *testing.F) {
	for _, s := range []string{"data: a\n\n", "event: x\r\ndata: y\r\n\r\n", "\xef\xbb\xbfdata: a\r\rdata\n\n", ": c\n\nid:1\ndata:a\ndata:b\n\n", "data: [DONE]", "\r\n\n\r\r\n"} {
		f.Add([]byte(s), uint8(1), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, a, b uint8) {
		sizes := slices.Repeat([]int{int(a), int(b)}, len(in))
		checkChunking(t, func() sse.Reader { return sse.NewScanner(sse.Limits{}) }, in, sizes)
		// Re-framing every event gives a stream with the same names and data.
		want, err := read(sse.NewScanner(sse.Limits{}), in)
		if err != nil {
			return
		}
		var clean []byte
		var expect []event
		for _, e := range want {
			if !e.HasData {
				continue
			}
			ev := sse.Event{Name: []byte(e.Name), Data: []byte(e.Data), Irregular: true}
			clean = ev.AppendTo(clean, ev.Data)
			expect = append(expect, e)
		}
		got, err := read(sse.NewScanner(sse.Limits{}), clean)
		if err != nil || len(got) != len(expect) {
			t.Fatalf("re-framed %q gives %d events, want %d (%v)", in, len(got), len(expect), err)
		}
		for i := range got {
			if got[i].Data != expect[i].Data || got[i].Name != expect[i].Name || got[i].Irregular || got[i].Partial {
				t.Fatalf("re-framed event %d of %q is %+v, want %+v", i, in, got[i], expect[i])
			}
		}
	})
}

func FuzzArrayScanner(f *testing.F) {
	for _, s := range []string{"[]", `[{"a":"\"]"},{}]`, "[{}\n,\r\n{\"x\":[1]}]\n", `{"error":1}`, `[{"a`} {
		f.Add([]byte(s), uint8(1), uint8(3))
	}
	f.Fuzz(func(t *testing.T, in []byte, a, b uint8) {
		sizes := slices.Repeat([]int{int(a), int(b)}, len(in))
		checkChunking(t, func() sse.Reader { return sse.NewArrayScanner(sse.Limits{}) }, in, sizes)
	})
}

func BenchmarkScannerEvent(b *testing.B) {
	one := `data: {"id":"chatcmpl-D8Z5oo6uDh67AD85p73ksdT1KxhE0","object":"chat.completion.chunk","created":1770933892,"model":"gpt-4.1-nano","service_tier":"default","system_fingerprint":"fp_de604bd877","choices":[{"index":0,"delta":{"content":" word"},"logprobs":null,"finish_reason":null}],"usage":null}` + "\n\n"
	for _, per := range []int{1, 16} {
		b.Run(fmt.Sprintf("%d per read", per), func(b *testing.B) {
			in := bytes.Repeat([]byte(one), per)
			s := sse.NewScanner(sse.Limits{})
			out := make([]byte, 0, len(in))
			b.ReportAllocs()
			for i := 0; i < b.N; i += per {
				out = out[:0]
				s.Fill(copy(s.Buffer(), in))
				for {
					e, ok, err := s.Next()
					if err != nil {
						b.Fatal(err)
					}
					if !ok {
						break
					}
					out = e.AppendTo(out, e.Data)
				}
				if len(out) != len(in) {
					b.Fatal("lost bytes")
				}
			}
		})
	}
}
