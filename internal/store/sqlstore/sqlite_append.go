package sqlstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"

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
	intents    *rowWriter[tollgate.Intent]
	hours      *rowWriter[rollup]
	days       *rowWriter[rollup]
	traffic    *rowWriter[flow]
	latencies  *rowWriter[bar]
	settle     driver.StmtExecContext // removes intents
	open, move driver.StmtExecContext // of quotas
	stmts      []driver.Stmt
	entries    entries
	tally      tally
	stream     stream
	ids        []byte // of closed dispatches, as JSON
}

func newAppender() *appender {
	u := newUsageSpec()
	const once = " ON CONFLICT DO NOTHING"
	return &appender{
		requests: newRowWriter("requests", u.requests, once), dispatches: newRowWriter("dispatches", u.dispatches, once),
		intents: newRowWriter("intents", u.intents, moreHeld),
		hours:   newRowWriter(rollupTable(u.hours), u.hours, growRollup(u.hours)), days: newRowWriter(rollupTable(u.days), u.days, growRollup(u.days)),
		traffic:   newRowWriter("traffic", u.traffic, grows("traffic", u.traffic, flowKeys)),
		latencies: newRowWriter("latencies", u.latencies, grows("latencies", u.latencies, barKeys)),
		stream:    newStream(),
	}
}

// append holds the writer's connection for the batch. The context bounds the
// wait for it; the transaction itself is too short to be worth cutting off.
func (e *sqliteEngine) append(ctx context.Context, rows []tollgate.Request, intents []tollgate.Intent) error {
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
		e.batches.entries.fill(rows, intents)
		return e.batches.write(context.WithoutCancel(ctx))
	})
}

// transaction is append with errors of the contract.
func (e *sqliteEngine) transaction(ctx context.Context, rows []tollgate.Request, intents []tollgate.Intent) error {
	return failure(ctx, e, e.append(ctx, rows, intents), "record requests")
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
	for query, to := range map[string]*driver.StmtExecContext{
		"BEGIN IMMEDIATE": &a.begin, "COMMIT": &a.commit, "ROLLBACK": &a.rollback, closeIntents: &a.settle, openQuota: &a.open, moveBalance: &a.move,
	} {
		if *to, err = prepare(query); err != nil {
			return err
		}
	}
	a.requests.use(prepare)
	a.dispatches.use(prepare)
	a.intents.use(prepare)
	a.hours.use(prepare)
	a.days.use(prepare)
	a.traffic.use(prepare)
	a.latencies.use(prepare)
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

func (a *appender) write(ctx context.Context) (err error) {
	if _, err := a.begin.ExecContext(ctx, nil); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, undo := a.rollback.ExecContext(ctx, nil)
			_ = undo // SQLite may have rolled back by itself; err tells why
		}
	}()
	for _, step := range []func(context.Context) error{a.writeRequests, a.writeIntents, a.writeDispatches, a.writeTally} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	_, err = a.commit.ExecContext(ctx, nil)
	return err
}

func (a *appender) writeRequests(ctx context.Context) error {
	a.stream.reset()
	for i := range a.entries.requests {
		added, err := a.requests.insert(ctx, &a.entries.requests[i])
		if err != nil {
			return err
		}
		if added { // else it was sent again: it has been counted
			a.stream.add(&a.entries.requests[i])
		}
	}
	for i := range a.stream.flows {
		if _, err := a.traffic.insert(ctx, &a.stream.flows[i]); err != nil {
			return err
		}
	}
	return a.stream.each(func(b *bar) error {
		_, err := a.latencies.insert(ctx, b)
		return err
	})
}

func (a *appender) writeIntents(ctx context.Context) error {
	for i := range a.entries.intents {
		if _, err := a.intents.insert(ctx, &a.entries.intents[i]); err != nil {
			return err
		}
	}
	for _, o := range a.entries.opens {
		if err := exec(ctx, a.open, int64(o.Since), o.QuotaID); err != nil {
			return err
		}
	}
	return nil
}

func (a *appender) writeDispatches(ctx context.Context) error {
	a.tally.reset()
	for i := range a.entries.dispatches {
		added, err := a.dispatches.insert(ctx, &a.entries.dispatches[i])
		if err != nil {
			return err
		}
		if added { // else it was sent again: it has been counted
			a.tally.add(&a.entries.dispatches[i])
		}
	}
	return a.closeIntents(ctx)
}

// closeIntents removes the intents of closed dispatches by one statement.
func (a *appender) closeIntents(ctx context.Context) error {
	if len(a.entries.closed) == 0 {
		return nil
	}
	a.ids = append(a.ids[:0], '[')
	for _, id := range a.entries.closed {
		a.ids = append(strconv.AppendInt(a.ids, id, 10), ',')
	}
	a.ids[len(a.ids)-1] = ']'
	return exec(ctx, a.settle, string(a.ids))
}

func (a *appender) writeTally(ctx context.Context) error {
	for i := range a.tally.hours {
		if _, err := a.hours.insert(ctx, &a.tally.hours[i]); err != nil {
			return err
		}
	}
	for i := range a.tally.days {
		if _, err := a.days.insert(ctx, &a.tally.days[i]); err != nil {
			return err
		}
	}
	for _, c := range a.tally.charges {
		if err := exec(ctx, a.move, micros(c.WindowStart), int64(c.amount), c.QuotaID); err != nil {
			return err
		}
	}
	return nil
}

// exec runs a prepared statement.
func exec(ctx context.Context, stmt driver.StmtExecContext, args ...any) error {
	named := make([]driver.NamedValue, len(args))
	for i, v := range args {
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	_, err := stmt.ExecContext(ctx, named)
	return err
}
