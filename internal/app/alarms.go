package app

import (
	"net/url"
	"time"

	"tollgate/internal/alarm"
	"tollgate/internal/config"
	"tollgate/internal/upstream/guard"
)

// webhookTimeout bounds one delivery of an alarm.
const webhookTimeout = 10 * time.Second

// buildAlarms makes the keeper of alarms. Its webhook is dialled as providers
// are: private addresses only where [upstream] allow_private opens them.
func (a *App) buildAlarms(cfg *config.Config, outbound *url.URL) {
	a.alarms = &alarm.Keeper{
		Store: a.db.Store, Source: a.ledger.Machine, Now: a.opts.Now, Rand: a.opts.Rand, Log: a.opts.Log,
		Client: guard.Client(guard.Options{Policy: a.db.Policy, Proxy: outbound, AnyTLSPort: true, Idle: 1}, webhookTimeout),
	}
	a.setAlarms(cfg)
}

// setAlarms puts the settings of alarms in force.
func (a *App) setAlarms(cfg *config.Config) {
	l := cfg.Ledger
	a.alarms.Set(alarm.Settings{Thresholds: l.AlarmAt, URL: l.AlarmWebhook, Secret: l.AlarmSecret})
	a.ledger.SetThresholds(l.AlarmAt)
}
