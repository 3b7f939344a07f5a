// Package limit is the contract of rate limiting: who asks, what is granted,
// what a refusal says, and which limits hold for a call. limit/memory keeps the
// counters of one process; limit/limittest is the conformance suite.
//
// A limit holds in rolling windows: at no time is there a window of its length
// in which more was admitted than it allows. An engine may let what was used
// count a little longer than the window (Slack says how long), never shorter.
package limit

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"tollgate"
)

// Owner is whose limits hold: a link of a call's chain.
type Owner struct {
	Scope tollgate.Scope
	ID    int64 // 0 for instance and service
}

// MaxChain bounds the links of a chain: key, user, team and instance.
const MaxChain = 4

// Call asks to be admitted.
type Call struct {
	// Owners are the chain, each at most once, at most MaxChain; of each, one
	// limit holds at most: the best match for Model.
	Owners []Owner
	// Model is the name that patterns are matched with.
	Model string
	// Tokens is the estimate of what the call will use, charged at once and
	// corrected by Grant.Settle; negative is 0.
	Tokens int64
}

// Limiter admits calls. It is safe for concurrent use.
type Limiter interface {
	// Admit admits the call by all limits of its chain or by none, in one
	// atomic step. The error is a CodeRateLimited *tollgate.Error with Limit
	// set: of those that refuse, the one that refuses longest. Its RetryAfter
	// is how long it will, should nothing else be admitted; 0 = concurrency,
	// or a call that does not fit however long one waits.
	Admit(c Call) (Grant, error)
}

// Grant is an admitted call.
type Grant interface {
	// Settle puts what was really used in place of the estimate, at the time
	// of the admission: the windows stand as if it had been known then. The
	// first call counts.
	Settle(tokens int64)
	// Release gives the slots of concurrency back. It may be called again.
	Release()
	// Limits tells how the limits stand that admitted the call: of each kind
	// the one with the least left. It is for headers, and empty when no limit
	// held.
	Limits() []tollgate.LimitState
}

// Keeper is a Limiter whose windows survive a restart.
type Keeper interface {
	// Save returns what counts against limits now, of those that anything does.
	Save() []tollgate.RateCounters
	// Restore puts back what Save returned, aged by the time since then. Rows
	// of unknown limits, and rows that cannot be read, are left out; their
	// number is returned.
	Restore(rows []tollgate.RateCounters) (lost int)
}

// The lengths of the windows.
const (
	Minute = time.Minute
	Day    = 24 * time.Hour
)

// Kinds lists what a limit may count.
func Kinds() []tollgate.LimitKind {
	return []tollgate.LimitKind{tollgate.LimitRequestsMinute, tollgate.LimitRequestsDay, tollgate.LimitTokensMinute, tollgate.LimitConcurrency}
}

// Value returns what a limit allows of a kind; false = it does not limit that.
func Value(l *tollgate.RateLimit, kind tollgate.LimitKind) (int64, bool) {
	var v *int64
	switch kind {
	case tollgate.LimitRequestsMinute:
		v = l.RPM
	case tollgate.LimitRequestsDay:
		v = l.RPD
	case tollgate.LimitTokensMinute:
		v = l.TotalTokens
	case tollgate.LimitConcurrency:
		v = l.Concurrency
	}
	if v == nil {
		return 0, false
	}
	return *v, true
}

// Better orders the limits of one owner, the best match first: exact names,
// then longer patterns, then older rows.
func Better(a, b *tollgate.RateLimit) int {
	return cmp.Or(
		cmp.Compare(wild(a.ModelPattern), wild(b.ModelPattern)),
		cmp.Compare(len(b.ModelPattern), len(a.ModelPattern)),
		cmp.Compare(a.ID, b.ID),
	)
}

func wild(pattern string) int {
	if strings.ContainsAny(pattern, "*?") {
		return 1
	}
	return 0
}

// Refuse returns the error of a refusal by s.
func Refuse(s tollgate.LimitState, wait time.Duration) *tollgate.Error {
	whose := string(s.Scope)
	if s.Scope == tollgate.ScopeInstance {
		whose = "gateway"
	}
	what := fmt.Sprintf("the %s's limit of %d %s on %s is reached, %d in use", whose, s.Value, unit(s.Kind), models(s.ModelPattern), s.Used)
	switch {
	case s.Kind == tollgate.LimitConcurrency:
		what += "; try again when another request has ended"
	case wait > 0:
		what += "; try again in " + max(wait, time.Second).Round(time.Second).String()
	default:
		what += "; this request does not fit into it"
	}
	return &tollgate.Error{Code: tollgate.CodeRateLimited, Message: what, RetryAfter: wait, Limit: &s}
}

func unit(kind tollgate.LimitKind) string {
	switch kind {
	case tollgate.LimitRequestsMinute:
		return "requests per minute"
	case tollgate.LimitRequestsDay:
		return "requests per day"
	case tollgate.LimitTokensMinute:
		return "tokens per minute"
	case tollgate.LimitConcurrency:
	}
	return "requests at once"
}

func models(pattern string) string {
	if pattern == "*" {
		return "all models"
	}
	return "models " + pattern
}
