package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/jackc/pgx/v5/stdlib"

	"tollgate"
	"tollgate/internal/store/migrations"
)

// Restore fills the empty database that o names from the backup file src, all
// or nothing. A backup of an older schema is brought up to date at the next
// Open. A target that is not empty is CodeConflict; a source that is damaged,
// not a backup of ours, or of a newer schema is CodeInvalid. The caller checks
// the master key first: Probe reads a backup file as any other database.
func Restore(ctx context.Context, src string, o Options, progress func(done, total int64)) (err error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	target, err := o.target()
	if err != nil {
		return err
	}
	backup, err := Options{DSN: "sqlite://" + src}.target()
	if err != nil {
		return tollgate.Invalidf("src", "%q is not the path of a backup file", src)
	}
	file, ok := backup.(sqliteFile)
	if !ok {
		return tollgate.Invalidf("src", "%q is not the path of a backup file", src)
	}
	found, err := file.probe(ctx)
	if err != nil {
		return err
	}
	if !found.Ours {
		return tollgate.Invalidf("src", "%s is not a tollgate backup", src)
	}
	if err := found.admissible(file); err != nil {
		return err
	}
	if err := file.drained(); err != nil {
		return err
	}
	db, err := openFrozen(string(file))
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInvalid, err, "%s cannot be read", src)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := integrityOf(ctx, db.DB); err != nil {
		return tollgate.WrapError(tollgate.CodeInvalid, err, "%s is damaged", src)
	}
	return target.restore(ctx, o, db, found.SchemaVersion, progress)
}

func notEmpty(t target) error {
	return tollgate.Errorf(tollgate.CodeConflict, "%s is not empty; a restore needs an empty database", t.describe())
}

// restore copies the pages of the backup into a file that gets its name when
// it is whole.
func (f sqliteFile) restore(ctx context.Context, _ Options, from *frozen, _ int64, progress func(done, total int64)) (err error) {
	lock, err := f.claim(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.release()) }()
	found, err := f.look(ctx)
	if err != nil {
		return err
	}
	if found.Exists {
		return notEmpty(f)
	}
	if err := f.drained(); err != nil {
		return err
	}
	if err := f.removeEmpty(); err != nil {
		return tollgate.WrapError(tollgate.CodeUnavailable, err, "the empty file %s cannot be replaced", f)
	}
	conn, err := from.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return newFile(string(f), func(partial string) error {
		if err := copyPages(ctx, conn, sqliteFile(partial), progress); err != nil {
			return tollgate.WrapError(tollgate.CodeUnavailable, err, "the backup could not be copied to %s", f)
		}
		return nil
	})
}

// removeEmpty removes a file of no bytes or no tables, for newFile creates its own.
func (f sqliteFile) removeEmpty() error {
	err := os.Remove(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// restore brings the schema to the version of the backup and copies the rows
// in one transaction. When that fails the schema goes again, so that the
// database is empty as before.
func (d *postgresDatabase) restore(ctx context.Context, o Options, from *frozen, version int64, progress func(done, total int64)) (err error) {
	config, err := d.config()
	if err != nil {
		return err
	}
	own, err := claimPostgres(ctx, config, o.Log)
	if err != nil {
		return d.refused(err)
	}
	defer func() { err = errors.Join(err, own.close()) }()
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	found, err := examine(ctx, db, postgresTables)
	if err != nil {
		return d.refused(err)
	}
	if found.Exists {
		return notEmpty(d)
	}
	err = migrations.UpTo(ctx, db, migrations.Postgres, version)
	if err == nil {
		err = fillPostgres(ctx, db, from, progress)
	}
	if err != nil {
		err = errors.Join(err, dropTables(context.WithoutCancel(ctx), db))
		return tollgate.WrapError(tollgate.CodeUnavailable, err, "the backup could not be copied to %s", d.shown)
	}
	return nil
}

func fillPostgres(ctx context.Context, db *sql.DB, from *frozen, progress func(done, total int64)) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.ExecContext(ctx, "SET CONSTRAINTS ALL DEFERRED"); err != nil {
		return err
	}
	source, err := from.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = source.Rollback() }()
	if err := copyRows(ctx, sqliteSource{source}, postgresSink{conn, tx}, progress); err != nil {
		return err
	}
	return tx.Commit()
}

// dropTables empties a schema that held nothing but what restore put there.
func dropTables(ctx context.Context, db *sql.DB) error {
	tables, err := textColumn(ctx, db, postgresTables+" AND c.relkind = 'r'")
	if err != nil {
		return err
	}
	for _, table := range tables {
		if _, err := db.ExecContext(ctx, "DROP TABLE IF EXISTS "+quoted(table)+" CASCADE"); err != nil {
			return fmt.Errorf("drop %s: %w", table, err)
		}
	}
	return nil
}
