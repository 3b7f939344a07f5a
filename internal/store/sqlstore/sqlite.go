package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tollgate"
	"tollgate/internal/store/migrations"
)

// Settings of the SQLite connections.
const (
	busyMillis       = 10_000 // waits for a checkpoint or backup in the way
	checkpointPages  = 4_000  // 16 MiB of log between checkpoints: hot index pages are copied less often
	logLimitBytes    = 64 << 20
	writerCacheKiB   = 32 << 10
	readerCacheKiB   = 8 << 10
	fileMode         = 0o600
	directoryMode    = 0o700
	readersPerCore   = 2
	minReaders       = 4
	sqliteFileHeader = "SQLite format 3\x00"
)

// sqliteFile is the absolute path of a SQLite database.
type sqliteFile string

func (f sqliteFile) describe() string { return string(f) }

// uri returns the file as a SQLite URI with parameters.
func (f sqliteFile) uri(params url.Values) string {
	path := filepath.ToSlash(string(f))
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive letter
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: params.Encode()}).String()
}

// lockPath is the lock file beside the database: tollgate.db has tollgate.lock.
func (f sqliteFile) lockPath() string {
	return strings.TrimSuffix(string(f), filepath.Ext(string(f))) + ".lock"
}

// sqliteEngine is an open SQLite database: one writer, some readers.
type sqliteEngine struct {
	file    sqliteFile
	lock    *fileLock
	writer  *sql.DB
	reader  *sql.DB
	batches *appender
	backlog *backlog // nil = every append is a transaction
}

// open takes the lock, looks that the database is ours, and opens it. Nothing
// is written before both are known.
func (f sqliteFile) open(ctx context.Context, o Options) (_ engine, err error) {
	lock, err := f.claim(ctx)
	if err != nil {
		return nil, err
	}
	e := &sqliteEngine{file: f, lock: lock}
	defer func() {
		if err != nil {
			_ = e.close()
		}
	}()
	if err := f.prepare(); err != nil {
		return nil, tollgate.WrapError(tollgate.CodeUnavailable, err, "the database file %s cannot be created", f)
	}
	if e.writer, err = f.connect(f.writerParams(o.Durability), 1); err != nil {
		return nil, err
	}
	if err := migrations.Up(ctx, e.writer, migrations.SQLite); err != nil {
		return nil, failure(ctx, e, err, "bring the schema up to date")
	}
	if e.reader, err = f.connect(f.readerParams(), max(minReaders, readersPerCore*runtime.NumCPU())); err != nil {
		return nil, err
	}
	intended, err := storedIntents(ctx, e.writer)
	if err != nil {
		return nil, failure(ctx, e, err, "read what is under way")
	}
	if e.batches, err = newAppender(f, o.Durability, intended); err != nil {
		return nil, failure(ctx, e, err, "open the record")
	}
	id, err := storeID(ctx, e.writer)
	if err != nil {
		return nil, failure(ctx, e, err, "read the id of the database")
	}
	if err := e.replay(ctx, id, o); err != nil {
		return nil, err
	}
	if o.Durability != DurablePower {
		e.backlog = newBacklog(f.journalPath(), id, e.transaction, o.Log)
	}
	return e, nil
}

// claim takes the lock file. A database that is refused is not even given a
// lock file.
func (f sqliteFile) claim(ctx context.Context) (_ *fileLock, err error) {
	lock, err := lockFile(f.lockPath(), false)
	if err != nil {
		return nil, f.owned(err)
	}
	defer func() {
		if err != nil {
			_ = lock.release()
		}
	}()
	if err := f.admissible(ctx); err != nil {
		return nil, err
	}
	if lock != nil {
		return lock, nil
	}
	if err := os.MkdirAll(filepath.Dir(string(f)), directoryMode); err != nil {
		return nil, tollgate.WrapError(tollgate.CodeUnavailable, err, "the data directory cannot be created")
	}
	if lock, err = lockFile(f.lockPath(), true); err != nil {
		return nil, f.owned(err)
	}
	return lock, f.admissible(ctx) // another process may have come and gone
}

func (f sqliteFile) owned(err error) error {
	if errors.Is(err, errLocked) {
		return tollgate.WrapError(tollgate.CodeConflict, err,
			"another tollgate process owns the database %s; stop it first, one process owns a database", f)
	}
	return tollgate.WrapError(tollgate.CodeUnavailable, err, "the lock file %s cannot be used", f.lockPath())
}

func (f sqliteFile) admissible(ctx context.Context) error {
	found, err := f.look(ctx)
	if err != nil {
		return err
	}
	return found.admissible(f)
}

// prepare creates the file, or tightens its mode: SQLite gives its log files
// the mode of the database.
func (f sqliteFile) prepare() error {
	file, err := os.OpenFile(string(f), os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(string(f) + suffix)
		if err == nil && info.Mode().Perm()&^fileMode != 0 {
			err = os.Chmod(string(f)+suffix, fileMode)
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

// synchronous is what commits wait for.
func synchronous(durability string) string {
	if durability == DurablePower {
		return "FULL"
	}
	return "NORMAL"
}

// directSetup is what the record's own connection begins with. It has no
// foreign keys to look after: the record names things that may be gone.
func (f sqliteFile) directSetup(durability string) string {
	return fmt.Sprintf("PRAGMA synchronous = %s; PRAGMA busy_timeout = %d; PRAGMA wal_autocheckpoint = %d; PRAGMA journal_size_limit = %d; PRAGMA cache_size = -%d",
		synchronous(durability), busyMillis, checkpointPages, logLimitBytes, writerCacheKiB)
}

func (f sqliteFile) writerParams(durability string) url.Values {
	return url.Values{
		"mode": {"rw"}, "_txlock": {"immediate"}, "_journal_mode": {"WAL"}, "_synchronous": {synchronous(durability)}, "_dqs": {"0"}, "_defensive": {"1"},
		"_foreign_keys": {"1"}, "_busy_timeout": {strconv.Itoa(busyMillis)}, "_error_rc": {"1"},
		"_pragma": {
			fmt.Sprintf("wal_autocheckpoint(%d)", checkpointPages),
			fmt.Sprintf("journal_size_limit(%d)", logLimitBytes),
			fmt.Sprintf("cache_size(-%d)", writerCacheKiB),
		},
	}
}

func (f sqliteFile) readerParams() url.Values {
	return url.Values{
		"mode": {"rw"}, "_query_only": {"1"}, "_busy_timeout": {strconv.Itoa(busyMillis)}, "_error_rc": {"1"}, "_dqs": {"0"},
		"_pragma": {fmt.Sprintf("cache_size(-%d)", readerCacheKiB)},
	}
}

func (f sqliteFile) connect(params url.Values, conns int) (*sql.DB, error) {
	c, err := sqlite.NewConnector(f.uri(params))
	if err != nil {
		return nil, tollgate.WrapError(tollgate.CodeInternal, err, "the database cannot be opened")
	}
	db := sql.OpenDB(c)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

func (e *sqliteEngine) view(ctx context.Context) (*sql.Tx, error) {
	return e.reader.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
}

func (e *sqliteEngine) update(ctx context.Context) (*sql.Tx, func(), error) {
	return beginOwned(ctx, e.writer)
}

// beginOwned begins a write transaction on a connection of its own. ctx bounds
// the wait for the connection alone.
func beginOwned(ctx context.Context, db *sql.DB) (*sql.Tx, func(), error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	tx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return tx, func() { _ = conn.Close() }, nil
}

func (*sqliteEngine) needsSavepoint() bool { return false }

func (*sqliteEngine) jsonInts(arg string) string { return "SELECT value FROM json_each(" + arg + ")" }

func (*sqliteEngine) jsonTexts(arg string) string { return "SELECT value FROM json_each(" + arg + ")" }

// classify reads SQLite's result code; the field is in the text, as
// "UNIQUE constraint failed: users.name" or "CHECK constraint failed: ck_users__role".
func (*sqliteEngine) classify(err error) fault {
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) {
		return fault{kind: failTransient}
	}
	type coded interface { // errors of the driver and of the record's own connection
		error
		Code() int
	}
	e, ok := errors.AsType[coded](err)
	if !ok {
		return fault{}
	}
	_, about, _ := strings.Cut(e.Error(), "constraint failed: ")
	if i := strings.LastIndex(about, "constraint failed: "); i >= 0 {
		about = about[i+len("constraint failed: "):]
	}
	about, _, _ = strings.Cut(about, " (")
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return fault{failUnique, fieldOf(about[strings.LastIndex(about, ".")+1:])}
	case sqlite3.SQLITE_CONSTRAINT_CHECK:
		return fault{failCheck, fieldOf(about)}
	case sqlite3.SQLITE_CONSTRAINT_NOTNULL:
		return fault{failReference, fieldOf(about[strings.LastIndex(about, ".")+1:])}
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return fault{kind: failReference}
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_READONLY:
		return fault{kind: failTransient}
	}
	return fault{}
}

// fieldOf reads the field from the name of a constraint or column.
func fieldOf(name string) string {
	if _, field, ok := strings.Cut(name, "__"); ok {
		name = field
	}
	if name == "period" { // the column of a window: WINDOW is a reserved word
		return "window"
	}
	return name
}

// storedIntents are the dispatches with an intent in the database.
func storedIntents(ctx context.Context, db *sql.DB) (ids []int64, err error) {
	rows, err := db.QueryContext(ctx, "SELECT id FROM intents")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (e *sqliteEngine) queue() *backlog { return e.backlog }

func (e *sqliteEngine) ping(ctx context.Context) error {
	var n int64
	return e.reader.QueryRowContext(ctx, "SELECT COUNT(*) FROM meta WHERE name = ''").Scan(&n)
}

func (e *sqliteEngine) integrity(ctx context.Context) error { return integrityOf(ctx, e.reader) }

// integrityOf reads the whole database and its references.
func integrityOf(ctx context.Context, db *sql.DB) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&verdict); err != nil {
		return fmt.Errorf("check the database: %w", err)
	}
	if verdict != "ok" {
		return fmt.Errorf("the database is damaged: %s", verdict)
	}
	rows, err := db.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return fmt.Errorf("check references: %w", err)
	}
	defer func() { _ = rows.Close() }()
	if rows.Next() {
		return errors.New("the database is damaged: a reference points nowhere")
	}
	return rows.Err()
}

func (e *sqliteEngine) close() error {
	var errs []error
	if e.backlog != nil {
		errs = append(errs, e.backlog.close())
	}
	if e.reader != nil {
		errs = append(errs, e.reader.Close())
	}
	if e.writer != nil { // last, so that it folds the log into the database
		if e.batches != nil {
			errs = append(errs, e.batches.conn.Close())
		}
		errs = append(errs, e.writer.Close())
	}
	return errors.Join(append(errs, e.lock.release())...)
}
