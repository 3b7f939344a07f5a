package proxy_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tollgate/internal/demo"
	"tollgate/internal/proxy"
)

// recording is a request that a real client sent.
type recording struct {
	Client, Method, URL string
	Headers             [][2]string
	Body                json.RawMessage
}

// recordings returns the recorded POST requests of routes that are served.
func recordings(t *testing.T) map[string]recording {
	t.Helper()
	dir := filepath.Join(cmp.Or(os.Getenv("TOLLGATE_SHARED"), filepath.Join("..", "..", "..", "shared")), "recordings")
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*.json"))
	if len(files) == 0 {
		return nil
	}
	served := regexp.MustCompile(`^/v1/(chat/completions|responses|responses/input_tokens|messages|messages/count_tokens|embeddings|moderations)(\?.*)?$|^/v1(beta)?/models/[^:/]+:(generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)(\?.*)?$`)
	out := map[string]recording{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		var r recording
		must(t, json.Unmarshal(b, &r))
		if r.Method == "POST" && served.MatchString(r.URL) {
			out[filepath.Base(filepath.Dir(f))+"/"+filepath.Base(f)] = r
		}
	}
	return out
}

// TestRecordedRequestsReachTheProviderAsTheyAre is Shown-by 3: what real
// clients sent, byte for byte, with the same beta headers. The recorded model
// is unlisted here, so that each goes to its provider by scope.
func TestRecordedRequestsReachTheProviderAsTheyAre(t *testing.T) {
	t.Parallel()
	all := recordings(t)
	if len(all) == 0 {
		t.Log("left out: no recordings beside the project (TOLLGATE_SHARED)")
		return
	}
	v := &spy{}
	g := start(t, options{vendor: v})
	n := 0
	for name, r := range all {
		path, _, _ := strings.Cut(r.URL, "?")
		scope := "/oa"
		switch {
		case strings.HasPrefix(path, "/v1/messages"):
			scope = "/an"
		case strings.Contains(path, "/models/"):
			scope = "/ge"
		}
		v.answer = says(200, "application/json", answerTo(path))
		req := g.request(t.Context(), "POST", scope+r.URL, string(r.Body), "Authorization", "", "Content-Type", "", "X-Api-Key", "", "X-Goog-Api-Key", "", "Anthropic-Version", "")
		for _, h := range r.Headers {
			switch strings.ToLower(h[0]) {
			case "host", "content-length", "connection", "accept-encoding", "transfer-encoding":
			case "authorization":
				req.Header.Set(h[0], "Bearer "+g.Key)
			case "x-api-key", "x-goog-api-key":
				req.Header.Set(h[0], g.Key)
			default:
				req.Header.Add(h[0], h[1])
			}
		}
		a := g.do(req)
		n++
		if a.Status != 200 {
			t.Errorf("%s: status %d: %s", name, a.Status, a.Body)
			n = v.count()
			continue
		}
		got := v.all()[n-1]
		want := string(r.Body)
		if strings.HasPrefix(path, "/v1/chat/completions") && strings.Contains(got.Body, "include_usage") && !strings.Contains(want, "include_usage") {
			// The one addition that CONTRACT 9 allows: take it out, the rest must be equal.
			got.Body = strings.Replace(got.Body, `,"stream_options":{"include_usage":true}`, "", 1)
			got.Body = strings.Replace(got.Body, `"stream_options":{"include_usage":true},`, "", 1)
		}
		if got.Body != want {
			t.Errorf("%s: the vendor got another body:\n%s\nwant\n%s", name, got.Body, want)
		}
		if u, err := url.Parse(r.URL); err != nil || got.Path != u.EscapedPath() || !sameQuery(got.Query, u.Query()) {
			t.Errorf("%s: the vendor got %s?%s, want %s", name, got.Path, got.Query, r.URL)
		}
		for _, h := range r.Headers {
			k := strings.ToLower(h[0])
			if k == "anthropic-beta" || k == "openai-beta" || k == "anthropic-version" || k == "user-agent" || k == "x-goog-api-client" || strings.HasPrefix(k, "x-stainless-") {
				if have := strings.Join(got.Header.Values(h[0]), ","); !strings.Contains(have, h[1]) {
					t.Errorf("%s: header %s is %q at the vendor, want %q", name, h[0], have, h[1])
				}
			}
		}
		if strings.Contains(headerText(got.Header), g.Key) || bytes.Contains([]byte(got.Query), []byte(g.Key)) {
			t.Errorf("K-08: %s: the client's key reached the vendor", name)
		}
	}
	t.Logf("%d recorded requests sent", n)
	if n < 40 {
		t.Errorf("only %d recordings of served routes found", n)
	}
}

// answerTo is a valid answer to a request of a path.
func answerTo(path string) string {
	for _, a := range [][2]string{
		{":generateContent", geminiAnswer},
		{":streamGenerateContent", geminiAnswer},
		{":countTokens", geminiCount},
		{":embedContent", geminiEmbed},
		{":batchEmbedContents", geminiEmbeds},
		{"okens", countAnswer},
		{"/messages", messagesAnswer},
		{"/responses", responsesAnswer},
		{"/embeddings", embedAnswer},
		{"/moderations", moderateAnswer},
	} {
		if strings.HasSuffix(path, a[0]) {
			return a[1]
		}
	}
	return chatAnswer
}

func sameQuery(got string, want url.Values) bool {
	want.Del("key")
	q, err := url.ParseQuery(got)
	return err == nil && q.Encode() == want.Encode()
}

// TestRecordedRequestsAreServedByForeignProviders sends what real clients sent
// to every provider of another dialect, which refuses what a real one refuses.
func TestRecordedRequestsAreServedByForeignProviders(t *testing.T) {
	t.Parallel()
	all := recordings(t)
	if len(all) == 0 {
		t.Log("left out: no recordings beside the project (TOLLGATE_SHARED)")
		return
	}
	g := start(t, options{vendor: &demo.Vendor{AnyModel: true}, shape: func(p *proxy.Proxy) { p.Tokens = ten{} }})
	served := 0
	for name, r := range all {
		path, _, _ := strings.Cut(r.URL, "?")
		scopes := []string{"/cp", "/rs", "/an", "/ge"}
		switch {
		case strings.HasSuffix(path, "/moderations"):
			continue // nobody else has them
		case strings.HasSuffix(path, "/embeddings"), strings.Contains(path, "mbedContent"):
			scopes = []string{"/cp", "/ge"}
		}
		own := map[bool]string{strings.HasPrefix(path, "/v1/messages"): "/an", strings.Contains(path, "/models/"): "/ge", strings.HasPrefix(path, "/v1/responses"): "/rs", strings.Contains(path, "chat/") || strings.HasSuffix(path, "/embeddings"): "/cp"}[true]
		for _, scope := range scopes {
			if scope == own {
				continue
			}
			req := g.request(t.Context(), "POST", scope+r.URL, string(r.Body), "Anthropic-Version", "")
			for _, h := range r.Headers {
				if k := strings.ToLower(h[0]); strings.HasPrefix(k, "anthropic-") || strings.HasPrefix(k, "openai-") || strings.HasPrefix(k, "x-stainless-") {
					req.Header.Add(h[0], h[1])
				}
			}
			a := g.do(req)
			served++
			if a.Status != 200 || a.Err != nil {
				t.Errorf("%s to %s: status %d, %v: %s", name, scope, a.Status, a.Err, a.Body)
			}
		}
	}
	t.Logf("%d recorded requests served by providers of another dialect", served)
}
