package proxy

import (
	"context"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/meter/book"
)

// Ledger accounts for what a call sends to providers; a *ledger.Ledger is one.
// Around each dispatch there is a claim: begun before its first byte goes out,
// closed once its outcome is known, by its settlement, by the next dispatch of
// the call, or because nothing went out after all. A call ends with one Record
// or RecordLater.
type Ledger interface {
	// Check refuses a caller that has nothing left to spend (CodeQuota).
	Check(id tollgate.RequestID, c ledger.Chain) error
	// Free is what the caller may still hold; limited = some quota has a limit.
	Free(id tollgate.RequestID, c ledger.Chain) (free tollgate.Money, limited bool)
	// Begin claims an amount for d, the first dispatch of req. An error refuses
	// it, and nothing may be sent: CodeQuota when there is too little,
	// CodeUnavailable when what would be spent could not be written down.
	Begin(ctx context.Context, req *tollgate.Request, d *tollgate.Dispatch, amount tollgate.Money) (*ledger.Claim, error)
	// Record returns when req and its dispatches are durable. The context must
	// not be the client's.
	Record(ctx context.Context, req tollgate.Request) error
	// RecordLater queues a request that nothing was spent for; under load the
	// row may be dropped, which it reports as false.
	RecordLater(req tollgate.Request) bool
	// Touch notes that a key and a session (0 = none) were used at a time.
	Touch(keyID, sessionID int64, at time.Time)
}

// Prices is the price book; a *book.Book is one.
type Prices interface {
	// Find returns the price of a provider's model at a time; false = it has none.
	Find(provider int64, model string, at time.Time) (book.Entry, bool)
	// Admit refuses a model without a price where the policy says so.
	Admit(d *tollgate.Dispatch, underQuota bool) error
	// Price sets the cost, the price version and, where there is no price, the
	// exactness of d, a dispatch of r that is being settled. It must not block.
	Price(r *tollgate.Request, d *tollgate.Dispatch)
}

var (
	_ Ledger = (*ledger.Ledger)(nil)
	_ Prices = (*book.Book)(nil)
)
