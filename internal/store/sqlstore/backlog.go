package sqlstore

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tollgate"
	"tollgate/internal/store/journal"
)

// Bounds of a backlog.
const (
	// backlogBatch is the number of entries from which a transaction is worth
	// it, and the most that one writes, give or take an append.
	backlogBatch = 1024
	// backlogMost is how many entries may wait.
	backlogMost = 16 << 10
	// backlogPause is how long entries wait for others.
	backlogPause = 20 * time.Millisecond
	// backlogQuiet is after how many pauses without an entry nobody looks any more.
	backlogQuiet = 10
	// Pauses between tries of a database that fails, doubling.
	firstRetry, lastRetry = 10 * time.Millisecond, time.Second
	// closePatience is how long Close tries.
	closePatience = 2 * time.Second
	// complainEvery is after how many tries a database that fails is logged again.
	complainEvery = 30
)

// transaction writes rows and intents to the database: all or nothing.
type transaction func(context.Context, []tollgate.Request, []tollgate.Intent) error

// backlog is what callers were told is durable and the database does not have
// yet: in a journal, and in memory, which is what the database is written from.
// Its goroutine writes it in batches; whoever reads the database flushes it
// first.
type backlog struct {
	path  string
	id    [16]byte
	write transaction
	log   *slog.Logger

	mu      sync.Mutex
	journal *journal.Journal // nil until something is appended
	waiting []*portion       // in order; entries are added to the last
	entries int              // in waiting and in what is being written
	asleep  bool
	closed  bool
	room    chan struct{} // closed and replaced when some is free

	turn    chan struct{} // holds one element: the right to write to the database
	running *portion      // taken from waiting and not written yet; whoever has the turn
	spare   portion       // room for later entries; guarded by mu

	wake, stop, done chan struct{}
	records          sync.Pool
	batches, refused atomic.Int64
}

// portion is what one transaction writes.
type portion struct {
	rows    []tollgate.Request
	intents []tollgate.Intent
	end     int64 // the position in the journal behind it
}

func (p *portion) len() int { return len(p.rows) + len(p.intents) }

func newBacklog(path string, id [16]byte, write transaction, log *slog.Logger) *backlog {
	b := &backlog{
		path: path, id: id, write: write, log: log, asleep: true,
		room: make(chan struct{}), turn: make(chan struct{}, 1), wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	b.turn <- struct{}{}
	go b.run()
	return b
}

// start makes the journal, unless there is one.
func (b *backlog) start() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.open()
}

// open is start for whoever holds the lock.
func (b *backlog) open() (err error) {
	if b.journal != nil || b.closed {
		return nil
	}
	if b.journal, err = journal.Create(b.path, b.id, 0); err != nil {
		return tollgate.WrapError(tollgate.CodeUnavailable, err, "the journal %s cannot be made; is the disk full?", b.path)
	}
	return nil
}

// append makes rows and intents durable. It waits only when the database is so
// far behind that there is no room; ctx bounds that,
// and must not have ended.
func (b *backlog) append(ctx context.Context, rows []tollgate.Request, intents []tollgate.Intent) error {
	if err := ctx.Err(); err != nil {
		return tollgate.WrapError(tollgate.CodeUnavailable, err, "the request ended before it was recorded")
	}
	buf := b.encode(rows, intents)
	defer b.records.Put(buf)
	for {
		room, err := b.add(*buf, rows, intents)
		if errors.Is(err, journal.ErrTooLarge) {
			return b.through(ctx, rows, intents)
		}
		if room == nil {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return tollgate.WrapError(tollgate.CodeUnavailable, ctx.Err(), "the database is behind with what is to be recorded")
		}
	}
}

// offer is append that does not wait: false = there is no room.
func (b *backlog) offer(rows []tollgate.Request, intents []tollgate.Intent) (bool, error) {
	buf := b.encode(rows, intents)
	defer b.records.Put(buf)
	room, err := b.add(*buf, rows, intents)
	return room == nil && err == nil, err
}

func (b *backlog) encode(rows []tollgate.Request, intents []tollgate.Intent) *[]byte {
	buf, ok := b.records.Get().(*[]byte)
	if !ok {
		buf = new([]byte)
	}
	*buf = journal.Encode((*buf)[:0], rows, intents)
	return buf
}

// add appends a record, or returns what to wait for when there is no room.
func (b *backlog) add(record []byte, rows []tollgate.Request, intents []tollgate.Intent) (room <-chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, tollgate.Errorf(tollgate.CodeUnavailable, "the database is closed")
	}
	if err := b.open(); err != nil {
		return nil, err
	}
	if b.entries >= backlogMost {
		return b.room, nil
	}
	end, err := b.journal.Append(record)
	switch {
	case errors.Is(err, journal.ErrFull):
		b.signal()
		return b.room, nil
	case errors.Is(err, journal.ErrTooLarge):
		return nil, err
	case err != nil:
		return nil, tollgate.WrapError(tollgate.CodeUnavailable, err, "the journal %s cannot be written", b.path)
	}
	p := b.last()
	p.rows, p.intents, p.end = append(p.rows, rows...), append(p.intents, intents...), end
	b.entries += len(rows) + len(intents)
	if b.asleep || p.len() >= backlogBatch {
		b.asleep = false
		b.signal()
	}
	return nil, nil
}

// last is the portion that takes more. The lock is held.
func (b *backlog) last() *portion {
	if n := len(b.waiting); n > 0 && b.waiting[n-1].len() < backlogBatch {
		return b.waiting[n-1]
	}
	p := &portion{rows: b.spare.rows, intents: b.spare.intents}
	b.spare = portion{}
	b.waiting = append(b.waiting, p)
	return p
}

func (b *backlog) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// through writes what is too long for the journal, after everything before it.
func (b *backlog) through(ctx context.Context, rows []tollgate.Request, intents []tollgate.Intent) error {
	if err := b.take(ctx); err != nil {
		return err
	}
	defer b.give()
	if err := b.drain(ctx); err != nil {
		return err
	}
	return b.write(ctx, rows, intents)
}

// flush writes what was appended before the call to the database.
func (b *backlog) flush(ctx context.Context) error {
	b.mu.Lock()
	none := b.entries == 0
	b.mu.Unlock()
	if none {
		return nil
	}
	if err := b.take(ctx); err != nil {
		return err
	}
	defer b.give()
	return b.drain(ctx)
}

// take waits for the right to write to the database.
func (b *backlog) take(ctx context.Context) error {
	select {
	case <-b.turn:
		return nil
	case <-ctx.Done():
		return tollgate.WrapError(tollgate.CodeUnavailable, ctx.Err(), "the request ended before the database was up to date")
	}
}

func (b *backlog) give() { b.turn <- struct{}{} }

// drain writes what waits now, and not what comes meanwhile. The caller has the
// turn.
func (b *backlog) drain(ctx context.Context) error {
	b.mu.Lock()
	n := len(b.waiting)
	if b.running != nil {
		n++
	}
	b.mu.Unlock()
	for range n {
		if err := b.writeNext(ctx); err != nil {
			return err
		}
	}
	return nil
}

// writeNext writes the first portion, if there is one. When the database is
// away it stays the first.
func (b *backlog) writeNext(ctx context.Context) error {
	b.mu.Lock()
	if b.running == nil && len(b.waiting) > 0 {
		b.running = b.waiting[0]
		b.waiting = slices.Delete(b.waiting, 0, 1)
	}
	p := b.running
	b.mu.Unlock()
	if p == nil {
		return nil
	}
	err := b.write(ctx, p.rows, p.intents)
	if err != nil && !away(err) {
		err = b.writeOneByOne(ctx, p)
	}
	if err != nil {
		return err
	}
	return b.written(p)
}

// away reports whether the database may take later what it did not take now.
func away(err error) bool { return tollgate.ErrorCode(err) == tollgate.CodeUnavailable }

// writeOneByOne is for a portion that the database refuses: a bad entry, which
// check should have found, takes no other along. It is logged whole.
func (b *backlog) writeOneByOne(ctx context.Context, p *portion) error {
	refused := func(err error, entry any) error {
		if err != nil && !away(err) {
			b.refused.Add(1)
			b.log.ErrorContext(ctx, "the database refuses a record; it is lost", "error", err, "record", entry)
			return nil
		}
		return err
	}
	for i := range p.intents {
		if err := refused(b.write(ctx, nil, p.intents[i:i+1]), p.intents[i]); err != nil {
			return err
		}
	}
	for i := range p.rows {
		if err := refused(b.write(ctx, p.rows[i:i+1], nil), p.rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// written releases a portion that the database has.
func (b *backlog) written(p *portion) error {
	b.batches.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running = nil
	b.entries -= p.len()
	clear(p.rows)
	clear(p.intents)
	b.spare = portion{rows: p.rows[:0], intents: p.intents[:0]}
	err := b.journal.Release(p.end)
	close(b.room)
	b.room = make(chan struct{})
	if err != nil {
		return tollgate.WrapError(tollgate.CodeUnavailable, err, "the journal %s cannot be written", b.path)
	}
	return nil
}

// run writes what waits until the backlog is closed.
func (b *backlog) run() {
	defer close(b.done)
	for {
		select {
		case <-b.wake:
			b.work()
		case <-b.stop:
			return
		}
	}
}

// work writes whenever a batch is full or has waited for long enough, until
// nothing has come for a while.
func (b *backlog) work() {
	pause := time.NewTimer(backlogPause)
	defer pause.Stop()
	for quiet := 0; ; quiet++ {
		select {
		case <-pause.C:
		case <-b.wake:
		case <-b.stop:
			return
		}
		if b.size() > 0 {
			quiet = 0
			b.insist()
		} else if quiet >= backlogQuiet && b.sleep() {
			return
		}
		pause.Reset(backlogPause)
	}
}

// size is the number of entries that wait.
func (b *backlog) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.entries
}

// sleep has the next append wake the goroutine; false = something has come.
func (b *backlog) sleep() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asleep = b.entries == 0
	return b.asleep
}

// insist writes what waits, again and again while the database is away: the
// journal keeps it for as long as it takes.
func (b *backlog) insist() {
	ctx := context.Background()
	pause := firstRetry
	for tries := 0; ; tries++ {
		if b.take(ctx) == nil {
			err := b.drain(ctx)
			if b.give(); err == nil {
				return
			}
			if tries%complainEvery == 0 {
				b.log.ErrorContext(ctx, "request records wait in the journal", "entries", b.size(), "error", err)
			}
		}
		again := time.NewTimer(pause)
		pause = min(2*pause, lastRetry)
		select {
		case <-again.C:
		case <-b.stop:
			again.Stop()
			return
		}
	}
}

// close writes what waits and removes the journal. What the database does not
// take stays in the journal, for the next start.
func (b *backlog) close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	b.mu.Unlock()
	close(b.stop)
	<-b.done
	ctx, cancel := context.WithTimeout(context.Background(), closePatience)
	defer cancel()
	err := b.lastTries(ctx)
	if b.journal == nil {
		return err
	}
	if err != nil {
		return errors.Join(tollgate.WrapError(tollgate.CodeUnavailable, err,
			"%d records stay in the journal %s; the next start writes them to the database", b.size(), b.path), b.journal.Close())
	}
	return errors.Join(b.journal.Close(), os.Remove(b.path))
}

func (b *backlog) lastTries(ctx context.Context) error {
	for {
		err := b.flush(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(firstRetry):
		case <-ctx.Done():
			return err
		}
	}
}
