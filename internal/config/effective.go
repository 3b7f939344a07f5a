package config

import (
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"time"

	"tollgate"
)

// From is what gave a setting its value.
type From string

// What a value can come from, the strongest last.
const (
	FromDefault     From = "default"
	FromFile        From = "file"
	FromEnvironment From = "environment"
	FromFlag        From = "flag"
)

// Effective is a process setting as it is in force. Secrets are redacted.
type Effective struct {
	Name     string // section and key in the file, such as server.port
	Variable string // that sets it, too; empty = none
	Value    any    // a JSON value
	From     From
	At       string // file with line and column, variable or flag; empty for a default
}

// note remembers where the values of the file's keys that have no variable came from.
func (l *loader) note(f file) {
	for section, keys := range map[string]any{"server": f.Server, "upstream": f.Upstream, "ledger": f.Ledger} {
		v := reflect.ValueOf(keys)
		for i := range v.NumField() {
			tag := v.Type().Field(i).Tag
			if g, ok := reflect.TypeAssert[given](v.Field(i)); ok && g.set && tag.Get("setting") == "" {
				l.origin[section+"."+tag.Get("toml")] = g.at
			}
		}
	}
	if len(f.Upstream.AllowPrivate) > 0 { // lists have the place of their section
		l.origin["upstream.allow_private"] = f.Upstream.At
	}
	if len(f.Server.Access.Permissions) > 0 {
		l.origin["server.access.permissions"] = f.Server.At
	}
}

// Effective lists every process setting, in the order of the file.
func (c Config) Effective() []Effective {
	var out []Effective
	add := func(name, variable string, value any) {
		e := Effective{Name: name, Variable: variable, Value: plain(value), From: FromDefault}
		at, given := c.Origins[variable]
		if variable == "" {
			at, given = c.Origins[name]
		}
		if given {
			e.From, e.At = fromOf(at), at.String()
		}
		out = append(out, e)
	}
	add("server.host", "TOLLGATE_HOST", c.Host)
	add("server.port", "TOLLGATE_PORT", c.Port)
	add("server.data_dir", "TOLLGATE_DATA_DIR", c.DataDir)
	add("server.dsn", "TOLLGATE_DSN", withoutPassword(c.DSN))
	add("server.admin_user", "TOLLGATE_ADMIN_USER", c.Admin.User)
	add("server.admin_password", "TOLLGATE_ADMIN_PASSWORD", c.Admin.Password)
	add("server.admin_api_key", "TOLLGATE_ADMIN_API_KEY", c.Admin.APIKey)
	add("database_secret_key", "DATABASE_SECRET_KEY", c.MasterKey)
	add("database_secret_key_previous", "DATABASE_SECRET_KEY_PREVIOUS", c.PreviousMasterKey)
	add("server.public_url", "TOLLGATE_PUBLIC_URL", c.PublicURL)
	add("server.tls_cert", "TOLLGATE_TLS_CERT", c.TLSCert)
	add("server.tls_key", "TOLLGATE_TLS_KEY", c.TLSKey)
	add("server.allow_http", "TOLLGATE_ALLOW_HTTP", c.AllowHTTP)
	add("server.trusted_proxies", "TOLLGATE_TRUSTED_PROXIES", c.TrustedProxies)
	add("server.allowed_hosts", "TOLLGATE_ALLOWED_HOSTS", c.AllowedHosts)
	add("server.cors_origins", "TOLLGATE_CORS_ORIGINS", c.CORSOrigins)
	add("server.metrics_addr", "TOLLGATE_METRICS_ADDR", c.MetricsAddr)
	add("server.drain_timeout", "TOLLGATE_DRAIN_TIMEOUT", c.DrainTimeout)
	add("server.proxy", "TOLLGATE_PROXY", withoutPassword(c.Proxy))
	add("server.access_key", "", c.Server.AccessKey)
	add("server.access.permissions", "", c.Server.AccessPermissions)
	add("server.max_body_bytes", "", c.Server.MaxBodyBytes)
	add("server.strict", "", c.Server.Strict)
	add("server.keep_alive", "", c.Server.KeepAlive)
	add("server.response_life", "", c.Server.ResponseLife)
	add("server.conversation_bytes", "", c.Server.ConversationBytes)
	add("server.response_user_bytes", "", c.Server.ResponseUserBytes)
	add("upstream.allow_private", "", c.Upstream.AllowPrivate)
	add("upstream.dial_timeout", "", c.Upstream.DialTimeout)
	add("upstream.first_byte_timeout", "", c.Upstream.FirstByteTimeout)
	add("upstream.idle_timeout", "", c.Upstream.IdleTimeout)
	add("upstream.fetch_remote", "", c.Upstream.FetchRemote)
	add("logging.level", "TOLLGATE_LOG_LEVEL", strings.ToLower(c.LogLevel.String()))
	add("logging.format", "TOLLGATE_LOG_FORMAT", c.LogFormat)
	add("logging.request_life", "", c.Logging.RequestLife)
	add("logging.payloads", "", string(c.Logging.Payloads))
	add("logging.payload_bytes", "", c.Logging.PayloadBytes)
	add("logging.payload_sent", "", c.Logging.PayloadSent)
	add("logging.payload_life", "", c.Logging.PayloadLife)
	add("logging.payload_total_bytes", "", c.Logging.PayloadTotal)
	add("ledger.durability", "", c.Ledger.Durability)
	add("ledger.timezone", "", c.Ledger.Location)
	add("ledger.wait", "", c.Ledger.Wait)
	add("ledger.slice", "", c.Ledger.Slice)
	add("ledger.floor", "", c.Ledger.Floor)
	add("ledger.unpriced", "", c.Ledger.Unpriced)
	add("ledger.alarm_at", "", c.Ledger.AlarmAt)
	add("ledger.alarm_webhook", "", c.Ledger.AlarmWebhook)
	add("ledger.alarm_secret", "", c.Ledger.AlarmSecret)
	return append(out, c.effectiveSSO()...)
}

// effectiveSSO lists what the file says of sign-in providers.
func (c Config) effectiveSSO() (out []Effective) {
	for _, p := range c.SSO {
		out = append(out, p.effective()...)
	}
	return out
}

// effective lists what the file says of a sign-in provider.
func (p SignInProvider) effective() []Effective {
	section := "sso." + p.Name
	if p.Kind == "oidc" {
		section = "sso.oidc." + p.Name
	}
	var out []Effective
	v := reflect.ValueOf(p.SignInSettings)
	for i := range v.NumField() {
		if !v.Field(i).IsZero() {
			out = append(out, Effective{Name: section + "." + v.Type().Field(i).Tag.Get("toml"), Value: plain(v.Field(i).Interface()), From: FromFile, At: p.At.String()})
		}
	}
	return out
}

// fromOf tells a flag and a variable from a file.
func fromOf(at Place) From {
	switch {
	case strings.HasPrefix(at.Source, "--"):
		return FromFlag
	case at.Line == 0:
		return FromEnvironment
	}
	return FromFile
}

// plain turns a setting into a JSON value; secrets are only there or not.
func plain(v any) any {
	switch v := v.(type) {
	case tollgate.Secret:
		if v.Empty() {
			return ""
		}
		return v.String()
	case time.Duration:
		return v.String()
	case *time.Location:
		return v.String()
	case []netip.Prefix:
		return texts(v)
	case []PrivateNetwork:
		return texts(v)
	case []AccessPermission:
		return shown(v)
	case []GroupMapping:
		return Mapped(v)
	case []string:
		return append([]string{}, v...)
	case []int:
		return append([]int{}, v...)
	}
	return v
}

// shown is the permissions with the provider in front of the pattern.
func shown(list []AccessPermission) []string {
	out := make([]string, len(list))
	for i, p := range list {
		if out[i] = p.ModelPattern; p.ProviderName != "" {
			out[i] = p.ProviderName + "/" + p.ModelPattern
		}
	}
	return out
}

// Mapped is what groups give, each as "group: administrator, team NAME".
func Mapped(list []GroupMapping) []string {
	out := make([]string, len(list))
	for i, m := range list {
		var gives []string
		if m.Admin {
			gives = append(gives, "administrator")
		}
		if m.Team != "" {
			gives = append(gives, "team "+m.Team)
		}
		out[i] = m.Group + ": " + strings.Join(gives, ", ")
	}
	return out
}

func texts[T interface{ String() string }](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = v.String()
	}
	return out
}

// withoutPassword shows where a URL leads. Passwords, and parameters that may
// be some, are left out; what is no URL is left out as a whole.
func withoutPassword(s tollgate.Secret) string {
	u, err := url.Parse(s.Reveal())
	switch {
	case s.Empty():
		return ""
	case err != nil || u.Scheme == "" || u.Opaque != "":
		return s.String()
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	u.RawQuery, u.Fragment = "", ""
	return u.String()
}
