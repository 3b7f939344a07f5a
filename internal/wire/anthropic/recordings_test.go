package anthropic_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/anthropic"
	"tollgate/internal/wire/wiretest"
)

// TestRecordedRequests gives what real clients sent to both halves: nothing of
// it is lost.
func TestRecordedRequests(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(), "recordings", "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r struct {
			URL  string
			Body json.RawMessage
		}
		if json.Unmarshal(text, &r) != nil || !strings.Contains(r.URL, "/v1/messages") || strings.Contains(r.URL, "/batches") || len(r.Body) < 3 {
			continue
		}
		op, codec := tollgate.OpGenerate, anthropic.Codec{}
		encode := codec.EncodeRequest
		if strings.Contains(r.URL, "count_tokens") {
			op, encode = tollgate.OpCount, codec.EncodeCountRequest
		}
		req, err := codec.DecodeRequest(wire.Route{Operation: op}, r.Body)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		body, losses, err := encode(req)
		if err != nil || len(losses) > 0 {
			t.Errorf("%s: %v, %v", file, losses, err)
			continue
		}
		if diff := cmp.Diff(members(t, r.Body), members(t, body)); diff != "" {
			t.Errorf("%s:\n%s", file, diff)
		}
		judged++
	}
	t.Logf("%d recorded requests", judged)
}

// members normalises a request: strings that stand for one text block, defaults
// spelled out, members that say nothing.
func members(t *testing.T, body []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		t.Fatal(err)
	}
	messages, _ := m["messages"].([]any)
	for _, v := range messages {
		msg, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("%v is no message", v)
		}
		if s, isText := msg["content"].(string); isText {
			msg["content"] = []any{map[string]any{"type": "text", "text": s}}
		}
		blocks, _ := msg["content"].([]any)
		for _, b := range blocks {
			if block, isBlock := b.(map[string]any); isBlock && block["is_error"] == false {
				delete(block, "is_error")
			}
		}
	}
	if list, ok := m["tools"].([]any); ok && len(list) == 0 {
		delete(m, "tools")
	}
	return m
}

// TestRecordedAnswers gives what the vendor answered to both halves: whole or
// as a stream, it decodes, is billed as a passed one, and comes out the same.
func TestRecordedAnswers(t *testing.T) {
	bodies, streams := 0, 0
	for _, r := range wiretest.Recordings(t, filepath.Join(shared(), "corpus")) {
		all := r.Body + strings.Join(r.Events, "\n")
		if !strings.Contains(all, `"message_start"`) && !strings.Contains(all, `"type":"message"`) && !strings.Contains(all, `"type": "message"`) ||
			strings.Contains(all, `"object":"response"`) || strings.Contains(all, `"object": "response"`) || strings.Contains(r.File, "openai") ||
			strings.Contains(r.File, "open-responses") {
			continue
		}
		if i := slices.IndexFunc(r.Events, func(e string) bool { return strings.Contains(e, `"message_stop"`) }); i >= 0 {
			r.Events = r.Events[:i+1] // the first of several turns
		}
		w := anthropic.Codec{}.Observe(tollgate.OpGenerate, wire.ObserveOptions{})
		_, stream := wiretest.Replay(w, r)
		if !w.Complete() || strings.HasPrefix(strings.TrimSpace(r.Body), `{"model"`) && strings.Contains(r.Body, `"messages"`) {
			continue // cut off, or a request
		}
		resp, err := recorded(r, stream)
		if strings.Contains(r.File, "spliced") {
			if err == nil {
				t.Errorf("%s: another message in the middle is no failure", r.File)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", r.File, err)
			continue
		}
		if u := w.Usage(); u.Tokens != resp.Usage.Tokens || u.Reported != resp.Usage.Reported {
			t.Errorf("%s: usage is %+v, observed %+v", r.File, resp.Usage, u)
		}
		sameAgain(t, r.File, resp)
		if stream {
			streams++
		} else {
			bodies++
		}
	}
	t.Logf("recorded answers: %d bodies, %d streams", bodies, streams)
}

func recorded(r wiretest.Recording, stream bool) (*ir.Response, error) {
	if !stream {
		resp, _, err := anthropic.Codec{}.DecodeResponse([]byte(r.Body))
		return resp, err
	}
	text := []byte(r.Body)
	for _, e := range r.Events {
		text = append(append(append(text, "data: "...), e...), "\n\n"...)
	}
	resp, _, err := fold(text)
	return resp, err
}

func sameAgain(t *testing.T, file string, resp *ir.Response) {
	t.Helper()
	req := &ir.Request{Model: resp.Model}
	body, losses := anthropic.Codec{}.EncodeResponse(req, resp, answerID)
	if len(losses) > 0 {
		t.Errorf("%s: %v", file, losses)
	}
	again, _, err := anthropic.Codec{}.DecodeResponse(body)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	if diff := cmp.Diff(dump(*resp), dump(*again)); diff != "" {
		t.Errorf("%s:\n%s", file, diff)
	}
	streamSaysTheSame(t, req, resp, resp)
}

// TestACutStreamIsNeverWhole cuts every stream of the cases after every event.
func TestACutStreamIsNeverWhole(t *testing.T) {
	for name, text := range cases(t, "stream") {
		list := frames([]byte(text))
		for n := range list {
			var cut bytes.Buffer
			for _, f := range list[:n] {
				cut.WriteString("data: " + string(f[1]) + "\n\n")
			}
			if _, _, err := fold(cut.Bytes()); err == nil {
				t.Errorf("%s is taken for whole after %d of %d events", name, n, len(list))
			}
		}
	}
}
