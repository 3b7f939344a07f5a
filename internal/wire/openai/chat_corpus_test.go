package openai_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
	"tollgate/internal/wire/wiretest"
)

// TestChatRecordedRequests decodes what real clients sent and says the same to
// a provider.
func TestChatRecordedRequests(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(), "recordings", "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var rec struct {
			URL  string
			Body json.RawMessage
		}
		if json.Unmarshal(text, &rec) != nil || !strings.HasSuffix(rec.URL, "/chat/completions") || !bytes.HasPrefix(rec.Body, []byte("{")) {
			continue
		}
		n++
		checkAgain(t, file, rec.Body)
	}
	t.Logf("%d recorded requests", n)
}

// checkAgain says that a request that was decoded and encoded is the same.
func checkAgain(t *testing.T, file string, body []byte) {
	t.Helper()
	req, err := openai.Chat{}.DecodeRequest(wire.Route{}, body)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	sent, losses, err := openai.Chat{}.EncodeRequest(req)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	again, err := openai.Chat{}.DecodeRequest(wire.Route{}, sent)
	if err != nil {
		t.Errorf("%s: %v in %s", file, err, sent)
		return
	}
	if diff := cmp.Diff(req, again, cmpopts.IgnoreFields(ir.Request{}, "Form"), cmpopts.EquateEmpty()); diff != "" || chatLost(losses) {
		t.Errorf("%s: %s\n%v", file, diff, losses)
	}
}

func chatLost(losses []ir.Loss) bool {
	for _, l := range losses {
		if !l.Note {
			return true
		}
	}
	return false
}

// TestChatRecordedAnswers decodes what providers answered, whole and as
// streams, and says the same to a client.
func TestChatRecordedAnswers(t *testing.T) {
	whole, streams, failures := 0, 0, 0
	for _, r := range wiretest.Recordings(t, filepath.Join(shared(), "corpus")) {
		codec, op := codecFor(r)
		if codec != (openai.Chat{}) || op != "generate" || strings.Contains(r.File, "anthropic") || strings.Contains(r.File, "realtime") || strings.Contains(r.File, "speech") {
			continue
		}
		texts, stream := wiretest.Replay(codec.Observe(op, wire.ObserveOptions{}), r)
		switch {
		case stream && !strings.Contains(strings.Join(texts, ""), `"choices"`): // nothing of Chat
		case stream:
			streams++
			recordedStream(t, r.File, texts)
		case strings.Contains(r.Body, `"messages":`): // a request
		case strings.Contains(r.Body, `"error"`) && !strings.Contains(r.Body, `"choices"`):
			failures++
			if e := (openai.Chat{}).DecodeError(400, nil, []byte(r.Body)); e.Message == "" || strings.Contains(e.Message, "status 400") {
				t.Errorf("%s: no message in %s", r.File, r.Body)
			}
		case strings.Contains(r.Body, `"choices"`):
			whole++
			recordedAnswer(t, r.File, r.Body)
		}
	}
	t.Logf("%d answers, %d streams, %d errors", whole, streams, failures)
}

func recordedAnswer(t *testing.T, file, text string) {
	t.Helper()
	resp, _, err := openai.Chat{}.DecodeResponse([]byte(text))
	if err != nil {
		t.Errorf("%s: %v\n%s", file, err, text)
		return
	}
	body, losses := openai.Chat{}.EncodeResponse(&ir.Request{Model: resp.Model}, resp, chatRequestID)
	again, _, err := openai.Chat{}.DecodeResponse(body)
	if err != nil {
		t.Errorf("%s: %v in %s", file, err, body)
		return
	}
	if diff := cmp.Diff(resp, again, cmpopts.IgnoreFields(ir.Response{}, "ID"), cmpopts.EquateEmpty()); diff != "" && len(losses) == 0 {
		t.Errorf("%s: %s", file, diff)
	}
}

func recordedStream(t *testing.T, file string, texts []string) {
	t.Helper()
	resp, events := foldChat(t, file, texts)
	if resp == nil {
		return
	}
	req := &ir.Request{Model: resp.Model, Form: ir.AnswerForm{StreamUsage: true}}
	enc := openai.Chat{}.StreamEncoder(req, wire.FramingSSE, chatRequestID)
	var out []byte
	for _, ev := range events {
		out = enc.Event(out, ev)
	}
	var again []string
	for _, e := range chatEvents(t, string(out)) {
		again = append(again, string(e.Data))
	}
	got, _ := foldChat(t, file, again)
	if diff := cmp.Diff(resp, got, cmpopts.IgnoreFields(ir.Response{}, "ID"), cmpopts.EquateEmpty()); diff != "" && len(enc.Losses()) == 0 {
		t.Errorf("%s: %s", file, diff)
	}
}

// foldChat decodes a stream whose events have these data; [DONE] is added where
// the recording leaves it out. nil stands for a stream that is none.
func foldChat(t *testing.T, file string, texts []string) (*ir.Response, []ir.Event) {
	t.Helper()
	dec := openai.Chat{}.StreamDecoder()
	var fold ir.Folder
	var all []ir.Event
	for _, text := range append(texts, "[DONE]") {
		events, err := dec.Event(nil, nil, []byte(text))
		if err != nil {
			t.Errorf("%s: %v in %s", file, err, text)
			return nil, nil
		}
		for _, ev := range events {
			if err := fold.Event(ev); err != nil {
				t.Errorf("%s: %v in %s", file, err, text)
				return nil, nil
			}
		}
		all = append(all, events...)
	}
	resp, ok := fold.Response()
	if !ok {
		t.Errorf("%s has no end", file)
	}
	return resp, all
}
