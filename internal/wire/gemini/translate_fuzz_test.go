package gemini_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/gemini"
)

// seeds adds what comes in of all cases.
func seeds(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/translate/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds (%v)", err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(archive.Files[0].Data))
	}
}

// maxLosses is far more than any case loses.
const maxLosses = 10_000

// FuzzDecodeRequest wants that whatever is read can be sent, or is refused with
// its place, and reads as the same when it comes back without a loss.
func FuzzDecodeRequest(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body string) {
		route := wire.Route{Operation: tollgate.OpGenerate, Model: "gemini-3-pro"}
		req, err := gemini.Codec{}.DecodeRequest(route, []byte(body))
		if err != nil {
			if e := tollgate.AsError(err); e.Code != tollgate.CodeInvalid || e.Field == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		sent, losses, err := gemini.Codec{}.EncodeRequest(req)
		if err != nil {
			if e := tollgate.AsError(err); e.Field == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		if !json.Valid(sent) || len(losses) > maxLosses {
			t.Fatalf("%d losses, %s", len(losses), sent)
		}
		again, err := gemini.Codec{}.DecodeRequest(route, sent)
		if err != nil {
			t.Fatalf("%v\n%s", err, sent)
		}
		if len(losses) == 0 && len(again.Items) != len(req.Items) {
			t.Fatalf("%d items become %d without a loss:\n%s", len(req.Items), len(again.Items), sent)
		}
	})
}

// FuzzDecodeResponse wants that whatever is read as an answer can be written,
// and that the whole and the streamed form mean the same.
func FuzzDecodeResponse(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, body string) {
		resp, losses, err := gemini.Codec{}.DecodeResponse([]byte(body))
		if err != nil {
			return
		}
		if len(resp.Choices) == 0 || len(losses) > maxLosses {
			t.Fatalf("%d choices, %d losses", len(resp.Choices), len(losses))
		}
		checkAnswer(t, &ir.Request{Model: "m"}, resp)
	})
}

// FuzzStreamDecoder wants the grammar of events from any stream, and a stream
// of the protocol from any events.
func FuzzStreamDecoder(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, stream string) {
		d := gemini.Codec{}.StreamDecoder()
		e := gemini.Codec{}.StreamEncoder(&ir.Request{Model: "m"}, wire.FramingJSONArray, 1)
		var check ir.Checker
		var sent []byte
		take := func(events []ir.Event) {
			for _, ev := range events {
				if err := check.Event(ev); err != nil {
					t.Fatal(err)
				}
				sent = e.Event(sent, ev)
			}
		}
		for line := range strings.Lines(stream) {
			events, err := d.Event(nil, nil, []byte(line))
			take(events)
			if err != nil {
				sent = e.Error(sent, tollgate.AsError(err))
				checkArray(t, sent)
				return
			}
		}
		events, err := d.End(nil)
		take(events)
		if err != nil {
			sent = e.Error(sent, tollgate.AsError(err))
		}
		checkArray(t, sent)
		if len(d.Losses()) > maxLosses || len(e.Losses()) > maxLosses {
			t.Fatal("losses without bound")
		}
	})
}

func checkArray(t *testing.T, sent []byte) {
	t.Helper()
	var events []json.RawMessage
	if err := json.Unmarshal(sent, &events); err != nil || len(events) == 0 {
		t.Fatalf("no array: %v\n%s", err, sent)
	}
}
