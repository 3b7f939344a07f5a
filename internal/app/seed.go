package app

import (
	"context"
	"fmt"
	"log/slog"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/seed"
)

// bootstrap imports the file on the first start, makes or updates the bootstrap
// admin, adds the records of --demo, and reports where file and database differ.
func (a *App) bootstrap(ctx context.Context) error {
	cfg := a.cfg.Load()
	im := a.db.Importer
	started, err := im.Start(ctx, a.db.Store, cfg.Admin, cfg.Seed)
	if err != nil {
		return err
	}
	a.started = started
	if cfg.Demo {
		if err := im.EnsureDemo(ctx, a.db.Store); err != nil {
			return err
		}
	}
	// Shipped prices that this release brings, for providers that are there already.
	if err := a.db.Store.Update(ctx, func(tx tollgate.Tx) error { return a.db.Prices.Reconcile(ctx, tx) }); err != nil {
		return fmt.Errorf("bringing the price book up to date: %w", err)
	}
	log := a.opts.Log
	for _, p := range cfg.Warnings { // the notes of the import are among them
		log.WarnContext(ctx, "configuration", "remark", p.String())
	}
	for _, name := range started.Report.NeedSecret {
		log.WarnContext(ctx, "created without a secret, disabled until it gets one", "record", name)
	}
	if !started.First {
		a.reportDrift(ctx, im, cfg)
	}
	return nil
}

// maxDrift bounds how many differences one start names.
const maxDrift = 20

// reportDrift says where the file and the database differ. It never fails a
// start: the database is what counts.
func (a *App) reportDrift(ctx context.Context, im *seed.Importer, cfg *config.Config) {
	plan, err := im.Plan(ctx, a.db.Store, cfg.Seed, seed.Options{})
	if err != nil {
		a.opts.Log.WarnContext(ctx, "file and database could not be compared", "error", err)
		return
	}
	missing, different := plan.Drift()
	if missing+different == 0 {
		return
	}
	a.opts.Log.WarnContext(ctx, "the file and the database differ; the database counts. `tollgate import --plan` shows the differences, `tollgate import` applies them",
		slog.Int("missing", missing), slog.Int("different", different))
	named := 0
	for _, c := range plan.Changes {
		if c.Action == seed.Extra {
			continue
		}
		if named++; named > maxDrift {
			return
		}
		a.opts.Log.WarnContext(ctx, "drift", "change", c.String())
	}
}
