package anthropic_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/anthropic"
	"tollgate/internal/wire/sse"
)

const answerID tollgate.RequestID = 0x0190_0000_0000_0010

// TestTranslation runs the cases of testdata/translate. A case holds one of
//
//	request    what a client of this dialect sends
//	answer     what the provider answers, whole
//	stream     or as a stream
//	error      or as an error, with status
//
// and want, the summary of what became of it: the value in ir, the losses and,
// for requests and answers, what is written from it again. UPDATE_GOLDEN=1
// writes want anew.
func TestTranslation(t *testing.T) {
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
			parts := map[string]string{}
			for _, f := range archive.Files {
				parts[f.Name] = string(f.Data)
			}
			got := summary(t, parts)
			if os.Getenv("UPDATE_GOLDEN") != "" {
				update(t, file, archive, got)
				return
			}
			if diff := cmp.Diff(parts["want"], got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func update(t *testing.T, file string, archive *txtar.Archive, want string) {
	t.Helper()
	kept := archive.Files[:0]
	for _, f := range archive.Files {
		if f.Name != "want" {
			kept = append(kept, f)
		}
	}
	archive.Files = append(kept, txtar.File{Name: "want", Data: []byte(want)})
	if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
		t.Fatal(err)
	}
}

func summary(t *testing.T, parts map[string]string) string {
	t.Helper()
	switch {
	case parts["request"] != "":
		return requestSummary(t, parts)
	case parts["answer"] != "":
		return answerSummary(t, parts["answer"])
	case parts["stream"] != "":
		return streamSummary(t, parts["stream"])
	case parts["error"] != "":
		status, err := strconv.Atoi(strings.TrimSpace(parts["status"]))
		if err != nil {
			t.Fatal(err)
		}
		h := http.Header{"Retry-After": {strings.TrimSpace(parts["retry-after"])}}
		e := anthropic.Codec{}.DecodeError(status, h, []byte(parts["error"]))
		return fmt.Sprintf("code: %s\nreason: %s\nretry after: %s\nmessage: %s\n", e.Code, e.Reason, e.RetryAfter, e.Message)
	}
	t.Fatal("the case has nothing to translate")
	return ""
}

func requestSummary(t *testing.T, parts map[string]string) string {
	t.Helper()
	op := tollgate.OpGenerate
	if parts["op"] != "" {
		op = tollgate.Operation(strings.TrimSpace(parts["op"]))
	}
	codec := anthropic.Codec{}
	req, err := codec.DecodeRequest(wire.Route{Operation: op}, []byte(parts["request"]))
	if err != nil {
		return failed(err)
	}
	encode := codec.EncodeRequest
	if op == tollgate.OpCount {
		encode = codec.EncodeCountRequest
	}
	body, losses, err := encode(req)
	if err != nil {
		return dump(*req) + failed(err)
	}
	again, err := codec.DecodeRequest(wire.Route{Operation: op}, body)
	if err != nil {
		t.Fatalf("what was written cannot be read: %v\n%s", err, body)
	}
	for _, d := range unsaid(dump(*req), dump(*again), losses) {
		t.Errorf("lost silently: %s", d)
	}
	return dump(*req) + lossLines(losses) + "-> " + string(body) + "\n"
}

func answerSummary(t *testing.T, body string) string {
	t.Helper()
	codec := anthropic.Codec{}
	resp, losses, err := codec.DecodeResponse([]byte(body))
	if err != nil {
		return failed(err)
	}
	req := &ir.Request{Model: resp.Model}
	out, more := codec.EncodeResponse(req, resp, answerID)
	again, _, err := codec.DecodeResponse(out)
	if err != nil {
		t.Fatalf("what was written cannot be read: %v\n%s", err, out)
	}
	if diff := cmp.Diff(dump(*resp), dump(*again)); diff != "" {
		t.Errorf("the own dialect loses:\n%s", diff)
	}
	streamSaysTheSame(t, req, resp, resp)
	return dump(*resp) + lossLines(append(losses, more...)) + "-> " + string(out) + "\n"
}

func streamSummary(t *testing.T, text string) string {
	t.Helper()
	resp, losses, err := fold([]byte(text))
	if err != nil {
		return failed(err) + lossLines(losses)
	}
	stream, _ := encodeStream(t, &ir.Request{Model: resp.Model}, resp)
	return dump(*resp) + lossLines(losses) + "-> " + string(stream)
}

// streamSaysTheSame checks that resp as a stream is whole, but for what was said.
func streamSaysTheSame(t *testing.T, req *ir.Request, resp, whole *ir.Response) {
	t.Helper()
	stream, losses := encodeStream(t, req, resp)
	folded, _, err := fold(stream)
	if err != nil {
		t.Fatalf("the stream that was written cannot be read: %v\n%s", err, stream)
	}
	for _, d := range unsaid(dump(*whole), dump(*folded), losses) {
		t.Errorf("the stream says something else: %s\n%s", d, stream)
	}
}

// encodeStream writes resp as a stream.
func encodeStream(t *testing.T, req *ir.Request, resp *ir.Response) ([]byte, []ir.Loss) {
	t.Helper()
	enc := anthropic.Codec{}.StreamEncoder(req, wire.FramingSSE, answerID)
	var out []byte
	ir.Unfold(resp, func(ev ir.Event) bool {
		out = enc.Event(out, ev)
		return true
	})
	return out, enc.Losses()
}

// fold decodes a stream, judging the grammar on the way.
func fold(stream []byte) (*ir.Response, []ir.Loss, error) {
	dec := anthropic.Codec{}.StreamDecoder()
	var folder ir.Folder
	var events []ir.Event
	var err error
	take := func() error {
		for _, ev := range events {
			if e := folder.Event(ev); e != nil {
				return e
			}
		}
		events = events[:0]
		return nil
	}
	for _, f := range frames(stream) {
		if events, err = dec.Event(events, f[0], f[1]); err != nil {
			return nil, dec.Losses(), errors.Join(take(), err)
		}
		if err := take(); err != nil {
			return nil, dec.Losses(), err
		}
	}
	if events, err = dec.End(events); err != nil {
		return nil, dec.Losses(), err
	}
	if err := take(); err != nil {
		return nil, dec.Losses(), err
	}
	resp, whole := folder.Response()
	if !whole {
		return nil, dec.Losses(), errors.New("the answer has no end")
	}
	return resp, dec.Losses(), nil
}

// frames cuts a stream into names and data.
func frames(stream []byte) [][2][]byte {
	r := sse.NewScanner(sse.Limits{Line: 64 << 20, Event: 64 << 20})
	var out [][2][]byte
	keep := func(e sse.Event) {
		if e.Data != nil {
			out = append(out, [2][]byte{append([]byte(nil), e.Name...), append([]byte(nil), e.Data...)})
		}
	}
	for from := 0; from < len(stream); {
		n := copy(r.Buffer(), stream[from:])
		r.Fill(n)
		from += n
		for {
			e, ok, err := r.Next()
			if err != nil || !ok {
				break
			}
			keep(e)
		}
	}
	if e, ok, err := r.Finish(); err == nil && ok {
		keep(e)
	}
	return out
}

func failed(err error) string {
	e := tollgate.AsError(err)
	return fmt.Sprintf("error: %s: %s: %s\n", e.Code, e.Field, e.Message)
}

func lossLines(losses []ir.Loss) string {
	var b strings.Builder
	for _, l := range losses {
		kind := "loss"
		if l.Note {
			kind = "note"
		}
		fmt.Fprintf(&b, "%s: %s: %s\n", kind, l.Path, l.Why)
	}
	return b.String()
}

// unsaid lists the lines of a that b does not have and the other way round,
// unless a loss covers them. Elements may have moved.
func unsaid(a, b string, losses []ir.Loss) []string {
	var out []string
	index := regexp.MustCompile(`\b(items|parts|system|stop)\[\d+\]`)
	anywhere := func(path string) string { return index.ReplaceAllString(path, "$1") }
	asIs := func(path string) string { return path }
	only := func(x, y string, place func(string) string) {
		has := map[string]bool{}
		for line := range strings.Lines(y) {
			has[anywhere(line)] = true
		}
		for line := range strings.Lines(x) {
			path, _, _ := strings.Cut(line, " = ")
			covered := has[anywhere(line)]
			for _, l := range losses {
				covered = covered || ir.Loss{Path: place(l.Path)}.Covers(place(path))
			}
			if !covered {
				out = append(out, strings.TrimSpace(line))
			}
		}
	}
	only(a, b, asIs)
	only(b, a, anywhere) // losses are said of the places in a
	return out
}

// dump writes a value of package ir as lines of path = value, without zeroes.
func dump(v any) string {
	lines := map[string]string{}
	walk(lines, "", reflect.ValueOf(v))
	keys := make([]string, 0, len(lines))
	for k := range lines {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "%s = %s\n", k, lines[k])
	}
	return b.String()
}

func walk(lines map[string]string, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			if v.Elem().Kind() != reflect.Struct || v.Elem().IsZero() {
				lines[path] = fmt.Sprint(v.Elem().Interface())
				return
			}
			walk(lines, path, v.Elem())
		}
	case reflect.Interface:
		if !v.IsNil() {
			lines[path] = strings.TrimPrefix(v.Elem().Type().String(), "ir.")
			walk(lines, path, v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			walk(lines, strings.TrimPrefix(path+"."+snake(v.Type().Field(i).Name), "."), v.Field(i))
		}
	case reflect.Slice:
		switch x := v.Interface().(type) {
		case json.RawMessage:
			if len(x) > 0 {
				lines[path] = compact(x)
			}
		case []ir.Extra:
			for _, e := range x {
				hint := ""
				if e.Hint {
					hint = " (hint)"
				}
				lines[path+"."+e.Path] = compact(e.Raw) + hint
			}
		default:
			for i := range v.Len() {
				walk(lines, fmt.Sprintf("%s[%d]", path, i), v.Index(i))
			}
		}
	default:
		if !v.IsZero() {
			lines[path] = fmt.Sprintf("%v", v.Interface())
			if v.Kind() == reflect.String {
				lines[path] = strconv.Quote(v.String())
			}
		}
	}
}

func compact(raw json.RawMessage) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return string(raw)
	}
	out, err := json.Marshal(v)
	if err != nil {
		return string(raw)
	}
	return string(out)
}

func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		upper := unicode.IsUpper(r)
		if upper && i > 0 && (unicode.IsLower(rune(name[i-1])) || i+1 < len(name) && unicode.IsLower(rune(name[i+1]))) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
