package ledger_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
)

// memory is as much of a store as a Machine reads: quotas and adjustments.
type memory struct {
	tollgate.Store

	mu          sync.Mutex
	quotas      []tollgate.Quota
	adjustments []tollgate.Adjustment
}

func (m *memory) View(_ context.Context, fn func(tollgate.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return fn(tollgate.Tx{Quotas: memoryQuotas{m: m}, Ledger: memoryLedger{m: m}})
}

type memoryQuotas struct {
	tollgate.Quotas
	m *memory
}

func (q memoryQuotas) Query(context.Context, tollgate.QuotaFilter, tollgate.Page) ([]tollgate.Quota, *tollgate.Cursor, error) {
	out := slices.Clone(q.m.quotas)
	for i := range out {
		if out[i].Limit != nil {
			limit := *out[i].Limit
			out[i].Limit = &limit
		}
	}
	return out, nil, nil
}

type memoryLedger struct {
	tollgate.Ledger
	m *memory
}

func (l memoryLedger) Adjustments(_ context.Context, f tollgate.AdjustmentFilter, _ tollgate.Page) (out []tollgate.Adjustment, _ *tollgate.Cursor, _ error) {
	for _, a := range l.m.adjustments {
		if a.ID > f.AfterID {
			out = append(out, a)
		}
	}
	return out, nil, nil
}

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// noon is a Saturday in the middle of March.
func noon() time.Time { return time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC) }

// bank is a Machine over a memory.
type bank struct {
	*ledger.Machine
	t     testing.TB
	store *memory
	clock *clock
	ids   *tollgate.RequestIDs
}

func newBank(tb testing.TB, quotas ...tollgate.Quota) *bank {
	tb.Helper()
	b := &bank{t: tb, store: &memory{}, clock: &clock{at: noon()}, ids: new(tollgate.RequestIDs)}
	b.Machine = &ledger.Machine{IDs: b.ids, Now: b.clock.now, Zone: time.UTC}
	for i, q := range quotas {
		q.ID = int64(i + 1)
		b.store.quotas = append(b.store.quotas, q)
	}
	b.load()
	return b
}

func (b *bank) load() {
	b.t.Helper()
	if err := b.Load(b.t.Context(), b.store); err != nil {
		b.t.Fatal(err)
	}
}

// setLimit changes the limit of a quota.
func (b *bank) setLimit(id int64, limit *tollgate.Money) {
	b.store.mu.Lock()
	b.store.quotas[id-1].Limit = limit
	b.store.mu.Unlock()
	b.load()
}

// id is the id of a request that comes now.
func (b *bank) id() tollgate.RequestID { return b.ids.Next(b.clock.now()) }

// admit holds amount for a request of the chain that comes now.
func (b *bank) admit(c ledger.Chain, amount tollgate.Money) (*ledger.Hold, error) {
	return b.Admit(b.t.Context(), b.id(), c, amount)
}

// must is admit that has to succeed.
func (b *bank) must(c ledger.Chain, amount tollgate.Money) *ledger.Hold {
	b.t.Helper()
	h, err := b.admit(c, amount)
	if err != nil {
		b.t.Fatalf("admitting %s: %v", amount, err)
	}
	return h
}

// want fails unless a quota has spent and holds this.
func (b *bank) want(quota int64, spent, held tollgate.Money) {
	b.t.Helper()
	got, ok := b.Balance(quota, b.clock.now())
	if !ok || got.Spent != spent || got.Held != held {
		b.t.Fatalf("quota %d: spent %s, held %s (known: %v), want %s and %s", quota, got.Spent, got.Held, ok, spent, held)
	}
}

// quota is a quota of a scope.
func quota(scope tollgate.Scope, id int64, w tollgate.Window, limit tollgate.Money) tollgate.Quota {
	return tollgate.Quota{Scope: scope, ScopeID: id, Window: w, Limit: &limit}
}

// alice is the chain of a user with a key and a team.
func alice() ledger.Chain { return ledger.Chain{KeyID: 1, UserID: 2, TeamID: 3} }

// code fails unless err has a code.
func code(tb testing.TB, err error, want tollgate.Code) {
	tb.Helper()
	if got := tollgate.ErrorCode(err); got != want {
		tb.Fatalf("error %v has code %q, want %q", err, got, want)
	}
}

// refused fails unless err is CodeQuota, and returns it.
func refused(tb testing.TB, err error) *tollgate.Error {
	tb.Helper()
	code(tb, err, tollgate.CodeQuota)
	return tollgate.AsError(err)
}
