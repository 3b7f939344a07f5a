package ledger_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/meter/book"
	"tollgate/internal/store/sqlstore"
)

// priced is a house with a price book.
type priced struct {
	*house
	book *book.Book
}

func newPriced(t *testing.T, o sqlstore.Options) *priced {
	t.Helper()
	h := newHouse(t, o)
	return &priced{h, &book.Book{Now: h.clock.now}}
}

// price says that from ever on a million tokens of prompt cost so many dollars.
func (p *priced) price(dollars string) {
	p.t.Helper()
	p.update(func(ctx context.Context, tx tollgate.Tx) error {
		return tx.Prices.Insert(ctx, &tollgate.Price{
			ModelPattern: "small", Source: tollgate.PriceAPI, ValidFrom: time.Unix(1, 0), CreatedAt: p.clock.now(),
			Prices: json.RawMessage(`{"price_input_tokens":` + dollars + `}`),
		})
	})
	if err := p.book.Reload(p.t.Context(), p.store); err != nil {
		p.t.Fatal(err)
	}
}

// use spends a million tokens.
func (p *priced) use(c ledger.Chain) {
	p.t.Helper()
	r := p.request(c)
	d := dispatch(r, 1)
	claim, err := p.Begin(p.t.Context(), r, d, 1)
	if err != nil {
		p.t.Fatal(err)
	}
	d.Tokens.Input, d.Status = 1_000_000, 200
	p.book.Price(r, d)
	if err := p.finish(r, d, claim, d.Cost); err != nil {
		p.t.Fatal(err)
	}
}

func (p *priced) rerate(ask ledger.Ask) ledger.Result {
	p.t.Helper()
	if ask.Filter.Since.IsZero() {
		ask.Filter.Since, ask.Filter.Until = noon().Add(-time.Hour), noon().AddDate(0, 1, 0)
	}
	r := ledger.Rerater{Store: p.store, Rater: p.book, Zone: p.zone, Now: p.clock.now}
	out, err := r.Run(p.t.Context(), tollgate.HostActor("test"), ask)
	if err != nil {
		p.t.Fatal(err)
	}
	return out
}

// spent fails unless a quota's balance is this many dollars, in the store and in memory.
func (p *priced) spent(quota int64, dollars tollgate.Money) {
	p.t.Helper()
	if q := p.stored(quota); q.Spent != dollars*tollgate.Dollar {
		p.t.Errorf("quota %d has spent %s, want %d", quota, q.Spent, dollars)
	}
	if b, _ := p.Balance(quota, p.clock.now()); b.Spent != dollars*tollgate.Dollar {
		p.t.Errorf("quota %d has spent %s in memory, want %d", quota, b.Spent, dollars)
	}
}

// TestARerateIsBookedOnce prices usage anew, up and down, again and again:
// balances follow to the nano-dollar, rows stay, and nothing is booked twice.
func TestARerateIsBookedOnce(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		p := newPriced(t, o)
		alice, bob := p.people(), p.people()
		p.price("2")
		user, key := p.quota(tollgate.ScopeUser, alice.UserID, tollgate.WindowTotal, tollgate.MaxMoney), p.quota(tollgate.ScopeKey, alice.KeyID, tollgate.WindowMonth, tollgate.MaxMoney)
		all := p.quota(tollgate.ScopeInstance, 0, tollgate.WindowDay, tollgate.MaxMoney)
		p.use(alice)
		p.use(alice)
		p.use(bob)
		p.price("5")
		shown := p.rerate(ledger.Ask{})
		if shown.ID != 0 || shown.Changed != 3 || shown.New-shown.Old != 9*tollgate.Dollar || len(shown.Changes) != 3 {
			t.Fatalf("shown: %+v", shown)
		}
		p.spent(user, 4)
		done := p.rerate(ledger.Ask{Apply: true, Reason: "the price was wrong"})
		if done.ID == 0 || len(done.Rows) != 3 {
			t.Fatalf("booked: %+v", done)
		}
		p.spent(user, 10)
		p.spent(key, 10)
		p.spent(all, 15)
		for range 2 {
			if again := p.rerate(ledger.Ask{Apply: true}); again.ID != 0 || again.Changed != 0 || again.Old != 15*tollgate.Dollar {
				t.Errorf("again: %+v", again)
			}
		}
		p.price("1")
		p.rerate(ledger.Ask{Apply: true, Filter: tollgate.UsageFilter{
			Since: noon().Add(-time.Hour), Until: noon().AddDate(0, 1, 0), UserID: tollgate.Is(bob.UserID),
		}})
		p.spent(user, 10)
		p.spent(all, 11)
		p.rerate(ledger.Ask{Apply: true})
		p.spent(user, 2)
		p.spent(all, 3)
		if r := p.verify(); r.Adjustments != 7 {
			t.Errorf("%d adjustments, want 7", r.Adjustments)
		}
		p.reopen()
		p.spent(user, 2)
		p.verify()
	})
}

// TestARerateOfAWindowThatIsOver leaves the running balance alone and is on record.
func TestARerateOfAWindowThatIsOver(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		p := newPriced(t, o)
		alice := p.people()
		p.price("2")
		day, total := p.quota(tollgate.ScopeUser, alice.UserID, tollgate.WindowDay, tollgate.MaxMoney), p.quota(tollgate.ScopeUser, alice.UserID, tollgate.WindowTotal, tollgate.MaxMoney)
		p.use(alice)
		p.clock.move(24 * time.Hour)
		p.price("3")
		// Nobody has come yet on the second day: the stored balance is the first one's.
		p.rerate(ledger.Ask{Apply: true})
		p.verify()
		p.use(alice)
		p.spent(day, 3)
		p.price("10")
		out := p.rerate(ledger.Ask{Apply: true})
		p.spent(day, 10)
		p.spent(total, 20)
		over := 0
		for _, c := range out.Changes {
			if c.Over {
				over++
				if c.Quota.ID != day || c.Amount != 7*tollgate.Dollar {
					t.Errorf("%+v", c)
				}
			}
		}
		if len(out.Changes) != 3 || over != 1 {
			t.Errorf("%d changes, %d of them over", len(out.Changes), over)
		}
		p.verify()
	})
}

// TestARerateGivesNothingBackTwice lowers a price after an admin has set the
// balance to nothing, then raises it again: no balance falls below zero, and
// none has money that was never spent.
func TestARerateGivesNothingBackTwice(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		p := newPriced(t, o)
		alice := p.people()
		p.price("8")
		q := p.quota(tollgate.ScopeUser, alice.UserID, tollgate.WindowTotal, tollgate.MaxMoney)
		p.use(alice)
		p.update(func(ctx context.Context, tx tollgate.Tx) error {
			return tx.Ledger.Adjust(ctx, &tollgate.Adjustment{
				At: p.clock.now(), Kind: tollgate.AdjustCorrection, QuotaID: q, Scope: tollgate.ScopeUser, ScopeID: alice.UserID,
				Window: tollgate.WindowTotal, Amount: -6 * tollgate.Dollar, Reason: "forgiven",
			})
		})
		p.price("3")
		out := p.rerate(ledger.Ask{Apply: true})
		if c := out.Changes[0]; c.Due != -5*tollgate.Dollar || c.Amount != -2*tollgate.Dollar {
			t.Errorf("%+v", c)
		}
		p.spent(q, 0)
		p.price("8")
		p.rerate(ledger.Ask{Apply: true})
		p.spent(q, 2) // what it was before
		p.verify()
	})
}
