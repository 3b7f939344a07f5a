package gemini_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/gemini"
	"tollgate/internal/wire/wiretest"
)

// TestAnswersOfRecordings reads recorded answers, writes them for a client in
// every form, and compares their usage with what a passed answer is billed.
func TestAnswersOfRecordings(t *testing.T) {
	streams, bodies, broken := 0, 0, 0
	for _, r := range wiretest.Recordings(t, filepath.Join(shared(), "corpus")) {
		all := r.Body + strings.Join(r.Events, "\n")
		if !strings.Contains(all, `"candidates"`) {
			continue
		}
		w := gemini.Codec{}.Observe(tollgate.OpGenerate, wire.ObserveOptions{})
		texts, stream := wiretest.Replay(w, r)
		resp, err := readRecording(texts, stream)
		if err != nil {
			if !stream || w.Complete() {
				t.Errorf("%s: %v", r.File, err)
			}
			broken++
			continue
		}
		if diff := cmp.Diff(w.Usage().Tokens, resp.Usage.Tokens); diff != "" || w.Usage().Reported != resp.Usage.Reported {
			t.Errorf("%s: usage\n%s", r.File, diff)
		}
		checkAnswer(t, &ir.Request{Model: resp.Model}, resp)
		if stream {
			streams++
		} else {
			bodies++
		}
	}
	t.Logf("recordings translated: %d streams, %d bodies; %d broke off", streams, bodies, broken)
}

func readRecording(texts []string, stream bool) (*ir.Response, error) {
	if !stream {
		resp, _, err := gemini.Codec{}.DecodeResponse([]byte(strings.Join(texts, "")))
		return resp, err
	}
	d := gemini.Codec{}.StreamDecoder()
	var f ir.Folder
	var events []ir.Event
	var err error
	for _, text := range texts {
		if events, err = d.Event(events, nil, []byte(text)); err != nil {
			return nil, err
		}
	}
	if events, err = d.End(events); err != nil {
		return nil, err
	}
	for _, ev := range events {
		if err := f.Event(ev); err != nil {
			return nil, err
		}
	}
	resp, _ := f.Response()
	return resp, nil
}

// TestRequestsOfRecordings reads what real clients sent and sends it on: Gemini
// gets what it would have got without a gateway between.
func TestRequestsOfRecordings(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(shared(), "recordings", "*", "*.json")) // the pattern is well formed
	read := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var rec struct {
			URL  string
			Body json.RawMessage
		}
		_, name, ok := strings.Cut(string(text), `/models/`)
		if json.Unmarshal(text, &rec) != nil || !ok || rec.Body == nil {
			continue
		}
		model, action, _ := strings.Cut(strings.SplitN(name, `"`, 2)[0], ":")
		action, _, _ = strings.Cut(action, "?")
		route := wire.Route{Model: model}
		switch action {
		case "generateContent", "streamGenerateContent":
			route.Operation = tollgate.OpGenerate
		case "countTokens":
			route.Operation = tollgate.OpCount
		case "batchEmbedContents":
			route.Operation = tollgate.OpBatchEmbed
			if _, err := (gemini.Codec{}).DecodeEmbedding(route, rec.Body); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			read++
			continue
		default:
			continue
		}
		req, err := gemini.Codec{}.DecodeRequest(route, rec.Body)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		sent, losses, err := gemini.Codec{}.EncodeRequest(req)
		if err != nil || len(losses) > 0 {
			t.Errorf("%s: %v %s", file, err, lossLines(losses))
			continue
		}
		again, err := gemini.Codec{}.DecodeRequest(route, sent)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if diff := cmp.Diff(req, again); diff != "" {
			t.Errorf("%s:\n%s", file, diff)
		}
		read++
	}
	t.Logf("recorded requests translated: %d", read)
}
