package console_test

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
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

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	body, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// entry finds the script that index.html begins with.
func entry(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`<script[^>]* src="(/console/assets/[^"]+\.js)"`).FindStringSubmatch(text(t, serve(t, http.MethodGet, "/console/").Body))
	if m == nil {
		t.Fatal("index.html has no script")
	}
	return m[1]
}

func TestEveryDeepLinkIsThePage(t *testing.T) {
	for _, target := range []string{"/console/", "/console/index.html", "/console/keys", "/console/admin/users/7", "/console/admin/users/a.b", "/console/none.js"} {
		res := serve(t, http.MethodGet, target)
		if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/html; charset=utf-8" || res.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d %v", target, res.StatusCode, res.Header)
		}
		if res.Header.Get("ETag") != "" {
			t.Errorf("%s has an entity tag; a nonce must not be answered twice", target)
		}
	}
}

func TestThePageLetsInOnlyItsOwnStyles(t *testing.T) {
	policy := regexp.MustCompile(`^default-src 'none'; script-src 'self'; style-src 'self' 'nonce-([A-Z2-7]{20,})'; .*frame-ancestors 'none'`)
	seen := map[string]bool{}
	for range 3 {
		res := serve(t, http.MethodGet, "/console/")
		csp := res.Header.Get("Content-Security-Policy")
		m := policy.FindStringSubmatch(csp)
		if m == nil || strings.Contains(csp, "unsafe") {
			t.Fatalf("policy: %s", csp)
		}
		body := text(t, res.Body)
		if seen[m[1]] || !strings.Contains(body, `nonce="`+m[1]+`"`) {
			t.Errorf("the nonce %s is not this answer's alone", m[1])
		}
		seen[m[1]] = true
		for _, bad := range []string{"<style", " style=", "TOLLGATE_"} {
			if strings.Contains(body, bad) {
				t.Errorf("the page holds %q", bad)
			}
		}
		if regexp.MustCompile(`<script[^>]*>[^<]|\son[a-z]+=`).MatchString(body) {
			t.Errorf("the page holds an inline script: %s", body)
		}
	}
}

func TestHashedFilesAreKeptForeverAndCompressed(t *testing.T) {
	script := entry(t)
	plain := text(t, serve(t, http.MethodGet, script).Body)
	for accept, want := range map[string]string{
		"": "", "identity": "", "gzip": "gzip", "gzip, deflate, br": "br", "br;q=0, gzip;q=0.5": "gzip", "gzip;q=0": "", "zstd": "",
	} {
		res := serve(t, http.MethodGet, script, header("Accept-Encoding", accept))
		h := res.Header
		if res.StatusCode != 200 || h.Get("Content-Encoding") != want || h.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: %d %v", accept, res.StatusCode, h)
		}
		if h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("Content-Type") != "text/javascript; charset=utf-8" {
			t.Errorf("%q: %v", accept, h)
		}
		if want == "gzip" {
			unpacked, err := gzip.NewReader(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if text(t, unpacked) != plain {
				t.Error("unpacked, it is another file")
			}
		}
	}
	if res := serve(t, http.MethodGet, "/console/assets/gone-12345678.js"); res.StatusCode != 404 {
		t.Errorf("a script of another build: %d", res.StatusCode)
	}
}

func TestOtherFilesAreAskedForAgain(t *testing.T) {
	res := serve(t, http.MethodGet, "/console/icon.svg")
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "image/svg+xml" || res.Header.Get("Cache-Control") != "no-cache" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	if again := serve(t, http.MethodGet, "/console/icon.svg", header("If-None-Match", res.Header.Get("ETag"))); again.StatusCode != http.StatusNotModified {
		t.Errorf("again: %d", again.StatusCode)
	}
}

func TestThePageKnowsItsBuild(t *testing.T) {
	var told struct{ Build string }
	if err := json.NewDecoder(serve(t, http.MethodGet, "/console/build.json").Body).Decode(&told); err != nil {
		t.Fatal(err)
	}
	if page := text(t, serve(t, http.MethodGet, "/console/").Body); told.Build == "" || !strings.Contains(page, `content="`+told.Build+`"`) {
		t.Errorf("build %q is not in the page", told.Build)
	}
}

func TestRedirectsAndProbe(t *testing.T) {
	for _, target := range []string{"/", "/console"} {
		if res := serve(t, http.MethodGet, target); res.StatusCode != 302 || res.Header.Get("Location") != "/console/" {
			t.Errorf("%s: %d %s", target, res.StatusCode, res.Header.Get("Location"))
		}
	}
	foreign := func(r *http.Request) { r.Host = "any.example" }
	if res := serve(t, http.MethodHead, "/", foreign); res.StatusCode != 200 {
		t.Errorf("HEAD /: %d", res.StatusCode)
	}
	if res := serve(t, http.MethodGet, "/console/", foreign); res.StatusCode != 403 {
		t.Errorf("under another name: %d", res.StatusCode)
	}
}

// TestSourcesKeepToThePolicy reads what is written by hand: no markup from
// text, no token kept in the browser, nothing fetched from outside.
func TestSourcesKeepToThePolicy(t *testing.T) {
	bad := regexp.MustCompile(`dangerouslySetInnerHTML|innerHTML|sessionStorage|indexedDB|session_token|\beval\(|new Function|https?://(?:[a-z0-9-]+\.)+[a-z]{2,}`)
	allowed := strings.NewReplacer("http://www.w3.org/2000/svg", "")
	kept := regexp.MustCompile(`localStorage\.\w+\((\w+)`)
	n := 0
	err := filepath.WalkDir("../../console/src", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, "schema.d.ts") || strings.HasSuffix(name, ".gen.ts") {
			return err
		}
		n++
		body, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, found := range bad.FindAllString(allowed.Replace(string(body)), -1) {
			t.Errorf("%s holds %q", name, found)
		}
		for _, m := range kept.FindAllStringSubmatch(string(body), -1) {
			if m[1] != "kept" { // the language
				t.Errorf("%s keeps %s in localStorage", name, m[1])
			}
		}
		return nil
	})
	if err != nil || n < 50 {
		t.Fatal(n, err)
	}
}

// TestBothLanguagesSayTheSame compares the texts of every area key by key.
func TestBothLanguagesSayTheSame(t *testing.T) {
	files, err := filepath.Glob("../../console/src/areas/*/en.json")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, en := range append(files, "../../console/src/i18n/locales/en.json") {
		english, chinese := keys(t, en), keys(t, filepath.Join(filepath.Dir(en), "zh.json"))
		for key, said := range english {
			other, ok := chinese[key]
			if strings.HasSuffix(key, "_one") {
				continue // Chinese has one form for every number
			}
			if !ok || holes(said) != holes(other) {
				t.Errorf("%s: %s is %q and %q", en, key, said, other)
			}
		}
		for key := range chinese {
			if _, ok := english[key]; !ok {
				t.Errorf("%s lacks %s", en, key)
			}
		}
	}
}

func keys(t *testing.T, name string) map[string]string {
	t.Helper()
	body, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := json.Unmarshal(body, &tree); err != nil {
		t.Fatal(name, err)
	}
	out := map[string]string{}
	var walk func(prefix string, node map[string]any)
	walk = func(prefix string, node map[string]any) {
		for key, v := range node {
			switch v := v.(type) {
			case string:
				out[prefix+key] = v
			case map[string]any:
				walk(prefix+key+".", v)
			default:
				t.Errorf("%s: %s%s is no text", name, prefix, key)
			}
		}
	}
	walk("", tree)
	return out
}

// holes counts what is filled into a text, by name.
func holes(said string) string {
	names := regexp.MustCompile(`\{\{\w+\}\}`).FindAllString(said, -1)
	n := map[string]bool{}
	for _, name := range names {
		n[name] = true
	}
	out, _ := json.Marshal(n)
	return string(out)
}
