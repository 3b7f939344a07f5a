package upstream

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// How long a credential is left out (see the package documentation).
const (
	coolUnauthenticated = 60 * time.Second
	coolRateLimited     = 5 * time.Second // when the provider does not say
	maxCool             = 60 * time.Second
)

// The states of a credential.
const (
	StateUnknown     = "unknown"      // not used since the process started
	StateOK          = "ok"           // the last use succeeded
	StateFailing     = "failing"      // the last use failed
	StateCooling     = "cooling"      // left out for a while
	StateUnreadable  = "unreadable"   // the stored secret does not open: wrong key or moved origin
	StateNeedsSecret = "needs_secret" // there is no secret yet
	StateDisabled    = "disabled"
)

// CredentialStatus is what this process has seen of a credential. It is kept
// in memory and begins anew when the process starts or the secret changes.
type CredentialStatus struct {
	CredentialID, ProviderID int64
	State                    string
	LastSuccess, LastFailure time.Time // zero = never
	CoolUntil                time.Time // zero = in use
	Failures                 int64     // in a row
	Class                    string    // of the last failure: status, connect, timeout, cut
	Status                   int       // HTTP status of the last failure, 0 = none came
}

// Result is how one use of a credential went.
type Result struct {
	// Status is the HTTP status, 0 when none came.
	Status int
	// Class is "" for success, else the error class of the dispatch.
	Class string
	// RetryAfter is how long the provider asked to wait; 0 = not said.
	RetryAfter time.Duration
}

// health is the changing part of a credential. It outlives snapshots.
type health struct {
	mu          sync.Mutex
	lastSuccess time.Time
	lastFailure time.Time
	coolUntil   time.Time
	failures    int64
	class       string
	status      int
}

// report records r at now. Statuses that are the request's fault (400, 404,
// 422…) say nothing against the credential.
func (h *health) report(r Result, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.Class == "" || r.Class == ClassStatus && !blamesCredential(r.Status) {
		h.lastSuccess, h.failures, h.coolUntil = now, 0, time.Time{}
		return
	}
	h.lastFailure, h.class, h.status = now, r.Class, r.Status
	h.failures++
	switch r.Status {
	case http.StatusUnauthorized:
		h.coolUntil = now.Add(coolUnauthenticated)
	case http.StatusTooManyRequests:
		wait := r.RetryAfter
		if wait <= 0 {
			wait = coolRateLimited
		}
		h.coolUntil = now.Add(min(wait, maxCool))
	}
}

func blamesCredential(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusTooManyRequests:
		return true
	default:
		return status >= 500
	}
}

func (h *health) cooling(now time.Time) (time.Time, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.coolUntil, now.Before(h.coolUntil)
}

func (h *health) describe(s *CredentialStatus, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.LastSuccess, s.LastFailure, s.Failures = h.lastSuccess, h.lastFailure, h.failures
	s.Class, s.Status = h.class, h.status
	if now.Before(h.coolUntil) {
		s.CoolUntil = h.coolUntil
	}
	if s.State != "" {
		return
	}
	switch {
	case !s.CoolUntil.IsZero():
		s.State = StateCooling
	case h.failures > 0:
		s.State = StateFailing
	case !h.lastSuccess.IsZero():
		s.State = StateOK
	default:
		s.State = StateUnknown
	}
}

// RetryAfter reads retry-after-ms and retry-after (seconds or a date); 0 = not
// said, or in the past.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	if ms, err := strconv.ParseFloat(strings.TrimSpace(h.Get("Retry-After-Ms")), 64); err == nil && ms > 0 && ms < 1e9 {
		return time.Duration(ms * float64(time.Millisecond))
	}
	v := strings.TrimSpace(h.Get("Retry-After"))
	if s, err := strconv.ParseFloat(v, 64); err == nil {
		if s > 0 && s < 1e6 {
			return time.Duration(s * float64(time.Second))
		}
		return 0
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
