package gemini_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/gemini"
	"tollgate/internal/wire/wiretest"
)

// TestTranslate runs the cases of testdata/translate. The comment of a file
// holds options, one "name: value" a line: op, model, and "loses: true" where
// even Gemini itself does not get everything back. One file is what comes in:
//
//	request  a client's body     → ir, sent (what Gemini gets), losses, error
//	answer   a provider's body   → ir, sent (what a client gets), losses, error
//	stream   a provider's events → events, ir, sent, losses, error
//
// Each case is also judged by the laws in checkRequest and checkAnswer.
func TestTranslate(t *testing.T) {
	files, err := filepath.Glob("testdata/translate/*.txtar")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d cases (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := runCase(t, archive)
			if os.Getenv("TOLLGATE_GOLDEN") == "write" {
				archive.Files = append(archive.Files[:1], got...)
				if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want := &txtar.Archive{Files: archive.Files[1:]}
			if diff := cmp.Diff(string(txtar.Format(want)), string(txtar.Format(&txtar.Archive{Files: got}))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// outcome collects the files that a case yields.
type outcome []txtar.File

func (o *outcome) add(name, text string) {
	if text != "" {
		*o = append(*o, txtar.File{Name: name, Data: []byte(strings.TrimSuffix(text, "\n") + "\n")})
	}
}

func runCase(t *testing.T, archive *txtar.Archive) []txtar.File {
	t.Helper()
	options := map[string]string{"op": string(tollgate.OpGenerate), "model": "gemini-3-pro"}
	for line := range strings.Lines(string(archive.Comment)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.HasPrefix(line, "#") {
			options[name] = value
		}
	}
	in := archive.Files[0]
	var out outcome
	switch in.Name {
	case "request":
		requestCase(t, &out, options, in.Data)
	case "answer":
		answerCase(t, &out, options, in.Data)
	case "stream":
		streamCase(t, &out, options, string(in.Data))
	default:
		t.Fatalf("the case begins with %q", in.Name)
	}
	return out
}

func describeError(err error) string {
	e := tollgate.AsError(err)
	s := fmt.Sprintf("%s %s", e.Code, e.Field)
	return strings.TrimSpace(s) + ": " + e.Error()
}

func lossLines(losses []ir.Loss) string {
	var b strings.Builder
	for _, l := range losses {
		kind := "lost"
		if l.Note {
			kind = "note"
		}
		fmt.Fprintf(&b, "%s %s: %s\n", kind, l.Path, l.Why)
	}
	return b.String()
}

func requestCase(t *testing.T, out *outcome, options map[string]string, body []byte) {
	t.Helper()
	route := wire.Route{Dialect: tollgate.DialectGemini, Operation: tollgate.Operation(options["op"]), Model: options["model"]}
	before := string(body)
	req, err := gemini.Codec{}.DecodeRequest(route, body)
	if string(body) != before {
		t.Error("the decoder wrote to its input")
	}
	if err != nil {
		out.add("error", describeError(err))
		return
	}
	out.add("ir", lines(*req))
	sent, losses, err := gemini.Codec{}.EncodeRequest(req)
	if route.Operation == tollgate.OpCount {
		sent, losses, err = gemini.Codec{}.EncodeCountRequest(req)
	}
	if err != nil {
		out.add("error", describeError(err))
		return
	}
	out.add("sent", string(sent))
	out.add("losses", lossLines(losses))
	if len(losses) > 0 && options["loses"] != "true" {
		t.Errorf("Gemini does not get its own request back: %s", lossLines(losses))
	}
	again, err := gemini.Codec{}.DecodeRequest(route, sent)
	if err != nil {
		t.Fatalf("what is sent cannot be read: %v\n%s", err, sent)
	}
	if diff := cmp.Diff(req, again); diff != "" && options["loses"] != "true" {
		t.Errorf("what is sent means something else:\n%s", diff)
	}
}

func answerCase(t *testing.T, out *outcome, options map[string]string, body []byte) {
	t.Helper()
	resp, losses, err := gemini.Codec{}.DecodeResponse(body)
	if err != nil {
		out.add("error", describeError(err))
		return
	}
	out.add("ir", lines(*resp))
	req := &ir.Request{Model: options["model"]}
	sent, more := gemini.Codec{}.EncodeResponse(req, resp, 1<<40)
	out.add("sent", string(sent))
	out.add("losses", lossLines(append(losses, more...)))
	checkAnswer(t, req, resp)
}

func streamCase(t *testing.T, out *outcome, options map[string]string, stream string) {
	t.Helper()
	d := gemini.Codec{}.StreamDecoder()
	var events []ir.Event
	var err error
	for line := range strings.Lines(stream) {
		if events, err = d.Event(events, nil, []byte(strings.TrimSpace(line))); err != nil {
			break
		}
	}
	if err == nil {
		events, err = d.End(events)
	}
	var text strings.Builder
	for _, ev := range events {
		text.WriteString(dump(ev) + "\n")
	}
	out.add("events", text.String())
	if err != nil {
		out.add("error", describeError(err))
	}
	req := &ir.Request{Model: options["model"]}
	e := gemini.Codec{}.StreamEncoder(req, wire.FramingSSE, 1<<40)
	var sent []byte
	var check ir.Checker
	for _, ev := range events {
		if err := check.Event(ev); err != nil {
			t.Fatal(err)
		}
		sent = e.Event(sent, ev)
	}
	if err != nil {
		sent = e.Error(sent, tollgate.AsError(err))
	}
	out.add("sent", strings.ReplaceAll(string(sent), "\r\n\r\n", "\n"))
	out.add("losses", lossLines(append(d.Losses(), e.Losses()...)))
	if err == nil && check.Whole() {
		checkAnswer(t, req, fold(t, events))
	}
}

func fold(t *testing.T, events []ir.Event) *ir.Response {
	t.Helper()
	var f ir.Folder
	for _, ev := range events {
		if err := f.Event(ev); err != nil {
			t.Fatal(err)
		}
	}
	resp, _ := f.Response()
	return resp
}

// checkAnswer is the law that a whole and a streamed answer to a client, in
// either framing, mean what they were made of.
func checkAnswer(t *testing.T, req *ir.Request, resp *ir.Response) {
	t.Helper()
	body, losses := gemini.Codec{}.EncodeResponse(req, resp, 1<<40)
	whole, _, err := gemini.Codec{}.DecodeResponse(body)
	if err != nil {
		t.Fatalf("the answer cannot be read: %v\n%s", err, body)
	}
	if len(losses) == 0 {
		if diff := cmp.Diff(resp, whole); diff != "" {
			t.Errorf("the answer means something else:\n%s", diff)
		}
	}
	for _, framing := range []wire.Framing{wire.FramingSSE, wire.FramingJSONArray} {
		if diff := cmp.Diff(whole, restream(t, req, resp, framing)); diff != "" {
			t.Errorf("streamed (%d) it means something else than whole:\n%s", framing, diff)
		}
	}
}

// restream writes resp as a stream and reads it back.
func restream(t *testing.T, req *ir.Request, resp *ir.Response, framing wire.Framing) *ir.Response {
	t.Helper()
	e := gemini.Codec{}.StreamEncoder(req, framing, 1<<40)
	var sent []byte
	ir.Unfold(resp, func(ev ir.Event) bool {
		sent = e.Event(sent, ev)
		return true
	})
	d := gemini.Codec{}.StreamDecoder()
	var events []ir.Event
	answer := wiretest.Relay(&tap{decode: func(data []byte) {
		var err error
		if events, err = d.Event(events, nil, data); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
	}}, framing, string(sent), 100)
	if answer.Err != nil {
		t.Fatalf("%v\n%s", answer.Err, sent)
	}
	events, err := d.End(events)
	if err != nil {
		t.Fatalf("%v\n%s", err, sent)
	}
	return fold(t, events)
}

// tap sees the events that a reader of the framing gives.
type tap struct {
	wire.Observer
	decode func(data []byte)
}

func (p *tap) Event(_, data []byte) ([]byte, wire.Signal) {
	p.decode(data)
	return data, wire.SignalPass
}

func (p *tap) Complete() bool { return true }

func (p *tap) Usage() wire.Usage { return wire.Usage{} }
