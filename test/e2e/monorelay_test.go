package e2e

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/seed"
)

// TestMonoRelayUsersKeepTheirPasswords (Shown by 7) imports an installation
// into the running gateway; its users sign in with what they had, and are
// hashed anew when they do.
func TestMonoRelayUsersKeepTheirPasswords(t *testing.T) {
	g := start(t, nil, "")
	there := t.TempDir()
	conf, err := os.ReadFile("../../internal/seed/monorelay/testdata/config.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(there, "config.yml"), conf, 0o600); err != nil {
		t.Fatal(err)
	}
	makeUsers(t, filepath.Join(there, "data", "users.db"), map[string]string{"alice": "alice's old password", "bob": "bob's old password"})

	out, err := g.command("import", "monorelay", there, "--plan").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "create user alice") || !strings.Contains(string(out), "not as it was: server.access_key") {
		t.Fatalf("plan: %v\n%s", err, out)
	}
	if out, err = g.command("import", "monorelay", there).CombinedOutput(); err != nil {
		t.Fatalf("import: %v\n%s", err, out)
	}
	for _, secret := range []string{"sk-or-v1", "sk-openai", "shared-by", "old password"} {
		if strings.Contains(string(out), secret) {
			t.Errorf("the report holds %s", secret)
		}
	}
	if status, _ := g.adminAs("", "/login", map[string]any{"username": "alice", "password": "not her password"}); status != 401 {
		t.Errorf("a wrong password: %d", status)
	}
	g.login("alice", "alice's old password")
	g.login("alice", "alice's old password") // with the new hash
	session := g.login("admin", adminPassword)
	plain, err := seed.Decrypt([]byte(exportOf(g, session, true)), tollgate.NewSecret(exportPassphrase))
	if err != nil {
		t.Fatal(err)
	}
	for user, form := range map[string]string{"alice": "$argon2id$", "bob": "$pbkdf2-sha256$"} {
		_, rest, _ := strings.Cut(string(plain), "name = \""+user+"\"\npassword = \"")
		if !strings.HasPrefix(rest, form) {
			t.Errorf("the hash of %s is %.20s, want %s", user, rest, form)
		}
	}
	if out, err := g.command("import", "monorelay", there, "--plan").CombinedOutput(); err != nil || strings.Contains(string(out), "update user") {
		t.Errorf("a second import would change users again: %v\n%s", err, out)
	}
	if out, err := g.command("import", "monorelay", filepath.Join(there, "data", "users.db")).CombinedOutput(); err == nil {
		t.Errorf("a database as config.yml went through:\n%s", out)
	}
}

// makeUsers makes a users database as MonoRelay does.
func makeUsers(t *testing.T, path string, passwords map[string]string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	_, err = db.Exec(`CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE NOT NULL, email TEXT UNIQUE NOT NULL,
		password_hash TEXT NOT NULL, is_active INTEGER DEFAULT 1, is_admin INTEGER DEFAULT 0, created_at REAL NOT NULL, last_login REAL)`)
	if err != nil {
		t.Fatal(err)
	}
	const salt = "00112233445566778899aabbccddeeff"
	for name, password := range passwords {
		sum, err := pbkdf2.Key(sha256.New, password, []byte(salt), 100_000, 32)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("INSERT INTO users (username, email, password_hash, created_at) VALUES (?, ?, ?, 1700000000)", name, name+"@example.com", salt+hex.EncodeToString(sum)); err != nil {
			t.Fatal(err)
		}
	}
}
