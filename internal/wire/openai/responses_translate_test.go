package openai_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
	"tollgate/internal/wire/sse"
)

// responsesCase is a case of testdata/responses_translate. Its files:
//
//	request   a client's body; without one of these two it is `{"model":"m"}`
//	answer    a provider's whole answer to it
//	stream    a provider's streamed answer to it
//	ir        what the request, or else the answer, is in the hub
//	sent      the request, or else the answer, written again
//	losses    what a request written again loses: what other vendors sealed
//	error     the field and the message of what is wrong
//
// TOLLGATE_UPDATE=1 writes ir, sent and error anew.
type responsesCase struct {
	file    string
	archive *txtar.Archive
}

func (c *responsesCase) get(name string) (string, bool) {
	for _, f := range c.archive.Files {
		if f.Name == name {
			return string(f.Data), true
		}
	}
	return "", false
}

// golden compares got with the file called name.
func (c *responsesCase) golden(t *testing.T, name, got string) {
	t.Helper()
	if got != "" && !strings.HasSuffix(got, "\n") {
		got += "\n"
	}
	want, ok := c.get(name)
	if want == got && (ok || got == "") {
		return
	}
	if os.Getenv("TOLLGATE_UPDATE") == "" {
		t.Errorf("%s (- want, + got):\n%s", name, cmp.Diff(want, got))
		return
	}
	for i := range c.archive.Files {
		if c.archive.Files[i].Name == name {
			c.archive.Files[i].Data = []byte(got)
			ok = true
		}
	}
	if !ok {
		c.archive.Files = append(c.archive.Files, txtar.File{Name: name, Data: []byte(got)})
	}
	if err := os.WriteFile(c.file, txtar.Format(c.archive), 0o600); err != nil {
		t.Fatal(err)
	}
}

func responsesCases(tb testing.TB) []*responsesCase {
	tb.Helper()
	files, err := filepath.Glob("testdata/responses_translate/*.txtar")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no cases (%v)", err)
	}
	var out []*responsesCase
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		out = append(out, &responsesCase{file: file, archive: archive})
	}
	return out
}

func TestResponsesTranslation(t *testing.T) {
	for _, c := range responsesCases(t) {
		t.Run(strings.TrimSuffix(filepath.Base(c.file), ".txtar"), func(t *testing.T) {
			answer, whole := c.get("answer")
			stream, streamed := c.get("stream")
			req, err := c.request()
			switch {
			case err != nil:
				e := tollgate.AsError(err)
				c.golden(t, "error", e.Field+": "+e.Message)
			case whole:
				c.whole(t, req, answer)
			case streamed:
				c.stream(t, req, stream)
			default:
				c.again(t, req)
			}
		})
	}
}

func (c *responsesCase) request() (*ir.Request, error) {
	body, ok := c.get("request")
	if !ok {
		body = `{"model":"m"}`
	}
	return openai.Responses{}.DecodeRequest(wire.Route{}, []byte(body))
}

// again checks that a request is written without a loss and read as the same.
func (c *responsesCase) again(t *testing.T, req *ir.Request) {
	t.Helper()
	c.golden(t, "ir", responsesDump(req))
	body, losses, err := openai.Responses{}.EncodeRequest(req)
	if err != nil {
		t.Fatal(err)
	}
	c.golden(t, "losses", responsesLossText(losses))
	c.golden(t, "sent", responsesPretty(t, body))
	got, err := openai.Responses{}.DecodeRequest(wire.Route{}, body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(req, got); diff != "" && len(losses) == 0 {
		t.Errorf("the request written again is another one:\n%s", diff)
	}
}

func responsesLossText(losses []ir.Loss) string {
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

func (c *responsesCase) whole(t *testing.T, req *ir.Request, answer string) {
	t.Helper()
	resp, losses, err := openai.Responses{}.DecodeResponse([]byte(answer))
	if err != nil {
		c.golden(t, "error", responsesErrorText(err))
		return
	}
	if len(losses) > 0 {
		t.Errorf("losses %v", losses)
	}
	c.golden(t, "ir", responsesDump(resp))
	body, losses := openai.Responses{}.EncodeResponse(req, resp, 1<<40)
	responsesWantNotes(t, losses)
	c.golden(t, "sent", responsesPretty(t, body))
	got, _, err := openai.Responses{}.DecodeResponse(body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(resp.Choices, got.Choices); diff != "" {
		t.Errorf("the answer written again is another one:\n%s", diff)
	}
	if diff := cmp.Diff(resp.Usage, got.Usage); diff != "" {
		t.Errorf("usage:\n%s", diff)
	}
}

// responsesWantNotes accepts nothing but the notes about the answer's head.
func responsesWantNotes(t *testing.T, losses []ir.Loss) {
	t.Helper()
	for _, l := range losses {
		if !l.Note || strings.Contains(l.Path, "items") {
			t.Errorf("loss %+v", l)
		}
	}
}

func (c *responsesCase) stream(t *testing.T, req *ir.Request, stream string) {
	t.Helper()
	events, err := responsesEvents(openai.Responses{}.StreamDecoder(), []byte(stream))
	resp, foldErr := foldResponses(t, events)
	if err != nil || foldErr != nil {
		c.golden(t, "error", responsesErrorText(err)+"\n"+responsesErrorText(foldErr))
		return
	}
	c.golden(t, "ir", responsesDump(resp))
	e := openai.Responses{}.StreamEncoder(req, wire.FramingSSE, 1<<40)
	var out []byte
	for _, ev := range events {
		out = e.Event(out, ev)
	}
	responsesWantNotes(t, e.Losses())
	c.golden(t, "sent", string(out))
	checkResponsesStream(t, out)
	events, err = responsesEvents(openai.Responses{}.StreamDecoder(), out)
	if err != nil {
		t.Fatal(err)
	}
	got, err := foldResponses(t, events)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(resp.Choices, got.Choices); diff != "" {
		t.Errorf("the stream written again is another one:\n%s", diff)
	}
	whole, _ := openai.Responses{}.EncodeResponse(req, resp, 1<<40)
	if diff := cmp.Diff(string(whole), lastResponsesObject(t, out)); diff != "" {
		t.Errorf("the whole answer and the end of the stream differ:\n%s", diff)
	}
}

func responsesErrorText(err error) string {
	if err == nil {
		return "none"
	}
	e := tollgate.AsError(err)
	return string(e.Code) + " " + e.Reason + ": " + e.Message
}

// responsesEvents reads a whole stream.
func responsesEvents(d wire.StreamDecoder, stream []byte) ([]ir.Event, error) {
	var events []ir.Event
	err := eachResponsesEvent(stream, func(name, data []byte) error {
		var err error
		events, err = d.Event(events, name, data)
		return err
	})
	if err != nil {
		return events, err
	}
	return d.End(events)
}

func eachResponsesEvent(stream []byte, fn func(name, data []byte) error) error {
	s := sse.NewScanner(sse.Limits{})
	for len(stream) > 0 {
		n := copy(s.Buffer(), stream)
		s.Fill(n)
		stream = stream[n:]
		for {
			ev, ok, err := s.Next()
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			if err := fn(ev.Name, ev.Data); err != nil {
				return err
			}
		}
	}
	ev, ok, err := s.Finish()
	if err != nil || !ok {
		return err
	}
	return fn(ev.Name, ev.Data)
}

// foldResponses folds events and checks their order.
func foldResponses(t *testing.T, events []ir.Event) (*ir.Response, error) {
	t.Helper()
	var f ir.Folder
	var check ir.Checker
	for _, ev := range events {
		if err := check.Event(ev); err != nil {
			t.Fatal(err)
		}
		if err := f.Event(ev); err != nil {
			return nil, err
		}
	}
	resp, _ := f.Response()
	return resp, nil
}

func responsesPretty(t *testing.T, body []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", "  "); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	return b.String()
}

// responsesDump writes the fields of a value that are not zero, an item a line.
func responsesDump(v any) string {
	var b strings.Builder
	responsesDumpValue(&b, reflect.ValueOf(v), 0)
	return b.String()
}

func responsesDumpValue(b *strings.Builder, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			responsesDumpValue(b, v.Elem(), depth)
		}
	case reflect.Struct:
		b.WriteString(v.Type().Name() + "{")
		sep := ""
		for i := range v.NumField() {
			if f := v.Field(i); !f.IsZero() {
				b.WriteString(sep + v.Type().Field(i).Name + ": ")
				responsesDumpValue(b, f, depth+1)
				sep = ", "
			}
		}
		b.WriteString("}")
	case reflect.Slice:
		if raw, ok := reflect.TypeAssert[json.RawMessage](v); ok {
			var c bytes.Buffer
			_ = json.Compact(&c, raw)
			b.WriteString(c.String())
			return
		}
		b.WriteString("[")
		for i := range v.Len() {
			if v.Len() > 1 || v.Index(i).Kind() == reflect.Interface {
				b.WriteString("\n" + strings.Repeat("  ", depth))
			}
			responsesDumpValue(b, v.Index(i), depth)
		}
		b.WriteString("]")
	default:
		if v.Kind() == reflect.String {
			fmt.Fprintf(b, "%q", v.String())
			return
		}
		fmt.Fprintf(b, "%v", v.Interface())
	}
}
