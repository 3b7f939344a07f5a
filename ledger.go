package tollgate

import (
	"context"
	"time"
)

// Intent is a dispatch that is about to go out, written down before its first
// byte does: what it may cost at most so far, and everything that is needed to
// close it when the process dies before its outcome is known.
type Intent struct {
	// ID is the dispatch's.
	ID           RequestID
	UserID       int64
	KeyID        int64
	SessionID    int64
	TeamID       int64
	Service      bool
	Dialect      Dialect
	Operation    Operation
	ProviderID   int64
	CredentialID int64
	Model        string // as sent to the provider
	PriceVersion int64
	// Held is the money that is set aside for it.
	Held Money
	// Void takes the intent back: nothing went out.
	Void bool
	// Settled are earlier dispatches of the same request whose outcome is
	// known. They are settled in the same transaction.
	Settled []UsageRow
	// Opens are quotas that begin to count with this or an earlier request.
	Opens []Opening
}

// Opening is the first request that counts in a quota.
type Opening struct {
	QuotaID int64
	Since   RequestID
}

// Charge says that the cost of a dispatch counts in a quota, in the window
// that begins at WindowStart (zero for total).
type Charge struct {
	QuotaID     int64
	WindowStart time.Time
}

// AdjustmentKind says what an adjustment is.
type AdjustmentKind string

// The kinds of adjustments.
const (
	// AdjustCorrection moves a balance: an admin's correction or reset.
	AdjustCorrection AdjustmentKind = "correction"
	// AdjustCarry stands for settlements whose rows were removed, in the same
	// transaction each: the balance stays as it is. There is one for each window of
	// a quota, and it alone grows.
	AdjustCarry AdjustmentKind = "carry"
)

// Adjustment is a change of a balance that is no settlement. Adjustments are
// appended and never altered, but for carries, which grow: a balance is the sum of its settlements and
// adjustments (SECURITY M-10).
type Adjustment struct {
	ID int64
	// At is when; it lies in the window that is adjusted.
	At      time.Time
	Kind    AdjustmentKind
	QuotaID int64
	// Scope, ScopeID and Window are the quota's, for when it is gone.
	Scope   Scope
	ScopeID int64
	Window  Window
	// WindowStart is when the window began that is adjusted; zero for total.
	WindowStart time.Time
	// Amount is added to what is spent; below zero gives money back.
	Amount Money
	// ReratingID is the re-rating that the adjustment books; 0 = none. Due is then
	// what the difference was: Amount is more where the balance would have fallen
	// below zero, and less where that is made up for.
	ReratingID int64
	Due        Money
	Reason     string
	ActorID    int64 // user id; 0 = the host
	ActorName  string
	Via        string // as in an AuditEntry
}

// AdjustmentFilter selects adjustments; the zero value selects all.
type AdjustmentFilter struct {
	QuotaID Match[int64]
	// AfterID keeps those with a higher id.
	AfterID int64
}

// Settlement is the money of one settled dispatch.
type Settlement struct {
	ID      RequestID // the dispatch's
	UserID  int64
	KeyID   int64
	TeamID  int64
	Service bool
	Cost    Money
}

// Totals are sums over the whole record, for verification.
type Totals struct {
	Dispatches int64
	Cost       Money
	// What the roll-ups by hour and by day say of the same.
	HourlyDispatches, DailyDispatches int64
	HourlyCost, DailyCost             Money
	// Intents are open; Stale ones are there although their dispatch is settled.
	Intents, Stale int64
	// Removed is what the rows that are gone had added up to; the roll-ups still
	// hold it.
	RemovedDispatches int64
	RemovedCost       Money
}

// Removal is what one step of removing old rows took away.
type Removal struct {
	Requests    int64
	Settlements []Settlement // by id
	More        bool         // there are older rows than the bound left
}

// Ledger is the money of a transaction: adjustments, open intents, and what
// balances should be. Settlements come by RequestLog alone.
type Ledger interface {
	// Adjust appends an adjustment, sets its ID and moves the balance of its
	// quota: within the window it names; a later window begins with it; an
	// earlier one is over and changes no balance. A balance below zero is
	// CodeInvalid, a quota that does not exist CodeNotFound.
	Adjust(ctx context.Context, a *Adjustment) error
	// Adjustments returns adjustments, ordered and bounded by p (sort: id).
	Adjustments(ctx context.Context, f AdjustmentFilter, p Page) ([]Adjustment, *Cursor, error)
	// Intents returns the dispatches that went out and are not settled, by id.
	Intents(ctx context.Context) ([]Intent, error)
	// Settlements calls fn for every settled dispatch from an id on, by id.
	Settlements(ctx context.Context, from RequestID, fn func(Settlement)) error
	// Totals adds up the whole record.
	Totals(ctx context.Context) (Totals, error)
	// Restate sets the balance of a quota to what its rows add up to, after the
	// time zone of windows was changed. CodeNotFound.
	Restate(ctx context.Context, quotaID int64, start time.Time, spent Money) error
	// Rerate appends the record of a re-rating, sets its ID, and notes what each
	// of rows costs since, in place of what was noted before. It moves no balance.
	Rerate(ctx context.Context, r *Rerating, rows []Rerated) error
	// Reratings returns records, ordered and bounded by p (sort: id).
	Reratings(ctx context.Context, p Page) ([]Rerating, *Cursor, error)
	// Rerated returns what is noted of dispatches with first ≤ id ≤ last, by id:
	// of Settlement their ID and Cost alone.
	Rerated(ctx context.Context, first, last RequestID) ([]Rerated, error)
	// Remove removes the oldest requests before an id with their dispatches and
	// what was noted of these, about limit rows of each; roll-ups stay. In the same
	// transaction the caller carries over what their settlements count in balances.
	Remove(ctx context.Context, before RequestID, limit int) (Removal, error)
	// Carry adds a.Amount to the carry of the quota and window that a names, which
	// begins with a if there is none, and moves its At. No balance moves.
	Carry(ctx context.Context, a *Adjustment) error
	// LastID returns the highest id that any row of the record has; 0 = none.
	LastID(ctx context.Context) (RequestID, error)
}
