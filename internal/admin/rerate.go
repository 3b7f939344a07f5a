package admin

import (
	"context"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/web/api"
)

type rerate struct {
	Since        time.Time         `json:"since" required:"true" doc:"From then on, included."`
	Until        time.Time         `json:"until" required:"true" doc:"Up to then, not included."`
	Provider     string            `json:"provider,omitempty" maxLength:"63" doc:"The provider's name; empty = all."`
	Model        api.Scope[string] `json:"model,omitzero" doc:"The model as sent to the provider."`
	UserID       api.Scope[int64]  `json:"user_id,omitzero" doc:"Whose usage; 0 = the access key's."`
	PriceVersion int64             `json:"price_version,omitempty" minimum:"0" doc:"Rate what this version covers by it, as if it had always been in force; 0 or absent = by the book as it is now."`
	Apply        bool              `json:"apply,omitempty" doc:"Book the difference as adjustments. The default is to show it only."`
	Reason       string            `json:"reason,omitempty" maxLength:"500" doc:"Kept with the adjustments."`
}

type rerated struct {
	Dispatches int64          `json:"dispatches" doc:"Looked at."`
	Changed    int64          `json:"changed" doc:"That cost something else now."`
	Unpriced   int64          `json:"unpriced" doc:"That still have no price."`
	CostBefore api.Money      `json:"cost_before"`
	CostAfter  api.Money      `json:"cost_after"`
	Difference api.Money      `json:"difference"`
	Models     []reratedModel `json:"models" doc:"What changed, the largest difference first."`
	Users      []reratedUser  `json:"users" doc:"Whose usage changed, the largest difference first."`
	Quotas     []reratedQuota `json:"quotas" doc:"What that makes of budgets, by window."`
	Applied    bool           `json:"applied"`
	RerateID   int64          `json:"rerating_id,omitempty" doc:"The record of what was booked; absent when there was nothing to book."`
}

type reratedModel struct {
	ProviderID int64     `json:"provider_id"`
	Model      string    `json:"model"`
	Dispatches int64     `json:"dispatches"`
	CostBefore api.Money `json:"cost_before"`
	CostAfter  api.Money `json:"cost_after"`
}

type reratedUser struct {
	UserID     *int64    `json:"user_id" doc:"null = the access key"`
	Dispatches int64     `json:"dispatches"`
	CostBefore api.Money `json:"cost_before"`
	CostAfter  api.Money `json:"cost_after"`
}

type reratedQuota struct {
	QuotaID     int64      `json:"quota_id"`
	Scope       string     `json:"scope" enum:"user,key,team,instance,service"`
	ScopeID     int64      `json:"scope_id"`
	Window      string     `json:"window" enum:"total,day,week,month"`
	WindowStart *time.Time `json:"window_start" doc:"null for total"`
	Over        bool       `json:"over" doc:"The window is over: the adjustment is written down and moves no balance."`
	Difference  api.Money  `json:"difference"`
	Booked      api.Money  `json:"booked" doc:"What is added to cost_used. It is not the difference where cost_used would fall below 0, since a correction gave that back before."`
}

func (s *Server) mountRerate(tag string) {
	example := map[string]any{"since": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z"}
	op := writes("/admin/prices/re-rate", tag, "Price a past period anew, and show or book the difference", example)
	api.Handle(s.API, op, func(ctx context.Context, in *rerate) (rerated, error) {
		ask, err := in.ask(ctx, s.Store)
		if err != nil {
			return rerated{}, err
		}
		r := ledger.Rerater{Store: s.Store, Rater: s.Book, Zone: s.Zone, Now: s.Now}
		out, err := r.Run(ctx, api.Actor(ctx), ask)
		return rerateRecord(&out, in.Apply), err
	})
	api.Listing[reratingQuery, tollgate.Rerating, struct{}, rerating]{
		Op: reads("/admin/re-ratings/query", tag, "Show which periods were priced anew and booked"),
		Source: func(ctx context.Context, tx tollgate.Tx, _ struct{}, p tollgate.Page) ([]tollgate.Rerating, *tollgate.Cursor, error) {
			return tx.Ledger.Reratings(ctx, p)
		},
		Filter:  func(context.Context, reratingQuery) (struct{}, error) { return struct{}{}, nil },
		Records: api.Each(reratingRecord),
	}.Mount(s.API, s.Store, s.Cursors)
}

// ask is what the ledger is asked for.
func (in *rerate) ask(ctx context.Context, store tollgate.Store) (ledger.Ask, error) {
	ask := ledger.Ask{
		Filter:       tollgate.UsageFilter{Since: in.Since, Until: in.Until, Model: in.Model.Match, UserID: in.UserID.Match},
		PriceVersion: in.PriceVersion, Apply: in.Apply, Reason: in.Reason,
	}
	var err error
	ask.Filter.ProviderID, err = ledger.OfProvider(ctx, store, in.Provider)
	ask.Selection = ledger.Selection(in.Provider, in.Model.Match, in.UserID.Match)
	return ask, err
}

func rerateRecord(r *ledger.Result, applied bool) rerated {
	out := rerated{
		Dispatches: r.Dispatches, Changed: r.Changed, Unpriced: r.Unpriced, Applied: applied, RerateID: r.ID,
		Models: []reratedModel{}, Users: []reratedUser{}, Quotas: []reratedQuota{},
		CostBefore: api.Money(r.Old), CostAfter: api.Money(r.New), Difference: api.Money(r.New - r.Old),
	}
	for _, m := range r.Models {
		out.Models = append(out.Models, reratedModel{m.ProviderID, m.Model, m.Dispatches, api.Money(m.Old), api.Money(m.New)})
	}
	for _, u := range r.Users {
		out.Users = append(out.Users, reratedUser{api.OrNull(u.UserID), u.Dispatches, api.Money(u.Old), api.Money(u.New)})
	}
	for _, c := range r.Changes {
		q := c.Quota
		out.Quotas = append(out.Quotas, reratedQuota{
			q.ID, string(q.Scope), q.ScopeID, string(q.Window), api.Stamp(c.WindowStart), c.Over, api.Money(c.Due), api.Money(c.Amount),
		})
	}
	return out
}

type reratingQuery struct{ api.Page }

// rerating is the JSON of the record of a re-rating that was booked.
type rerating struct {
	ID           int64     `json:"id" doc:"rerating_id of its adjustments"`
	At           time.Time `json:"at"`
	Since        time.Time `json:"since"`
	Until        time.Time `json:"until"`
	Selection    string    `json:"selection" doc:"What else the usage was selected by."`
	PriceVersion *int64    `json:"price_version" doc:"null = the book as it was"`
	BookVersion  int64     `json:"book_version" doc:"The newest version that the book had."`
	Dispatches   int64     `json:"dispatches"`
	Changed      int64     `json:"changed"`
	CostBefore   api.Money `json:"cost_before"`
	CostAfter    api.Money `json:"cost_after"`
	Reason       string    `json:"reason"`
	ActorID      int64     `json:"actor_id"`
	ActorName    string    `json:"actor_name"`
	Via          string    `json:"via"`
}

func reratingRecord(r tollgate.Rerating) rerating {
	return rerating{
		r.ID, r.At, r.Since, r.Until, r.Selection, api.OrNull(r.PriceVersion), r.BookVersion, r.Dispatches, r.Changed,
		api.Money(r.Before), api.Money(r.After), r.Reason, r.ActorID, r.ActorName, r.Via,
	}
}
