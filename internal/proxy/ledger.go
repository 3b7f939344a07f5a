package proxy

import (
	"cmp"
	"context"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
)

// Ledger accounts for what a call sends to providers. Around each dispatch
// there is one Hold before its first byte goes out and, if Hold admitted it,
// exactly one Settle when its outcome is known. A call ends with one Record or
// RecordLater.
type Ledger interface {
	// Hold admits d as the next dispatch of req, before anything goes out. An
	// error refuses it, and nothing may be sent: CodeQuota when money is spent,
	// CodeUnavailable when what would be spent could not be written down.
	Hold(ctx context.Context, req *tollgate.Request, d *tollgate.Dispatch) error
	// Settle closes d with the tokens and the exactness that it carries, adds
	// it to req and to its sums. It does not wait for the store.
	Settle(req *tollgate.Request, d *tollgate.Dispatch)
	// Record returns when req and its dispatches are durable. The context must
	// not be the client's.
	Record(ctx context.Context, req tollgate.Request) error
	// RecordLater queues a request that nothing was spent for; under load the
	// row may be dropped, which it reports as false.
	RecordLater(req tollgate.Request) bool
	// Touch notes that a key and a session (0 = none) were used at a time.
	Touch(keyID, sessionID int64, at time.Time)
}

// Pricer prices what was used.
type Pricer interface {
	// Price sets the cost, the price version and, where there is no price, the
	// exactness of d, a dispatch of r that is being settled. It must not block.
	Price(r *tollgate.Request, d *tollgate.Dispatch)
}

// Book is the Ledger over the request log alone: it admits what the log can
// still take, and keeps no balance. Quotas will stand in front of it.
type Book struct {
	Recorder *ledger.Recorder
	Pricer   Pricer // nil = nothing costs anything
}

var _ Ledger = Book{}

// Hold adds d to req's dispatches. It refuses with CodeUnavailable while the
// log is so far behind that the usage of d might find no room.
func (b Book) Hold(ctx context.Context, req *tollgate.Request, d *tollgate.Dispatch) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if b.Recorder.Stats().Queued >= int64(cmp.Or(b.Recorder.Queue, ledger.DefaultQueue)) {
		return &tollgate.Error{
			Code: tollgate.CodeUnavailable, RetryAfter: time.Second,
			Message: "the request log is behind; send the request again",
		}
	}
	req.Dispatches = append(req.Dispatches, *d)
	return nil
}

// Settle prices what became of the dispatch that Hold added, and puts it in
// its place.
func (b Book) Settle(req *tollgate.Request, d *tollgate.Dispatch) {
	if b.Pricer != nil {
		b.Pricer.Price(req, d)
	}
	for i := range req.Dispatches {
		if req.Dispatches[i].ID == d.ID {
			req.Dispatches[i] = *d
		}
	}
	req.Tokens = req.Tokens.Add(d.Tokens)
	req.Cost += d.Cost
}

// Record waits for the group commit that req is in.
func (b Book) Record(ctx context.Context, req tollgate.Request) error {
	return b.Recorder.Record(ctx, req)
}

// RecordLater leaves req to a later group commit.
func (b Book) RecordLater(req tollgate.Request) bool { return b.Recorder.RecordLater(req) }

// Touch is kept with the next batch of last uses.
func (b Book) Touch(keyID, sessionID int64, at time.Time) { b.Recorder.Touch(keyID, sessionID, at) }
