package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"tollgate"
)

// session is one transaction: the statements run in it, and what it wrote.
type session struct {
	tx      *sql.Tx
	engine  engine
	touched tollgate.Area
	wrote   bool
}

// touch notes that the transaction wrote, and where.
func (s *session) touch(area tollgate.Area) {
	s.touched |= area
	s.wrote = true
}

// write runs a statement that may be refused. After a refusal the transaction
// goes on: SQLite undoes the statement by itself, PostgreSQL needs a savepoint.
func (s *session) write(ctx context.Context, run func() error) error {
	if !s.engine.needsSavepoint() {
		return run()
	}
	if _, err := s.tx.ExecContext(ctx, "SAVEPOINT statement"); err != nil {
		return err
	}
	if err := run(); err != nil {
		_, undo := s.tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT statement")
		return errors.Join(err, undo)
	}
	_, err := s.tx.ExecContext(ctx, "RELEASE SAVEPOINT statement")
	return err
}

// exec runs a write and returns the number of rows it changed. The error is
// the engine's own.
func (s *session) exec(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.write(ctx, func() error {
		res, err := s.tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

// number reads one integer. The error is the engine's own.
func (s *session) number(ctx context.Context, query string, args ...any) (n int64, err error) {
	err = s.tx.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

func (s *session) count(ctx context.Context, from string, w *where, noun string) (int64, error) {
	n, err := s.number(ctx, "SELECT COUNT(*) FROM "+from+w.clause(), w.args...)
	return n, s.fail(ctx, err, "count "+noun+" rows")
}

// fail turns an engine's error into one of the contract; nil stays nil.
func (s *session) fail(ctx context.Context, err error, doing string) error {
	return failure(ctx, s.engine, err, doing)
}

// failKind says what an engine's error means.
type failKind uint8

const (
	failOther     failKind = iota
	failUnique             // a unique value is taken
	failCheck              // a value is outside what the schema allows
	failReference          // a reference points nowhere
	failTransient          // the database is busy, full, away or shutting down
)

// fault is an engine's error, understood. field is "" when the engine does not tell.
type fault struct {
	kind  failKind
	field string
}

// failure turns an engine's error into one of the contract: CodeUnavailable
// when trying again can help, else CodeInternal. An ended context is passed on.
func failure(ctx context.Context, e engine, err error, doing string) error {
	if err == nil {
		return nil
	}
	if own, ok := errors.AsType[*tollgate.Error](err); ok {
		return own
	}
	if cause := ctx.Err(); cause != nil {
		return tollgate.WrapError(tollgate.CodeUnavailable, errors.Join(cause, err), "the request ended before the database answered")
	}
	if e.classify(err).kind == failTransient {
		return tollgate.WrapError(tollgate.CodeUnavailable, err, "the database does not answer (%s)", doing)
	}
	return tollgate.WrapError(tollgate.CodeInternal, err, "the database failed (%s)", doing)
}
