package sqlstore

import (
	"context"
	"errors"
	"fmt"

	"tollgate"
	"tollgate/internal/store/direct"
)

// appender writes the record through a connection of its own. Whoever uses it
// has the writer's connection as well, so that no two write at once.
type appender struct {
	conn                    *direct.Conn
	begin, commit, rollback *direct.Stmt
	requests                *rowWriter[tollgate.Request]
	dispatches              *rowWriter[tollgate.UsageRow]
	intents                 *rowWriter[tollgate.Intent]
	hours, days             *rowWriter[rollup]
	traffic                 *rowWriter[flow]
	latencies               *rowWriter[bar]
	settle                  *direct.Stmt // removes an intent
	open, move              *direct.Stmt // of quotas
	entries                 entries
	tally                   tally
	stream                  stream
	// intended are the dispatches that may have an intent in the database: no
	// other is looked for there. done are those of the transaction.
	intended map[int64]bool
	done     []int64
}

// newAppender opens the connection; intended are the intents in the database.
func newAppender(f sqliteFile, durability string, intended []int64) (a *appender, err error) {
	a = &appender{stream: newStream(), intended: make(map[int64]bool, len(intended))}
	for _, id := range intended {
		a.intended[id] = true
	}
	if a.conn, err = direct.Open(string(f), f.directSetup(durability)); err != nil {
		return nil, err
	}
	if err := a.prepare(); err != nil {
		return nil, errors.Join(err, a.conn.Close())
	}
	return a, nil
}

func (a *appender) prepare() error {
	u := newUsageSpec()
	const once = " ON CONFLICT DO NOTHING"
	return errors.Join(
		a.stmt(&a.begin, "BEGIN IMMEDIATE"), a.stmt(&a.commit, "COMMIT"), a.stmt(&a.rollback, "ROLLBACK"),
		a.stmt(&a.settle, "DELETE FROM intents WHERE id = ?"), a.stmt(&a.open, openQuota), a.stmt(&a.move, moveBalance),
		rows(a, &a.requests, "requests", u.requests, once), rows(a, &a.dispatches, "dispatches", u.dispatches, once),
		rows(a, &a.intents, "intents", u.intents, moreHeld),
		rows(a, &a.hours, rollupTable(u.hours), u.hours, growRollup(u.hours)), rows(a, &a.days, rollupTable(u.days), u.days, growRollup(u.days)),
		rows(a, &a.traffic, "traffic", u.traffic, grows("traffic", u.traffic, flowKeys)),
		rows(a, &a.latencies, "latencies", u.latencies, grows("latencies", u.latencies, barKeys)),
	)
}

func (a *appender) stmt(to **direct.Stmt, query string) (err error) {
	*to, err = a.conn.Prepare(query)
	return err
}

func rows[T any](a *appender, to **rowWriter[T], table string, columns []column[T], conflict string) (err error) {
	*to, err = newRowWriter(a.conn, table, columns, conflict)
	return err
}

// append holds the writer's connection for the batch. The context bounds the
// wait for it; the transaction itself is too short to be worth cutting off.
func (e *sqliteEngine) append(ctx context.Context, rows []tollgate.Request, intents []tollgate.Intent) error {
	turn, err := e.writer.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = turn.Close() }()
	e.batches.entries.fill(rows, intents)
	return e.batches.write()
}

// transaction is append with errors of the contract.
func (e *sqliteEngine) transaction(ctx context.Context, rows []tollgate.Request, intents []tollgate.Intent) error {
	return failure(ctx, e, e.append(ctx, rows, intents), "record requests")
}

func (a *appender) write() (err error) {
	a.conn.Tidy()
	if err := exec(a.begin); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = exec(a.rollback) // SQLite may have rolled back by itself; err tells why
		}
	}()
	a.done = a.done[:0]
	for _, step := range []func() error{a.writeRequests, a.writeIntents, a.writeDispatches, a.writeTally} {
		if err := step(); err != nil {
			return err
		}
	}
	if err := exec(a.commit); err != nil {
		return err
	}
	for _, id := range a.done {
		delete(a.intended, id)
	}
	return nil
}

func (a *appender) writeRequests() error {
	a.stream.reset()
	for i := range a.entries.requests {
		added, err := a.requests.insert(&a.entries.requests[i])
		if err != nil {
			return err
		}
		if added { // else it was sent again: it has been counted
			a.stream.add(&a.entries.requests[i])
		}
	}
	for i := range a.stream.flows {
		if _, err := a.traffic.insert(&a.stream.flows[i]); err != nil {
			return err
		}
	}
	return a.stream.each(func(b *bar) error {
		_, err := a.latencies.insert(b)
		return err
	})
}

func (a *appender) writeIntents() error {
	for i := range a.entries.intents {
		in := &a.entries.intents[i]
		if _, err := a.intents.insert(in); err != nil {
			return err
		}
		a.intended[int64(in.ID)] = true
	}
	for _, o := range a.entries.opens {
		if err := exec(a.open, int64(o.Since), o.QuotaID); err != nil {
			return err
		}
	}
	return nil
}

func (a *appender) writeDispatches() error {
	a.tally.reset()
	for i := range a.entries.dispatches {
		added, err := a.dispatches.insert(&a.entries.dispatches[i])
		if err != nil {
			return err
		}
		if added { // else it was sent again: it has been counted
			a.tally.add(&a.entries.dispatches[i])
		}
	}
	for _, id := range a.entries.closed {
		if !a.intended[id] {
			continue
		}
		if err := exec(a.settle, id); err != nil {
			return err
		}
		a.done = append(a.done, id)
	}
	return nil
}

func (a *appender) writeTally() error {
	for i := range a.tally.hours {
		if _, err := a.hours.insert(&a.tally.hours[i]); err != nil {
			return err
		}
	}
	for i := range a.tally.days {
		if _, err := a.days.insert(&a.tally.days[i]); err != nil {
			return err
		}
	}
	for _, c := range a.tally.charges {
		if err := exec(a.move, micros(c.WindowStart), int64(c.amount), c.QuotaID); err != nil {
			return fmt.Errorf("move the balance of quota %d: %w", c.QuotaID, err)
		}
	}
	return nil
}
