package ascode_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/ascode"
)

// lookalike answers as GitHub does for one gist: every change is a commit, all
// versions can be read, requests without a user agent or token are refused,
// and a file above its bound is cut off.
type lookalike struct {
	commits []map[string]string // files by name, the oldest first
	cut     bool
}

func (l *lookalike) version(i int) string { return fmt.Sprintf("%040x", i+1) }

func (l *lookalike) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.UserAgent() == "" || strings.HasPrefix(r.UserAgent(), "Go-http") || r.Header.Get("Authorization") != "Bearer gh-token" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 2 || parts[0] != "gists" || parts[1] != "abcdef0123" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	at := len(l.commits) - 1
	if len(parts) == 3 {
		at = -1
		for i := range l.commits {
			if l.version(i) == parts[2] {
				at = i
			}
		}
		if at < 0 {
			w.WriteHeader(http.StatusNotFound)
			return
		}
	}
	if r.Method == http.MethodPatch {
		var in struct {
			Files map[string]struct{ Content string }
		}
		_ = json.NewDecoder(r.Body).Decode(&in)
		next := maps.Clone(l.commits[at])
		for k, v := range in.Files {
			next[k] = v.Content
		}
		l.commits = append(l.commits, next)
		at++
	}
	files, history := map[string]any{}, []any{}
	for name, text := range l.commits[at] {
		files[name] = map[string]any{"filename": name, "content": text, "truncated": l.cut}
	}
	for i := at; i >= 0; i-- {
		history = append(history, map[string]any{"version": l.version(i), "committed_at": time.Unix(int64(i), 0).UTC()})
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"id": parts[1], "files": files, "history": history})
}

func TestGistKeepsVersionsAndRefusesOverAnothersChange(t *testing.T) {
	l := &lookalike{commits: []map[string]string{{"README.md": "mine"}}}
	server := httptest.NewServer(l)
	defer server.Close()
	ctx := t.Context()
	g := ascode.NewGist(server.Client(), server.URL, "abcdef0123", "tollgate.toml", "gh-token")
	if text, at, err := g.Get(ctx, ""); text != "" || at != "" || err != nil {
		t.Errorf("a file that is not there: %q %q %v", text, at, err)
	}
	first, err := g.Put(ctx, "one", "")
	if err != nil {
		t.Fatal(err)
	}
	second, err := g.Put(ctx, "two", first)
	if err != nil || second == first {
		t.Fatal(second, err)
	}
	if _, err := g.Put(ctx, "three", first); tollgate.ErrorCode(err) != tollgate.CodeConflict {
		t.Errorf("a put over another's change: %v", err)
	}
	if text, at, err := g.Get(ctx, ""); text != "two" || at != second || err != nil {
		t.Errorf("the present version: %q %q %v", text, at, err)
	}
	if text, at, err := g.Get(ctx, first); text != "one" || at != first || err != nil {
		t.Errorf("an earlier version: %q %q %v", text, at, err)
	}
	if l.commits[len(l.commits)-1]["README.md"] != "mine" {
		t.Error("a put lost another file of the gist")
	}
	versions, err := g.Versions(ctx)
	if err != nil || len(versions) != 3 || versions[0] != second {
		t.Errorf("versions %v %v", versions, err)
	}
	if _, _, err := g.Get(ctx, "../../user"); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
		t.Errorf("a version that is a path: %v", err)
	}
	l.cut = true
	if _, _, err := g.Get(ctx, ""); tollgate.ErrorCode(err) != tollgate.CodeTooLarge {
		t.Errorf("a file that is cut off: %v", err)
	}
}

func TestGistSaysWhatIsWrong(t *testing.T) {
	server := httptest.NewServer(&lookalike{commits: []map[string]string{{}}})
	defer server.Close()
	for name, tt := range map[string]struct {
		id, token string
		code      tollgate.Code
	}{
		"wrong token":  {"abcdef0123", "other", tollgate.CodeInvalid},
		"unknown gist": {"abcdef9999", "gh-token", tollgate.CodeInvalid},
		"no id":        {"../user", "gh-token", tollgate.CodeInvalid},
	} {
		_, _, err := ascode.NewGist(server.Client(), server.URL, tt.id, "f", tt.token).Get(t.Context(), "")
		if tollgate.ErrorCode(err) != tt.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	server.Close()
	_, _, err := ascode.NewGist(server.Client(), server.URL, "abcdef0123", "f", "gh-token").Get(t.Context(), "")
	if tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
		t.Errorf("a place that is away: %v", err)
	}
}
