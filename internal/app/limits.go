package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"tollgate"
)

// saveLimitsEvery is how much of what counts against rate limits a crash may
// forget.
const saveLimitsEvery = 10 * time.Second

// saveThrottleEvery is how much of failed sign-ins a crash may forget.
const saveThrottleEvery = 5 * time.Second

// saveFailuresEvery is how long failed sign-ins that are too many to list one by
// one are counted together.
const saveFailuresEvery = 5 * time.Minute

// loadLimits puts the stored rate limits in force.
func (a *App) loadLimits(ctx context.Context) error {
	return a.db.Store.View(ctx, func(tx tollgate.Tx) error {
		rows, _, err := tx.RateLimits.Query(ctx, tollgate.RateLimitFilter{}, tollgate.Page{All: true})
		if err != nil {
			return fmt.Errorf("reading the rate limits: %w", err)
		}
		a.limiter.Set(rows)
		return nil
	})
}

// restoreLimits lets the windows go on that ran when the gateway ended.
func (a *App) restoreLimits(ctx context.Context) error {
	return a.db.Store.View(ctx, func(tx tollgate.Tx) error {
		rows, err := tx.Counters.All(ctx)
		if err != nil {
			return fmt.Errorf("reading where the rate limits stood: %w", err)
		}
		a.limitsSaved = len(rows) > 0
		if lost := a.limiter.Restore(rows); lost > 0 {
			a.opts.Log.InfoContext(ctx, "what counted against limits that are gone is forgotten", slog.Int("limits", lost))
		}
		return nil
	})
}

// saveLimits writes down what counts against rate limits, unless nothing does
// and nothing did.
func (a *App) saveLimits(ctx context.Context) error {
	rows := a.limiter.Save()
	if len(rows) == 0 && !a.limitsSaved {
		return nil
	}
	err := a.db.Store.Update(ctx, func(tx tollgate.Tx) error { return tx.Counters.Replace(ctx, rows) })
	if err != nil {
		return fmt.Errorf("writing down where the rate limits stand: %w", err)
	}
	a.limitsSaved = len(rows) > 0
	return nil
}
