package wire_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"tollgate"
	"tollgate/internal/wire"
)

// TestRecordedRequestsAreUnderstood classifies what real clients sent, and
// peeks at their bodies as far as the routes are served.
func TestRecordedRequestsAreUnderstood(t *testing.T) {
	dir := os.Getenv("TOLLGATE_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	files, err := filepath.Glob(filepath.Join(dir, "recordings", "*", "???.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Logf("no recordings below %s: this check is left out", dir)
		return
	}
	peeked := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var rec struct {
			Method, URL string
			Headers     [][2]string
			Body        json.RawMessage
		}
		if json.Unmarshal(text, &rec) != nil || rec.URL == "/" || rec.URL == "/api/hello" {
			continue
		}
		u, err := url.ParseRequestURI(rec.URL)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		h := http.Header{}
		for _, pair := range rec.Headers {
			h.Add(pair[0], pair[1])
		}
		method := rec.Method
		if method == "WS" {
			method = http.MethodGet
			h.Set("Upgrade", "websocket")
		}
		r, err := wire.Classify(method, u, h)
		if err != nil {
			t.Errorf("%s: %s %s: %v", file, method, rec.URL, err)
			continue
		}
		switch r.Operation {
		case tollgate.OpGenerate, tollgate.OpComplete, tollgate.OpCount, tollgate.OpEmbed, tollgate.OpBatchEmbed, tollgate.OpModerate:
			if bytes.HasPrefix(rec.Body, []byte("{")) {
				peekRecorded(t, file, r, rec.Body)
				peeked++
			}
		case tollgate.OpListModels, tollgate.OpGetModel, tollgate.OpOther, tollgate.OpCompact, tollgate.OpConnect, tollgate.OpRetrieve,
			tollgate.OpInputItems, tollgate.OpDelete, tollgate.OpCancel:
		}
	}
	t.Logf("%d requests, %d bodies peeked at", len(files), peeked)
}

// peekRecorded peeks at a body, renames its model and checks that nothing else
// changed.
func peekRecorded(t *testing.T, file string, r wire.Route, body []byte) {
	t.Helper()
	p, err := wire.Peek(r, body)
	if err != nil {
		t.Errorf("%s: %v", file, err)
		return
	}
	var want struct {
		Model  string
		Stream bool
	}
	if err := json.Unmarshal(body, &want); err != nil {
		t.Fatal(err)
	}
	if r.Dialect != gemini && (p.Model != want.Model && want.Model != "" || p.Stream != want.Stream) {
		t.Errorf("%s: %+v, want %+v", file, p, want)
	}
	out := wire.Splice(body, &p, wire.Edits{Model: "renamed"})
	if r.Dialect != gemini && want.Model != "" {
		old, _ := json.Marshal(want.Model)
		if !bytes.Contains(out, []byte(`"renamed"`)) || !bytes.Equal(bytes.Replace(out, []byte(`"renamed"`), old, 1), body) {
			t.Errorf("%s: renaming changed more than the model", file)
		}
	}
}
