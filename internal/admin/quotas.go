package admin

import (
	"context"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web/api"
)

// The two spellings of the quota commands. The first one is about users where
// nothing else is said, the second one about everybody.
const (
	userQuotas = "/admin/user-quotas"
	allQuotas  = "/admin/quotas"
)

type quotaQuery struct {
	Scope  api.Scope[string] `json:"scope,omitzero" doc:"user, key, team, instance or service"`
	UserID api.Scope[int64]  `json:"user_id,omitzero"`
	KeyID  api.Scope[int64]  `json:"key_id,omitzero"`
	TeamID api.Scope[int64]  `json:"team_id,omitzero"`
	Window api.Scope[string] `json:"window,omitzero" doc:"total, day, week or month"`
	api.Page
}

// QuotaOwner says whose a quota is, by one of the ids or by the scope of what
// has none.
type QuotaOwner struct {
	UserID int64  `json:"user_id,omitempty" minimum:"1"`
	KeyID  int64  `json:"key_id,omitempty" minimum:"1"`
	TeamID int64  `json:"team_id,omitempty" minimum:"1"`
	Scope  string `json:"scope,omitempty" enum:"user,key,team,instance,service" doc:"Needed for instance and service, which have no id."`
	Window string `json:"window,omitempty" enum:"total,day,week,month" doc:"The default is total."`
}

type quotaWrite struct {
	QuotaOwner
	Quota    api.Opt[api.Money] `json:"quota,omitzero" doc:"null = unlimited, 0 = nothing"`
	CostUsed api.Val[api.Money] `json:"cost_used,omitzero" doc:"Sets what counts as spent, by an adjustment."`
	Reason   string             `json:"reason,omitempty" maxLength:"500" doc:"Kept with the adjustment."`
}

// owner resolves whose quota is meant: exactly one.
func (o QuotaOwner) owner() (scope tollgate.Scope, id int64, err error) {
	n := 0
	for _, c := range []struct {
		id    int64
		scope tollgate.Scope
	}{{o.UserID, tollgate.ScopeUser}, {o.KeyID, tollgate.ScopeKey}, {o.TeamID, tollgate.ScopeTeam}} {
		if c.id != 0 {
			scope, id, n = c.scope, c.id, n+1
		}
	}
	named := tollgate.Scope(o.Scope)
	switch {
	case n > 1:
		return "", 0, tollgate.Invalidf("user_id", "a quota belongs to one of user_id, key_id and team_id")
	case n == 1 && named != "" && named != scope:
		return "", 0, tollgate.Invalidf("scope", "the scope %s does not go with this id", named)
	case n == 1:
		return scope, id, nil
	case named == tollgate.ScopeInstance || named == tollgate.ScopeService:
		return named, 0, nil
	default:
		return "", 0, tollgate.Invalidf("user_id", "say whose quota it is: user_id, key_id, team_id, or scope instance or service")
	}
}

func (s *Server) mountQuotas(base string) {
	const tag = "Quotas"
	api.Listing[quotaQuery, tollgate.Quota, tollgate.QuotaFilter, api.Quota]{
		Op:     reads(base+"/query", tag, "Show budgets and what is left of them"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Quotas { return tx.Quotas }),
		Filter: func(_ context.Context, q quotaQuery) (tollgate.QuotaFilter, error) {
			return q.filter(base == userQuotas)
		},
		Records: api.Each(func(q tollgate.Quota) api.Quota { return api.QuotaRecord(q, s.Now(), s.Zone, s.Held) }),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, writes(base+"/upsert", tag, "Set a budget", map[string]any{"user_id": 7, "quota": 25, "window": "month"}), s.saveQuota)
	api.Handle(s.API, writes(base+"/delete", tag, "Take a budget away: unlimited", map[string]any{"user_id": 7, "window": "month"}),
		func(ctx context.Context, in *QuotaOwner) (api.Done, error) {
			scope, id, err := in.owner()
			if err != nil {
				return api.Done{}, err
			}
			return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
				return 0, s.Accounts.DeleteQuota(ctx, tx, by, scope, id, windowOf(in.Window))
			})
		})
}

// filter is the store's; only users' quotas where nothing else is asked for.
func (q quotaQuery) filter(usersOnly bool) (f tollgate.QuotaFilter, err error) {
	f.Scope.Set = q.Scope.Set
	for _, v := range q.Scope.Values {
		f.Scope.Values = append(f.Scope.Values, tollgate.Scope(v))
	}
	n := 0
	for _, c := range []struct {
		match tollgate.Match[int64]
		scope tollgate.Scope
	}{{q.UserID.Match, tollgate.ScopeUser}, {q.KeyID.Match, tollgate.ScopeKey}, {q.TeamID.Match, tollgate.ScopeTeam}} {
		if c.match.Set {
			f.ScopeID, f.Scope, n = c.match, tollgate.Is(c.scope), n+1
		}
	}
	if n > 1 || n == 1 && q.Scope.Set {
		return f, tollgate.Invalidf("scope", "ask by one of scope, user_id, key_id and team_id")
	}
	if usersOnly && !f.Scope.Set {
		f.Scope = tollgate.Is(tollgate.ScopeUser)
	}
	f.Window.Set = q.Window.Set
	for _, w := range q.Window.Values {
		if !tollgate.Window(w).Valid() {
			return f, tollgate.Invalidf("window", "a window is total, day, week or month")
		}
		f.Window.Values = append(f.Window.Values, tollgate.Window(w))
	}
	return f, nil
}

func windowOf(s string) tollgate.Window {
	return tollgate.Window(orDefault(s, string(tollgate.WindowTotal)))
}

func (s *Server) saveQuota(ctx context.Context, in *quotaWrite) (api.Done, error) {
	scope, id, err := in.owner()
	if err != nil {
		return api.Done{}, err
	}
	write := auth.QuotaWrite{
		Scope: scope, ScopeID: id, Window: windowOf(in.Window), Reason: in.Reason,
		Limit: api.WithValue(in.Quota, tollgate.Money(in.Quota.Value)),
		Spent: api.WithValue(api.Opt[api.Money](in.CostUsed), tollgate.Money(in.CostUsed.Value)),
	}
	return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
		q, err := s.Accounts.SaveQuota(ctx, tx, by, write)
		return q.ID, err
	})
}

type adjustmentQuery struct {
	QuotaID api.Scope[int64] `json:"quota_id,omitzero"`
	api.Page
}

// mountAdjustments shows how balances were corrected, and by whom.
func (s *Server) mountAdjustments() {
	api.Listing[adjustmentQuery, tollgate.Adjustment, tollgate.AdjustmentFilter, api.Adjustment]{
		Op: reads("/admin/adjustments/query", "Quotas", "Show corrections of balances"),
		Source: func(ctx context.Context, tx tollgate.Tx, f tollgate.AdjustmentFilter, p tollgate.Page) ([]tollgate.Adjustment, *tollgate.Cursor, error) {
			return tx.Ledger.Adjustments(ctx, f, p)
		},
		Filter: func(_ context.Context, q adjustmentQuery) (tollgate.AdjustmentFilter, error) {
			return tollgate.AdjustmentFilter{QuotaID: q.QuotaID.Match}, nil
		},
		Records: api.Each(api.AdjustmentRecord),
	}.Mount(s.API, s.Store, s.Cursors)
}
