package auth

import (
	"context"
	"encoding/json"
	"net/netip"
	"time"

	"tollgate"
)

// metaThrottle is where the counters of failed sign-ins outlive the process.
const metaThrottle = "auth.throttle"

// counters are a throttle's memory as it is stored. Names are keyed digests.
type counters struct {
	Addresses []savedAddress `json:"addresses"`
	Accounts  []savedAccount `json:"accounts"`
	Codes     []savedAccount `json:"codes"`
	Global    savedAddress   `json:"global"`
}

type savedAddress struct {
	Net  netip.Prefix `json:"net"`
	Left float64      `json:"left"`
	At   time.Time    `json:"at"`
}

type savedAccount struct {
	ID    []byte    `json:"id"`
	Count int       `json:"count"`
	At    time.Time `json:"at"`
}

// SaveThrottle writes down what failed sign-ins there were, if there were any
// since the last time: in one value, so that an attack costs one small write
// each time and not one for each attempt. Call it every few seconds and at the
// end; what a crash forgets is the time between two calls.
func (s *Sessions) SaveThrottle(ctx context.Context) error {
	c, dirty := s.throttle.save()
	if !dirty {
		return nil
	}
	value, err := json.Marshal(c)
	if err == nil {
		err = s.store.Update(ctx, func(tx tollgate.Tx) error { return tx.Meta.Put(ctx, metaThrottle, value) })
	}
	if err != nil {
		s.throttle.unsaved()
	}
	return err
}

// RestoreThrottle goes on where the last process ended.
func (s *Sessions) RestoreThrottle(ctx context.Context) error {
	var value []byte
	err := s.store.View(ctx, func(tx tollgate.Tx) (err error) {
		value, err = tx.Meta.Get(ctx, metaThrottle)
		return err
	})
	if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	var c counters
	if err := json.Unmarshal(value, &c); err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "read the counters of failed sign-ins")
	}
	s.throttle.restore(c)
	return nil
}

func (t *throttle) save() (c counters, dirty bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.dirty {
		return c, false
	}
	t.dirty = false
	now := t.now()
	for net := range t.addresses {
		if b := t.refilled(net, now); b.left < float64(t.limits.Burst) {
			c.Addresses = append(c.Addresses, savedAddress{Net: net, Left: b.left, At: b.at})
		}
	}
	c.Accounts, c.Codes = saveAccounts(t.accounts, now), saveAccounts(t.codes, now)
	c.Global = savedAddress{Left: t.global.left, At: t.global.at}
	return c, true
}

func saveAccounts(m map[account]failures, now time.Time) (out []savedAccount) {
	for id, f := range m {
		if now.Sub(f.at) <= forgetFailures {
			out = append(out, savedAccount{ID: id[:], Count: f.count, At: f.at})
		}
	}
	return out
}

func (t *throttle) unsaved() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dirty = true
}

func (t *throttle) restore(c counters) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, a := range c.Addresses {
		t.addresses[a.Net] = budget{left: a.Left, at: a.At}
	}
	restoreAccounts(t.accounts, c.Accounts)
	restoreAccounts(t.codes, c.Codes)
	t.global = budget{left: c.Global.Left, at: c.Global.At}
}

func restoreAccounts(m map[account]failures, saved []savedAccount) {
	for _, f := range saved {
		var id account
		if copy(id[:], f.ID) == len(id) {
			m[id] = failures{count: f.Count, at: f.At}
		}
	}
}
