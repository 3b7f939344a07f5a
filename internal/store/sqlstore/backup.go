package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"modernc.org/sqlite"

	"tollgate"
	"tollgate/internal/store/migrations"
)

// pagesPerStep is how much a backup copies between two looks at its context.
const pagesPerStep = 512

// Backup writes the database, as it is at one moment, to a new SQLite file at
// dst with mode 0600, while the store goes on. Both engines write the same
// kind of file. progress, which may be nil, is told now and then how much of
// how much is done, in pages or rows. The master key is not inside: sealed
// values stay sealed. A dst that exists is CodeConflict.
func (s *Store) Backup(ctx context.Context, dst string, progress func(done, total int64)) error {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	return newFile(dst, func(partial string) error {
		err := s.engine.backup(ctx, partial, progress)
		if err == nil {
			err = stampBackup(ctx, sqliteFile(partial), s.now)
		}
		return failure(ctx, s.engine, err, "write the backup")
	})
}

// MetaBackupAt is the meta value of a backup that says when it was taken, in
// RFC 3339. It stays in the database that the backup is restored into.
const MetaBackupAt = "backup.at"

// stampBackup makes a copy another database than its original, and says when it
// was taken.
func stampBackup(ctx context.Context, file sqliteFile, now func() time.Time) (err error) {
	db, err := file.scratch()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, "DELETE FROM meta WHERE name = $1", metaStoreID); err != nil || now == nil {
		return err
	}
	const query = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
	_, err = db.ExecContext(ctx, query, MetaBackupAt, []byte(now().UTC().Format(time.RFC3339)))
	return err
}

// newFile lets write fill a file beside path and gives it its name when it is
// whole and on disk.
func newFile(path string, write func(partial string) error) (err error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return tollgate.WrapError(tollgate.CodeConflict, err, "%s already exists", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".partial-*") // mode 0600
	if err != nil {
		return tollgate.WrapError(tollgate.CodeUnavailable, err, "%s cannot be created", path)
	}
	partial := f.Name()
	defer func() {
		if err != nil {
			for _, suffix := range []string{"", "-journal", "-wal", "-shm"} {
				_ = os.Remove(partial + suffix)
			}
		}
	}()
	if err := f.Close(); err != nil {
		return err
	}
	if err := write(partial); err != nil {
		return err
	}
	if err := syncPath(partial); err != nil {
		return err
	}
	if err := os.Rename(partial, path); err != nil {
		return err
	}
	return syncPath(filepath.Dir(path))
}

// syncPath forces a file or directory to disk.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// backup copies pages inside one read transaction, so that writers neither
// wait for it nor make it start again.
func (e *sqliteEngine) backup(ctx context.Context, dst string, progress func(done, total int64)) (err error) {
	conn, err := e.reader.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() {
		_, undo := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		err = errors.Join(err, undo)
	}()
	var n int64
	if err := conn.QueryRowContext(ctx, "SELECT COUNT(*) FROM meta").Scan(&n); err != nil { // takes the snapshot
		return err
	}
	return copyPages(ctx, conn, sqliteFile(dst), progress)
}

// scratch opens a file that is thrown away when its writing fails: no journal,
// and one sync at the end by newFile.
func (f sqliteFile) scratch() (*sql.DB, error) {
	return f.connect(scratchParams(), 1)
}

func scratchParams() url.Values {
	return url.Values{"mode": {"rw"}, "_journal_mode": {"OFF"}, "_synchronous": {"OFF"}, "_foreign_keys": {"0"}, "_error_rc": {"1"}}
}

// copyPages copies the connection's database into the existing file dst and
// leaves it as one file without a log.
func copyPages(ctx context.Context, conn *sql.Conn, dst sqliteFile, progress func(done, total int64)) error {
	err := conn.Raw(func(raw any) error {
		source, ok := raw.(interface {
			NewBackup(uri string) (*sqlite.Backup, error)
		})
		if !ok {
			return fmt.Errorf("driver connection is a %T", raw)
		}
		b, err := source.NewBackup(dst.uri(scratchParams()))
		if err != nil {
			return err
		}
		for more := true; more && err == nil; {
			if err = ctx.Err(); err != nil {
				break
			}
			more, err = b.Step(pagesPerStep)
			progress(int64(b.PageCount()-b.Remaining()), int64(b.PageCount()))
		}
		return errors.Join(err, b.Finish())
	})
	if err != nil {
		return err
	}
	params := scratchParams()
	params.Set("_journal_mode", "DELETE")
	db, err := dst.connect(params, 1)
	if err != nil {
		return err
	}
	return errors.Join(db.PingContext(ctx), db.Close())
}

// backup copies rows of one moment into a SQLite file of the same schema.
func (e *postgresEngine) backup(ctx context.Context, dst string, progress func(done, total int64)) (err error) {
	tx, err := e.view(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	db, err := sqliteFile(dst).scratch()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	found, err := examine(ctx, tx, postgresTables)
	if err != nil {
		return err
	}
	if err := migrations.UpTo(ctx, db, migrations.SQLite, found.SchemaVersion); err != nil {
		return err
	}
	sink, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = sink.Rollback() }()
	if err := copyRows(ctx, postgresSource{tx}, sqliteSink{sink}, progress); err != nil {
		return err
	}
	return sink.Commit()
}
