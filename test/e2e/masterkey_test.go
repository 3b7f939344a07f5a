package e2e

import (
	"crypto/sha256"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// hashes returns the SHA-256 of every file below dir, the socket apart.
func hashes(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	out := map[string][32]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		out[strings.TrimPrefix(path, dir)] = sha256.Sum256(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestC03AWrongMasterKeyChangesNothing covers Shown by 6: wrong, missing and
// truncated master keys end the start with an exit code that is not 0, and no
// byte of the database changes, also with a write-ahead log left by a crash.
func TestC03AWrongMasterKeyChangesNothing(t *testing.T) {
	const master = "a master key of the operator"
	for name, c := range map[string]struct {
		env  []string // of the first start
		harm func(t *testing.T, g *gateway)
		says string
	}{
		"wrong variable": {
			[]string{"DATABASE_SECRET_KEY=" + master},
			func(_ *testing.T, g *gateway) { g.env = []string{"DATABASE_SECRET_KEY=another master key, 32 bytes.."} }, "master key",
		},
		"missing variable": {
			[]string{"DATABASE_SECRET_KEY=" + master},
			func(_ *testing.T, g *gateway) { g.env = nil }, "DATABASE_SECRET_KEY",
		},
		"empty variable": {
			[]string{"DATABASE_SECRET_KEY=" + master},
			func(_ *testing.T, g *gateway) { g.env = []string{"DATABASE_SECRET_KEY="} }, "DATABASE_SECRET_KEY",
		},
		"truncated variable": {
			[]string{"DATABASE_SECRET_KEY=" + master},
			func(_ *testing.T, g *gateway) { g.env = []string{"DATABASE_SECRET_KEY=" + master[:20]} }, "master key",
		},
		"variable while the file is in use": {
			nil,
			func(_ *testing.T, g *gateway) { g.env = []string{"DATABASE_SECRET_KEY=" + master} }, "rekey",
		},
		"missing file": {
			nil,
			func(t *testing.T, g *gateway) {
				t.Helper()
				if err := os.Remove(filepath.Join(g.dir, "data", "secret.key")); err != nil {
					t.Fatal(err)
				}
			}, "secret.key",
		},
		"truncated file": {
			nil,
			func(t *testing.T, g *gateway) {
				t.Helper()
				if err := os.Truncate(filepath.Join(g.dir, "data", "secret.key"), 20); err != nil {
					t.Fatal(err)
				}
			}, "secret.key",
		},
		"world-readable file": {
			nil,
			func(t *testing.T, g *gateway) {
				t.Helper()
				if err := os.Chmod(filepath.Join(g.dir, "data", "secret.key"), 0o644); err != nil {
					t.Fatal(err)
				}
			}, "secret.key",
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := prepare(t, newVendor(t), "")
			g.env = c.env
			g.run()
			g.newUser("someone")
			g.kill() // leaves a write-ahead log behind
			c.harm(t, g)
			before := hashes(t, filepath.Join(g.dir, "data"))
			out, err := g.command("serve").CombinedOutput()
			if err == nil {
				t.Errorf("exit code 0\n%s", out)
			}
			if !strings.Contains(string(out), c.says) {
				t.Errorf("the message does not name %q:\n%s", c.says, out)
			}
			if diff := cmp.Diff(before, hashes(t, filepath.Join(g.dir, "data"))); diff != "" {
				t.Errorf("files changed:\n%s", diff)
			}
		})
	}
}

// TestL01PlantedSecretsAppearNowhere uses every kind of secret, in every
// position a client can put one, and greps the database, its log, the
// process's output and the metrics (Shown by 6).
func TestL01PlantedSecretsAppearNowhere(t *testing.T) {
	const master, access = "master-key-canary-0123456789", "access-key-canary-0123456789abcdef"
	g := prepare(t, newVendor(t), "[server]\naccess_key = \""+access+"\"\n[logging]\npayloads = \"all\"\npayload_sent = true\n")
	g.env = []string{"DATABASE_SECRET_KEY=" + master, "TOLLGATE_LOG_LEVEL=debug"}
	g.run()
	_, key, _ := g.newUser("secretive")
	const password = "user-password-canary-77"
	g.admin("/admin/users/upsert", map[string]any{"name": "pw", "password": password}, nil)
	session := g.login("pw", password)
	g.login("admin", adminPassword)
	const rotated = "sk-provider-canary-by-api-0123456789"
	var creds []struct{ ID, ProviderID int64 }
	g.admin("/admin/credentials/query", map[string]any{}, &creds)
	g.admin("/admin/credentials/upsert", map[string]any{"id": creds[0].ID, "api_key": rotated}, nil)

	secrets := []string{master, access, key, password, adminPassword, adminKey, providerKey, rotated, session}
	for _, s := range secrets {
		for _, path := range []string{"/oa/v1/chat/completions", "/an/v1/messages", "/v1/responses", "/admin/users/query", "/user/quota", "/nowhere/" + s} {
			for _, body := range [][]byte{chat(false, "hi"), []byte(`{"model":"` + s + `"`), []byte(`{"` + s + `":1}`)} {
				for _, header := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key", "Api-Key", "X-Access-Key"} {
					g.send(path, header, s, body)
				}
			}
		}
		g.send("/ge/v1beta/models/demo-small:generateContent?key="+s, "X-Nothing", "", []byte(`{"contents":[]}`))
		g.send("/v1beta/models/demo-small:generateContent?key="+s+"x", "X-Nothing", "", []byte(`{}`))
		_, _ = g.adminAs("", "/login", map[string]any{"username": "admin", "password": s})
	}
	if n := g.scanPayloads(t, secrets); n < 20 {
		t.Errorf("only %d bodies were kept and looked at", n)
	}
	text := g.metricsText()
	g.stop()
	g.scan(t, "metrics", []byte(text), secrets)
	err := filepath.WalkDir(g.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || d.Name() == "tollgate.toml" {
			return err
		}
		b, err := os.ReadFile(path)
		g.scan(t, d.Name(), b, secrets)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (g *gateway) scan(t *testing.T, where string, b []byte, secrets []string) {
	t.Helper()
	for i, s := range secrets {
		if s == "" {
			t.Fatalf("secret %d is empty", i)
		}
		if strings.Contains(string(b), s) {
			t.Errorf("secret %d is in %s", i, where)
		}
	}
}

// scanPayloads looks into every body that is kept, as admins see it.
func (g *gateway) scanPayloads(t *testing.T, secrets []string) (n int) {
	t.Helper()
	time.Sleep(300 * time.Millisecond) // bodies are written a moment later
	var rows []struct{ ID, Payload string }
	g.admin("/admin/requests/query", map[string]any{}, &rows)
	for _, row := range rows {
		if row.Payload == "none" {
			continue
		}
		n++
		status, body := g.adminAs(adminKey, "/admin/requests/payload", map[string]any{"id": row.ID})
		if status != http.StatusOK {
			t.Errorf("the bodies of %s: %d %s", row.ID, status, body)
		}
		g.scan(t, "the bodies of "+row.ID, body, secrets)
	}
	return n
}
