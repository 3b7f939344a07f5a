package config_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"tollgate/internal/config"
)

// TestCases runs testdata/*.txtar. A case is a folder of files with, beside
// the TOML, `args` (flags, one a line), `env` (variables, one a line), and what
// is expected of Load: `errors`, `warnings` (a line each), `config` (some
// settings), `seed` (the seed as it would be exported, secrets included).
// `-update` writes the expectations anew.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			runCase(t, filepath.Join(here, file))
		})
	}
}

func update() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the expectations of testdata/*.txtar anew")
	flag.Parse()
	os.Exit(m.Run())
}

func runCase(t *testing.T, file string) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Chdir(dir)
	given := map[string]string{}
	expectations := []string{"errors", "warnings", "config", "seed"}
	for _, f := range archive.Files {
		given[f.Name] = string(f.Data)
		if slices.Contains(expectations, f.Name) || f.Name == "args" || f.Name == "env" {
			continue
		}
		if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := load(t, dir, fields(given["args"]), fields(given["env"]))
	if update() {
		archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return slices.Contains(expectations, f.Name) })
		for _, name := range expectations {
			if _, wanted := given[name]; (wanted || name == "errors" || name == "warnings") && got[name] != "" {
				archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(got[name])})
			}
		}
		if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, name := range []string{"errors", "warnings"} {
		if diff := cmp.Diff(given[name], got[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for _, name := range []string{"config", "seed"} {
		if want, ok := given[name]; ok {
			if diff := cmp.Diff(want, got[name]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

func fields(s string) []string {
	return slices.DeleteFunc(strings.Split(s, "\n"), func(line string) bool { return line == "" })
}

// load runs Load and describes what came out, with the folder's name taken out.
func load(t *testing.T, dir string, args, env []string) map[string]string {
	t.Helper()
	var flags struct{ config.Flags }
	parser, err := kong.New(&flags)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Sources{Flags: flags.Flags, Environ: env})
	got := map[string]string{"config": describe(c)}
	if err != nil {
		got["errors"] = err.Error() + "\n"
	}
	if len(c.Warnings) > 0 {
		got["warnings"] = c.Warnings.Error() + "\n"
	}
	var b bytes.Buffer
	if err := config.WriteSeed(&b, c.Seed, true); err != nil {
		t.Fatal(err)
	}
	got["seed"] = b.String()
	for name, text := range got {
		got[name] = strings.ReplaceAll(text, dir, "$WORK")
	}
	return got
}

// describe lists settings, one a line. Secrets are revealed: they are the
// case's own.
func describe(c config.Config) string {
	var b strings.Builder
	for _, line := range []struct {
		name  string
		value any
	}{
		{"addr", c.Addr()},
		{"data_dir", c.DataDir},
		{"dsn", c.DSN.Reveal()},
		{"file", c.ConfigPath},
		{"admin", fmt.Sprintf("%s given=%t password=%q key=%q", c.Admin.User, c.Admin.UserGiven, c.Admin.Password.Reveal(), c.Admin.APIKey.Reveal())},
		{"master", fmt.Sprintf("%q previous=%q", c.MasterKey.Reveal(), c.PreviousMasterKey.Reveal())},
		{"public_url", c.PublicURL},
		{"allow_http", c.AllowHTTP},
		{"trusted", c.TrustedProxies},
		{"hosts", c.AllowedHosts},
		{"cors", c.CORSOrigins},
		{"metrics", c.MetricsAddr},
		{"log", fmt.Sprint(c.LogLevel, " ", c.LogFormat)},
		{"drain", c.DrainTimeout},
		{"proxy", c.Proxy.Reveal()},
		{"access", fmt.Sprintf("%q %v", c.Server.AccessKey.Reveal(), c.Server.AccessPermissions)},
		{"max_body", c.Server.MaxBodyBytes},
		{"upstream", fmt.Sprint(c.Upstream.AllowPrivate, c.Upstream.DialTimeout, c.Upstream.FirstByteTimeout, c.Upstream.IdleTimeout)},
		{"translation", fmt.Sprintf("strict=%t keep_alive=%s fetch_remote=%t", c.Server.Strict, c.Server.KeepAlive, c.Upstream.FetchRemote)},
		{"responses", fmt.Sprintf("life=%s conversation=%d user=%d", c.Server.ResponseLife, c.Server.ConversationBytes, c.Server.ResponseUserBytes)},
		{"ledger", fmt.Sprint(c.Ledger.Durability, " ", c.Ledger.Location, " ", c.Ledger.Wait, " ", c.Ledger.Slice, " ", c.Ledger.Floor, " ", c.Ledger.Unpriced)},
		{"logging", fmt.Sprintf("requests=%v payloads=%s bytes=%d sent=%v life=%v total=%d", c.Logging.RequestLife, c.Logging.Payloads,
			c.Logging.PayloadBytes, c.Logging.PayloadSent, c.Logging.PayloadLife, c.Logging.PayloadTotal)},
		{"alarms", fmt.Sprintf("at=%v webhook=%q secret=%q", c.Ledger.AlarmAt, c.Ledger.AlarmWebhook.Reveal(), c.Ledger.AlarmSecret.Reveal())},
	} {
		fmt.Fprintf(&b, "%s: %v\n", line.name, line.value)
	}
	for _, p := range c.SSO {
		fmt.Fprintf(&b, "sso: %s %s issuer=%q id=%q secret=%q orgs=%v domains=%v sign_up=%t roles=%v\n",
			p.Name, p.Kind, p.Issuer, p.ClientID, p.ClientSecret.Reveal(), p.AllowedOrgs, p.AllowedDomains, p.SignUp, p.Roles)
	}
	return b.String()
}
