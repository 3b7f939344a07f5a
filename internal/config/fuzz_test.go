package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"tollgate/internal/config"
)

// FuzzParseSeed feeds documents to the parser: it never panics (SECURITY
// G-04), names a place for each problem, and what it accepts is written and
// read back to the same seed.
func FuzzParseSeed(f *testing.F) {
	addDocuments(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := config.ParseSeed("f.toml", data)
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if line != "" && !strings.Contains(line, "f.toml") {
					t.Fatalf("a problem without a place: %q", line)
				}
			}
			return
		}
		first := write(t, s)
		again, err := config.ParseSeed("f.toml", first)
		if err != nil {
			t.Fatalf("the export does not parse: %v\n%s", err, first)
		}
		if second := write(t, again); !bytes.Equal(first, second) {
			t.Fatalf("the export changed:\n%s\n---\n%s", first, second)
		}
	})
}

// FuzzLoadFile reads documents as the settings file of a start or a reload.
func FuzzLoadFile(f *testing.F) {
	addDocuments(f)
	path := filepath.Join(f.TempDir(), "f.toml")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(config.Sources{Environ: []string{"TOLLGATE_CONFIG=" + path}})
		if err == nil && (c.Ledger.Location == nil || c.Server.MaxBodyBytes < 1024 || c.Upstream.DialTimeout <= 0 || c.DataDir == "") {
			t.Fatalf("accepted %+v", c)
		}
	})
}

// addDocuments makes seeds of the TOML in the cases.
func addDocuments(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range txtar.Parse(data).Files {
			if strings.HasSuffix(file.Name, ".toml") || file.Name == "seed" {
				f.Add(file.Data)
			}
		}
	}
	f.Add([]byte("users = [{name = \"a\", keys = [{api_key = \"12345678\"}]}]\nquotas.x = 1"))
	f.Add([]byte("[[providers]]\nname='p'\nkind='openai'\nsettings.a.b = [1, 2.50, {c = inf}]\n[providers.settings.d]\ne=1979-05-27\n"))
}

func write(t *testing.T, s config.Seed) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := config.WriteSeed(&b, s, true); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// FuzzLoadText gives each setting arbitrary text.
func FuzzLoadText(f *testing.F) {
	for _, s := range []string{"", "0.0.0.0", "8787", "postgres://u:p@h/d", "10.0.0.0/8,::1", "30s", "https://a:1", "\x00", "*", "[::1]:1"} {
		f.Add(s)
	}
	names := []string{
		"HOST", "PORT", "DSN", "ADMIN_USER", "ADMIN_PASSWORD", "ADMIN_API_KEY", "PUBLIC_URL", "ALLOW_HTTP", "TRUSTED_PROXIES",
		"ALLOWED_HOSTS", "CORS_ORIGINS", "METRICS_ADDR", "LOG_LEVEL", "LOG_FORMAT", "DRAIN_TIMEOUT", "PROXY",
	}
	f.Fuzz(func(t *testing.T, text string) {
		var env []string
		for _, n := range names {
			env = append(env, "TOLLGATE_"+n+"="+text)
		}
		c, err := config.Load(config.Sources{Environ: env})
		if err == nil && (c.Port < 0 || c.Port > 65535 || c.DSN.Empty() || c.DrainTimeout < 0) {
			t.Fatalf("accepted %+v", c)
		}
	})
}
