package tollgate

import "time"

// AlarmKind says what an alarm is about.
type AlarmKind string

// The kinds of alarms.
const (
	AlarmQuota    AlarmKind = "quota"    // a quota was spent up to a threshold
	AlarmUnpriced AlarmKind = "unpriced" // a model without a price was used
	AlarmOverrun  AlarmKind = "overrun"  // a dispatch cost more than was held for it
)

// Alarm is something that an operator should know. It is written down once and
// told to the webhook, if there is one, until that has taken it.
type Alarm struct {
	ID int64
	// EventID is how the receiver tells one alarm from another: it stays the
	// same when the alarm is sent again.
	EventID string
	Kind    AlarmKind
	// Subject is what there is one open alarm of: a quota, window and threshold,
	// or a provider, model and day.
	Subject string
	// Open is false once what the alarm says is no longer so in the same window:
	// the next time is another alarm.
	Open bool
	At   time.Time

	// Of AlarmQuota: the quota as it was when the threshold was reached. UserID
	// is who a quota of a user or of a key belongs to, else 0.
	QuotaID                int64
	Scope                  Scope
	ScopeID                int64
	UserID                 int64
	Window                 Window
	WindowStart, WindowEnd time.Time // zero for total
	Threshold              int       // percent of Limit
	Limit                  Money
	// Spent is also what an overrun is above its hold.
	Spent Money

	// Of AlarmUnpriced and AlarmOverrun.
	ProviderID int64
	Model      string

	// Attempts are deliveries that were tried; the next one is at NextAt, zero =
	// there is none. SentAt is when the receiver took it, Failure what the last
	// attempt failed with.
	Attempts       int
	NextAt, SentAt time.Time
	Failure        string

	AcknowledgedAt time.Time
	AcknowledgedBy int64 // user id
}

// AlarmFilter selects alarms; the zero value selects all.
type AlarmFilter struct {
	ID      Match[int64]
	Kind    Match[AlarmKind]
	Subject Match[string]
	QuotaID Match[int64]
	Scope   Match[Scope]
	UserID  Match[int64]
	// Open and Acknowledged keep those that are, or are not; nil = both. With At,
	// those are not open either whose window is over then.
	Open, Acknowledged *bool
	At                 time.Time
	// Pending keeps those that are still to be delivered, DueBy those whose next
	// attempt is at that time at the latest.
	Pending bool
	DueBy   time.Time
	// Before keeps those of before a time.
	Before time.Time
}

// Standing is how a quota stands in one window: what its thresholds are
// compared with.
type Standing struct {
	QuotaID    int64
	Scope      Scope
	ScopeID    int64
	Window     Window
	Start, End time.Time // of the window; zero for total
	Limit      *Money    // nil = unlimited, or the quota is gone
	Spent      Money
	// Full says that a request was refused since nothing fits any more, although
	// a little of the limit is left.
	Full bool
}

// Reached reports whether the quota is spent up to so many percent of its
// limit. A limit of nothing is never reached: there is nothing to spend.
func (s Standing) Reached(percent int) bool {
	if s.Limit == nil || *s.Limit <= 0 {
		return false
	}
	return s.Spent >= PercentOf(*s.Limit, percent) || s.Full && percent <= 100
}

// PercentOf is so many percent of a limit, rounded up.
func PercentOf(limit Money, percent int) Money {
	p := Money(percent)
	return limit/100*p + (limit%100*p+99)/100
}
