package config

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tollgate"
)

// setting is one entry of CONTRACT 2's table: a variable, whether GPROXY_ is
// accepted in front of its name too, whether a _FILE form exists, and how its
// text becomes part of the Config. Flags and the keys of the file refer to it
// by the variable's name.
type setting struct {
	env    string
	gproxy bool
	secret bool
	apply  func(c *Config, text string) error
}

func settings() []setting {
	return []setting{
		{env: "TOLLGATE_HOST", gproxy: true, apply: func(c *Config, s string) (err error) { c.Host, err = parseHost(s); return err }},
		{env: "TOLLGATE_PORT", gproxy: true, apply: func(c *Config, s string) (err error) { c.Port, err = parsePort(s); return err }},
		{env: "TOLLGATE_DATA_DIR", gproxy: true, apply: func(c *Config, s string) (err error) { c.DataDir, err = filepath.Abs(s); return err }},
		{env: "TOLLGATE_DSN", gproxy: true, secret: true, apply: applyDSN},
		{env: "TOLLGATE_CONFIG", gproxy: true, apply: func(*Config, string) error { return nil }}, // read before the others
		{env: "TOLLGATE_ADMIN_USER", gproxy: true, apply: applyAdminUser},
		{env: "TOLLGATE_ADMIN_PASSWORD", gproxy: true, secret: true, apply: applyAdminPassword},
		{env: "TOLLGATE_ADMIN_API_KEY", gproxy: true, secret: true, apply: applyAdminKey},
		{env: "DATABASE_SECRET_KEY", secret: true, apply: func(c *Config, s string) error { return applyMaster(&c.MasterKey, s) }},
		{env: "DATABASE_SECRET_KEY_PREVIOUS", secret: true, apply: func(c *Config, s string) error { return applyMaster(&c.PreviousMasterKey, s) }},
		{env: "TOLLGATE_PUBLIC_URL", apply: func(c *Config, s string) (err error) { c.PublicURL, err = parseOrigin(s); return err }},
		{env: "TOLLGATE_TLS_CERT", apply: func(c *Config, s string) error { c.TLSCert = s; return nil }},
		{env: "TOLLGATE_TLS_KEY", apply: func(c *Config, s string) error { c.TLSKey = s; return nil }},
		{env: "TOLLGATE_ALLOW_HTTP", apply: func(c *Config, s string) (err error) { c.AllowHTTP, err = parseBool(s); return err }},
		{env: "TOLLGATE_TRUSTED_PROXIES", apply: applyTrustedProxies},
		{env: "TOLLGATE_ALLOWED_HOSTS", apply: applyAllowedHosts},
		{env: "TOLLGATE_CORS_ORIGINS", apply: applyCORSOrigins},
		{env: "TOLLGATE_METRICS_ADDR", apply: func(c *Config, s string) (err error) { c.MetricsAddr, err = parseHostPort(s); return err }},
		{env: "TOLLGATE_LOG_LEVEL", apply: applyLogLevel},
		{env: "TOLLGATE_LOG_FORMAT", apply: applyLogFormat},
		{env: "TOLLGATE_DRAIN_TIMEOUT", apply: applyDrainTimeout},
		{env: "TOLLGATE_PROXY", gproxy: true, secret: true, apply: applyProxy},
		{env: "TOLLGATE_REDIS_URL", gproxy: true, secret: true, apply: func(*Config, string) error {
			return errors.New("several nodes over Redis are not served by this version; unset it")
		}},
	}
}

// defaults returns the Config of an empty environment, less what is derived
// from other values.
func defaults() Config {
	return Config{
		Host: "127.0.0.1", Port: 8787, Admin: Admin{User: "admin"},
		LogLevel: slog.LevelInfo, LogFormat: "auto", DrainTimeout: 30 * time.Second,
		Server: Server{
			MaxBodyBytes: 32 << 20, KeepAlive: 15 * time.Second,
			ResponseLife: 30 * 24 * time.Hour, ConversationBytes: 16 << 20, ResponseUserBytes: 256 << 20,
		},
		Upstream: Upstream{DialTimeout: 10 * time.Second, FirstByteTimeout: 120 * time.Second, IdleTimeout: 60 * time.Second},
		Logging:  defaultLogging(),
		Ledger: Ledger{
			Durability: "process", Location: time.UTC, Wait: 10 * time.Second, Slice: 1024, Floor: 256, Unpriced: "refuse-under-quota",
			AlarmAt: []int{80, 100},
		},
	}
}

func applyDSN(c *Config, s string) error {
	dsn, err := parseDSN(s)
	if path, ok := strings.CutPrefix(dsn, "sqlite://"); ok && err == nil {
		if path, err = filepath.Abs(path); err == nil {
			dsn = "sqlite://" + path
		}
	}
	c.DSN = tollgate.NewSecret(dsn)
	return err
}

func applyAdminUser(c *Config, s string) error {
	c.Admin.User, c.Admin.UserGiven = s, true
	return tollgate.ValidName("the admin's name", s)
}

// minPassword is the least length of a password, in bytes (CONTRACT 6).
const minPassword = 12

func applyAdminPassword(c *Config, s string) error {
	c.Admin.Password = tollgate.NewSecret(s)
	switch {
	case strings.HasPrefix(s, "$argon2"):
		return nil
	case len(s) < minPassword:
		return fmt.Errorf("a password has at least %d characters", minPassword)
	case published(s):
		return errors.New("this value stands in published examples; choose another")
	}
	return nil
}

func applyAdminKey(c *Config, s string) error {
	c.Admin.APIKey = tollgate.NewSecret(s)
	return validKeyText(s)
}

// validKeyText checks what an imported API key may look like.
func validKeyText(s string) error {
	switch {
	case len(s) < 8 || len(s) > 256:
		return errors.New("an API key has 8 to 256 characters")
	case strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }):
		return errors.New("an API key consists of visible ASCII characters")
	case published(s):
		return errors.New("this value stands in published examples; choose another")
	}
	return nil
}

func applyMaster(dst *tollgate.Secret, s string) error {
	*dst = tollgate.NewSecret(s)
	switch {
	case s == "":
		return errors.New("is set but empty; unset it to use the key file, or give at least 16 bytes")
	case len(s) < 16:
		return errors.New("a master key has at least 16 bytes")
	case published(s):
		return errors.New("this value stands in published examples; choose another, such as the output of: openssl rand -base64 32")
	}
	return nil
}

func applyTrustedProxies(c *Config, s string) error {
	c.TrustedProxies = nil
	for _, part := range list(s) {
		p, err := parsePrefix(part)
		if err != nil {
			return err
		}
		c.TrustedProxies = append(c.TrustedProxies, p)
	}
	return nil
}

func applyAllowedHosts(c *Config, s string) error {
	c.AllowedHosts = nil
	for _, part := range list(s) {
		host, err := parseHost(part)
		if err != nil {
			return fmt.Errorf("%w; write host names without scheme and port", err)
		}
		c.AllowedHosts = append(c.AllowedHosts, strings.ToLower(host))
	}
	return nil
}

func applyCORSOrigins(c *Config, s string) error {
	c.CORSOrigins = nil
	for _, part := range list(s) {
		if part == "*" {
			c.CORSOrigins = append(c.CORSOrigins, part)
			continue
		}
		origin, err := parseOrigin(part)
		if err != nil {
			return fmt.Errorf("%q %w", clip(part), err)
		}
		c.CORSOrigins = append(c.CORSOrigins, origin)
	}
	return nil
}

func applyLogLevel(c *Config, s string) error {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "warning": slog.LevelWarn, "error": slog.LevelError,
	}
	level, ok := levels[strings.ToLower(s)]
	if !ok {
		return fmt.Errorf("%q is not a level; they are debug, info, warn and error", clip(s))
	}
	c.LogLevel = level
	return nil
}

func applyLogFormat(c *Config, s string) error {
	c.LogFormat = strings.ToLower(s)
	if !slices.Contains([]string{"auto", "text", "json"}, c.LogFormat) {
		return fmt.Errorf("%q is not a format; they are text, json and auto", clip(s))
	}
	return nil
}

func applyDrainTimeout(c *Config, s string) (err error) {
	if c.DrainTimeout, err = parseDuration(s); err != nil {
		return err
	}
	return within(c.DrainTimeout, 0, time.Hour)
}

func applyProxy(c *Config, s string) error {
	c.Proxy = tollgate.NewSecret(s)
	return parseProxy(s)
}

// within checks a duration's range.
func within(d, low, high time.Duration) error {
	if d < low || d > high {
		return fmt.Errorf("must be from %s to %s", low, high)
	}
	return nil
}

// published reports whether a secret is a value from documentation, here or
// elsewhere, which an attacker would try first.
func published(s string) bool {
	examples := []string{
		"change-me", "changeme", "change-me-please", "change-this", "your-secret-key", "your-access-key", "your-database-secret-key",
		"sk-user-alice-1", "sk-user-alice-ci", "plain-or-argon2-phc", "plain-text-or-argon2-phc",
		"replace-with-a-long-random-string", "a-long-random-string", "sk-monorelay", "sk-access-key",
	}
	folded := strings.ToLower(s)
	return slices.Contains(examples, folded) || strings.Trim(folded, folded[:min(1, len(folded))]) == "" && folded != "" ||
		strings.HasPrefix(folded, "change-me") || strings.HasPrefix(folded, "changeme") || strings.HasPrefix(folded, "your-")
}
