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

// Quota bounds what a scope may spend in a window; one row per (scope, id, window).
type Quota struct {
	ID      int64
	Scope   Scope
	ScopeID int64 // 0 for instance and service
	Window  Window
	// Limit is the budget; nil = unlimited, 0 = nothing.
	Limit *Money
	// Spent is what the ledger has settled in the running window.
	Spent Money
	// WindowStart is when the running window began; zero for total.
	WindowStart time.Time
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
