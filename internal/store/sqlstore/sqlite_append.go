package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

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
	const once = " ON CONFLICT DO NOTHING"
	return &appender{requests: newRowWriter("requests", u.requests, once), dispatches: newRowWriter("dispatches", u.dispatches, once)}
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
	defer func() {
		if err != nil {
			a.forget()
		}
	}()
	prepare := func(query string) (driver.StmtExecContext, error) { return a.stmt(dc, query) }
	for query, to := range map[string]*driver.StmtExecContext{"BEGIN IMMEDIATE": &a.begin, "COMMIT": &a.commit, "ROLLBACK": &a.rollback} {
		if *to, err = prepare(query); err != nil {
			return err
		}
	}
	a.requests.use(prepare)
	a.dispatches.use(prepare)
	a.conn = dc
	return nil
}

// stmt prepares a statement on dc; forget ends it.
func (a *appender) stmt(dc driver.Conn, query string) (driver.StmtExecContext, error) {
	s, err := dc.Prepare(query)
	if err != nil {
		return nil, err
	}
	a.stmts = append(a.stmts, s)
	x, ok := s.(driver.StmtExecContext)
	if !ok {
		return nil, errors.New("the driver's statements cannot be executed")
	}
	return x, nil
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
