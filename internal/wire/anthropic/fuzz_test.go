package anthropic_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/anthropic"
)

// cases returns the part of the translation cases by case.
func cases(tb testing.TB, part string) map[string]string {
	tb.Helper()
	files, err := filepath.Glob("testdata/translate/*.txtar")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no cases (%v)", err)
	}
	out := map[string]string{}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		for _, f := range archive.Files {
			if f.Name == part {
				out[filepath.Base(file)] = string(f.Data)
			}
		}
	}
	return out
}

func seed(f *testing.F, part string) {
	f.Helper()
	for _, text := range cases(f, part) {
		f.Add(text)
	}
}

// maxLosses is more losses than a request of a kilobyte can have.
const maxLosses = 4096

// FuzzDecodeRequest: whatever comes is refused with the place of its mistake,
// or can be written and read again, and is the same but for what was said.
func FuzzDecodeRequest(f *testing.F) {
	seed(f, "request")
	f.Fuzz(func(t *testing.T, body string) {
		codec, route := anthropic.Codec{}, wire.Route{Operation: tollgate.OpGenerate}
		req, err := codec.DecodeRequest(route, []byte(body))
		if err != nil {
			if e := tollgate.AsError(err); e.Code != tollgate.CodeInvalid || e.Field == "" || e.Message == "" {
				t.Fatalf("refused with %+v", e)
			}
			return
		}
		out, losses, err := codec.EncodeRequest(req)
		if err != nil {
			if tollgate.AsError(err).Field == "" {
				t.Fatal(err)
			}
			return
		}
		if !json.Valid(out) || len(losses) > maxLosses {
			t.Fatalf("%d losses, %s", len(losses), out)
		}
		again, err := codec.DecodeRequest(route, out)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if d := unsaid(dump(*req), dump(*again), losses); len(d) > 0 {
			t.Fatalf("lost silently: %v\n%s", d, out)
		}
	})
}

// FuzzDecodeResponse: whatever comes is no answer, or comes out the same, whole
// and as a stream.
func FuzzDecodeResponse(f *testing.F) {
	seed(f, "answer")
	f.Fuzz(func(t *testing.T, body string) {
		codec := anthropic.Codec{}
		resp, _, err := codec.DecodeResponse([]byte(body))
		if err != nil {
			return
		}
		req := &ir.Request{Model: resp.Model}
		out, losses := codec.EncodeResponse(req, resp, answerID)
		if !json.Valid(out) || len(losses) > maxLosses {
			t.Fatalf("%d losses, %s", len(losses), out)
		}
		again, _, err := codec.DecodeResponse(out)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		lost := append(losses, ir.Loss{Path: "id"}, ir.Loss{Path: "model"}, ir.Loss{Path: "usage"})
		if d := unsaid(dump(*resp), dump(*again), lost); len(d) > 0 {
			t.Fatalf("lost silently: %v\n%s", d, out)
		}
		stream, _ := encodeStream(t, req, resp)
		if _, _, err := fold(stream); err != nil {
			t.Fatalf("%v\n%s", err, stream)
		}
	})
}

// FuzzStreamDecoder: whatever comes, the events keep the grammar, the losses
// are bounded, and what folds is the same when it is written again.
func FuzzStreamDecoder(f *testing.F) {
	seed(f, "stream")
	f.Fuzz(func(t *testing.T, stream string) {
		dec := anthropic.Codec{}.StreamDecoder()
		var check ir.Checker
		var events []ir.Event
		var err error
		judge := func() {
			for _, ev := range events {
				if e := check.Event(ev); e != nil {
					t.Fatal(e)
				}
			}
			events = events[:0]
		}
		for _, fr := range frames([]byte(stream)) {
			if events, err = dec.Event(events, fr[0], fr[1]); err != nil {
				break
			}
			judge()
		}
		judge()
		if err == nil {
			events, err = dec.End(events)
			judge()
		}
		if len(dec.Losses()) > 64 {
			t.Fatalf("%d losses", len(dec.Losses()))
		}
		if err != nil || !check.Whole() {
			return
		}
		resp, _, err := fold([]byte(stream))
		if err != nil {
			t.Fatal(err)
		}
		out, losses := encodeStream(t, &ir.Request{Model: resp.Model}, resp)
		again, _, err := fold(out)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		lost := append(losses, ir.Loss{Path: "id"}, ir.Loss{Path: "model"}, ir.Loss{Path: "usage"})
		if d := unsaid(dump(*resp), dump(*again), lost); len(d) > 0 {
			t.Fatalf("lost silently: %v\n%s", d, out)
		}
	})
}
