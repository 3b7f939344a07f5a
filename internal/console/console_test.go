package console_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/console"
	"tollgate/internal/web"
)

type nobody struct{}

func (nobody) Authenticate(*http.Request) (tollgate.Principal, bool, error) {
	return tollgate.Principal{}, false, nil
}

func serve(t *testing.T, method, target string, change ...func(*http.Request)) *http.Response {
	t.Helper()
	rt := &web.Router{Auth: nobody{}, Now: time.Now}
	if err := console.Mount(rt); err != nil {
		t.Fatal(err)
	}
	if err := rt.Err(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, target, nil)
	r.Host = "localhost:8787"
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	rt.ServeHTTP(w, r)
	return w.Result()
}

func TestConsoleIsServedFromEmbeddedFiles(t *testing.T) {
	for target, want := range map[string]string{
		"/console/": "text/html; charset=utf-8", "/console/index.html": "text/html; charset=utf-8", "/console/app.js": "text/javascript; charset=utf-8",
		"/console/style.css": "text/css; charset=utf-8", "/console/icon.svg": "image/svg+xml",
	} {
		res := serve(t, http.MethodGet, target)
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != want {
			t.Errorf("%s: %d %s", target, res.StatusCode, res.Header.Get("Content-Type"))
		}
		csp := res.Header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: %s", target, csp)
		}
		again := serve(t, http.MethodGet, target, func(r *http.Request) { r.Header.Set("If-None-Match", res.Header.Get("ETag")) })
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", target, again.StatusCode)
		}
	}
	for target, want := range map[string]int{"/": 302, "/console": 302, "/console/none.js": 404, "/console/assets/app.js": 404} {
		if res := serve(t, http.MethodGet, target); res.StatusCode != want {
			t.Errorf("%s: %d", target, res.StatusCode)
		}
	}
	if res := serve(t, http.MethodHead, "/", func(r *http.Request) { r.Host = "any.example" }); res.StatusCode != 200 {
		t.Errorf("HEAD /: %d", res.StatusCode)
	}
	if res := serve(t, http.MethodGet, "/console/", func(r *http.Request) { r.Host = "any.example" }); res.StatusCode != 403 {
		t.Errorf("under another name: %d", res.StatusCode)
	}
}

// TestConsoleFilesKeepToThePolicy reads the sources: nothing inline, nothing
// from outside, no token kept, and both languages say the same things.
func TestConsoleFilesKeepToThePolicy(t *testing.T) {
	files, err := filepath.Glob("assets/*")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	bad := regexp.MustCompile(`(?i)https?://(?:[a-z0-9-]+\.)+[a-z]+|\son[a-z]+=|style=|<script>|innerHTML|localStorage|sessionStorage|session_token|eval\(`)
	allowed := strings.NewReplacer("http://www.w3.org/2000/svg", "",
		"localStorage.getItem(languageKey)", "", "localStorage.setItem(languageKey, language)", "") // the language is all that may be kept
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range bad.FindAllString(allowed.Replace(string(text)), -1) {
			t.Errorf("%s holds %q", file, found)
		}
	}
	js, err := os.ReadFile("assets/app.js")
	if err != nil {
		t.Fatal(err)
	}
	en, zh, _ := strings.Cut(string(js), "\n  zh: {")
	zh, code, _ := strings.Cut(zh, "\n};")
	name := regexp.MustCompile(`(\w+): ["{]`)
	said := map[string]int{}
	for _, m := range name.FindAllStringSubmatch(en[strings.Index(en, "en: {")+5:], -1) {
		said[m[1]]++
	}
	for _, m := range name.FindAllStringSubmatch(zh, -1) {
		said[m[1]]--
	}
	for word, n := range said {
		if n != 0 {
			t.Errorf("%q is not in both languages", word)
		}
	}
	html, err := os.ReadFile("assets/index.html")
	if err != nil {
		t.Fatal(err)
	}
	used := regexp.MustCompile(`data-text="(\w+)"|text\("(\w+)"\)`)
	for _, m := range used.FindAllStringSubmatch(string(html)+code, -1) {
		if _, ok := said[m[1]+m[2]]; !ok {
			t.Errorf("no text %q", m[1]+m[2])
		}
	}
}
