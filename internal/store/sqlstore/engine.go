package sqlstore

import (
	"context"
	"database/sql"

	"tollgate"
)

// engine is what differs between SQLite and PostgreSQL.
type engine interface {
	// view begins a read transaction of one moment.
	view(ctx context.Context) (*sql.Tx, error)
	// update begins a write transaction; no other one runs at the same time.
	// ctx bounds the wait, not the transaction: a commit is never cut off
	// half way. end gives the connection back.
	update(ctx context.Context) (tx *sql.Tx, end func(), err error)
	// append is the Append of tollgate.RequestLog.
	append(ctx context.Context, rows []tollgate.Request, intents []tollgate.Intent) error
	// queue is what stands before append; nil = nothing does.
	queue() *backlog
	// needsSavepoint reports whether a refused statement spoils its transaction.
	needsSavepoint() bool
	// classify says what an error of the driver means.
	classify(err error) fault
	// jsonInts and jsonTexts are sub-queries of the elements of a JSON array.
	jsonInts(arg string) string
	jsonTexts(arg string) string
	// ping reports whether the database answers and is still ours alone.
	ping(ctx context.Context) error
	// integrity looks for damage.
	integrity(ctx context.Context) error
	// backup writes a copy of one moment to a new SQLite file at dst.
	backup(ctx context.Context, dst string, progress func(done, total int64)) error
	// close ends the connections, then the lock.
	close() error
}

// appendHolder is an engine that appends beside its write transactions.
type appendHolder interface {
	// holdAppends lets no batch be appended until tx ends, and waits for those
	// that are under way.
	holdAppends(ctx context.Context, tx *sql.Tx) error
}
