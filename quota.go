package tollgate

import "time"

// Scope says whose quota or limit a row is.
type Scope string

// The scopes of MONEY.
const (
	ScopeUser     Scope = "user"
	ScopeKey      Scope = "key"
	ScopeTeam     Scope = "team"
	ScopeInstance Scope = "instance"
	ScopeService  Scope = "service"
)

// Window is the period a quota runs over.
type Window string

// The windows of CONTRACT 8.
const (
	WindowTotal Window = "total"
	WindowDay   Window = "day"
	WindowWeek  Window = "week"
	WindowMonth Window = "month"
)

// Valid reports whether w is one of the four.
func (w Window) Valid() bool {
	return w == WindowTotal || w == WindowDay || w == WindowWeek || w == WindowMonth
}

// Bounds returns when the calendar window of zone that holds t begins and
// ends; zero times for total. Weeks begin on Monday. A day may have 23 or 25
// hours, and one whose midnight is skipped begins when its clock does.
func (w Window) Bounds(t time.Time, zone *time.Location) (start, end time.Time) {
	t = t.In(zone)
	y, m, d := t.Date()
	switch w {
	case WindowDay:
		return midnight(y, m, d, zone), midnight(y, m, d+1, zone)
	case WindowWeek:
		d -= (int(t.Weekday()) + 6) % 7
		return midnight(y, m, d, zone), midnight(y, m, d+7, zone)
	case WindowMonth:
		return midnight(y, m, 1, zone), midnight(y, m+1, 1, zone)
	case WindowTotal:
	}
	return time.Time{}, time.Time{}
}

// midnight is the first moment of a calendar day: where a change of the clock
// skips 00:00, time.Date answers with a time of the day before.
func midnight(y int, m time.Month, d int, zone *time.Location) time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, zone)
	if want := time.Date(y, m, d, 12, 0, 0, 0, zone).Day(); t.Day() != want {
		_, end := t.ZoneBounds()
		return end
	}
	return t
}

// Quota bounds what a scope may spend in a window; one row per (scope, id, window).
type Quota struct {
	ID      int64
	Scope   Scope
	ScopeID int64 // 0 for instance and service
	Window  Window
	// Limit is the budget; nil = unlimited, 0 = nothing.
	Limit *Money
	// Spent is what the ledger has settled and adjusted in the window that
	// began at WindowStart (zero for total). Insert and Update leave both as
	// they are: balances change by settlements (RequestLog) and adjustments.
	Spent       Money
	WindowStart time.Time
	// Since is the first request that counts; 0 = none has yet. As Spent, it is
	// the ledger's to write.
	Since RequestID
}

// SpentAt returns what is spent in the window that holds now: nothing, when
// nothing was settled since it began.
func (q Quota) SpentAt(now time.Time, zone *time.Location) Money {
	if start, _ := q.Window.Bounds(now, zone); q.WindowStart.Before(start) {
		return 0
	}
	return q.Spent
}

// QuotaFilter selects quotas; the zero value selects all.
type QuotaFilter struct {
	ID      Match[int64]
	Scope   Match[Scope]
	ScopeID Match[int64]
	Window  Match[Window]
}

// RateLimit bounds requests, tokens and concurrency of a scope on models that
// match a pattern. Nil fields do not limit.
type RateLimit struct {
	ID           int64
	Scope        Scope
	ScopeID      int64
	ModelPattern string
	RPM          *int64 // requests per minute
	RPD          *int64 // requests per day
	TotalTokens  *int64 // tokens in a rolling minute
	Concurrency  *int64 // requests at once
}

// RateLimitFilter selects rate limits; the zero value selects all.
type RateLimitFilter struct {
	ID      Match[int64]
	Scope   Match[Scope]
	ScopeID Match[int64]
}

// LimitKind is what a rate limit counts.
type LimitKind string

// The kinds of a RateLimit, each with a window of its own.
const (
	LimitRequestsMinute LimitKind = "requests_minute" // RPM
	LimitRequestsDay    LimitKind = "requests_day"    // RPD
	LimitTokensMinute   LimitKind = "tokens_minute"   // TotalTokens
	LimitConcurrency    LimitKind = "concurrency"
)

// LimitState is how a rate limit stands: what headers and refusals tell.
type LimitState struct {
	// RateLimit is the row; which of its numbers is meant, Kind says.
	RateLimit
	Kind LimitKind
	// Value is what the limit allows in its window, Used what counts against
	// it now. Used may be above Value: tokens are corrected when they are known.
	Value, Used int64
	// Resets is how long until nothing of Used counts any more, if nothing is
	// added; 0 for concurrency.
	Resets time.Duration
}

// Remaining is what may still be used, at least 0.
func (s LimitState) Remaining() int64 { return max(s.Value-s.Used, 0) }

// RateCounters is what counts against a rate limit, so that a restart does not
// begin its windows anew.
type RateCounters struct {
	LimitID int64 // of the RateLimit
	// State is the limiter's own text; it is only good for a limiter of the same kind.
	State []byte
}
