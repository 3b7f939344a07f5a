package payload //nolint:testpackage // cutting and records are inside

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shape shows pieces as their lengths, shared ones in brackets.
func shape(pieces []piece) string {
	var parts []string
	for _, p := range pieces {
		if p.shared {
			parts = append(parts, fmt.Sprintf("[%d]", len(p.data)))
		} else {
			parts = append(parts, strconv.Itoa(len(p.data)))
		}
	}
	return strings.Join(parts, " ")
}

func joined(pieces []piece) []byte {
	var out []byte
	for _, p := range pieces {
		out = append(out, p.data...)
	}
	return out
}

func TestBodiesAreCutAtTheirElements(t *testing.T) {
	text := func(n int) string { return `"` + strings.Repeat("x", n-2) + `"` }
	for _, c := range []struct{ name, body, want string }{
		{"empty", ``, ``},
		{"short", `{"model":"m"}`, `13`},
		{"messages", `{"messages":[` + text(300) + `,"hi",` + text(400) + `]}`, `13 [300] 6 [400] 2`},
		{"a large value", `{"system":` + text(500) + `,"n":1}`, `10 [500] 7`},
		{"an element is one piece", `{"a":[{"content":[` + text(300) + `,` + text(300) + `]}]}`, `6 [615] 2`},
		{"a large element is cut in its parts", `{"a":[{"content":[` + text(3000) + `,` + text(3000) + `]}]}`, `18 [3000] 1 [3000] 4`},
		{"white space around", ` { "a" : [ ` + text(300) + ` ] } `, `11 [300] 5`},
		{"cut off in an element", `{"a":[` + text(300) + `,"` + strings.Repeat("y", 300), `6 [300] [302]`},
		{"no JSON", strings.Repeat("z", 70_000), `[65536] [4464]`},
		{"an array", `[` + text(300) + `]`, `1 [300] 1`},
		{"wrong after a piece", `{"a":` + text(300) + ` oops`, `5 [300] 5`},
	} {
		t.Run(c.name, func(t *testing.T) {
			pieces := split([]byte(c.body))
			if got := shape(pieces); got != c.want {
				t.Errorf("cut as %s, want %s", got, c.want)
			}
			if got := joined(pieces); string(got) != c.body {
				t.Errorf("the pieces are %q", got)
			}
		})
	}
}

func FuzzSplitLosesNothing(f *testing.F) {
	f.Add([]byte(`{"messages":[{"role":"user","content":"` + strings.Repeat("a", 5000) + `"},[1,2,{}]],"x":`))
	f.Add([]byte(`[[[[[[[[[[` + strings.Repeat("7,", 3000)))
	f.Fuzz(func(t *testing.T, body []byte) {
		pieces := split(body)
		if !bytes.Equal(joined(pieces), body) {
			t.Fatal("the pieces are another body")
		}
		for _, p := range pieces {
			if len(p.data) == 0 || p.shared && len(p.data) < minChunk {
				t.Fatalf("a piece of %d bytes, shared %v", len(p.data), p.shared)
			}
		}
	})
}

// record writes bodies as a payload holds them and returns the chunks beside it.
func record(bodies ...*Body) (rec []byte, chunks [][]byte) {
	var cut [3]*cutBody
	for i, b := range bodies {
		if b == nil {
			continue
		}
		cut[i] = &cutBody{Body: b, pieces: split(b.Data)}
		for _, p := range cut[i].pieces {
			if p.shared {
				cut[i].chunks = append(cut[i].chunks, len(chunks))
				chunks = append(chunks, p.data)
			}
		}
	}
	return appendRecord(nil, cut), chunks
}

func TestRecordsReadBack(t *testing.T) {
	request := &Body{Type: "application/json", Data: []byte(`{"messages":["` + strings.Repeat("q", 500) + `"]}`), Bytes: 5000, Truncated: true}
	response := &Body{Type: "text/event-stream", Data: []byte("data: [DONE]\n\n"), Bytes: 14}
	for _, want := range []Content{{}, {Request: request}, {Request: request, Response: response}, {Response: response}, {Request: request, Sent: response, Response: response}} {
		rec, chunks := record(want.Request, want.Sent, want.Response)
		got, err := readRecord(rec, chunks, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		for n := range rec {
			if c, err := readRecord(rec[:n], chunks, 1<<20); err == nil {
				t.Errorf("%d bytes of a record read as %+v", n, c)
			}
		}
		if want.Request != nil {
			if _, err := readRecord(rec, chunks, 100); err == nil {
				t.Error("a record over its bound was read")
			}
			if _, err := readRecord(rec, nil, 1<<20); err == nil {
				t.Error("a record was read without its chunks")
			}
		}
	}
}

func FuzzRecord(f *testing.F) {
	rec, _ := record(&Body{Type: "a", Data: []byte(strings.Repeat("x", 300)), Bytes: 300}, nil, &Body{Data: []byte("y"), Bytes: 1})
	f.Add(rec)
	f.Fuzz(func(t *testing.T, rec []byte) {
		c, err := readRecord(rec, [][]byte{make([]byte, 500)}, 10_000)
		size := 0
		for _, at := range c.bodies() {
			if *at != nil {
				size += len((*at).Data)
			}
		}
		if err == nil && size > 10_000 {
			t.Fatalf("%d bytes were read", size)
		}
	})
}
