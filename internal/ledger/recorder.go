// Package ledger is the money state machine. The Machine decides in memory what
// may be spent: holds that grow, in every quota of a request's chain or in
// none. The Recorder makes intents durable before a dispatch goes out, and
// request and usage rows before the caller sees the end of its answer, at the
// cost of one small transaction for many: rows that arrive while a commit runs
// form the next batch (group commit), and every caller waits for its own batch.
// Last uses of keys and sessions ride along, at most once a minute each. Ledger
// puts the two together, Verify recomputes every balance from the rows.
package ledger

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tollgate"
)

// Defaults and bounds of a Recorder.
const (
	// DefaultBatch is the most rows of one transaction.
	DefaultBatch = 512
	// DefaultQueue is the most rows that wait, all batches together.
	DefaultQueue = 16 << 10
	// DefaultPatience is how long a failing store is tried again before its
	// batch is given up.
	DefaultPatience = 30 * time.Second
	// liveBefore is how many calls must be in flight for a commit to wait, and
	// gatherFor is how long it waits for the rows of half of them.
	liveBefore = 12
	gatherFor  = time.Millisecond
)

// Log is what a Recorder writes to; a tollgate.Store is one.
type Log interface {
	tollgate.RequestLog
	// Touch records last uses of keys and sessions.
	Touch(ctx context.Context, keys, sessions map[int64]time.Time) error
}

// Recorder is the group commit in front of a Log, and little more than a
// counter in front of one that is Prompt. Set the fields, then use it;
// its goroutine starts with the first row and ends with Close.
type Recorder struct {
	// Log gets the rows. Required.
	Log Log
	// Logger gets what went wrong. Required.
	Logger *slog.Logger
	// Live tells how many calls are in flight that will bring a row soon; nil =
	// unknown. When many are, a commit waits a moment for their rows: on a busy
	// gateway a commit for a few rows costs more than the rows (PostgreSQL calls
	// it commit_delay and commit_siblings).
	Live func() int
	// Batch, Queue and Patience bound it; 0 = the defaults.
	Batch, Queue int
	Patience     time.Duration

	ones ones // of a Prompt log

	start   sync.Once
	wake    chan struct{} // a batch or a touch is waiting
	stop    chan struct{} // closed by Close
	done    chan struct{} // closed when the goroutine has ended
	cut     context.CancelFunc
	mu      sync.Mutex
	waiting []*batch      // in order; rows are added to the last
	queued  int           // rows in waiting and in the running batch
	want    int           // the number of rows from which the goroutine is woken
	writing chan struct{} // holds one element while somebody writes a batch
	room    chan struct{}
	spare   batch // room for the rows of a later batch
	closed  atomic.Bool
	touches touches
	stats   counters
}

// batch is what one transaction writes.
type batch struct {
	rows    []tollgate.Request
	intents []tollgate.Intent
	// errs are the failures of single rows, when the batch was split.
	errs map[tollgate.RequestID]error
	err  error
	done chan struct{}
}

// Record adds the row and waits until it is durable. It returns an error when
// the store refused the row or stayed away for too long (CodeUnavailable), or
// when ctx ended first; in the latter case the row may still be written. When the
// queue is full it waits for room: rows of money are pushed back, not dropped.
func (r *Recorder) Record(ctx context.Context, row tollgate.Request) error {
	if log := r.prompt(); log != nil {
		return r.recordAtOnce(ctx, log, &row)
	}
	b, err := r.enqueue(ctx, func(b *batch) { b.rows = append(b.rows, row) })
	if err != nil {
		return err
	}
	r.lead(ctx, b)
	select {
	case <-b.done:
		return b.result(row.ID)
	case <-ctx.Done():
		return tollgate.WrapError(tollgate.CodeUnavailable, ctx.Err(), "the request record was not confirmed in time")
	}
}

// Intend writes the intent of a dispatch and waits until it is durable: only
// then may the dispatch go out. When it returns an error nothing may, and the
// intent is taken back. Errors are as Record's.
func (r *Recorder) Intend(ctx context.Context, in tollgate.Intent) error {
	if log := r.prompt(); log != nil {
		return r.intendAtOnce(ctx, log, &in)
	}
	b, err := r.enqueue(ctx, func(b *batch) { b.intents = append(b.intents, in) })
	if err != nil {
		return err
	}
	r.lead(ctx, b)
	select {
	case <-b.done:
		if err := b.result(in.ID); err != nil {
			r.Withdraw(in) // a commit that nobody could confirm may have been made
			return err
		}
		return nil
	case <-ctx.Done():
		r.Withdraw(in)
		return tollgate.WrapError(tollgate.CodeUnavailable, ctx.Err(), "the dispatch was not written down in time")
	}
}

// Grow tells the store that a dispatch on its way holds more. It does not wait.
func (r *Recorder) Grow(in tollgate.Intent) {
	in.Settled, in.Opens = nil, nil
	if log := r.prompt(); log != nil {
		if r.offer(log, nil, in) || !in.Void {
			return // without room a growth is left out: a crash closes the dispatch at what was known
		}
	}
	r.launch()
	r.mu.Lock()
	if !r.closed.Load() {
		b := r.last()
		b.intents = append(b.intents, in)
		r.signal()
	}
	r.mu.Unlock()
}

// Withdraw takes the intent of a dispatch back that never went out. It does not
// wait.
func (r *Recorder) Withdraw(in tollgate.Intent) {
	in.Void = true
	r.Grow(in)
}

// RecordLater adds the row without waiting, for requests that were refused or
// not authenticated. When the queue is half full it drops the row, counts it
// and returns false: strangers cannot push back callers.
func (r *Recorder) RecordLater(row tollgate.Request) bool {
	if log := r.prompt(); log != nil {
		return r.recordIfRoom(log, row)
	}
	r.launch()
	r.mu.Lock()
	if r.closed.Load() || r.queued >= r.queue()/2 {
		r.mu.Unlock()
		r.stats.dropped.Add(1)
		return false
	}
	b := r.last()
	b.rows = append(b.rows, row)
	r.signal()
	r.mu.Unlock()
	return true
}

// Close writes what waits and ends the goroutine. When ctx ends first, the
// running write is cut off and what is left is lost: the error says how much.
// Rows that come later are refused.
func (r *Recorder) Close(ctx context.Context) error {
	r.launch()
	r.mu.Lock()
	if !r.closed.Load() {
		r.closed.Store(true)
		close(r.stop)
	}
	r.mu.Unlock()
	select {
	case <-r.done:
	case <-ctx.Done():
		r.cut()
		<-r.done
	}
	if n := r.Stats().Lost; n > 0 && ctx.Err() != nil {
		return tollgate.WrapError(tollgate.CodeUnavailable, ctx.Err(), "%d request records could not be written", n)
	}
	return nil
}

func (r *Recorder) launch() {
	r.start.Do(func() {
		r.wake, r.stop, r.done = make(chan struct{}, 1), make(chan struct{}), make(chan struct{})
		r.room, r.writing = make(chan struct{}), make(chan struct{}, 1)
		ctx, cut := context.WithCancel(context.Background())
		r.cut = cut
		go r.run(ctx)
	})
}

// enqueue lets add put something into the next batch, waiting for room if need be.
func (r *Recorder) enqueue(ctx context.Context, add func(*batch)) (*batch, error) {
	r.launch()
	for {
		r.mu.Lock()
		if r.closed.Load() {
			r.mu.Unlock()
			return nil, errClosing()
		}
		if r.queued < r.queue() {
			b := r.last()
			add(b)
			r.mu.Unlock()
			return b, nil
		}
		room := r.room
		r.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return nil, tollgate.WrapError(tollgate.CodeUnavailable, ctx.Err(), "the request log is full")
		}
	}
}

// last is the batch that takes one more entry, which is counted. r.mu is held.
func (r *Recorder) last() *batch {
	r.queued++
	if n := len(r.waiting); n > 0 && r.waiting[n-1].len() < r.batch() {
		return r.waiting[n-1]
	}
	b := &batch{rows: r.spare.rows, intents: r.spare.intents, done: make(chan struct{})}
	r.spare = batch{}
	r.waiting = append(r.waiting, b)
	return b
}

func (b *batch) len() int { return len(b.rows) + len(b.intents) }

// signal wakes the goroutine, if what waits is worth it. r.mu is held.
func (r *Recorder) signal() {
	if r.queued < r.want {
		return
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// next takes the first waiting batch; nil = none.
func (r *Recorder) next() *batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		return nil
	}
	return r.take()
}

// take removes the first of the waiting batches. r.mu is held.
func (r *Recorder) take() *batch {
	b := r.waiting[0]
	r.waiting[0] = nil
	r.waiting = r.waiting[1:]
	return b
}

// finish tells the callers of a batch and makes its room free.
func (r *Recorder) finish(b *batch) {
	close(b.done) // callers look at the errors alone, not at the rows
	r.mu.Lock()
	r.queued -= b.len()
	clear(b.rows)
	clear(b.intents)
	r.spare = batch{rows: b.rows[:0], intents: b.intents[:0]}
	b.rows, b.intents = nil, nil
	if r.queued < r.queue() {
		close(r.room)
		r.room = make(chan struct{})
	}
	r.mu.Unlock()
}

// result is what became of one row or intent of a finished batch.
func (b *batch) result(id tollgate.RequestID) error {
	if b.err != nil {
		return b.err
	}
	return b.errs[id]
}

func (r *Recorder) batch() int { return orDefault(r.Batch, DefaultBatch) }
func (r *Recorder) queue() int { return orDefault(r.Queue, DefaultQueue) }

func orDefault[T int | time.Duration](v, fallback T) T {
	if v <= 0 {
		return fallback
	}
	return v
}
