// Package sso signs in to the real binary through real OpenID providers and
// their own login pages: Dex, and the npm package oidc-provider. A module of
// its own, because nothing of Dex belongs into the gateway's.
package sso

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the gateway, built once by TestMain.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tollgate-sso-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "tollgate")
	build := exec.Command("go", "build", "-o", binary, "./cmd/tollgate")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the gateway: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

const (
	adminPassword = "the admin's own long password"
	adminKey      = "sk-admin-of-the-sso-suite"
)

type gateway struct {
	*testing.T
	url string
	log *os.File
}

func address(port int) string { return fmt.Sprintf("http://127.0.0.1:%d", port) }

// start runs the binary on port with a configuration file.
func start(t *testing.T, port int, toml string) *gateway {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "tollgate.toml"), []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{t, address(port), log}
	cmd := exec.Command(binary)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = []string{
		"HOME=" + dir, fmt.Sprintf("TOLLGATE_PORT=%d", port), "TOLLGATE_DATA_DIR=" + filepath.Join(dir, "data"), "TOLLGATE_PUBLIC_URL=" + g.url,
		"TOLLGATE_ADMIN_PASSWORD=" + adminPassword, "TOLLGATE_ADMIN_API_KEY=" + adminKey, "OIDC_SECRET=" + clientSecret,
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("the gateway's log:\n%s", text)
		}
		_ = log.Close()
	})
	for range 150 {
		if res, err := http.Get(g.url + "/healthz"); err == nil {
			_ = res.Body.Close()
			return g
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("the gateway did not answer")
	return nil
}

// browser is a client with cookies, without scripts.
type browser struct {
	*gateway
	client *http.Client
	at     *url.URL // of the page that is shown
	page   string
}

func (g *gateway) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.Fatal(err)
	}
	return &browser{gateway: g, client: &http.Client{Jar: jar, Timeout: 20 * time.Second}}
}

// open shows a page, with redirects of both kinds followed.
func (b *browser) open(res *http.Response, err error) {
	b.Helper()
	for {
		if err != nil {
			b.Fatal(err)
		}
		body, readErr := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if readErr != nil {
			b.Fatal(readErr)
		}
		b.at, b.page = res.Request.URL, string(body)
		to, ok := strings.CutPrefix(res.Header.Get("Refresh"), "0;url=")
		if !ok {
			return
		}
		res, err = b.client.Get(b.url + to)
	}
}

func (b *browser) get(address string) {
	b.Helper()
	res, err := b.client.Get(address)
	b.open(res, err)
}

// submit fills the form of the page in; what is hidden in it goes along.
func (b *browser) submit(fields map[string]string) {
	b.Helper()
	form := regexp.MustCompile(`<form[^>]*>`).FindString(b.page)
	if form == "" {
		b.Fatalf("no form at %s:\n%.2000s", b.at, b.page)
	}
	to := b.at
	if m := regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(form); m != nil {
		var err error
		if to, err = b.at.Parse(html.UnescapeString(m[1])); err != nil {
			b.Fatal(err)
		}
	}
	values := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(b.page, -1) {
		if _, seen := values[m[1]]; !seen { // of several forms, the first is the one that consents
			values.Set(m[1], html.UnescapeString(m[2]))
		}
	}
	for name, value := range fields {
		values.Set(name, value)
	}
	res, err := b.client.PostForm(to.String(), values)
	b.open(res, err)
}

// call sends a command to the API and decodes its answer into out.
func (b *browser) call(path string, body, out any) int {
	b.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		b.Fatal(err)
	}
	res, err := b.client.Post(b.url+path, "application/json", bytes.NewReader(text))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		b.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		b.Logf("%s: %d %s", path, res.StatusCode, answer)
	}
	if out != nil && res.StatusCode == http.StatusOK {
		if err := json.Unmarshal(answer, out); err != nil {
			b.Fatal(err)
		}
	}
	return res.StatusCode
}

type account struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	IsAdmin     bool   `json:"is_admin"`
	IsSuper     bool   `json:"is_super_admin"`
	SSOProvider string `json:"sso_provider"`
	SSOID       string `json:"sso_id"`
}

// me is who is signed in; zero = nobody.
func (b *browser) me() (a account) {
	b.Helper()
	b.call("/user/me", struct{}{}, &a)
	return a
}
