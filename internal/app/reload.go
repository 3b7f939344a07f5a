package app

import (
	"context"
	"log/slog"
	"reflect"

	"tollgate/internal/config"
	"tollgate/internal/meter/book"
	"tollgate/internal/ops"
	"tollgate/internal/upstream/guard"
)

// Reload puts changed process settings in force, as SIGHUP asks: the service
// key, the upstream allow-list, sign-in providers, alarms, what is kept of
// requests, log level and drain timeout. Settings that are
// built into listeners and the database are kept, and named in the log, until
// a restart; the seed sections are reported as drift, as on a start. On an
// error the old settings stay (SECURITY G-04).
func (a *App) Reload(ctx context.Context, next config.Config) error {
	old := a.cfg.Load()
	if err := a.setAccess(ctx, &next); err != nil {
		return err
	}
	if err := a.loadSSO(ctx, &next); err != nil {
		return err
	}
	a.db.Policy.Set(guard.Rules{Allow: ops.Allowed(next)})
	a.fleet.Flush()
	a.prices.SetPolicy(book.Policy(next.Ledger.Unpriced))
	a.setAlarms(&next)
	a.payloads.Set(payloadSettings(&next))
	if a.opts.Level != nil {
		a.opts.Level.Set(next.LogLevel)
	}
	for _, name := range fixedChanges(old, &next) {
		a.opts.Log.WarnContext(ctx, "this setting changes with the next restart", slog.String("setting", name))
	}
	kept := keepFixed(old, next)
	a.cfg.Store(&kept)
	a.reportDrift(ctx, a.db.Importer, &kept)
	a.opts.Log.InfoContext(ctx, "settings reloaded")
	return nil
}

// fixed are the settings that a running process cannot change.
func fixed(c *config.Config) map[string]any {
	return map[string]any{
		"host": c.Host, "port": c.Port, "data_dir": c.DataDir, "dsn": c.DSN, "DATABASE_SECRET_KEY": c.MasterKey,
		"public_url": c.PublicURL, "tls_cert": c.TLSCert, "tls_key": c.TLSKey, "trusted_proxies": c.TrustedProxies,
		"allowed_hosts": c.AllowedHosts, "cors_origins": c.CORSOrigins, "metrics_addr": c.MetricsAddr, "proxy": c.Proxy,
		"demo": c.Demo, "max_body_bytes": c.Server.MaxBodyBytes, "durability": c.Ledger.Durability, "timezone": c.Ledger.Location, "wait": c.Ledger.Wait,
		"slice": c.Ledger.Slice, "floor": c.Ledger.Floor,
		"strict": c.Server.Strict, "keep_alive": c.Server.KeepAlive, "fetch_remote": c.Upstream.FetchRemote,
		"response_life": c.Server.ResponseLife, "conversation_bytes": c.Server.ConversationBytes, "response_user_bytes": c.Server.ResponseUserBytes,
		"dial_timeout": c.Upstream.DialTimeout, "first_byte_timeout": c.Upstream.FirstByteTimeout, "idle_timeout": c.Upstream.IdleTimeout,
	}
}

func fixedChanges(old, next *config.Config) []string {
	var names []string
	before := fixed(old)
	for name, v := range fixed(next) {
		if !reflect.DeepEqual(v, before[name]) {
			names = append(names, name)
		}
	}
	return names
}

// keepFixed returns the running configuration with what a reload may change.
func keepFixed(old *config.Config, next config.Config) config.Config {
	kept := *old
	kept.Server.AccessKey, kept.Server.AccessPermissions = next.Server.AccessKey, next.Server.AccessPermissions
	kept.Upstream.AllowPrivate = next.Upstream.AllowPrivate
	kept.LogLevel, kept.DrainTimeout = next.LogLevel, next.DrainTimeout
	kept.Ledger.Unpriced, kept.Logging = next.Ledger.Unpriced, next.Logging
	kept.Ledger.AlarmAt, kept.Ledger.AlarmWebhook, kept.Ledger.AlarmSecret = next.Ledger.AlarmAt, next.Ledger.AlarmWebhook, next.Ledger.AlarmSecret
	kept.SSO = next.SSO
	kept.Seed, kept.Warnings, kept.Origins = next.Seed, next.Warnings, next.Origins
	return kept
}
