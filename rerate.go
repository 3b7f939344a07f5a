package tollgate

import "time"

// Rerating is the record of past usage that was priced anew and whose
// differences were booked. Records are appended and never altered.
type Rerating struct {
	ID int64
	At time.Time
	// Since and Until bound the start time of the usage: Since ≤ t < Until.
	Since, Until time.Time
	// Selection says in words what else the usage was selected by; "" = nothing.
	Selection string
	// PriceVersion is the version that was asked for; 0 = the book as it was.
	PriceVersion int64
	// BookVersion is the highest version that the book had.
	BookVersion int64
	Dispatches  int64 // looked at
	Changed     int64 // that cost something else since
	Before      Money // what those that were looked at cost before, and
	After       Money // since
	Reason      string
	ActorID     int64 // user id; 0 = the host
	ActorName   string
	Via         string // as in an AuditEntry
}

// Rerated is what a dispatch costs since it was priced anew. Its usage row
// keeps what it was settled with.
type Rerated struct {
	// Settlement is whose the dispatch is; Cost is what it costs now.
	Settlement
	// Was is what it cost before.
	Was          Money
	PriceVersion int64 // 0 = unpriced
	// ReratingID is the record that this belongs to.
	ReratingID int64
}

// Rated is what a price book says about past usage.
type Rated struct {
	Dispatches int64 // looked at
	Changed    int64 // that cost something else now
	Unpriced   int64 // that still have no price
	Old, New   Money
	// Models and Users are the changes by model and by whose usage it was, the
	// largest difference first.
	Models []RatedModel
	Users  []RatedUser
	// Rows are the dispatches that changed, by id; their ReratingID is 0.
	Rows []Rerated
}

// RatedModel sums the changed dispatches of one model.
type RatedModel struct {
	ProviderID int64
	Model      string
	Dispatches int64
	Old, New   Money
}

// RatedUser sums the changed dispatches of one user.
type RatedUser struct {
	UserID     int64 // 0 = the access key
	Dispatches int64
	Old, New   Money
}
