package auth

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"tollgate"
)

// How many failed sign-ins the audit lists one by one: a burst, and then one
// each interval. 1,000 and 8,640 a day are some three megabytes; what goes
// beyond is counted, so that guessing cannot fill the disk.
const (
	floodBurst  = 1000
	floodRefill = 10 * time.Second
)

// flood decides which failed sign-ins are listed and counts the others.
type flood struct {
	mu       sync.Mutex
	budget   budget
	unlisted int64
	since    time.Time // of the first that is not listed
}

// list reports whether a failure may be listed, and else counts it.
func (f *flood) list(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.budget.at.IsZero() {
		f.budget = budget{left: floodBurst, at: now}
	}
	f.budget = f.budget.refilled(now, floodBurst, floodRefill)
	if f.budget.left >= 1 {
		f.budget.left--
		return true
	}
	f.count(1, now)
	return false
}

// turnedAway counts a failure whose password nobody looked at.
func (f *flood) turnedAway(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count(1, now)
}

func (f *flood) count(n int64, at time.Time) {
	if f.unlisted == 0 {
		f.since = at
	}
	f.unlisted += n
}

// take returns what was counted since the last time.
func (f *flood) take() (n int64, since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, since = f.unlisted, f.since
	f.unlisted = 0
	return n, since
}

// giveBack counts again what could not be written.
func (f *flood) giveBack(n int64, since time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.unlisted, f.since = f.unlisted+n, since
}

// SaveFailures writes one audit entry for all failed sign-ins that are not
// listed there one by one, if there are any. Call it every few minutes and at
// the end.
func (s *Sessions) SaveFailures(ctx context.Context) error {
	n, since := s.flood.take()
	if n == 0 {
		return nil
	}
	e := tollgate.Actor{Via: "session"}.Entry(s.accounts.Now(), "login.failed", "user", 0)
	e.ActorName = "anonymous"
	detail, err := json.Marshal(map[string]any{"reason": "too many to list", "count": n, "since": since.UTC()})
	if err == nil {
		e.Detail = detail
		err = s.store.Update(ctx, func(tx tollgate.Tx) error { return tx.Audit.Append(ctx, &e) })
	}
	if err != nil {
		s.flood.giveBack(n, since)
	}
	return err
}
