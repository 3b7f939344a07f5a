package app

import (
	"context"
	"time"

	"tollgate/internal/config"
	"tollgate/internal/ledger"
	"tollgate/internal/payload"
)

// retainEvery is how often it is looked which request rows are too old, and
// settle is how long a process serves before it looks first.
const (
	retainEvery = time.Hour
	settle      = 10 * time.Second
)

// payloadSettings are those of the payload log.
func payloadSettings(cfg *config.Config) payload.Settings {
	l := cfg.Logging
	return payload.Settings{Mode: l.Payloads, Body: l.PayloadBytes, Sent: l.PayloadSent, Life: l.PayloadLife, Total: l.PayloadTotal}
}

// retain removes old request rows until ctx ends.
func (a *App) retain(ctx context.Context) {
	first := time.NewTimer(settle)
	defer first.Stop()
	select {
	case <-ctx.Done():
		return
	case <-first.C:
	}
	if err := a.removeOld(ctx); err != nil && ctx.Err() == nil {
		a.opts.Log.ErrorContext(ctx, "old requests could not be removed", "error", err)
	}
	a.every(ctx, retainEvery, a.removeOld)
}

func (a *App) removeOld(ctx context.Context) error {
	cfg := a.cfg.Load()
	if cfg.Logging.RequestLife == 0 {
		return nil
	}
	r := ledger.Retainer{Store: a.db.Store, Zone: cfg.Ledger.Location, Now: a.opts.Now, Log: a.opts.Log}
	_, err := r.Run(ctx, a.opts.Now().Add(-cfg.Logging.RequestLife))
	return err
}
