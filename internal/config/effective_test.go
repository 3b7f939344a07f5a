package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate/internal/config"
)

func TestEffectiveSettingsSayWhereTheyComeFrom(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.toml")
	text := `[server]
port = 9000
host = "127.0.0.2"
access_key = "canary-access-key-0123456789"
dsn = "postgres://tollgate:canary-dsn@db.example/tollgate?password=canary-query"
[ledger]
alarm_webhook = "https://hooks.example/canary-path"
alarm_secret = "canary-alarm-secret-0123456789"
alarm_at = [50]
[upstream]
allow_private = ["10.0.0.0/8"]
idle_timeout = "90s"
[sso.github]
client_id = "hub"
client_secret = "canary-hub-secret"
allowed_orgs = ["acme"]
[sso.oidc.corp]
issuer = "https://id.example.com"
client_id = "tollgate"
client_secret = "canary-corp-secret"
sign_up = true
allowed_domains = ["example.com"]
roles = [{ group = "ops", is_admin = true, team = "Platform" }]
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	host := "127.0.0.3"
	c, err := config.Load(config.Sources{
		Flags:   config.Flags{Config: &path, Host: &host},
		Environ: []string{"TOLLGATE_PORT=9001", "TOLLGATE_PUBLIC_URL=https://llm.example.com", "DATABASE_SECRET_KEY=canary-master-key-0123456789", "TOLLGATE_PROXY=http://u:canary-proxy@proxy.example:3128"},
	})
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Value any
		From  config.From
		At    string
	}
	got := map[string]row{}
	for _, e := range c.Effective() {
		got[e.Name] = row{e.Value, e.From, strings.TrimPrefix(e.At, dir+"/")}
	}
	for name, want := range map[string]row{
		"server.host":              {"127.0.0.3", config.FromFlag, "--host"},
		"server.port":              {9001, config.FromEnvironment, "TOLLGATE_PORT"},
		"server.dsn":               {"postgres://tollgate@db.example/tollgate", config.FromFile, "t.toml:5:7"},
		"server.proxy":             {"http://u@proxy.example:3128", config.FromEnvironment, "TOLLGATE_PROXY"},
		"server.access_key":        {"[redacted]", config.FromFile, "t.toml:4:14"},
		"server.admin_password":    {"", config.FromDefault, ""},
		"database_secret_key":      {"[redacted]", config.FromEnvironment, "DATABASE_SECRET_KEY"},
		"ledger.alarm_webhook":     {"[redacted]", config.FromFile, "t.toml:7:17"},
		"ledger.alarm_at":          {[]int{50}, config.FromFile, "t.toml:9:1"},
		"ledger.wait":              {"10s", config.FromDefault, ""},
		"upstream.idle_timeout":    {"1m30s", config.FromFile, "t.toml:12:16"},
		"upstream.allow_private":   {[]string{"10.0.0.0/8"}, config.FromFile, "t.toml:10:2"},
		"sso.github.client_id":     {"hub", config.FromFile, "t.toml:13:6"},
		"sso.github.client_secret": {"[redacted]", config.FromFile, "t.toml:13:6"},
		"sso.github.allowed_orgs":  {[]string{"acme"}, config.FromFile, "t.toml:13:6"},
		"sso.oidc.corp.issuer":     {"https://id.example.com", config.FromFile, "t.toml:17:11"},
		"sso.oidc.corp.sign_up":    {true, config.FromFile, "t.toml:17:11"},
		"sso.oidc.corp.roles":      {[]string{"ops: administrator, team Platform"}, config.FromFile, "t.toml:17:11"},
		"logging.level":            {"info", config.FromDefault, ""},
	} {
		if diff := cmp.Diff(want, got[name]); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	shown, err := json.Marshal(c.Effective())
	if err != nil || strings.Contains(string(shown), "canary") {
		t.Errorf("a secret is shown: %s, %v", shown, err)
	}
}

// TestEveryFlagIsAnEffectiveSetting finds a setting that was added and is not shown.
func TestEveryFlagIsAnEffectiveSetting(t *testing.T) {
	shown := map[string]bool{"TOLLGATE_CONFIG": true, "TOLLGATE_REDIS_URL": true} // the file itself; refused
	for _, e := range (config.Config{}).Effective() {
		shown[e.Variable] = true
	}
	flags := reflect.TypeFor[config.Flags]()
	for f := range flags.Fields() {
		if name := f.Tag.Get("setting"); !shown[strings.TrimSuffix(name, "_FILE")] {
			t.Errorf("%s is not shown", name)
		}
	}
}
