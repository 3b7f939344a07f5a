package ops

import (
	"cmp"
	"context"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/meter/book"
)

// RerateArgs say which usage is to be priced anew.
type RerateArgs struct {
	Since        time.Time `json:"since"`
	Until        time.Time `json:"until"`
	Provider     string    `json:"provider,omitempty"` // by name; empty = all
	Model        string    `json:"model,omitempty"`    // as sent to the provider; empty = all
	UserID       int64     `json:"user_id,omitempty"`  // 0 = all
	PriceVersion int64     `json:"price_version,omitempty"`
	Reason       string    `json:"reason,omitempty"`
	Apply        bool      `json:"apply,omitempty"`
}

// RerateDone is what differs, and what was booked of it.
type RerateDone struct {
	Dispatches int64           `json:"dispatches"`
	Changed    int64           `json:"changed"`
	Unpriced   int64           `json:"unpriced"`
	Before     tollgate.Money  `json:"cost_before"`
	After      tollgate.Money  `json:"cost_after"`
	Models     []RerateModel   `json:"models"`
	Balances   []RerateBalance `json:"quotas"`
	ReratingID int64           `json:"rerating_id,omitempty"` // 0 = nothing was booked
}

// RerateModel is the difference of one model.
type RerateModel struct {
	ProviderID int64          `json:"provider_id"`
	Model      string         `json:"model"`
	Dispatches int64          `json:"dispatches"`
	Before     tollgate.Money `json:"cost_before"`
	After      tollgate.Money `json:"cost_after"`
}

// RerateBalance is what that makes of a quota in one window.
type RerateBalance struct {
	QuotaID     int64          `json:"quota_id"`
	Scope       string         `json:"scope"`
	ScopeID     int64          `json:"scope_id"`
	Window      string         `json:"window"`
	WindowStart time.Time      `json:"window_start,omitzero"`
	Over        bool           `json:"over"`
	Difference  tollgate.Money `json:"difference"`
	Booked      tollgate.Money `json:"booked"`
}

// priceRerate prices past usage anew, and books the difference if it is to.
func (h *Host) priceRerate(ctx context.Context, a RerateArgs, _ Report) (out RerateDone, err error) {
	ask := ledger.Ask{
		Filter:       tollgate.UsageFilter{Since: a.Since, Until: a.Until},
		PriceVersion: a.PriceVersion, Apply: a.Apply, Reason: a.Reason,
	}
	if a.Model != "" {
		ask.Filter.Model = tollgate.Is(a.Model)
	}
	if a.UserID != 0 {
		ask.Filter.UserID = tollgate.Is(a.UserID)
	}
	if ask.Filter.ProviderID, err = ledger.OfProvider(ctx, h.Store, a.Provider); err != nil {
		return out, err
	}
	ask.Selection = ledger.Selection(a.Provider, ask.Filter.Model, ask.Filter.UserID)
	now := h.Accounts.Now
	r := ledger.Rerater{Store: h.Store, Rater: &book.Book{Now: now}, Zone: cmp.Or(h.Accounts.Zone, time.UTC), Now: now}
	done, err := r.Run(ctx, tollgate.HostActor("cli"), ask)
	if err != nil {
		return out, err
	}
	out = RerateDone{
		Dispatches: done.Dispatches, Changed: done.Changed, Unpriced: done.Unpriced, Before: done.Old, After: done.New, ReratingID: done.ID,
		Models: []RerateModel{}, Balances: []RerateBalance{},
	}
	for _, m := range done.Models {
		out.Models = append(out.Models, RerateModel{m.ProviderID, m.Model, m.Dispatches, m.Old, m.New})
	}
	for _, c := range done.Changes {
		q := c.Quota
		out.Balances = append(out.Balances, RerateBalance{q.ID, string(q.Scope), q.ScopeID, string(q.Window), c.WindowStart, c.Over, c.Due, c.Amount})
	}
	return out, nil
}
