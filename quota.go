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
