package app

import (
	"context"
	"path/filepath"

	"tollgate"
	"tollgate/internal/auth/seal"
	"tollgate/internal/store/sqlstore"
)

// openDatabase finds the master key, proves it on the database, and only then
// opens the database, which may write (CONTRACT 3).
func (a *App) openDatabase(ctx context.Context) error {
	cfg := a.cfg.Load()
	at := sqlstore.Options{
		DSN: cfg.DSN.Reveal(), Dir: cfg.DataDir, Durability: cfg.Ledger.Durability, Now: a.opts.Now, Log: a.opts.Log,
	}
	found, err := sqlstore.Probe(ctx, at)
	if err != nil {
		return err
	}
	given := seal.Given{
		KeyFile: filepath.Join(cfg.DataDir, seal.KeyFileName), NewDatabase: !found.Ours, Meta: found.Meta,
		Env: given(cfg.MasterKey), EnvPrevious: given(cfg.PreviousMasterKey),
	}
	master, err := seal.ResolveMaster(given)
	if err != nil {
		return err
	}
	_, known := found.Meta(seal.MetaRoot)
	if known {
		if a.keys, err = seal.Unlock(master, found.Meta); err != nil {
			return err
		}
	}
	if a.store, err = sqlstore.Open(ctx, at); err != nil {
		return err
	}
	a.undo = append(a.undo, func() { _ = a.store.Close() })
	if known {
		return nil
	}
	return a.createKeys(ctx, master)
}

func given(s tollgate.Secret) tollgate.Opt[tollgate.Secret] {
	if s.Empty() {
		return tollgate.Opt[tollgate.Secret]{}
	}
	return tollgate.Some(s)
}

// createKeys makes the root key of a new database. The key file is written
// first: a database whose key was never kept could not be opened again.
func (a *App) createKeys(ctx context.Context, master seal.Master) error {
	if master.Create {
		if err := master.WriteKeyFile(a.opts.Rand); err != nil {
			return err
		}
	}
	keys, stored, err := seal.Create(master, a.opts.Rand)
	if err != nil {
		return err
	}
	if err := a.store.Update(ctx, func(tx tollgate.Tx) error { return stored.Save(ctx, tx) }); err != nil {
		return err
	}
	a.keys = keys
	return nil
}
