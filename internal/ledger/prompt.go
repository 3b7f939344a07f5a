package ledger

import (
	"context"
	"sync"

	"tollgate"
)

// Prompt is a Log that may make rows durable without a transaction to wait
// for. Then the Recorder does not gather any: a caller appends its own row.
type Prompt interface {
	Log
	// Prompt reports whether Append returns at once, as long as there is room.
	// It never changes.
	Prompt() bool
	// Offer is Append that does not wait: false = nothing was done.
	Offer(rows []tollgate.Request, intents ...tollgate.Intent) (bool, error)
	// Backlog tells how many entries the database does not have yet, how many
	// transactions there were, and how many entries were refused for good.
	Backlog() (entries int, batches, refused int64)
}

// prompt is the log, if it is prompt.
func (r *Recorder) prompt() Prompt {
	if p, ok := r.Log.(Prompt); ok && p.Prompt() {
		return p
	}
	return nil
}

// ones are lists of one entry for Append, which keeps none: a list for each
// call would be most of what a call costs.
type ones struct{ rows, intents sync.Pool }

func oneOf[T any](pool *sync.Pool, v *T) *[1]T {
	one, ok := pool.Get().(*[1]T)
	if !ok {
		one = new([1]T)
	}
	one[0] = *v
	return one
}

func giveBack[T any](pool *sync.Pool, one *[1]T) {
	clear(one[:])
	pool.Put(one)
}

func (r *Recorder) recordAtOnce(ctx context.Context, log Prompt, row *tollgate.Request) error {
	one := oneOf(&r.ones.rows, row)
	defer giveBack(&r.ones.rows, one)
	return r.appendAtOnce(ctx, log, one[:], nil)
}

func (r *Recorder) intendAtOnce(ctx context.Context, log Prompt, in *tollgate.Intent) error {
	one := oneOf(&r.ones.intents, in)
	defer giveBack(&r.ones.intents, one)
	return r.appendAtOnce(ctx, log, nil, one[:])
}

// appendAtOnce makes rows and intents durable. What fails is not there.
func (r *Recorder) appendAtOnce(ctx context.Context, log Prompt, rows []tollgate.Request, intents []tollgate.Intent) error {
	if r.closed.Load() {
		return errClosing()
	}
	if err := log.Append(ctx, rows, intents...); err != nil {
		if len(rows) > 0 {
			r.lose(ctx, len(rows), err)
		}
		return err
	}
	r.accepted(rows, intents)
	return nil
}

func errClosing() error {
	return tollgate.Errorf(tollgate.CodeUnavailable, "the gateway is shutting down")
}

func (r *Recorder) accepted(rows []tollgate.Request, intents []tollgate.Intent) {
	r.stats.recorded.Add(int64(len(rows)))
	r.stats.intended.Add(int64(len(intents)))
}

// offer makes rows and intents durable if there is room for them.
func (r *Recorder) offer(log Prompt, rows []tollgate.Request, intents ...tollgate.Intent) bool {
	ok, err := log.Offer(rows, intents...)
	if err != nil {
		r.Logger.Error("a record could not be written", "error", err)
	}
	if ok {
		r.accepted(rows, intents)
	}
	return ok
}

// recordIfRoom is RecordLater.
func (r *Recorder) recordIfRoom(log Prompt, row tollgate.Request) bool {
	entries, _, _ := log.Backlog()
	if r.closed.Load() || entries >= r.queue()/2 || !r.offer(log, []tollgate.Request{row}) {
		r.stats.dropped.Add(1)
		return false
	}
	return true
}
