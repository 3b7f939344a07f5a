package e2e

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/net/webdav"
)

// TestConfigSyncRoundTripOverWebDAV (Shown by 6) pushes from one gateway to a
// real WebDAV server and pulls into another, without secrets and with them.
func TestConfigSyncRoundTripOverWebDAV(t *testing.T) {
	v := newVendor(t)
	dir := t.TempDir()
	files := &webdav.Handler{FileSystem: webdav.Dir(dir), LockSystem: webdav.NewMemLS()}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "sync" || password != "dav-password-canary" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	allow := "[upstream]\nallow_private = [\"" + server.Listener.Addr().String() + "\", \"" + v.Listener.Addr().String() + "\"]\n"
	newGateway := func(master string) (*gateway, string) {
		g := prepare(t, nil, "")
		g.vendor = v
		g.env = []string{"DATABASE_SECRET_KEY=" + master}
		writeConfig(t, g, allow)
		g.run()
		return g, g.login("admin", adminPassword)
	}
	from, here := newGateway("the master key of the first instance")
	to, there := newGateway("the master key of the other instance")
	from.admin("/admin/providers/upsert", map[string]any{
		"name": "oa", "kind": "openai", "base_url": "http://" + v.Listener.Addr().String(), "credentials": []any{map[string]any{"label": "a", "api_key": providerKey}},
	}, nil)
	_, key, _ := from.newUser("mover")
	target := map[string]any{
		"name": "dav", "kind": "webdav", "location": server.URL + "/tollgate.toml", "username": "sync", "password": "dav-password-canary",
		"passphrase": exportPassphrase, "with_secrets": true,
	}
	var made struct{ ID int64 }
	from.mustAs(here, "/admin/config-sync/upsert", target, &made)
	to.mustAs(there, "/admin/config-sync/upsert", target, nil)
	id := map[string]any{"id": made.ID}
	from.mustAs(here, "/admin/config-sync/push", id, nil)
	text, err := os.ReadFile(filepath.Join(dir, "tollgate.toml"))
	if err != nil || !strings.HasPrefix(string(text), "-----BEGIN AGE") {
		t.Fatalf("what was pushed: %v %.100s", err, text)
	}

	var pulled struct {
		planned
		TOML string
	}
	to.mustAs(there, "/admin/config-sync/pull", id, &pulled)
	if strings.Contains(exportOf(to, there, false), "mover") {
		t.Error("a pull applied what it should only stage")
	}
	to.mustAs(there, "/admin/config/apply", map[string]any{"toml": pulled.TOML, "token": pulled.Token, "target_id": made.ID}, nil)
	if was, is := exportOf(from, here, false), exportOf(to, to.login("admin", adminPassword), false); was != is {
		t.Errorf("the exports differ:\n%s\n---\n%s", was, is)
	}
	if status, _, body, err := to.post(t.Context(), "/oa/v1/chat/completions", key, chat(false, "hi")); err != nil || status != http.StatusOK {
		t.Errorf("the key elsewhere: %d %v %s", status, err, body)
	}

	// Somebody else pushes: a push from here is refused until it was pulled.
	there = to.login("admin", adminPassword)
	to.mustAs(there, "/admin/config-sync/push", id, nil)
	if status, body := from.adminAs(here, "/admin/config-sync/push", id); status != http.StatusConflict || !strings.Contains(string(body), "changed since") {
		t.Errorf("a push over another's: %d %s", status, body)
	}
	from.mustAs(here, "/admin/config-sync/pull", id, nil)
	from.mustAs(here, "/admin/config-sync/push", id, nil)

	// Secrets are the super admin's; the password stays with its server.
	if status, body := from.adminAs(adminKey, "/admin/config-sync/push", id); status != http.StatusForbidden {
		t.Errorf("secrets pushed by a key: %d %s", status, body)
	}
	other := map[string]any{"id": made.ID, "location": "https://elsewhere.example.com/t.toml"}
	if status, body := from.adminAs(here, "/admin/config-sync/upsert", other); status != http.StatusBadRequest || !strings.Contains(string(body), "never sent elsewhere") {
		t.Errorf("another server with the same password: %d %s", status, body)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = closed.Close() }()
	var inner struct{ ID int64 }
	from.mustAs(here, "/admin/config-sync/upsert", map[string]any{"name": "inner", "kind": "webdav", "location": "http://" + closed.Addr().String() + "/t.toml"}, &inner)
	if status, body := from.adminAs(here, "/admin/config-sync/test", map[string]any{"id": inner.ID}); status != http.StatusServiceUnavailable || !strings.Contains(string(body), "allow_private") {
		t.Errorf("a private address that is not open: %d %s", status, body)
	}
}

// TestConfigSyncFolderStaysInside keeps folder targets below the directory
// that the operator names (SECURITY B-07).
func TestConfigSyncFolderStaysInside(t *testing.T) {
	base, outside := t.TempDir(), t.TempDir()
	g := prepare(t, nil, "[server]\nsync_folder = \""+base+"\"\n")
	g.run()
	session := g.login("admin", adminPassword)
	for _, path := range []string{"../x.toml", "/etc/passwd", "a/../../x", "", ".", "a//b", `a\..\..\x`, "C:x", "a/./b", "a/"} {
		status, body := g.adminAs(session, "/admin/config-sync/upsert", map[string]any{"name": "t", "kind": "folder", "location": path})
		if status != http.StatusBadRequest {
			t.Errorf("%q: %d %s", path, status, body)
		}
	}
	if err := os.Symlink(outside, filepath.Join(base, "out")); err != nil {
		t.Fatal(err)
	}
	var made struct{ ID int64 }
	g.mustAs(session, "/admin/config-sync/upsert", map[string]any{"name": "t", "kind": "folder", "location": "out/x.toml"}, &made)
	for _, op := range []string{"push", "pull", "test"} {
		if status, body := g.adminAs(session, "/admin/config-sync/"+op, map[string]any{"id": made.ID}); status == http.StatusOK {
			t.Errorf("%s through a link to outside: %d %s", op, status, body)
		}
	}
	if left, _ := os.ReadDir(outside); len(left) != 0 {
		t.Errorf("outside there is %v", left)
	}
	g.mustAs(session, "/admin/config-sync/upsert", map[string]any{"id": made.ID, "location": "prod/tollgate.toml"}, nil)
	g.mustAs(session, "/admin/config-sync/push", map[string]any{"id": made.ID}, nil)
	file := filepath.Join(base, "prod", "tollgate.toml")
	text, err := os.ReadFile(file)
	if err != nil || string(text) != exportOf(g, session, false) {
		t.Fatalf("what was pushed: %v %s", err, text)
	}
	if err := os.WriteFile(file, append(text, "\n[[teams]]\nname = \"from-git\"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, body := g.adminAs(session, "/admin/config-sync/push", map[string]any{"id": made.ID}); status != http.StatusConflict {
		t.Errorf("a push over a change in the folder: %d %s", status, body)
	}
	var p planned
	g.mustAs(session, "/admin/config-sync/pull", map[string]any{"id": made.ID}, &p)
	if p.lines() != "create team from-git\n" {
		t.Errorf("the pull plans\n%s", p.lines())
	}
	var versions []struct{ Current bool }
	g.mustAs(session, "/admin/config-sync/versions", map[string]any{"id": made.ID}, &versions)
	if len(versions) != 1 || !versions[0].Current {
		t.Errorf("versions: %v", versions)
	}
	bare := start(t, nil, "")
	session = bare.login("admin", adminPassword)
	bare.mustAs(session, "/admin/config-sync/upsert", map[string]any{"name": "t", "kind": "folder", "location": "x.toml"}, &made)
	if status, body := bare.adminAs(session, "/admin/config-sync/push", map[string]any{"id": made.ID}); status != http.StatusBadRequest || !strings.Contains(string(body), "sync_folder") {
		t.Errorf("a folder where none is open: %d %s", status, body)
	}
}
