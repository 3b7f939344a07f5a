package sqlstore

import (
	"context"
	"time"

	"tollgate"
)

func quotaTable() *spec[tollgate.Quota, tollgate.QuotaFilter] {
	type row = tollgate.Quota
	return &spec[row, tollgate.QuotaFilter]{
		name: "quotas", noun: "quota",
		area: tollgate.AreaMoney,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			text("scope", func(r *row) *tollgate.Scope { return &r.Scope }),
			integer("scope_id", func(r *row) *int64 { return &r.ScopeID }),
			text("period", func(r *row) *tollgate.Window { return &r.Window }),
			optional("budget", func(r *row) **tollgate.Money { return &r.Limit }),
			derived(integer("spent", func(r *row) *tollgate.Money { return &r.Spent })),
			derived(instant("window_start", func(r *row) *time.Time { return &r.WindowStart })),
			derived(integer("since", func(r *row) *tollgate.RequestID { return &r.Since })),
		},
		filter: func(w *where, f tollgate.QuotaFilter) {
			ints(w, "id", f.ID)
			texts(w, "scope", f.Scope)
			ints(w, "scope_id", f.ScopeID)
			texts(w, "period", f.Window)
		},
		sorts: []string{"scope_id", "spent"},
		check: func(ctx context.Context, s *session, r *row) error { return checkScope(ctx, s, r.Scope, r.ScopeID) },
	}
}

func rateLimitTable() *spec[tollgate.RateLimit, tollgate.RateLimitFilter] {
	type row = tollgate.RateLimit
	return &spec[row, tollgate.RateLimitFilter]{
		name: "rate_limits", noun: "rate limit",
		area: tollgate.AreaMoney,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			text("scope", func(r *row) *tollgate.Scope { return &r.Scope }),
			integer("scope_id", func(r *row) *int64 { return &r.ScopeID }),
			text("model_pattern", func(r *row) *string { return &r.ModelPattern }),
			optional("rpm", func(r *row) **int64 { return &r.RPM }),
			optional("rpd", func(r *row) **int64 { return &r.RPD }),
			optional("total_tokens", func(r *row) **int64 { return &r.TotalTokens }),
			optional("concurrency", func(r *row) **int64 { return &r.Concurrency }),
		},
		filter: func(w *where, f tollgate.RateLimitFilter) {
			ints(w, "id", f.ID)
			texts(w, "scope", f.Scope)
			ints(w, "scope_id", f.ScopeID)
		},
		sorts: []string{"scope_id", "model_pattern"},
		check: func(ctx context.Context, s *session, r *row) error { return checkScope(ctx, s, r.Scope, r.ScopeID) },
	}
}
