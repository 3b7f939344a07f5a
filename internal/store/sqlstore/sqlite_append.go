package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"

	"tollgate"
)

// appender writes request and usage rows through statements that stay
// prepared on the writer's connection. It goes around database/sql's own
// statements, which cost more than the insert itself; one row per statement,
// since the driver matches arguments in quadratic time.
type appender struct {
	conn       driver.Conn // that the statements are prepared on
	begin      driver.StmtExecContext
	commit     driver.StmtExecContext
	rollback   driver.StmtExecContext
	requests   *rowWriter[tollgate.Request]
	dispatches *rowWriter[tollgate.UsageRow]
	stmts      []driver.Stmt
	usage      tollgate.UsageRow // the one being written
}

func newAppender() *appender {
	u := newUsageSpec()
	return &appender{requests: newRowWriter("requests", u.requests), dispatches: newRowWriter("dispatches", u.dispatches)}
}

// append holds the writer's connection for the batch. The context bounds the
// wait for it; the transaction itself is too short to be worth cutting off.
func (e *sqliteEngine) append(ctx context.Context, rows []tollgate.Request) error {
	conn, err := e.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(raw any) error {
		dc, ok := raw.(driver.Conn)
		if !ok {
			return fmt.Errorf("driver connection is a %T", raw)
		}
		if err := e.batches.prepare(dc); err != nil {
			return err
		}
		return e.batches.write(context.WithoutCancel(ctx), rows)
	})
}

// prepare makes the statements of a connection, once.
func (a *appender) prepare(dc driver.Conn) (err error) {
	if a.conn == dc {
		return nil
	}
	a.forget()
	stmt := func(query string) driver.StmtExecContext {
		if err != nil {
			return nil
		}
		var s driver.Stmt
		if s, err = dc.Prepare(query); err != nil {
			return nil
		}
		a.stmts = append(a.stmts, s)
		x, ok := s.(driver.StmtExecContext)
		if !ok {
			err = errors.New("the driver's statements cannot be executed")
		}
		return x
	}
	a.begin, a.commit, a.rollback = stmt("BEGIN IMMEDIATE"), stmt("COMMIT"), stmt("ROLLBACK")
	a.requests.stmt, a.dispatches.stmt = stmt(a.requests.query), stmt(a.dispatches.query)
	if err != nil {
		a.forget()
		return err
	}
	a.conn = dc
	return nil
}

func (a *appender) forget() {
	for _, s := range a.stmts {
		_ = s.Close()
	}
	a.stmts, a.conn = nil, nil
}

// close ends the statements while their connection is still open.
func (a *appender) close(writer *sql.DB) {
	conn, err := writer.Conn(context.Background())
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.Raw(func(any) error { a.forget(); return nil })
}

func (a *appender) write(ctx context.Context, rows []tollgate.Request) (err error) {
	if _, err := a.begin.ExecContext(ctx, nil); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, undo := a.rollback.ExecContext(ctx, nil)
			_ = undo // SQLite may have rolled back by itself; err tells why
		}
	}()
	for i := range rows {
		added, err := a.requests.insert(ctx, &rows[i])
		if err != nil {
			return err
		}
		if !added {
			continue // sent again: it and its dispatches stay as they are
		}
		for j := range rows[i].Dispatches {
			a.usage = usageRow(&rows[i], j)
			if _, err := a.dispatches.insert(ctx, &a.usage); err != nil {
				return err
			}
		}
	}
	_, err = a.commit.ExecContext(ctx, nil)
	return err
}

// rowWriter inserts rows of one table through one prepared statement.
type rowWriter[T any] struct {
	columns []column[T]
	query   string
	stmt    driver.StmtExecContext
	args    []driver.NamedValue
}

func newRowWriter[T any](table string, columns []column[T]) *rowWriter[T] {
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ")
	return &rowWriter[T]{
		columns: columns,
		query:   "INSERT INTO " + table + " (" + names(columns) + ") VALUES (" + marks + ") ON CONFLICT DO NOTHING",
		args:    make([]driver.NamedValue, len(columns)),
	}
}

// insert adds the row and reports whether it was not there before.
func (w *rowWriter[T]) insert(ctx context.Context, row *T) (bool, error) {
	for i := range w.columns {
		v, err := w.columns[i].bind(row)
		if err != nil {
			return false, err
		}
		w.args[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	res, err := w.stmt.ExecContext(ctx, w.args)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
