// Package e2e drives the real binary from outside: as a newcomer, an admin, a
// user and an operator, with the demo vendor as the provider behind it.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tollgate/internal/demo"
)

// binary is the gateway, built once by TestMain.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tollgate-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	binary = filepath.Join(dir, "tollgate")
	build := exec.Command("go", "build", "-o", binary, "tollgate/cmd/tollgate")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the gateway: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// long reports whether the counts of the issues' Shown-by lines are asked for.
func long() bool { return os.Getenv("TOLLGATE_TEST_LONG") != "" }

// rounds is full in a long run and few otherwise.
func rounds(full, few int) int {
	if long() {
		return full
	}
	return few
}

// Known secrets, planted so that a leak can be searched for.
const (
	adminKey      = "sk-admin-canary-0123456789abcdef"
	adminPassword = "admin-password-canary-42"
	providerKey   = "sk-provider-canary-fedcba9876543210"
)

// gateway is a running process of the real binary.
type gateway struct {
	t      testing.TB
	dir    string // data folder and configuration
	port   int
	url    string
	vendor *vendor
	args   []string
	env    []string
	cmd    *exec.Cmd
	log    *os.File
	bare   bool // no admin credentials by environment
	exited chan error
	client *http.Client
}

// vendor is the fake provider on a port of its own.
type vendor struct {
	*demo.Vendor
	*httptest.Server
}

func newVendor(tb testing.TB) *vendor {
	tb.Helper()
	v := &demo.Vendor{Now: time.Now}
	s := httptest.NewServer(v)
	tb.Cleanup(s.Close)
	return &vendor{Vendor: v, Server: s}
}

func freePort(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		tb.Fatal("no TCP address")
	}
	return addr.Port
}

// prepare lays out a data folder whose configuration has the vendor behind one
// provider of each protocol: oa (openai), an (anthropic), ge (gemini), co
// (openai-compatible); each has two credentials.
func prepare(tb testing.TB, v *vendor, extra string) *gateway {
	tb.Helper()
	g := &gateway{t: tb, dir: tb.TempDir(), port: freePort(tb), vendor: v}
	g.url = "http://127.0.0.1:" + strconv.Itoa(g.port)
	var toml strings.Builder
	toml.WriteString(extra)
	if v != nil {
		addr := v.Listener.Addr().String()
		_, port, _ := net.SplitHostPort(addr)
		fmt.Fprintf(&toml, "\n[upstream]\nallow_private = [\"127.0.0.1/32:%s\"]\n", port)
		for name, kind := range map[string]string{"oa": "openai", "an": "anthropic", "ge": "gemini", "co": "openai-compatible"} {
			fmt.Fprintf(&toml, "\n[[providers]]\nname = %q\nkind = %q\nbase_url = \"http://%s\"\n", name, kind, addr)
			for _, label := range []string{"a", "b"} {
				fmt.Fprintf(&toml, "[[providers.credentials]]\nlabel = %q\napi_key = %q\n", label, providerKey+"-"+name+"-"+label)
			}
			for _, m := range []string{"demo-small", "demo-large", "demo-embed"} {
				fmt.Fprintf(&toml, "[[models]]\nprovider_name = %q\nmodel_id = %q\n", name, m)
			}
		}
	}
	if err := os.WriteFile(filepath.Join(g.dir, "tollgate.toml"), []byte(toml.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
	// The gateway closes connections that were opened in advance and have sent
	// nothing for ten seconds (SECURITY D-01); a client that lets go of them
	// earlier never uses one that is just being closed.
	g.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: 5 * time.Second}, Timeout: time.Minute}
	tb.Cleanup(func() {
		g.client.CloseIdleConnections()
		g.stop()
	})
	return g
}

// start runs the gateway and waits until it is ready.
func start(tb testing.TB, v *vendor, extra string, args ...string) *gateway {
	tb.Helper()
	g := prepare(tb, v, extra)
	g.args = args
	g.run()
	return g
}

// run starts the process and waits until it is ready.
func (g *gateway) run() {
	g.t.Helper()
	g.spawn()
	deadline := time.Now().Add(30 * time.Second)
	for {
		select {
		case err := <-g.exited:
			g.t.Fatalf("the gateway stopped at once: %v\n%s", err, g.output())
		default:
		}
		resp, err := g.client.Get(g.url + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			g.t.Fatalf("the gateway is not ready after 30 s\n%s", g.output())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (g *gateway) spawn() {
	g.t.Helper()
	log, err := os.OpenFile(filepath.Join(g.dir, "stderr.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		g.t.Fatal(err)
	}
	g.log = log
	g.cmd = g.command(g.args...)
	g.cmd.Stdout, g.cmd.Stderr = log, log
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	g.exited = make(chan error, 1)
	go func(cmd *exec.Cmd, exited chan<- error) { exited <- cmd.Wait() }(g.cmd, g.exited)
}

// command prepares the binary with this gateway's environment.
func (g *gateway) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir = g.dir
	cmd.Env = append([]string{
		"HOME=" + g.dir, "PATH=" + os.Getenv("PATH"),
		"TOLLGATE_PORT=" + strconv.Itoa(g.port), "TOLLGATE_DATA_DIR=" + filepath.Join(g.dir, "data"),
	}, g.env...)
	if !g.bare {
		cmd.Env = append(cmd.Env, "TOLLGATE_ADMIN_PASSWORD="+adminPassword, "TOLLGATE_ADMIN_API_KEY="+adminKey)
	}
	return cmd
}

// signal sends sig and waits up to a limit for the exit.
func (g *gateway) signal(sig os.Signal, limit time.Duration) error {
	if g.cmd == nil {
		return errors.New("not running")
	}
	_ = g.cmd.Process.Signal(sig)
	select {
	case err := <-g.exited:
		g.cmd = nil
		_ = g.log.Close()
		return err
	case <-time.After(limit):
		return fmt.Errorf("still running %v after %v", limit, sig)
	}
}

func (g *gateway) kill() { _ = g.signal(syscall.SIGKILL, 10*time.Second) }

func (g *gateway) stop() {
	if g.cmd == nil {
		return
	}
	if err := g.signal(syscall.SIGTERM, 15*time.Second); err != nil && g.cmd != nil {
		g.kill()
		g.t.Errorf("stopping the gateway: %v", err)
	}
}

// whole is all that the processes of this gateway have written.
func (g *gateway) whole() string {
	b, _ := os.ReadFile(filepath.Join(g.dir, "stderr.log"))
	return string(b)
}

// output is the end of whole.
func (g *gateway) output() string {
	s := g.whole()
	return s[max(0, len(s)-8<<10):]
}

// admin calls the admin API as the super admin and decodes the answer.
func (g *gateway) admin(path string, in, out any) {
	g.t.Helper()
	status, body := g.adminAs(adminKey, path, in)
	if status/100 != 2 {
		g.t.Fatalf("POST %s: %d %s", path, status, body)
	}
	if out != nil {
		if err := json.Unmarshal(body, out); err != nil {
			g.t.Fatalf("POST %s: %v in %s", path, err, body)
		}
	}
}

func (g *gateway) adminAs(key, path string, in any) (int, []byte) {
	g.t.Helper()
	b, err := json.Marshal(in)
	if err != nil {
		g.t.Fatal(err)
	}
	status, _, body, err := g.post(g.t.Context(), path, key, b)
	if err != nil {
		g.t.Fatalf("POST %s: %v", path, err)
	}
	return status, body
}

// post sends a JSON body with a Bearer key and reads the whole answer.
func (g *gateway) post(ctx context.Context, path, key string, body []byte) (int, http.Header, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := g.client.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, b, err
}

// newUser makes a user who may use everything, with one key.
func (g *gateway) newUser(name string) (id int64, key string, keyID int64) {
	g.t.Helper()
	var made struct{ ID int64 }
	g.admin("/admin/users/upsert", map[string]any{"name": name}, &made)
	g.admin("/admin/user-permissions/upsert", map[string]any{"user_id": made.ID, "model_pattern": "*"}, nil)
	key, keyID = g.newKey(made.ID)
	return made.ID, key, keyID
}

func (g *gateway) newKey(user int64) (string, int64) {
	g.t.Helper()
	var key struct {
		ID     int64
		APIKey string `json:"api_key"`
	}
	g.admin("/admin/user-keys/generate", map[string]any{"user_id": user, "label": "test"}, &key)
	return key.APIKey, key.ID
}

// chat is a chat-completions body.
func chat(stream bool, text string) []byte {
	b, _ := json.Marshal(map[string]any{
		"model": "demo-small", "stream": stream, "max_tokens": 64,
		"messages": []map[string]string{{"role": "user", "content": text}},
	})
	return b
}

// login signs in and returns the session token.
func (g *gateway) login(name, password string) string {
	g.t.Helper()
	status, body := g.adminAs("", "/login", map[string]any{"username": name, "password": password})
	var out struct {
		Token string `json:"session_token"`
	}
	if err := json.Unmarshal(body, &out); err != nil || status != http.StatusOK || out.Token == "" {
		g.t.Fatalf("login: %d %s", status, body)
	}
	return out.Token
}

// send posts a body with one header and throws the answer away.
func (g *gateway) send(path, header, value string, body []byte) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.url+path, bytes.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(header, value)
	resp, err := g.client.Do(req)
	if err != nil {
		g.t.Fatalf("POST %s: %v", path, err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

// metricsText reads /metrics as the super admin.
func (g *gateway) metricsText() string {
	g.t.Helper()
	req, _ := http.NewRequestWithContext(g.t.Context(), http.MethodGet, g.url+"/metrics", nil)
	req.Header.Set("Authorization", "Bearer "+adminKey)
	resp, err := g.client.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		g.t.Fatalf("/metrics: %d %v", resp.StatusCode, err)
	}
	return string(b)
}

// metric reads one unlabelled sample from /metrics.
func (g *gateway) metric(name string) float64 {
	g.t.Helper()
	for line := range strings.Lines(g.metricsText()) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				g.t.Fatal(err)
			}
			return v
		}
	}
	g.t.Fatalf("no metric %s", name)
	return 0
}

// usageRow is what a test needs of a usage row.
type usageRow struct {
	ID        string `json:"id"`
	RequestID string `json:"request_id"`
	Status    int    `json:"status"` // the provider's; 0 = none came
}

// usages reads every usage row, page by page.
func (g *gateway) usages() []usageRow {
	g.t.Helper()
	var all []usageRow
	for cursor := ""; ; {
		in := map[string]any{}
		if cursor != "" {
			in["cursor"] = cursor
		}
		b, _ := json.Marshal(in)
		status, header, body, err := g.post(g.t.Context(), "/admin/usages/query", adminKey, b)
		if err != nil || status != http.StatusOK {
			g.t.Fatalf("usages/query: %d %v %s", status, err, body)
		}
		var page []usageRow
		if err := json.Unmarshal(body, &page); err != nil {
			g.t.Fatalf("usages/query: %v in %.300s", err, body)
		}
		all = append(all, page...)
		if cursor = header.Get("X-Next-Cursor"); cursor == "" {
			return all
		}
	}
}

// set is a set of request ids that many goroutines fill.
type set struct {
	mu sync.Mutex
	m  map[string]bool
}

func (s *set) add(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m == nil {
		s.m = map[string]bool{}
	}
	s.m[id] = true
}
