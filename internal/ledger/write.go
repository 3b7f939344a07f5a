package ledger

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"tollgate"
)

// Pauses between tries of a failing store, doubling.
const (
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
)

// run writes batches until Close, then what is left.
func (r *Recorder) run(ctx context.Context) {
	defer close(r.done)
	defer r.cut()
	touch := time.NewTicker(touchEvery)
	defer touch.Stop()
	for {
		select {
		case <-r.wake:
			r.drain(ctx, touch.C)
		case <-touch.C:
			r.flushTouches(ctx)
		case <-r.stop:
			r.drain(ctx, touch.C)
			r.flushTouches(ctx)
			return
		}
	}
}

// drain writes every waiting batch; last uses get their turn in between. It
// yields before each batch: callers that are ready to run get their rows in,
// which makes batches several times larger and costs nothing when none is.
func (r *Recorder) drain(ctx context.Context, touch <-chan time.Time) {
	for {
		runtime.Gosched()
		r.gather(ctx)
		if !r.writeNext(ctx) {
			return
		}
		select {
		case <-touch:
			r.flushTouches(ctx)
		default:
		}
	}
}

// writeNext writes the first waiting batch; it reports whether there was one.
func (r *Recorder) writeNext(ctx context.Context) bool {
	select {
	case r.writing <- struct{}{}:
		defer func() { <-r.writing }()
	case <-ctx.Done(): // cut off: what is left fails below
	}
	b := r.next()
	if b == nil {
		return false
	}
	r.commit(ctx, b)
	r.finish(b)
	return true
}

// lead writes b in the goroutine of a caller that waits for it, if nobody else
// is writing and few calls are in flight: that saves two hand-overs, which a
// gateway with little to do would feel most. Else, and when the store fails or
// more is waiting, the Recorder's own goroutine is woken; it is the one that
// tries again.
func (r *Recorder) lead(ctx context.Context, b *batch) {
	if !r.busy() {
		select {
		case r.writing <- struct{}{}:
			r.tryWrite(ctx, b)
			<-r.writing
		default:
		}
	}
	r.mu.Lock()
	if len(r.waiting) > 0 {
		r.signal()
	}
	r.mu.Unlock()
}

// tryWrite writes b once, if it is the first that waits; the caller holds r.writing.
func (r *Recorder) tryWrite(ctx context.Context, b *batch) {
	r.mu.Lock()
	first := len(r.waiting) > 0 && r.waiting[0] == b
	if first {
		r.take()
	}
	r.mu.Unlock()
	if !first {
		return
	}
	if err := r.Log.Append(ctx, b.rows, b.intents...); err != nil {
		if tollgate.ErrorCode(err) == tollgate.CodeUnavailable {
			r.stats.retries.Add(1)
		}
		r.mu.Lock()
		r.waiting = slices.Insert(r.waiting, 0, b)
		r.mu.Unlock()
		return
	}
	r.wrote(b)
	r.finish(b)
}

func (r *Recorder) wrote(b *batch) {
	r.stats.batches.Add(1)
	r.stats.recorded.Add(int64(len(b.rows)))
	r.stats.intended.Add(int64(len(b.intents)))
}

// busy reports whether many calls are in flight that will bring a row soon.
func (r *Recorder) busy() bool { return r.Live != nil && r.Live() >= liveBefore }

// gather waits for the rows of calls that are about to end, if there are many:
// until half of them are there, or gatherFor has passed.
func (r *Recorder) gather(ctx context.Context) {
	if !r.busy() {
		return
	}
	defer r.expect(0)
	if !r.expect(r.Live() / 2) {
		return
	}
	wait := time.NewTimer(gatherFor)
	defer wait.Stop()
	select {
	case <-r.wake:
	case <-wait.C:
	case <-r.stop:
	case <-ctx.Done():
	}
}

// expect sets the number of rows from which the goroutine is to be woken. It
// reports false when they are there already.
func (r *Recorder) expect(rows int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.want = rows
	if r.queued >= rows {
		return false
	}
	select {
	case <-r.wake: // for rows that are counted already
	default:
	}
	return true
}

// commit writes one batch. A store that is away is tried again; a batch that
// is refused is written entry by entry, so that a bad one takes no other along.
func (r *Recorder) commit(ctx context.Context, b *batch) {
	b.err = r.persist(ctx, b.rows, b.intents)
	if b.err == nil {
		r.wrote(b)
		return
	}
	if tollgate.ErrorCode(b.err) == tollgate.CodeUnavailable || b.len() == 1 {
		r.lose(ctx, len(b.rows), b.err)
		return
	}
	b.err, b.errs = nil, map[tollgate.RequestID]error{}
	for i := range b.intents {
		if err := r.persist(ctx, nil, b.intents[i:i+1]); err != nil {
			b.errs[b.intents[i].ID] = err
			r.lose(ctx, 0, err)
			continue
		}
		r.stats.intended.Add(1)
	}
	for i := range b.rows {
		if err := r.persist(ctx, b.rows[i:i+1], nil); err != nil {
			b.errs[b.rows[i].ID] = err
			r.lose(ctx, 1, err)
			continue
		}
		r.stats.recorded.Add(1)
	}
	r.stats.batches.Add(1)
}

// persist appends rows and intents, again and again while the store is away,
// for as long as patience lasts. Appending twice is harmless.
func (r *Recorder) persist(ctx context.Context, rows []tollgate.Request, intents []tollgate.Intent) error {
	patience := time.NewTimer(orDefault(r.Patience, DefaultPatience))
	defer patience.Stop()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := r.Log.Append(ctx, rows, intents...)
		if err == nil || tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
			return err
		}
		r.stats.retries.Add(1)
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-patience.C:
			again.Stop()
			return err
		case <-ctx.Done():
			again.Stop()
			return err
		}
	}
}

func (r *Recorder) lose(ctx context.Context, rows int, err error) {
	r.stats.lost.Add(int64(rows)) // the intents of what is lost stand until the next start closes them
	r.Logger.ErrorContext(ctx, "request records lost", "rows", rows, "error", err)
}

// counters are what Stats reads.
type counters struct {
	recorded, intended, batches, retries, dropped, lost, touched atomic.Int64
}

// Stats are a Recorder's counts since its start, for metrics.
type Stats struct {
	Recorded int64 // rows that are durable
	Intended int64 // intents that are durable
	Batches  int64 // transactions that made them so
	Retries  int64 // tries after the first
	Dropped  int64 // rows that RecordLater turned away
	Lost     int64 // rows that the store refused or was away for
	Touched  int64 // last uses that are stored
	Queued   int64 // rows that wait now
}

// Stats returns the counts now.
func (r *Recorder) Stats() Stats {
	r.mu.Lock()
	queued := r.queued
	r.mu.Unlock()
	var batches, refused int64
	if log := r.prompt(); log != nil {
		var entries int
		entries, batches, refused = log.Backlog()
		queued += entries
	}
	c := &r.stats
	return Stats{
		Recorded: c.recorded.Load(), Intended: c.intended.Load(), Batches: c.batches.Load() + batches, Retries: c.retries.Load(),
		Dropped: c.dropped.Load(), Lost: c.lost.Load() + refused, Touched: c.touched.Load(), Queued: int64(queued),
	}
}
