package monorelay_test

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/seed"
	"tollgate/internal/seed/monorelay"
)

func sample(t *testing.T) *monorelay.Result {
	t.Helper()
	text, err := os.ReadFile("testdata/config.yml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := monorelay.ReadConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// hashOf makes a hash as MonoRelay does.
func hashOf(t *testing.T, password, salt string) string {
	t.Helper()
	sum, err := pbkdf2.Key(sha256.New, password, []byte(salt), 100_000, 32)
	if err != nil {
		t.Fatal(err)
	}
	return salt + hex.EncodeToString(sum)
}

// usersDB makes a users database with MonoRelay's schema and a column of a
// later version.
func usersDB(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users with a #.db")
	db, err := sql.Open("sqlite", filepath.Join(filepath.Dir(path), "x.db"))
	if err != nil {
		t.Fatal(err)
	}
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT UNIQUE NOT NULL, email TEXT UNIQUE NOT NULL,
		password_hash TEXT NOT NULL, is_active INTEGER DEFAULT 1, is_admin INTEGER DEFAULT 0, is_super_admin INTEGER DEFAULT 0,
		sso_provider TEXT, sso_id TEXT, created_at REAL NOT NULL, last_login REAL, balance REAL DEFAULT 0)`)
	const salt = "00112233445566778899aabbccddeeff"
	add := func(name, email, hash string, active, admin, super int, sso any, balance float64) {
		exec("INSERT INTO users (username, email, password_hash, is_active, is_admin, is_super_admin, sso_provider, sso_id, created_at, balance) VALUES (?,?,?,?,?,?,?,?,1700000000.5,?)",
			name, email, hash, active, admin, super, sso, sso, balance)
	}
	add("alice", "alice@example.com", hashOf(t, "alice's old password", salt), 1, 0, 0, nil, 12.5)
	add("owner", "owner@example.com", hashOf(t, "owner's old password", salt), 1, 1, 1, nil, 0)
	add("octo", "octo@example.com", "SSO:"+strings.Repeat("ab", 32), 1, 0, 0, "github", 0)
	add("left", "no address", "plain-or-broken", 0, 0, 0, nil, 0)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(filepath.Dir(path), "x.db"), path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestInstallationBecomesASeedWithAReport (Shown by 7).
func TestInstallationBecomesASeedWithAReport(t *testing.T) {
	r := sample(t)
	if err := r.AddUsers(t.Context(), usersDB(t), seed.PBKDF2); err != nil {
		t.Fatal(err)
	}
	text, err := r.Document()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := config.ParseSeed("monorelay", text); err != nil {
		t.Errorf("the seed cannot be imported: %v", err)
	}
	golden(t, "testdata/seed.toml", string(text))
	golden(t, "testdata/report.txt", strings.Join(r.Report, "\n")+"\n")
	for _, secret := range []string{"sk-or", "sk-openai", "shared-by", "jwt-secret-of", "access-token-of"} {
		if strings.Contains(strings.Join(r.Report, "\n"), secret) {
			t.Errorf("the report holds %s", secret)
		}
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

func TestOtherFilesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"not YAML":       "a: [1\nb: }",
		"a list":         "- 1\n- 2\n",
		"another config": "server: {port: 1}\n",
		"empty":          "",
		"a bomb":         "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nproviders: {x: *g}\n",
	} {
		if _, err := monorelay.ReadConfig([]byte(text)); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := filepath.Join(t.TempDir(), "users.db")
	if err := os.WriteFile(broken, []byte("not a database at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sample(t).AddUsers(t.Context(), broken, seed.PBKDF2); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
		t.Errorf("a broken database: %v", err)
	}
}

func FuzzReadConfig(f *testing.F) {
	text, err := os.ReadFile("testdata/config.yml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("providers:\n  a: {base_url: 'http://x', keys: [{key: k}, 3, null]}\nmodel_routing: {aliases: {a: b/c, 1: 2}, provider_mapping: {'[': a}}\n"))
	f.Add([]byte("providers: {x: [1], y: {base_url: {}, keys: {}, models: {include: {a: b}}}}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := monorelay.ReadConfig(text)
		if err != nil {
			if tollgate.ErrorCode(err) != tollgate.CodeInvalid {
				t.Fatalf("%v: want CodeInvalid", err)
			}
			return
		}
		if _, err := r.Document(); err != nil {
			t.Fatal(err)
		}
	})
}
