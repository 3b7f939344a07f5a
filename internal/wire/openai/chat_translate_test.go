package openai_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strconv"
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

const chatRequestID tollgate.RequestID = 0x0190_0000_0000_0010

// TestChatTranslates runs the cases in testdata/translate/chat. A case holds
// one of
//
//	request  what a client sends: ir is what it says, sent what a provider gets
//	answer   what a provider answers: ir, and written is what a client gets
//	stream   the same as a stream
//	error    an error answer, with its status in the comment
//
// and what becomes of it: lost lists losses ("~" marks notes), failed an error.
// An answer or a stream may have a request beside it, which it is to.
// TOLLGATE_UPDATE=1 writes the files anew.
func TestChatTranslates(t *testing.T) {
	files, err := filepath.Glob("testdata/translate/chat/*.txtar")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d cases (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := txtar.Format(a)
			got := &txtar.Archive{Comment: a.Comment}
			translateCase(t, a, got)
			if os.Getenv("TOLLGATE_UPDATE") != "" {
				if err := os.WriteFile(file, txtar.Format(got), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(want), string(txtar.Format(got))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func translateCase(t *testing.T, in, out *txtar.Archive) {
	t.Helper()
	parts := map[string][]byte{}
	for _, f := range in.Files {
		parts[f.Name] = f.Data
	}
	add := func(name, text string) {
		if text != "" {
			out.Files = append(out.Files, txtar.File{Name: name, Data: []byte(strings.TrimSuffix(text, "\n") + "\n")})
		}
	}
	var req *ir.Request
	if body, ok := parts["request"]; ok {
		add("request", string(body))
		var err error
		if req, err = (openai.Chat{}).DecodeRequest(wire.Route{}, body); err != nil {
			add("failed", err.Error())
			return
		}
	}
	switch {
	case parts["answer"] != nil:
		add("answer", string(parts["answer"]))
		answerCase(t, req, parts["answer"], add)
	case parts["stream"] != nil:
		add("stream", string(parts["stream"]))
		streamCase(t, req, string(parts["stream"]), add)
	case parts["error"] != nil:
		add("error", string(parts["error"]))
		status, _ := strconv.Atoi(strings.TrimSpace(string(in.Comment)))
		e := openai.Chat{}.DecodeError(status, http.Header{"Retry-After": {"7"}}, parts["error"])
		add("failed", fmt.Sprintf("%s field=%q reason=%q after=%s: %s", e.Code, e.Field, e.Reason, e.RetryAfter, e.Message))
	default:
		requestCase(t, req, add)
	}
}

func requestCase(t *testing.T, req *ir.Request, add func(name, text string)) {
	t.Helper()
	add("ir", chatDump(*req))
	before := chatDump(*req)
	body, losses, err := openai.Chat{}.EncodeRequest(req)
	if err != nil {
		add("failed", err.Error())
		return
	}
	if diff := cmp.Diff(before, chatDump(*req)); diff != "" {
		t.Errorf("encoding changed its input:\n%s", diff)
	}
	add("sent", chatIndent(t, body))
	add("lost", chatLossText(losses))
}

func answerCase(t *testing.T, req *ir.Request, body []byte, add func(name, text string)) {
	t.Helper()
	resp, lost, err := openai.Chat{}.DecodeResponse(body)
	if err != nil {
		add("failed", chatFailureText(err))
		return
	}
	add("ir", chatDump(*resp))
	if req == nil {
		req = &ir.Request{Model: "alias"}
	}
	written, losses := openai.Chat{}.EncodeResponse(req, resp, chatRequestID)
	add("written", chatIndent(t, written))
	add("lost", chatLossText(append(lost, losses...)))
}

func chatFailureText(err error) string {
	e := tollgate.AsError(err)
	return string(e.Code) + ": " + e.Error()
}

func streamCase(t *testing.T, req *ir.Request, text string, add func(name, text string)) {
	t.Helper()
	if req == nil {
		req = &ir.Request{Model: "alias", Form: ir.AnswerForm{StreamUsage: true}}
	}
	dec := openai.Chat{}.StreamDecoder()
	enc := openai.Chat{}.StreamEncoder(req, wire.FramingSSE, chatRequestID)
	var lines, written strings.Builder
	var fold ir.Folder
	take := func(events []ir.Event) {
		for _, ev := range events {
			fmt.Fprintf(&lines, "%s %s\n", reflect.TypeOf(ev).Name(), strings.ReplaceAll(strings.TrimSpace(chatDump(ev)), "\n", " "))
			written.Write(enc.Event(nil, ev))
			if err := fold.Event(ev); err != nil && reflect.TypeOf(ev) != reflect.TypeFor[ir.Failed]() {
				t.Fatal(err)
			}
		}
	}
	var failed error
	for _, e := range chatEvents(t, text) {
		events, err := dec.Event(nil, e.Name, e.Data)
		take(events)
		if failed = err; err != nil {
			break
		}
	}
	if failed == nil {
		events, err := dec.End(nil)
		take(events)
		failed = err
	}
	add("ir", lines.String())
	add("written", written.String())
	if failed != nil {
		add("failed", chatFailureText(failed))
	}
	add("lost", chatLossText(append(dec.Losses(), enc.Losses()...)))
}

// chatEvents cuts a stream into events, with copies of their data.
func chatEvents(tb testing.TB, text string) []sse.Event {
	tb.Helper()
	text += "\n\n" // files end with one line feed
	in := sse.NewScanner(sse.Limits{})
	var out []sse.Event
	for from := 0; from < len(text); {
		n := copy(in.Buffer(), text[from:])
		in.Fill(n)
		from += n
		for {
			e, ok, err := in.Next()
			if err != nil {
				tb.Fatal(err)
			}
			if !ok {
				break
			}
			if e.Data != nil {
				out = append(out, sse.Event{Name: bytes.Clone(e.Name), Data: bytes.Clone(e.Data)})
			}
		}
	}
	return out
}

func chatLossText(losses []ir.Loss) string {
	var b strings.Builder
	for _, l := range losses {
		if l.Note {
			b.WriteString("~ ")
		}
		b.WriteString(l.Path + ": " + l.Why + "\n")
	}
	return b.String()
}

func chatIndent(t *testing.T, body []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, body, "", " "); err != nil {
		t.Fatalf("not JSON: %v\n%s", err, body)
	}
	return b.String()
}

// chatDump writes the fields of a value of package ir that are set, one a line.
func chatDump(v any) string {
	var lines []string
	chatDumpValue(&lines, "", reflect.ValueOf(v))
	return strings.Join(lines, "\n")
}

func chatDumpValue(lines *[]string, path string, v reflect.Value) {
	line := func(text string) { *lines = append(*lines, strings.TrimPrefix(path, ".")+" "+text) }
	switch v.Kind() { // the kinds that package ir is made of
	case reflect.Interface:
		if !v.IsNil() {
			line(v.Elem().Type().Name())
			chatDumpValue(lines, path, v.Elem())
		}
	case reflect.Pointer:
		switch {
		case v.IsNil():
		case v.Elem().Kind() != reflect.Struct:
			line(fmt.Sprint(v.Elem().Interface()))
		default:
			line("&")
			chatDumpValue(lines, path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				chatDumpValue(lines, path+"."+f.Name, v.Field(i))
			}
		}
	case reflect.Slice:
		if raw, ok := reflect.TypeAssert[json.RawMessage](v); ok {
			if raw != nil {
				var b bytes.Buffer
				_ = json.Compact(&b, raw)
				line(b.String())
			}
			return
		}
		for i := range v.Len() {
			chatDumpValue(lines, path+"["+strconv.Itoa(i)+"]", v.Index(i))
		}
	case reflect.Map:
		keys := v.MapKeys()
		sort.Slice(keys, func(i, k int) bool { return keys[i].String() < keys[k].String() })
		for _, k := range keys {
			chatDumpValue(lines, path+"["+k.String()+"]", v.MapIndex(k))
		}
	case reflect.String:
		if v.String() != "" {
			line(strconv.Quote(v.String()))
		}
	default:
		if !v.IsZero() {
			line(fmt.Sprint(v.Interface()))
		}
	}
}
