package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"tollgate"
	"tollgate/internal/store/journal"
)

// metaStoreID is the meta value that says which journal belongs to a database.
// A backup does not have it: a restored database is another one.
const metaStoreID = "store.id"

// storeID returns the id of a database, and gives it one if it has none.
func storeID(ctx context.Context, db *sql.DB) (id [16]byte, err error) {
	fresh := make([]byte, len(id))
	if _, err := rand.Read(fresh); err != nil {
		return id, err
	}
	var stored []byte
	err = db.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = $1", metaStoreID).Scan(&stored)
	if errors.Is(err, sql.ErrNoRows) {
		stored = fresh
		_, err = db.ExecContext(ctx, "INSERT INTO meta (name, value) VALUES ($1, $2)", metaStoreID, fresh)
	}
	copy(id[:], stored)
	return id, err
}

// journalPath is the journal beside the database: tollgate.db has tollgate.journal.
func (f sqliteFile) journalPath() string {
	return strings.TrimSuffix(string(f), filepath.Ext(string(f))) + ".journal"
}

// replay writes what a process that died has left in its journal, and removes
// it. Doing so twice, or dying meanwhile, is no harm: what is there stays as it
// is.
func (e *sqliteEngine) replay(ctx context.Context, id [16]byte, o Options) error {
	path := e.file.journalPath()
	found, err := journal.Read(path, id)
	if err != nil {
		return unreadable(path, err)
	}
	for n, content := range found.Contents {
		rows, intents, err := journal.Decode(content)
		if err == nil {
			err = check(rows, intents)
		}
		if err != nil {
			return unreadable(path, err)
		}
		if err := e.transaction(ctx, rows, intents); err != nil {
			return tollgate.WrapError(tollgate.CodeUnavailable, err,
				"record %d of %d in the journal %s cannot be written to the database", n+1, len(found.Contents), path)
		}
	}
	if found.Gaps > 0 {
		o.Log.WarnContext(ctx, "the machine went down before all of the journal was on disk; the last requests before may be missing",
			"journal", path, "gaps", found.Gaps, "records", len(found.Contents))
	} else if len(found.Contents) > 0 {
		o.Log.InfoContext(ctx, "the journal of the process before was written to the database", "records", len(found.Contents))
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return tollgate.WrapError(tollgate.CodeUnavailable, err, "the journal %s cannot be removed", path)
	}
	return nil
}

// unreadable says what to do about a journal.
func unreadable(path string, err error) error {
	const without = "to go on without what is in it, move the file away"
	switch {
	case errors.Is(err, journal.ErrForeign):
		return tollgate.WrapError(tollgate.CodeConflict, err,
			"the journal %s holds records of another database; put it back beside that database and open it once, or move the file away", path)
	case errors.Is(err, journal.ErrVersion):
		return tollgate.WrapError(tollgate.CodeConflict, err, "the journal %s was written by another version of tollgate; open the database once with that, or, %s", path, without)
	case errors.Is(err, journal.ErrDamaged):
		return tollgate.WrapError(tollgate.CodeConflict, err, "the journal %s is damaged, and it may hold requests that the database does not have; %s", path, without)
	}
	return tollgate.WrapError(tollgate.CodeUnavailable, err, "the journal %s cannot be read", path)
}

// drained refuses a database whose journal holds something: whoever takes the
// file alone would lose it.
func (f sqliteFile) drained() error {
	found, err := journal.Read(f.journalPath(), [16]byte{})
	if err == nil && len(found.Contents) == 0 {
		return nil
	}
	if err != nil && !errors.Is(err, journal.ErrForeign) {
		return unreadable(f.journalPath(), err)
	}
	return tollgate.WrapError(tollgate.CodeConflict, err,
		"the journal %s holds records that the database does not have yet: open the database once with tollgate, or move the journal away with it", f.journalPath())
}
