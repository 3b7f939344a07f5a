package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDrainLetsLiveStreamsFinish sends SIGTERM while streams are open: short
// ones finish, one that outlives the drain timeout gets the error event, and
// new requests are refused at once (SECURITY 4.10).
func TestDrainLetsLiveStreamsFinish(t *testing.T) {
	g := start(t, newVendor(t), "", "serve", "--drain-timeout", "2s")
	_, key, _ := g.newUser("streamer")
	type result struct {
		end   streamEnd
		short bool
	}
	results := make(chan result, 8)
	for i := range 8 {
		opened := make(chan struct{})
		text := "[[demo:slow=40ms]] [[demo:tokens=20]] short"
		if i == 0 {
			text = "[[demo:slow=50ms]] [[demo:tokens=2000]] long"
		}
		go func() { results <- result{g.readStreamOf(t.Context(), key, text, opened), i != 0} }()
		<-opened
	}
	began := time.Now()
	if err := g.signal(syscall.SIGTERM, 8*time.Second); err != nil {
		t.Errorf("exit: %v\n%s", err, g.output())
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the process took %v to leave", took)
	}
	for range 8 {
		r := <-results
		if r.short && r.end.last != "data: [DONE]" {
			t.Errorf("a short stream was cut: %q", r.end.last)
		}
		if !r.short && (r.end.clean || !strings.Contains(r.end.last, `"error"`)) {
			t.Errorf("the long stream ended with %q, clean %v", r.end.last, r.end.clean)
		}
	}
	g.run()
	if rows := len(g.usages()); rows != 8 {
		t.Errorf("%d usage rows for 8 streams", rows)
	}
}

// TestB05BackupAndRestore takes a backup from the running gateway and restores
// it in a fresh folder with the key; without the key, or with another one, the
// restore is refused and nothing is written.
func TestB05BackupAndRestore(t *testing.T) {
	const master = "a master key that moves along"
	g := prepare(t, newVendor(t), "")
	g.env = []string{"DATABASE_SECRET_KEY=" + master}
	g.run()
	_, key, _ := g.newUser("keeper")
	if status, _, body, err := g.post(t.Context(), "/oa/v1/chat/completions", key, chat(false, "hi")); err != nil || status != http.StatusOK {
		t.Fatalf("%d %v %s", status, err, body)
	}
	file := filepath.Join(t.TempDir(), "tollgate.backup")
	out, err := g.command("backup", file).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "master key") {
		t.Fatalf("backup: %v\n%s", err, out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the backup's mode: %v %v", info.Mode(), err)
	}

	fresh := prepare(t, nil, "")
	fresh.vendor = g.vendor
	fresh.env = []string{"DATABASE_SECRET_KEY=another master key of 32 bytes"}
	if out, err := fresh.command("restore", file).CombinedOutput(); err == nil || !strings.Contains(string(out), "master key") {
		t.Errorf("restore with another key: %v\n%s", err, out)
	}
	if left, _ := filepath.Glob(filepath.Join(fresh.dir, "data", "*.db*")); len(left) != 0 {
		t.Errorf("the refused restore left %v", left)
	}
	fresh.env = g.env
	if out, err := fresh.command("restore", file).CombinedOutput(); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	_ = os.Remove(filepath.Join(fresh.dir, "tollgate.toml"))
	conf, _ := os.ReadFile(filepath.Join(g.dir, "tollgate.toml"))
	if err := os.WriteFile(filepath.Join(fresh.dir, "tollgate.toml"), conf, 0o600); err != nil {
		t.Fatal(err)
	}
	fresh.run()
	if status, _, body, err := fresh.post(t.Context(), "/oa/v1/chat/completions", key, chat(false, "hi")); err != nil || status != http.StatusOK {
		t.Errorf("the key after the restore: %d %v %s", status, err, body)
	}
	if rows := len(fresh.usages()); rows != 2 {
		t.Errorf("%d usage rows, want the old one and the new one", rows)
	}
	// A restore never overwrites.
	fresh.stop()
	if out, err := fresh.command("restore", file).CombinedOutput(); err == nil {
		t.Errorf("restore over a database went through:\n%s", out)
	}
}

// TestC04RekeyIsOnlineAndResumable changes the master key of the running
// gateway while requests go on, kills it in between, and checks that the old
// key is refused afterwards.
func TestC04RekeyIsOnlineAndResumable(t *testing.T) {
	const before, after = "the master key before rekeying", "the master key after rekeying.."
	g := prepare(t, newVendor(t), "")
	g.env = []string{"DATABASE_SECRET_KEY=" + before}
	g.run()
	_, key, _ := g.newUser("steady")
	stop, failed := make(chan struct{}), make(chan string, 1)
	go func() {
		defer close(failed)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if status, _, body, err := g.post(t.Context(), "/oa/v1/chat/completions", key, chat(false, "hi")); err != nil || status != http.StatusOK {
				failed <- string(body)
				return
			}
		}
	}()
	rekey := g.command("rekey")
	rekey.Env = append(rekey.Env, "DATABASE_SECRET_KEY="+after, "DATABASE_SECRET_KEY_PREVIOUS="+before)
	if out, err := rekey.CombinedOutput(); err != nil {
		t.Fatalf("rekey: %v\n%s", err, out)
	}
	close(stop)
	if body, bad := <-failed; bad {
		t.Errorf("a request failed during rekey: %s", body)
	}
	g.kill()
	if out, err := g.command("serve").CombinedOutput(); err == nil {
		t.Errorf("the old key still opens the database:\n%s", out)
	}
	g.env = []string{"DATABASE_SECRET_KEY=" + after}
	g.run()
	if status, _, body, err := g.post(t.Context(), "/oa/v1/chat/completions", key, chat(false, "hi")); err != nil || status != http.StatusOK {
		t.Errorf("after rekey: %d %v %s", status, err, body)
	}
}

// TestDriftIsReportedAndImported edits the file after the first start.
func TestDriftIsReportedAndImported(t *testing.T) {
	v := newVendor(t)
	g := start(t, v, "[[users]]\nname = \"alice\"\npassword = \"plain-or-argon2-phc\"\nenabled = true\n[[users.keys]]\napi_key = \"sk-user-alice-1\"\nlabel = \"default\"\nenabled = true\n")
	g.stop()
	path := filepath.Join(g.dir, "tollgate.toml")
	conf, _ := os.ReadFile(path)
	conf = append([]byte("[[users]]\nname = \"bob\"\n"), conf...)
	if err := os.WriteFile(path, conf, 0o600); err != nil {
		t.Fatal(err)
	}
	g.run()
	if out := g.output(); !strings.Contains(out, "import") || !strings.Contains(out, "bob") {
		t.Errorf("drift is not reported:\n%s", out)
	}
	plan, err := g.command("import", "--plan").CombinedOutput()
	if err != nil || !strings.Contains(string(plan), "bob") {
		t.Errorf("import --plan: %v\n%s", err, plan)
	}
	users := func() (names []string) {
		var rows []struct{ Name string }
		g.admin("/admin/users/query", map[string]any{}, &rows)
		for _, r := range rows {
			names = append(names, r.Name)
		}
		return names
	}
	if got := users(); strings.Contains(strings.Join(got, " "), "bob") {
		t.Errorf("the plan changed the database: %v", got)
	}
	if out, err := g.command("import").CombinedOutput(); err != nil {
		t.Fatalf("import: %v\n%s", err, out)
	}
	if got := users(); !strings.Contains(strings.Join(got, " "), "bob") || !strings.Contains(strings.Join(got, " "), "alice") {
		t.Errorf("after the import: %v", got)
	}
	export, err := g.command("export").Output()
	if err != nil || !strings.Contains(string(export), `name = `) || strings.Contains(string(export), "sk-user-alice-1") {
		t.Errorf("export: %v\n%s", err, export)
	}
}

// TestOperationalRoutes looks at the routes of operators.
func TestOperationalRoutes(t *testing.T) {
	g := start(t, newVendor(t), "")
	_, userKey, _ := g.newUser("plain")
	for _, c := range []struct {
		method, path, key string
		status            int
	}{
		{"GET", "/healthz", "", 200},
		{"GET", "/readyz", "", 200},
		{"GET", "/version", "", 200},
		{"GET", "/metrics", "", 401},
		{"GET", "/metrics", userKey, 403},
		{"GET", "/metrics", adminKey, 200},
		{"GET", "/openapi.json", "", 401},
		{"GET", "/openapi.json", userKey, 200},
		{"GET", "/docs", userKey, 200},
		{"HEAD", "/", "", 200},
		{"HEAD", "/api/hello", "", 200},
		{"GET", "/v1/models", userKey, 200},
		{"GET", "/v1/models", "", 401},
	} {
		req, _ := http.NewRequestWithContext(t.Context(), c.method, g.url+c.path, nil)
		if c.key != "" {
			req.Header.Set("Authorization", "Bearer "+c.key)
		}
		resp, err := g.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if c.path == "/version" {
			var v struct{ Version string }
			if err := json.NewDecoder(resp.Body).Decode(&v); err != nil || v.Version == "" {
				t.Errorf("/version: %v %+v", err, v)
			}
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, resp.StatusCode, c.status)
		}
	}
}
