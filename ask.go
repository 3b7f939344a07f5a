package tollgate

import "time"

// AskKind is what a user asks for.
type AskKind string

// The kinds of asks.
const (
	AskBudget AskKind = "budget" // a higher quota
	AskModel  AskKind = "model"  // leave to call a model
)

// AskState is how an ask stands.
type AskState string

// The states of asks; all but the first are final.
const (
	AskOpen      AskState = "open"
	AskApproved  AskState = "approved"
	AskDeclined  AskState = "declined"
	AskWithdrawn AskState = "withdrawn"
)

// Ask is a user's wish for more than they may, which an admin decides.
type Ask struct {
	ID     int64
	UserID int64
	Kind   AskKind
	// Window and Amount are the quota that is asked for (AskBudget).
	Window Window
	Amount *Money
	// Model is the name that the user wants to send (AskModel).
	Model     string
	Note      string // why
	State     AskState
	CreatedAt time.Time
	// DecidedBy is the admin's user id, 0 = nobody yet, or the host.
	DecidedBy    int64
	DecidedAt    time.Time // zero = not yet
	DecisionNote string
}

// AskFilter selects asks; the zero value selects all.
type AskFilter struct {
	ID     Match[int64]
	UserID Match[int64]
	Kind   Match[AskKind]
	State  Match[AskState]
}
