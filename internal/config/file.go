package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate"
)

// file is the whole TOML document. A given with a setting tag is another
// spelling of that variable.
type file struct {
	Server   fileServer   `toml:"server" alias:"global"`
	Upstream fileUpstream `toml:"upstream"`
	Logging  fileLogging  `toml:"logging"`
	Ledger   fileLedger   `toml:"ledger"`
	SSO      fileSSO      `toml:"sso"`
	Routes   *listed      `toml:"routes"`
	Seed
}

// listed is a section that is known but not served: its content is not read.
type listed struct{ At Place }

type fileServer struct {
	At             Place
	Host           given      `toml:"host" setting:"TOLLGATE_HOST"`
	Port           given      `toml:"port" setting:"TOLLGATE_PORT" shape:"int"`
	DataDir        given      `toml:"data_dir" setting:"TOLLGATE_DATA_DIR"`
	DSN            given      `toml:"dsn" setting:"TOLLGATE_DSN"`
	AdminUser      given      `toml:"admin_user" setting:"TOLLGATE_ADMIN_USER"`
	AdminPassword  given      `toml:"admin_password" setting:"TOLLGATE_ADMIN_PASSWORD"`
	AdminAPIKey    given      `toml:"admin_api_key" setting:"TOLLGATE_ADMIN_API_KEY"`
	PublicURL      given      `toml:"public_url" setting:"TOLLGATE_PUBLIC_URL"`
	TLSCert        given      `toml:"tls_cert" setting:"TOLLGATE_TLS_CERT"`
	TLSKey         given      `toml:"tls_key" setting:"TOLLGATE_TLS_KEY"`
	AllowHTTP      given      `toml:"allow_http" setting:"TOLLGATE_ALLOW_HTTP" shape:"bool"`
	TrustedProxies given      `toml:"trusted_proxies" setting:"TOLLGATE_TRUSTED_PROXIES" shape:"list"`
	AllowedHosts   given      `toml:"allowed_hosts" setting:"TOLLGATE_ALLOWED_HOSTS" shape:"list"`
	CORSOrigins    given      `toml:"cors_origins" setting:"TOLLGATE_CORS_ORIGINS" shape:"list"`
	MetricsAddr    given      `toml:"metrics_addr" setting:"TOLLGATE_METRICS_ADDR"`
	DrainTimeout   given      `toml:"drain_timeout" setting:"TOLLGATE_DRAIN_TIMEOUT"`
	Proxy          given      `toml:"proxy" setting:"TOLLGATE_PROXY"`
	RedisURL       given      `toml:"redis_url" setting:"TOLLGATE_REDIS_URL"`
	AccessKey      given      `toml:"access_key"`
	Access         fileAccess `toml:"access"`
	Bootstrap      given      `toml:"bootstrap"`
	MaxBodyBytes   given      `toml:"max_body_bytes" shape:"int"`
	Strict         given      `toml:"strict" shape:"bool"`
	KeepAlive      given      `toml:"keep_alive"`
	SyncFolder     given      `toml:"sync_folder"`

	ResponseLife      given `toml:"response_life"`
	ConversationBytes given `toml:"conversation_bytes" shape:"int"`
	ResponseUserBytes given `toml:"response_user_bytes" shape:"int"`
}

// foreignKey knows the keys of GPROXY's [global] that mean nothing here.
func (fileServer) foreignKey(key string) bool {
	switch key {
	case "spoof_emulation", "update_channel", "update_source", "update_policy", "hf_token", "hf_url",
		"admin_key", "mask_sensitive_info", "instance_name", "retention_days", "disable_log_redaction":
		return true
	default:
		return strings.HasPrefix(key, "enable_")
	}
}

type fileAccess struct {
	Permissions []AccessPermission `toml:"permissions"`
}

// UnmarshalText reads the short form of a permission: a pattern that holds at
// every provider.
func (p *AccessPermission) UnmarshalText(text []byte) error {
	*p = AccessPermission{ModelPattern: string(text)}
	return nil
}

type fileUpstream struct {
	At               Place
	AllowPrivate     []PrivateNetwork `toml:"allow_private"`
	DialTimeout      given            `toml:"dial_timeout"`
	FirstByteTimeout given            `toml:"first_byte_timeout"`
	IdleTimeout      given            `toml:"idle_timeout"`
	FetchRemote      given            `toml:"fetch_remote" shape:"bool"`
}

type fileLogging struct {
	Level  given `toml:"level" setting:"TOLLGATE_LOG_LEVEL"`
	Format given `toml:"format" setting:"TOLLGATE_LOG_FORMAT"`

	RequestLife  given `toml:"request_life"`
	Payloads     given `toml:"payloads"`
	PayloadBytes given `toml:"payload_bytes" shape:"int"`
	PayloadSent  given `toml:"payload_sent" shape:"bool"`
	PayloadLife  given `toml:"payload_life"`
	PayloadTotal given `toml:"payload_total_bytes" shape:"int"`
}

type fileLedger struct {
	Durability given `toml:"durability"`
	Timezone   given `toml:"timezone"`
	Wait       given `toml:"wait"`
	Slice      given `toml:"slice" shape:"int"`
	Floor      given `toml:"floor" shape:"int"`
	Unpriced   given `toml:"unpriced"`

	AlarmAt      given `toml:"alarm_at" shape:"ints"`
	AlarmWebhook given `toml:"alarm_webhook"`
	AlarmSecret  given `toml:"alarm_secret"`
}

type fileSSO struct {
	GitHub *SignInProvider           `toml:"github"`
	Google *SignInProvider           `toml:"google"`
	OIDC   map[string]SignInProvider `toml:"oidc"`
}

// providers lists them by name and reports what is missing.
func (f fileSSO) providers(ps *Problems) []SignInProvider {
	var list []SignInProvider
	add := func(p SignInProvider, name, kind, section string) {
		p.Name, p.Kind = name, kind
		if p.ClientID == "" || p.ClientSecret.Empty() {
			addf(ps, p.At, "%s needs client_id and client_secret", section)
		}
		if kind == "oidc" && p.Issuer == "" {
			addf(ps, p.At, "%s needs issuer, exactly as the discovery document says it", section)
		}
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || name == "" || len(name) > 32 || name[0] == '-' {
			addf(ps, p.At, "the name of %s is 1 to 32 of a-z, 0-9 and -, as it is part of the callback address", section)
		}
		if kind == "oidc" && (name == "github" || name == "google") {
			addf(ps, p.At, "%s: this name belongs to [sso.%s]", section, name)
		}
		list = append(list, p)
	}
	if f.GitHub != nil {
		add(*f.GitHub, "github", "github", "[sso.github]")
	}
	if f.Google != nil {
		add(*f.Google, "google", "google", "[sso.google]")
	}
	for name, p := range f.OIDC {
		add(p, name, "oidc", "[sso.oidc."+clip(name)+"]")
	}
	slices.SortFunc(list, func(a, b SignInProvider) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// settings returns what the file says about variables, by their names.
func (f file) settings() map[string]given {
	out := map[string]given{}
	for _, section := range []any{f.Server, f.Logging} {
		v := reflect.ValueOf(section)
		for i := range v.NumField() {
			name := v.Type().Field(i).Tag.Get("setting")
			if name == "" {
				continue
			}
			if g, ok := reflect.TypeAssert[given](v.Field(i)); ok && g.set {
				out[name] = g
			}
		}
	}
	return out
}

// apply copies the sections that have no variable into c and reports what
// is out of range.
func (f file) apply(c *Config, ps *Problems) {
	c.SSO = f.SSO.providers(ps)
	c.Server.AccessKey, c.Server.AccessPermissions = tollgate.NewSecret(f.Server.AccessKey.text), f.Server.Access.Permissions
	for _, p := range f.Server.Access.Permissions {
		if err := tollgate.ValidPattern("model_pattern", p.ModelPattern); err != nil {
			addf(ps, f.Server.At, "permissions in [server.access]: %s", message(err))
		}
	}
	c.Upstream.AllowPrivate = f.Upstream.AllowPrivate
	for _, key := range []struct {
		given given
		apply func(*Config, string) error
	}{
		{f.Server.MaxBodyBytes, applyMaxBody},
		{f.Server.Bootstrap, applyBootstrap},
		{f.Server.Strict, func(c *Config, s string) (err error) { c.Server.Strict, err = parseBool(s); return err }},
		{f.Server.KeepAlive, applyKeepAlive},
		{f.Server.SyncFolder, applySyncFolder},
		{f.Server.ResponseLife, applyResponseLife},
		{f.Server.ConversationBytes, func(c *Config, s string) error { return applySize(&c.Server.ConversationBytes, s, 64<<20) }},
		{f.Server.ResponseUserBytes, func(c *Config, s string) error { return applySize(&c.Server.ResponseUserBytes, s, 1<<40) }},
		{f.Upstream.FetchRemote, func(c *Config, s string) (err error) { c.Upstream.FetchRemote, err = parseBool(s); return err }},
		{f.Upstream.DialTimeout, func(c *Config, s string) error { return applyTimeout(&c.Upstream.DialTimeout, s) }},
		{f.Upstream.FirstByteTimeout, func(c *Config, s string) error { return applyTimeout(&c.Upstream.FirstByteTimeout, s) }},
		{f.Upstream.IdleTimeout, func(c *Config, s string) error { return applyTimeout(&c.Upstream.IdleTimeout, s) }},
		{f.Logging.RequestLife, applyRequestLife},
		{f.Logging.Payloads, applyPayloads},
		{f.Logging.PayloadBytes, applyPayloadBytes},
		{f.Logging.PayloadSent, func(c *Config, s string) (err error) { c.Logging.PayloadSent, err = parseBool(s); return err }},
		{f.Logging.PayloadLife, applyPayloadLife},
		{f.Logging.PayloadTotal, applyPayloadTotal},
		{f.Ledger.Durability, applyDurability},
		{f.Ledger.Timezone, applyTimezone},
		{f.Ledger.Wait, applyWait},
		{f.Ledger.Slice, func(c *Config, s string) error { return applyTokens(&c.Ledger.Slice, s) }},
		{f.Ledger.Floor, func(c *Config, s string) error { return applyTokens(&c.Ledger.Floor, s) }},
		{f.Ledger.Unpriced, applyUnpriced},
		{f.Ledger.AlarmAt, applyAlarmAt},
		{f.Ledger.AlarmWebhook, applyAlarmWebhook},
		{f.Ledger.AlarmSecret, applyAlarmSecret},
	} {
		if !key.given.set {
			continue
		}
		if err := key.apply(c, key.given.text); err != nil {
			addf(ps, key.given.at, "%s %v", key.given.name, err)
		}
	}
	if c.Server.ResponseUserBytes < c.Server.ConversationBytes {
		at := f.Server.ResponseUserBytes.at
		if !f.Server.ResponseUserBytes.set {
			at = f.Server.ConversationBytes.at
		}
		addf(ps, at, "response_user_bytes in [server] must be at least conversation_bytes (%d)", c.Server.ConversationBytes)
	}
	if l := c.Logging; l.RequestLife > 0 && l.PayloadLife > l.RequestLife {
		at := f.Logging.RequestLife.at
		if f.Logging.PayloadLife.set {
			at = f.Logging.PayloadLife.at
		}
		addf(ps, at, "payload_life in [logging] must be at most request_life (%s): bodies are found by their requests", l.RequestLife)
	}
	if c.Ledger.AlarmWebhook.Empty() != c.Ledger.AlarmSecret.Empty() {
		at := f.Ledger.AlarmWebhook.at
		if f.Ledger.AlarmSecret.set {
			at = f.Ledger.AlarmSecret.at
		}
		addf(ps, at, "alarm_webhook and alarm_secret in [ledger] go together: give both or neither")
	}
	f.refuse(ps)
}

func applyMaxBody(c *Config, s string) (err error) {
	c.Server.MaxBodyBytes, err = strconv.ParseInt(s, 0, 64)
	if err != nil || c.Server.MaxBodyBytes < 1<<10 || c.Server.MaxBodyBytes > 1<<30 {
		return errors.New("must be from 1024 (1 KiB) to 1073741824 (1 GiB)")
	}
	return nil
}

func applyBootstrap(c *Config, s string) error {
	if s != "admin" && s != "register" {
		return errors.New(`must be "admin" or "register"`)
	}
	c.Admin.Register = s == "register"
	return nil
}

func applyTimeout(dst *time.Duration, s string) (err error) {
	if *dst, err = parseDuration(s); err != nil {
		return err
	}
	return within(*dst, 100*time.Millisecond, time.Hour)
}

func applySyncFolder(c *Config, s string) error {
	if !filepath.IsAbs(s) {
		return errors.New("must be an absolute path, such as /srv/tollgate-config")
	}
	c.Server.SyncFolder = filepath.Clean(s)
	return nil
}

func applyKeepAlive(c *Config, s string) (err error) {
	if c.Server.KeepAlive, err = parseDuration(s); err != nil || c.Server.KeepAlive == 0 {
		return err
	}
	return within(c.Server.KeepAlive, time.Second, time.Hour)
}

func applyResponseLife(c *Config, s string) (err error) {
	if c.Server.ResponseLife, err = parseDuration(s); err != nil {
		return err
	}
	return within(c.Server.ResponseLife, time.Minute, 10*365*24*time.Hour)
}

// applySize reads a number of bytes that is kept of one thing.
func applySize(dst *int64, s string, most int64) (err error) {
	*dst, err = strconv.ParseInt(s, 0, 64)
	if err != nil || *dst < 64<<10 || *dst > most {
		return fmt.Errorf("must be from 65536 (64 KiB) to %d", most)
	}
	return nil
}

func applyDurability(c *Config, s string) error {
	if c.Ledger.Durability = s; s != "process" && s != "power" {
		return errors.New(`must be "process" or "power"`)
	}
	return nil
}

func applyTimezone(c *Config, s string) error {
	loc, err := time.LoadLocation(s)
	if err != nil || s == "Local" {
		return fmt.Errorf("must be a time zone such as UTC or Europe/Berlin, not %q", clip(s))
	}
	c.Ledger.Location = loc
	return nil
}

func applyWait(c *Config, s string) (err error) {
	if c.Ledger.Wait, err = parseDuration(s); err != nil {
		return err
	}
	return within(c.Ledger.Wait, 0, 5*time.Minute)
}

// applyTokens reads a number of output tokens.
func applyTokens(dst *int64, s string) (err error) {
	*dst, err = strconv.ParseInt(s, 10, 64)
	if err != nil || *dst < 1 || *dst > 1_000_000 {
		return errors.New("must be from 1 to 1000000 tokens")
	}
	return nil
}

func applyUnpriced(c *Config, s string) error {
	if c.Ledger.Unpriced = s; s != "refuse-under-quota" && s != "serve" && s != "refuse" {
		return errors.New(`must be "refuse-under-quota", "serve" or "refuse"`)
	}
	return nil
}

// refuse reports sections that are part of the format but not of this version.
func (f file) refuse(ps *Problems) {
	if f.Routes != nil {
		addf(ps, f.Routes.At, "[[routes]] is not served by this version; remove it or use [[model_aliases]]")
	}
}
