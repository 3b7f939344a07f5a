package app

import (
	"context"

	"tollgate/internal/ops"
)

// openDatabase proves the master key on the database and only then opens it.
func (a *App) openDatabase(ctx context.Context) error {
	db, err := ops.Open(ctx, ops.OpenOptions{
		Config: *a.cfg.Load(), Now: a.opts.Now, Rand: a.opts.Rand, Log: a.opts.Log, Environ: a.opts.Environ,
	})
	if err != nil {
		return err
	}
	a.db = db
	a.undo = append(a.undo, func() {
		if err := db.Close(); err != nil {
			a.opts.Log.ErrorContext(ctx, "closing the database", "error", err)
		}
	})
	return nil
}

// startControl opens the control socket, through which commands at the host
// reach the database that this process owns.
func (a *App) startControl(ctx context.Context) error {
	host := &ops.Host{Database: a.db, Log: a.opts.Log, Reload: a.opts.Reload}
	control, err := ops.Serve(ctx, a.cfg.Load().DataDir, host, a.opts.Log)
	if err != nil {
		return err
	}
	a.control = control
	return nil
}
