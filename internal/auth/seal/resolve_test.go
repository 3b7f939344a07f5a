package seal_test

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/auth/seal"
)

func secret(s string) tollgate.Opt[tollgate.Secret] { return tollgate.Some(tollgate.NewSecret(s)) }

// fileDatabase is what a database sealed with the key file remembers.
func fileDatabase(t *testing.T, source seal.Source) seal.Stored {
	t.Helper()
	_, stored := newKeyring(t)
	stored = maps.Clone(stored)
	stored[seal.MetaSource] = []byte(source)
	return stored
}

const goodKeyFile = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n"

func TestC03ResolveMaster(t *testing.T) {
	long := "a long enough passphrase"
	for name, c := range map[string]struct {
		env, previous tollgate.Opt[tollgate.Secret]
		file          string // contents; empty = no file
		mode          os.FileMode
		database      string // "", file, env, other, unsealed
		wantKey       string
		wantPrevious  string
		wantSource    seal.Source
		wantCreate    bool
		wantErr       string
	}{
		"new, nothing set":              {wantSource: seal.SourceFile, wantCreate: true},
		"new, variable set":             {env: secret(long), wantKey: long, wantSource: seal.SourceEnv},
		"new, file there":               {file: goodKeyFile, wantKey: strings.TrimSpace(goodKeyFile), wantSource: seal.SourceFile},
		"killed before its first write": {database: "unsealed", wantSource: seal.SourceFile, wantCreate: true},
		"variable empty":                {env: secret(""), wantErr: "set but empty"},
		"variable short":                {env: secret("fifteen bytes.."), wantErr: "needs at least 16"},
		"variable of 16 bytes":          {env: secret("sixteen bytes..."), wantKey: "sixteen bytes...", wantSource: seal.SourceEnv},
		"variable is an example":        {env: secret("change-me-to-something-long"), wantErr: "example value"},
		"variable hardly varies":        {env: secret("aaaaaaaaaaaaaaaaaaaaaaaab"), wantErr: "example value"},
		"previous empty":                {env: secret(long), previous: secret(""), wantErr: "DATABASE_SECRET_KEY_PREVIOUS is set but empty"},
		"file in use":                   {file: goodKeyFile, database: "file", wantKey: strings.TrimSpace(goodKeyFile), wantSource: seal.SourceFile},
		"file in use, variable set":     {env: secret(long), file: goodKeyFile, database: "file", wantErr: "tollgate rekey"},
		"file in use but missing":       {database: "file", wantErr: "is missing"},
		"file in use but truncated":     {file: goodKeyFile[:20], database: "file", wantErr: "whole key"},
		"file in use but empty":         {file: "\n", database: "file", wantErr: "whole key"},
		"file readable by group":        {file: goodKeyFile, mode: 0o640, database: "file", wantErr: "read by others"},
		"file readable by all":          {file: goodKeyFile, mode: 0o604, wantErr: "read by others"},
		"variable in use":               {env: secret(long), database: "env", wantKey: long, wantSource: seal.SourceEnv},
		"variable in use, with previous": {
			env: secret(long), previous: secret("the previous passphrase"), database: "env",
			wantKey: long, wantPrevious: "the previous passphrase", wantSource: seal.SourceEnv,
		},
		"variable in use but unset":           {database: "env", wantErr: "set it"},
		"variable in use but unset, old file": {file: goodKeyFile, database: "env", wantErr: "set it"},
		"source unknown":                      {file: goodKeyFile, database: "other", wantErr: "does not say"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			in := seal.Given{Env: c.env, EnvPrevious: c.previous, KeyFile: filepath.Join(dir, seal.KeyFileName), NewDatabase: c.database == ""}
			switch c.database {
			case "":
			case "unsealed":
				in.Meta = metaOf(nil)
			default:
				in.Meta = metaOf(fileDatabase(t, seal.Source(c.database)))
			}
			if c.file != "" {
				if c.mode == 0 {
					c.mode = 0o600
				}
				if err := os.WriteFile(in.KeyFile, []byte(c.file), c.mode); err != nil {
					t.Fatal(err)
				}
			}
			before := listing(t, dir)
			m, err := seal.ResolveMaster(in)
			if got := listing(t, dir); got != before {
				t.Errorf("files changed from %q to %q", before, got)
			}
			if c.wantErr != "" {
				if tollgate.ErrorCode(err) != tollgate.CodeInvalid || !strings.Contains(err.Error(), c.wantErr) {
					t.Fatalf("error = %v, want CodeInvalid with %q", err, c.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if m.Key.Reveal() != c.wantKey || m.Previous.Reveal() != c.wantPrevious || m.Source != c.wantSource || m.Create != c.wantCreate {
				t.Errorf("got key %q, previous %q, source %s, create %v", m.Key.Reveal(), m.Previous.Reveal(), m.Source, m.Create)
			}
		})
	}
}

func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString(e.Name() + "=" + string(text) + ";")
	}
	return b.String()
}

func TestC08KeyFileIsPrivateAndWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", seal.KeyFileName)
	m := seal.Master{Create: true, Source: seal.SourceFile, KeyFile: path}
	if err := m.WriteKeyFile(rand.Reader); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.Stat(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 || dir.Mode().Perm() != 0o700 {
		t.Errorf("modes are %o in %o, want 600 in 700", info.Mode().Perm(), dir.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimSuffix(string(text), "\n"))
	if err != nil || len(raw) != 32 || !strings.HasSuffix(string(text), "\n") {
		t.Errorf("the file holds %d bytes (%v), want 32 as base64url and a newline", len(raw), err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %d files (%v), want the key file alone", len(entries), err)
	}
	key, found, err := seal.ReadKeyFile(path)
	if err != nil || !found || !key.Equal(m.Key) || m.Create {
		t.Errorf("read back: found %v, %v; equal %v; create %v", found, err, key.Equal(m.Key), m.Create)
	}
	again := seal.Master{Create: true, Source: seal.SourceFile, KeyFile: path}
	if err := again.WriteKeyFile(rand.Reader); tollgate.ErrorCode(err) != tollgate.CodeConflict {
		t.Errorf("writing over a key file: %v, want CodeConflict", err)
	}
	if now, _, err := seal.ReadKeyFile(path); err != nil || !now.Equal(m.Key) {
		t.Errorf("the key file changed: %v", err)
	}
	other, err := seal.NewMaster(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := seal.PutKeyFile(path, other, true); err != nil {
		t.Fatal(err)
	}
	if now, _, err := seal.ReadKeyFile(path); err != nil || !now.Equal(other) {
		t.Errorf("the key file was not replaced: %v", err)
	}
}

func TestG02GeneratedKeysAreNeverTakenForExamples(t *testing.T) {
	for range 20_000 {
		key, err := seal.NewMaster(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := seal.CheckMaster("key", key); err != nil {
			t.Fatalf("%v for %q", err, key.Reveal())
		}
	}
}
