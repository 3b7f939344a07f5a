package ops

import (
	"context"
	"errors"
	"path/filepath"

	"tollgate"
	"tollgate/internal/store/sqlstore"
)

// Restored tells what a restore did.
type Restored struct {
	Users, Keys, Sessions int64 // Sessions were ended
}

// Restore fills the empty database of the configuration from a backup file.
// The master key is tried on the backup before anything is written (SECURITY
// B-05). All sessions end: they may have been ended after the backup. No
// server may be running on the database.
func Restore(ctx context.Context, o OpenOptions, src string, report Report) (Restored, error) {
	if client, ok := Dial(ctx, o.Config.DataDir); ok {
		client.Close()
		return Restored{}, tollgate.Errorf(tollgate.CodeConflict, "a server is running in %s; stop it before restoring", o.Config.DataDir)
	}
	path, err := filepath.Abs(src)
	if err != nil {
		return Restored{}, err
	}
	if err := fits(ctx, o, path); err != nil {
		return Restored{}, err
	}
	progress := func(done, total int64) { report(Progress{Done: done, Total: total, What: "restore"}) }
	if err := sqlstore.Restore(ctx, path, storeOptions(o), progress); err != nil {
		return Restored{}, err
	}
	db, err := Open(ctx, o)
	if err != nil {
		return Restored{}, err
	}
	out, err := settle(ctx, db)
	return out, errors.Join(err, db.Close())
}

// fits checks, reading only, that the backup is ours, that the master key
// opens it, and that the target is empty.
func fits(ctx context.Context, o OpenOptions, path string) error {
	backup, err := sqlstore.Probe(ctx, sqlstore.Options{DSN: "sqlite://" + filepath.ToSlash(path), Now: o.Now, Log: o.Log})
	if err != nil {
		return err
	}
	if !backup.Ours {
		return tollgate.Errorf(tollgate.CodeInvalid, "%s is not a tollgate backup", path)
	}
	_, keys, err := unlock(o.Config, backup)
	if err != nil {
		return err
	}
	if keys == nil {
		return tollgate.Errorf(tollgate.CodeInvalid, "%s holds no root key; it is not a whole backup", path)
	}
	target, err := sqlstore.Probe(ctx, storeOptions(o))
	if err != nil {
		return err
	}
	if target.Exists {
		return tollgate.Errorf(tollgate.CodeConflict, "the database is not empty; a restore needs an empty one: move it away, or give another --dsn or --data-dir")
	}
	return nil
}

// settle ends the sessions of a restored database and records the restore.
func settle(ctx context.Context, db *Database) (Restored, error) {
	var out Restored
	err := db.Store.Update(ctx, func(tx tollgate.Tx) (err error) {
		sessions, _, err := tx.Sessions.Query(ctx, tollgate.SessionFilter{}, tollgate.Page{All: true})
		if err != nil {
			return err
		}
		for _, s := range sessions {
			if err := tx.Sessions.Delete(ctx, s.ID); err != nil {
				return err
			}
		}
		out.Sessions = int64(len(sessions))
		if out.Users, err = tx.Users.Count(ctx, tollgate.UserFilter{}); err != nil {
			return err
		}
		if out.Keys, err = tx.Keys.Count(ctx, tollgate.KeyFilter{}); err != nil {
			return err
		}
		e := operator().Entry(db.Accounts.Now(), "system.restore", "system", 0)
		return tx.Audit.Append(ctx, &e)
	})
	return out, err
}
