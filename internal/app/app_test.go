package app_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"tollgate/internal/app"
	"tollgate/internal/config"
)

// load reads a configuration as the command does.
func load(t *testing.T, dir string, extra ...string) config.Config {
	t.Helper()
	environ := append([]string{
		"TOLLGATE_DATA_DIR=" + filepath.Join(dir, "data"), "TOLLGATE_PORT=0", "TOLLGATE_DRAIN_TIMEOUT=1s",
		"TOLLGATE_ADMIN_PASSWORD=a password of the test", "TOLLGATE_ADMIN_API_KEY=sk-admin-of-the-test",
	}, extra...)
	cfg, err := config.Load(config.Sources{Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func get(t *testing.T, url, key string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestTheSameValueRunsInATestAndLeavesNothingBehind(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := t.TempDir()
	var out bytes.Buffer
	a, err := app.New(t.Context(), app.Options{Config: load(t, dir), Log: slog.New(slog.DiscardHandler), Stdout: &out, Environ: []string{"GOGC=100"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	base := "http://" + a.Addr()
	if status, body := get(t, base+"/readyz", ""); status != http.StatusOK {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if status, body := get(t, base+"/metrics", "sk-admin-of-the-test"); status != http.StatusOK || !strings.Contains(body, "tollgate_build_info") {
		t.Errorf("/metrics: %d %.200s", status, body)
	}
	if strings.Contains(out.String(), "sk-admin-of-the-test") || strings.Contains(out.String(), "a password of the test") {
		t.Error("what the operator gave was printed")
	}
	for range 2 { // Stop may be called more than once
		if err := a.Stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
}

func TestReloadChangesWhatItMayAndKeepsTheRest(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	level := new(slog.LevelVar)
	a, err := app.New(t.Context(), app.Options{Config: load(t, dir), Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})), Level: level, Environ: []string{"GOGC=100"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if err := a.Reload(t.Context(), load(t, dir, "TOLLGATE_LOG_LEVEL=warn", "TOLLGATE_HOST=127.0.0.2")); err != nil {
		t.Fatal(err)
	}
	if level.Level() != slog.LevelWarn {
		t.Errorf("level %v", level.Level())
	}
	if !strings.Contains(log.String(), "next restart") || !strings.Contains(log.String(), "host") {
		t.Errorf("the host's change is not announced: %s", &log)
	}
}

func TestAFailedStartLeavesTheDatabaseFree(t *testing.T) {
	dir := t.TempDir()
	first, err := app.New(t.Context(), app.Options{Config: load(t, dir), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.New(t.Context(), app.Options{Config: load(t, dir), Log: slog.New(slog.DiscardHandler)}); err == nil {
		t.Fatal("two processes own one database")
	}
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := app.New(t.Context(), app.Options{Config: load(t, dir), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("the database is not free again: %v", err)
	}
	if err := again.Stop(t.Context()); err != nil {
		t.Error(err)
	}
}
