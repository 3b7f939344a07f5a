package proxy

import (
	"context"
	"time"

	"tollgate"
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
