package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"tollgate"
	"tollgate/internal/store/migrations"
)

// Found is what Probe saw.
type Found struct {
	// Exists says that there is a database with something in it.
	Exists bool
	// Ours says that it carries our schema marker.
	Ours bool
	// SchemaVersion is the version of its schema; 0 unless Ours.
	SchemaVersion int64

	meta map[string][]byte
}

// Meta returns a value of the database's Meta table, as it was.
func (f Found) Meta(name string) ([]byte, bool) {
	v, ok := f.meta[name]
	return v, ok
}

// Probe looks at a database without changing a byte of it or beside it, so
// that the master key can be checked before anything is written. A database
// that another process owns is CodeConflict, for it changes while one looks.
func Probe(ctx context.Context, o Options) (Found, error) {
	t, err := o.target()
	if err != nil {
		return Found{}, err
	}
	return t.probe(ctx)
}

// admissible refuses what Open must not touch.
func (f Found) admissible(t target) error {
	if !f.Exists {
		return nil
	}
	if !f.Ours {
		return tollgate.Errorf(tollgate.CodeConflict,
			"%s holds something that is not a tollgate database, and was left alone; "+
				"name an empty database, and bring users over with `tollgate import`", t.describe())
	}
	latest, err := migrations.Latest()
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "the schema files cannot be read")
	}
	if f.SchemaVersion > latest {
		return tollgate.Errorf(tollgate.CodeConflict,
			"%s was written by a newer tollgate (schema version %d, this one knows %d); start that version, or restore an older backup",
			t.describe(), f.SchemaVersion, latest)
	}
	return nil
}

// probe looks at the file; an existing lock file is held meanwhile.
func (f sqliteFile) probe(ctx context.Context) (Found, error) {
	lock, err := lockFile(f.lockPath(), false)
	if err != nil {
		return Found{}, f.owned(err)
	}
	found, err := f.look(ctx)
	return found, errors.Join(err, lock.release())
}

// look is probe for the holder of the lock.
func (f sqliteFile) look(ctx context.Context) (found Found, err error) {
	db, err := openFrozen(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return Found{}, f.orphanedLog()
	}
	if err != nil {
		return Found{}, tollgate.WrapError(tollgate.CodeUnavailable, err, "the database file %s cannot be read", f)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if db.image.size == 0 {
		return Found{}, f.orphanedLog()
	}
	if !db.image.isSQLite() {
		return Found{Exists: true}, nil
	}
	found, err = examine(ctx, db.DB, "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'")
	if err != nil {
		return Found{}, tollgate.WrapError(tollgate.CodeUnavailable, err, "the database file %s cannot be read; it may be damaged", f)
	}
	return found, nil
}

// orphanedLog refuses a log without its database: SQLite would delete it, or
// lay it over whatever database appears beside it.
func (f sqliteFile) orphanedLog() error {
	info, err := os.Stat(string(f) + "-wal")
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return nil
	}
	return tollgate.WrapError(tollgate.CodeConflict, err,
		"the log %s-wal is there but its database is not; put the database back, or move the log away", f)
}

// querier reads; *sql.DB and *sql.Tx are ones.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// examine tells from the names of its tables whose a database is, and reads
// version and meta values of ours.
func examine(ctx context.Context, db querier, listTables string) (Found, error) {
	names := map[string]bool{}
	if err := collect(ctx, db, listTables, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names[name] = true
		return err
	}); err != nil {
		return Found{}, err
	}
	if !names[migrations.Table] {
		return Found{Exists: len(names) > 0}, nil
	}
	found := Found{Exists: true, Ours: true, meta: map[string][]byte{}}
	query := "SELECT COALESCE(MAX(version_id), 0) FROM " + migrations.Table
	if err := db.QueryRowContext(ctx, query).Scan(&found.SchemaVersion); err != nil {
		return Found{}, fmt.Errorf("read the schema version: %w", err)
	}
	if found.SchemaVersion == 0 {
		return Found{}, nil // marked, but its first step never ended: as good as empty
	}
	err := collect(ctx, db, "SELECT name, value FROM meta", func(scan func(...any) error) error {
		var name string
		var value []byte
		err := scan(&name, &value)
		found.meta[name] = value
		return err
	})
	return found, err
}

// collect runs each over the rows of a query.
func collect(ctx context.Context, db querier, query string, each func(scan func(...any) error) error, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
