package ledger

import (
	"cmp"
	"context"
	"slices"

	"tollgate"
)

// Load takes quotas and adjustments from the store: all of them at first,
// later what has changed. A quota that is new counts from the next request on,
// with what was adjusted of it; one that is gone lets go of everybody who waits
// for it. It is to be called after each change (AreaMoney) and may be called
// any time.
func (m *Machine) Load(ctx context.Context, store tollgate.Store) error {
	m.loading.Lock()
	defer m.loading.Unlock()
	var quotas []tollgate.Quota
	var adjustments []tollgate.Adjustment
	err := store.View(ctx, func(tx tollgate.Tx) (err error) {
		all := tollgate.Page{All: true}
		if quotas, _, err = tx.Quotas.Query(ctx, tollgate.QuotaFilter{}, all); err != nil {
			return err
		}
		if m.accounts.Load() == nil { // the stored balances have all of them: only the last id matters
			all = tollgate.Page{Sort: "-id", Limit: 1}
		}
		adjustments, _, err = tx.Ledger.Adjustments(ctx, tollgate.AdjustmentFilter{AfterID: m.adjusted}, all)
		return err
	})
	if err != nil {
		return err
	}
	m.replace(quotas, adjustments)
	for _, a := range adjustments {
		m.adjusted = max(m.adjusted, a.ID)
	}
	return nil
}

// replace puts the accounts of these quotas in force.
func (m *Machine) replace(quotas []tollgate.Quota, adjustments []tollgate.Adjustment) {
	old := m.registry()
	next := &registry{byOwner: map[owner][]*account{}, byQuota: make(map[int64]*account, len(quotas))}
	slices.SortFunc(quotas, func(a, b tollgate.Quota) int { return cmp.Compare(a.ID, b.ID) })
	var fresh []*account
	for _, q := range quotas {
		a, known := old.byQuota[q.ID]
		if !known {
			a = m.newAccount(q)
			a.mu.Lock() // nobody looks at it before it is known where it begins
			fresh = append(fresh, a)
		}
		next.byQuota[q.ID] = a
		o := owner{rankOf(q.Scope), q.ScopeID}
		next.byOwner[o] = append(next.byOwner[o], a)
	}
	m.accounts.Store(next)
	// Whoever does not see the new accounts has drawn its id before this one.
	for _, a := range fresh {
		if a.since == 0 {
			a.since = m.IDs.Next(m.Now())
		}
		a.mu.Unlock()
	}
	for _, q := range quotas {
		if a, known := old.byQuota[q.ID]; known {
			a.setLimit(q.Limit)
		}
	}
	for id, a := range old.byQuota {
		if next.byQuota[id] == nil {
			a.setLimit(nil)
		}
	}
	for _, adj := range adjustments {
		if a, known := old.byQuota[adj.QuotaID]; known && adj.Kind == tollgate.AdjustCorrection {
			a.adjust(adj)
		}
	}
}

// newAccount is a quota as the store has it.
func (m *Machine) newAccount(q tollgate.Quota) *account {
	a := &account{
		quota: q.ID, scope: q.Scope, scopeID: q.ScopeID, window: q.Window, zone: m.Zone, limit: q.Limit, since: q.Since, opened: q.Since != 0,
		watch: &m.watch,
	}
	at := m.Now()
	if q.WindowStart.After(at) {
		at = q.WindowStart
	}
	a.now = a.newPool(at)
	if a.now.start.Equal(q.WindowStart) {
		a.now.spent = q.Spent
	} else if q.WindowStart.Before(a.now.start) && !q.WindowStart.IsZero() {
		a.before = a.newPool(q.WindowStart)
		a.before.spent = q.Spent
	}
	a.notice()
	return a
}

// setLimit changes the limit, and lets those who wait look again.
func (a *account) setLimit(limit *tollgate.Money) {
	a.mu.Lock()
	defer a.mu.Unlock()
	same := a.limit == limit || a.limit != nil && limit != nil && *a.limit == *limit
	if a.limit = limit; !same {
		a.notice()
	}
	a.now.wake()
	if a.before != nil {
		a.before.wake()
	}
}

// adjust moves a balance by an adjustment that is stored.
func (a *account) adjust(adj tollgate.Adjustment) {
	a.mu.Lock()
	defer a.mu.Unlock()
	id := tollgate.RequestIDAt(adj.WindowStart)
	if a.window == tollgate.WindowTotal {
		id = a.now.first
	}
	p := a.pool(id)
	if p == nil {
		return // the window is over
	}
	p.spent += adj.Amount
	p.full = false
	p.notice()
	p.wake()
}

// openings are the quotas that count a request and are not yet known to the
// store to do so.
func (h *Hold) openings() (out []tollgate.Opening) {
	for _, p := range h.pools {
		a := p.account
		a.mu.Lock()
		if !a.opened {
			out = append(out, tollgate.Opening{QuotaID: a.quota, Since: a.since})
		}
		a.mu.Unlock()
	}
	return out
}

// opened notes that the store knows where the quotas begin.
func (h *Hold) opened() {
	for _, p := range h.pools {
		p.account.mu.Lock()
		p.account.opened = true
		p.account.mu.Unlock()
	}
}
