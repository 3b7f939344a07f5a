package ledger

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tollgate"
)

// Rater prices past usage anew; a *book.Book is one.
type Rater interface {
	// Rerate says what the usage that f selects costs by the prices as they are
	// now, or by one version (0 = all), against what it costs so far.
	Rerate(ctx context.Context, tx tollgate.Tx, f tollgate.UsageFilter, version int64) (tollgate.Rated, error)
}

// Rerater books what past usage costs otherwise by other prices. Usage rows stay
// as they were settled: balances get adjustments, and what each dispatch costs
// since is written beside it, so that the same difference is never booked twice.
type Rerater struct {
	Store tollgate.Store
	Rater Rater
	Zone  *time.Location
	Now   func() time.Time
}

// Ask says what is to be rated anew.
type Ask struct {
	Filter tollgate.UsageFilter
	// Selection says in words what the filter is besides its period.
	Selection    string
	PriceVersion int64 // 0 = the book as it is
	Reason       string
	Apply        bool // else the difference is shown only
}

// Change is the difference that a re-rating makes to a quota in one window.
type Change struct {
	Quota       tollgate.Quota
	WindowStart time.Time // zero for total
	Over        bool      // the window is over: the balance of today does not move
	// Due is the difference, Amount what is added to the balance: more where it
	// would fall below zero, since a correction gave the money back already.
	Due, Amount tollgate.Money

	last tollgate.RequestID // of the dispatches that changed
}

// Result is a re-rating: what differs, and what that makes of quotas.
type Result struct {
	tollgate.Rated
	Changes []Change
	// ID is the record's; 0 = nothing was booked.
	ID int64
}

// bookings is how often a booking starts anew when prices, or what earlier
// re-ratings made of the usage, have changed meanwhile.
const bookings = 3

// Run rates past usage anew. What costs time is done beside the traffic; the
// booking is one transaction of writes. Errors are the Rater's, and CodeConflict
// when others kept changing prices.
func (r *Rerater) Run(ctx context.Context, by tollgate.Actor, ask Ask) (out Result, err error) {
	for range bookings {
		var seen state
		err = r.Store.View(ctx, func(tx tollgate.Tx) (err error) {
			if seen, err = stateOf(ctx, tx); err != nil {
				return err
			}
			if out.Rated, err = r.Rater.Rerate(ctx, tx, ask.Filter, ask.PriceVersion); err != nil {
				return err
			}
			out.Changes, err = r.changes(ctx, tx, out.Rows)
			return err
		})
		if err != nil || !ask.Apply || len(out.Rows) == 0 {
			return out, err
		}
		err = r.Store.Update(ctx, func(tx tollgate.Tx) error { return r.book(ctx, tx, by, ask, seen, &out) })
		if tollgate.ErrorCode(err) != tollgate.CodeConflict {
			return out, err
		}
	}
	return out, err
}

// state is what the differences were worked out from.
type state struct{ version, rerating int64 }

func stateOf(ctx context.Context, tx tollgate.Tx) (s state, err error) {
	newest := tollgate.Page{Sort: "-id", Limit: 1}
	prices, _, err := tx.Prices.Query(ctx, tollgate.PriceFilter{}, newest)
	if err != nil {
		return s, err
	}
	for _, p := range prices {
		s.version = p.ID
	}
	records, _, err := tx.Ledger.Reratings(ctx, newest)
	for _, r := range records {
		s.rerating = r.ID
	}
	return s, err
}

// book writes the record, what each dispatch costs since, and the adjustments.
func (r *Rerater) book(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, ask Ask, seen state, out *Result) error {
	now, err := stateOf(ctx, tx)
	if err != nil {
		return err
	}
	if now != seen {
		return tollgate.Errorf(tollgate.CodeConflict, "prices were changed or usage was re-rated meanwhile; look at the difference again")
	}
	at := r.Now()
	e := by.Entry(at, "", "", 0)
	record := tollgate.Rerating{
		At: at, Since: ask.Filter.Since, Until: ask.Filter.Until, Selection: ask.Selection, PriceVersion: ask.PriceVersion, BookVersion: now.version,
		Dispatches: out.Dispatches, Changed: out.Changed, Before: out.Old, After: out.New, Reason: ask.Reason,
		ActorID: e.ActorID, ActorName: e.ActorName, Via: e.Via,
	}
	if err := tx.Ledger.Rerate(ctx, &record, out.Rows); err != nil {
		return err
	}
	if out.Changes, err = r.changes(ctx, tx, out.Rows); err != nil { // quotas may have changed since
		return err
	}
	for _, c := range out.Changes {
		q := c.Quota
		when := at
		if c.Over {
			when = c.last.Time() // an adjustment lies in the window that it is about
		}
		err := tx.Ledger.Adjust(ctx, &tollgate.Adjustment{
			At: when, Kind: tollgate.AdjustCorrection, QuotaID: q.ID, Scope: q.Scope, ScopeID: q.ScopeID, Window: q.Window, WindowStart: c.WindowStart,
			Amount: c.Amount, ReratingID: record.ID, Due: c.Due, Reason: cmp.Or(ask.Reason, "usage was re-rated"),
			ActorID: e.ActorID, ActorName: e.ActorName, Via: e.Via,
		})
		if err != nil {
			return err
		}
	}
	out.ID = record.ID
	entry := by.Entry(at, "price.re-rate", "rerating", record.ID)
	entry.Detail, err = json.Marshal(map[string]any{
		"since": record.Since, "until": record.Until, "selection": record.Selection, "price_version": record.PriceVersion,
		"changed": record.Changed, "cost_before": record.Before.String(), "cost_after": record.After.String(), "reason": record.Reason,
	})
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "write the audit entry")
	}
	return tx.Audit.Append(ctx, &entry)
}

// changes are the differences by quota and window, in the order of quotas, then
// of windows.
func (r *Rerater) changes(ctx context.Context, tx tollgate.Tx, rows []tollgate.Rerated) ([]Change, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	quotas, _, err := tx.Quotas.Query(ctx, tollgate.QuotaFilter{}, tollgate.Page{All: true})
	if err != nil {
		return nil, err
	}
	var out []Change
	for of, sum := range r.sums(quotas, rows) {
		c := Change{Quota: quotas[of.quota], WindowStart: of.start, Due: sum.due, last: sum.last}
		_, end := c.Quota.Window.Bounds(sum.last.Time(), r.Zone)
		now := r.Now()
		c.Over = !end.IsZero() && (now.Before(of.start) || !now.Before(end))
		before, _, err := tx.Ledger.Adjustments(ctx, tollgate.AdjustmentFilter{QuotaID: tollgate.Is(c.Quota.ID)}, tollgate.Page{All: true})
		if err != nil {
			return nil, err
		}
		c.Amount = c.amount(before)
		out = append(out, c)
	}
	slices.SortFunc(out, func(x, y Change) int {
		return cmp.Or(cmp.Compare(x.Quota.ID, y.Quota.ID), x.WindowStart.Compare(y.WindowStart))
	})
	return out, nil
}

// quotaWindow is one window of one quota, by its place in a list.
type quotaWindow struct {
	quota int
	start time.Time
}

// windowSum is what differs in it.
type windowSum struct {
	due  tollgate.Money
	last tollgate.RequestID
}

// sums adds the differences up by the quotas and windows that they count in.
func (r *Rerater) sums(quotas []tollgate.Quota, rows []tollgate.Rerated) map[quotaWindow]windowSum {
	byOwner := map[owner][]int{}
	for i, q := range quotas {
		o := owner{rankOf(q.Scope), q.ScopeID}
		byOwner[o] = append(byOwner[o], i)
	}
	out := map[quotaWindow]windowSum{}
	for i := range rows {
		s := &rows[i].Settlement
		for _, o := range ownersOf(s) {
			for _, n := range byOwner[o] {
				if !counts(quotas[n], *s) {
					continue
				}
				start, _ := quotas[n].Window.Bounds(s.ID.Time(), r.Zone)
				at := quotaWindow{n, start}
				sum := out[at]
				sum.due += s.Cost - rows[i].Was
				sum.last = max(sum.last, s.ID)
				out[at] = sum
			}
		}
	}
	return out
}

// amount is what the balance moves by: the difference, but not below zero, and
// less what earlier re-ratings could not take off the balance for that reason.
func (c *Change) amount(before []tollgate.Adjustment) tollgate.Money {
	if c.Due < 0 {
		if c.Quota.WindowStart.Equal(c.WindowStart) {
			return max(c.Due, -c.Quota.Spent)
		}
		return c.Due // a window that is over has no balance any more
	}
	var kept tollgate.Money
	for _, a := range before {
		if a.ReratingID != 0 && a.WindowStart.Equal(c.WindowStart) {
			kept += a.Amount - a.Due
		}
	}
	return c.Due - min(c.Due, max(kept, 0))
}

// OfProvider selects the usage of a provider by its name; "" selects all.
// CodeNotFound when there is none of that name.
func OfProvider(ctx context.Context, store tollgate.Store, name string) (m tollgate.Match[int64], err error) {
	if name == "" {
		return m, nil
	}
	err = store.View(ctx, func(tx tollgate.Tx) error {
		rows, _, err := tx.Providers.Query(ctx, tollgate.ProviderFilter{Name: tollgate.Is(name)}, tollgate.Page{Limit: 1})
		if err == nil && len(rows) == 0 {
			err = tollgate.Errorf(tollgate.CodeNotFound, "provider %q does not exist", name)
		}
		if err == nil {
			m = tollgate.Is(rows[0].ID)
		}
		return err
	})
	return m, err
}

// Selection says in words what usage is selected by, at most 512 bytes.
func Selection(provider string, models tollgate.Match[string], users tollgate.Match[int64]) string {
	var parts []string
	if provider != "" {
		parts = append(parts, "provider "+provider)
	}
	if models.Set {
		parts = append(parts, "model "+strings.Join(models.Values, " or "))
	}
	if users.Set {
		parts = append(parts, "user "+strings.Trim(fmt.Sprint(users.Values), "[]"))
	}
	text := strings.Join(parts, ", ")
	return strings.ToValidUTF8(text[:min(len(text), maxSelection)], "")
}

// maxSelection bounds the text of a selection, in bytes.
const maxSelection = 512
