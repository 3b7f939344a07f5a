// Package sqlstore implements tollgate.Store with one set of queries on
// embedded SQLite and on PostgreSQL. Tables are declared (tables_*.go) and
// served by one generic implementation (table.go); what differs between the
// engines is behind one small interface (engine.go).
package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"tollgate"
)

// Options say which database to open, and how.
type Options struct {
	// DSN is sqlite:///absolute/path.db, sqlite://relative/path.db or
	// postgres://user:password@host/database. Empty = sqlite://tollgate.db.
	DSN string
	// Dir is where relative SQLite paths start; empty = the working directory.
	Dir string
	// Durability is what a commit survives on SQLite: "process" (a crash of
	// the process; the default) or "power" (also of the host, by one more
	// sync per commit). PostgreSQL keeps to its own configuration.
	Durability string
	// Now is the clock that backups are stamped with; nil = they are not.
	Now func() time.Time
	// Log gets what an operator should know; nil = nothing.
	Log *slog.Logger
}

// Store is the system of record on one database. It implements tollgate.Store.
type Store struct {
	engine  engine
	backlog *backlog // nil = Append is a transaction
	tables  *tables
	now     func() time.Time
	// updating holds one token: the right to run Update and its change feed.
	updating chan struct{}
	feed     func(ctx context.Context, touched tollgate.Area) error
}

var _ tollgate.Store = (*Store)(nil)

// Open opens the database, creates it if there is none, and brings its schema
// up to date. It refuses, before any write: a database that is not ours, one
// of a newer version, and one that another process owns (CodeConflict).
func Open(ctx context.Context, o Options) (*Store, error) {
	target, err := o.target()
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	e, err := target.open(ctx, o)
	if err != nil {
		return nil, err
	}
	s := &Store{engine: e, backlog: e.queue(), tables: newTables(), now: o.Now, updating: make(chan struct{}, 1)}
	s.updating <- struct{}{}
	return s, nil
}

// View runs fn in one read transaction. It sees what was appended before.
func (s *Store) View(ctx context.Context, fn func(tollgate.Tx) error) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	tx, err := s.engine.view(ctx)
	if err != nil {
		return failure(ctx, s.engine, err, "begin reading")
	}
	defer func() { _ = tx.Rollback() }() // nothing to keep; also when fn panics
	return fn(s.tables.tx(&session{tx: tx, engine: s.engine}))
}

// Update runs fn in one serialised write transaction, then the change feed.
func (s *Store) Update(ctx context.Context, fn func(tollgate.Tx) error) error {
	select {
	case <-s.updating:
	case <-ctx.Done():
		return failure(ctx, s.engine, ctx.Err(), "wait to write")
	}
	defer func() { s.updating <- struct{}{} }()
	if err := s.flush(ctx); err != nil {
		return err
	}
	one := &session{engine: s.engine}
	if err := s.transact(ctx, one, func() error { return fn(s.tables.tx(one)) }); err != nil {
		return err
	}
	if !one.wrote || s.feed == nil {
		return nil
	}
	if err := s.feed(context.WithoutCancel(ctx), one.touched); err != nil {
		return fmt.Errorf("the change is stored but not yet in force: %w", err)
	}
	return nil
}

// transact runs fn in a write transaction of the session.
func (s *Store) transact(ctx context.Context, one *session, fn func() error) error {
	tx, end, err := s.engine.update(ctx)
	if err != nil {
		return failure(ctx, s.engine, err, "begin writing")
	}
	defer end()
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	one.tx = tx
	if err := fn(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return failure(ctx, s.engine, err, "commit")
	}
	return failure(ctx, s.engine, tx.Commit(), "commit")
}

// Watch sets the change feed.
func (s *Store) Watch(fn func(ctx context.Context, touched tollgate.Area) error) {
	<-s.updating
	s.feed = fn
	s.updating <- struct{}{}
}

// Append adds request and usage rows and intents in one transaction. Texts that
// no column can hold are cleaned and cut, never refused. A Prompt store has
// them in its journal when Append returns.
func (s *Store) Append(ctx context.Context, rows []tollgate.Request, intents ...tollgate.Intent) error {
	if len(rows)+len(intents) == 0 {
		return nil
	}
	if err := check(rows, intents); err != nil {
		return err
	}
	if s.backlog != nil {
		return s.backlog.append(ctx, rows, intents)
	}
	return failure(ctx, s.engine, s.engine.append(ctx, rows, intents), "record requests")
}

// Prompt reports whether Append waits for no transaction: what it is given is
// durable against a crash of the process once it is in a journal beside the
// database. SQLite with DurableProcess does so.
func (s *Store) Prompt() bool { return s.backlog != nil }

// StartJournal makes the journal now rather than with the first Append, so that
// a folder that cannot hold it is found out at the start.
func (s *Store) StartJournal() error {
	if s.backlog == nil {
		return nil
	}
	return s.backlog.start()
}

// Offer is Append for whoever must not wait: it reports false, and does
// nothing, when there is no room. The store is Prompt.
func (s *Store) Offer(rows []tollgate.Request, intents ...tollgate.Intent) (bool, error) {
	if err := check(rows, intents); err != nil {
		return false, err
	}
	return s.backlog.offer(rows, intents)
}

// Backlog tells of a Prompt store how many rows and intents wait for their
// transaction, how many transactions there were, and how many entries the
// database refused for good.
func (s *Store) Backlog() (entries int, batches, refused int64) {
	return s.backlog.size(), s.backlog.batches.Load(), s.backlog.refused.Load()
}

// flush writes to the database what was appended before the call.
func (s *Store) flush(ctx context.Context) error {
	if s.backlog == nil {
		return nil
	}
	return s.backlog.flush(ctx)
}

// Touch records last uses of keys and sessions; an earlier one than the stored
// changes nothing.
func (s *Store) Touch(ctx context.Context, keys, sessions map[int64]time.Time) error {
	if len(keys)+len(sessions) == 0 {
		return nil
	}
	one := &session{engine: s.engine}
	return s.transact(ctx, one, func() error {
		const key = "UPDATE keys SET last_used_at = $1 WHERE id = $2 AND last_used_at < $1"
		const sess = "UPDATE sessions SET last_seen_at = $1 WHERE id = $2 AND last_seen_at < $1"
		return errors.Join(one.touchAll(ctx, key, keys), one.touchAll(ctx, sess, sessions))
	})
}

func (s *session) touchAll(ctx context.Context, query string, uses map[int64]time.Time) error {
	stmt, err := s.tx.PrepareContext(ctx, query)
	if err != nil {
		return s.fail(ctx, err, "record last uses")
	}
	defer func() { _ = stmt.Close() }()
	for _, id := range slices.Sorted(maps.Keys(uses)) {
		if _, err := stmt.ExecContext(ctx, micros(uses[id]), id); err != nil {
			return s.fail(ctx, err, "record last uses")
		}
	}
	return nil
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return failure(ctx, s.engine, s.engine.ping(ctx), "ping")
}

// IntegrityCheck looks for damage: SQLite reads every page and index,
// PostgreSQL answers a query. An error tells the first damage found.
func (s *Store) IntegrityCheck(ctx context.Context) error { return s.engine.integrity(ctx) }

// Close ends the store and gives the database free.
func (s *Store) Close() error { return s.engine.close() }
