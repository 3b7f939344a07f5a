package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"tollgate/internal/demo"
)

// gatewayKey is the key that the programs call the gateway with.
const gatewayKey = "sk-clients-0123456789abcdef"

// backend is a provider that speaks one dialect alone.
type backend struct{ dialect, kind, model string }

// provider is its name in the gateway.
func (b backend) provider() string { return "demo-" + b.dialect }

func backends() []backend {
	return []backend{
		{"chat", "openai-compatible", "demo-large"},
		{"responses", "openai", "demo-large"},
		{"anthropic", "anthropic", "demo-large"},
		{"gemini", "gemini", "gemini-3-demo"}, // whose calls must come back signed
	}
}

// bed is a gateway in front of a vendor that records what it is sent.
type bed struct {
	dir, url string
	vendor   demo.Vendor
	server   http.Server
	cmd      *exec.Cmd
	exited   chan struct{}

	mu      sync.Mutex
	refused []string // requests that the vendor did not take
}

// start runs the vendor on a port of its own and the gateway binary before it.
func start(ctx context.Context, binary, dir string) (*bed, error) {
	b := &bed{dir: dir, exited: make(chan struct{})}
	b.vendor.AnyModel, b.vendor.Now = true, time.Now
	b.vendor.Record(true)
	b.server = http.Server{Handler: b, ReadHeaderTimeout: time.Minute}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() { _ = b.server.Serve(listener) }()
	if err := b.gateway(ctx, binary, listener.Addr().String()); err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

// gateway starts the binary and waits until it is ready.
func (b *bed) gateway(ctx context.Context, binary, vendor string) error {
	if err := os.WriteFile(filepath.Join(b.dir, "tollgate.toml"), []byte(configuration(vendor)), 0o600); err != nil {
		return err
	}
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(b.dir, "gateway.log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	b.url = "http://127.0.0.1:" + port
	b.cmd = exec.CommandContext(ctx, binary)
	b.cmd.Dir, b.cmd.Stdout, b.cmd.Stderr = b.dir, log, log
	b.cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir, "TOLLGATE_PORT=" + port, "TOLLGATE_DATA_DIR=" + filepath.Join(b.dir, "data"),
		"TOLLGATE_ADMIN_API_KEY=" + gatewayKey, "TOLLGATE_LOG_FORMAT=json",
	}
	if err := b.cmd.Start(); err != nil {
		return err
	}
	go func() {
		defer close(b.exited)
		_ = b.cmd.Wait() // how it ended is in its log
	}()
	return b.ready(ctx)
}

func (b *bed) ready(ctx context.Context) error {
	for range 150 {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.url+"/healthz", http.NoBody)
		if err != nil {
			return err
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			return nil
		}
		select {
		case <-b.exited:
			text, _ := os.ReadFile(filepath.Join(b.dir, "gateway.log"))
			return fmt.Errorf("the gateway stopped before it answered: %s", tail(string(text)))
		case <-time.After(200 * time.Millisecond):
		}
	}
	return errors.New("the gateway did not answer within 30 s")
}

// stop ends both.
func (b *bed) stop() {
	if b.cmd != nil && b.cmd.Process != nil {
		_ = b.cmd.Process.Signal(syscall.SIGTERM)
		<-b.exited
	}
	_ = b.server.Close()
}

// ServeHTTP is the vendor, and notes what it refuses.
func (b *bed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := &watched{ResponseWriter: w}
	b.vendor.ServeHTTP(s, r)
	if s.status >= http.StatusBadRequest {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.refused = append(b.refused, fmt.Sprintf("the vendor answered %d to %s %s: %s", s.status, r.Method, r.URL.Path, s.body))
	}
}

// reset forgets what was recorded, and returns what had been refused.
func (b *bed) reset() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	refused := b.refused
	b.refused = nil
	b.vendor.Reset()
	return refused
}

// watched keeps the status of an answer, and the text of an error.
type watched struct {
	http.ResponseWriter
	status int
	body   []byte
}

// WriteHeader notes the status.
func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the body of an error.
func (w *watched) Write(p []byte) (int, error) {
	if w.status >= http.StatusBadRequest {
		w.body = append(w.body, p...)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets the answer be flushed.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// front is a request of a program as the gateway logged it.
type front struct {
	Method string `json:"method"`
	Path   string `json:"pattern"`
	Status int    `json:"status"`
	Losses string `json:"losses"`
}

// fronts returns the requests that the gateway logged from byte from on, and
// where the log ends.
func (b *bed) fronts(from int64) ([]front, int64, error) {
	text, err := os.ReadFile(filepath.Join(b.dir, "gateway.log"))
	if err != nil {
		return nil, from, err
	}
	var out []front
	lines := bufio.NewScanner(strings.NewReader(string(text[from:])))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var f front
		if json.Unmarshal(lines.Bytes(), &f) == nil && f.Path != "" && f.Path != "/healthz" {
			out = append(out, f)
		}
	}
	return out, int64(len(text)), lines.Err()
}

// configuration names a provider for each dialect, and the aliases.
func configuration(vendor string) string {
	_, port, _ := net.SplitHostPort(vendor)
	var toml strings.Builder
	fmt.Fprintf(&toml, "[upstream]\nallow_private = [\"127.0.0.1/32:%s\"]\n", port)
	for _, b := range backends() {
		fmt.Fprintf(&toml, "\n[[providers]]\nname = %q\nkind = %q\nbase_url = \"http://%s\"\n", b.provider(), b.kind, vendor)
		if b.kind == "openai" {
			toml.WriteString("settings = { dialects = [\"openai-responses\"] }\n")
		}
		fmt.Fprintf(&toml, "[[providers.credentials]]\nlabel = \"a\"\napi_key = \"sk-vendor\"\n[[models]]\nprovider_name = %q\nmodel_id = %q\n", b.provider(), b.model)
	}
	for alias, b := range aliases() {
		fmt.Fprintf(&toml, "\n[[model_aliases]]\nalias = %q\nprovider_name = %q\nmodel_id = %q\n", alias, b.provider(), b.model)
	}
	return toml.String()
}

func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}
