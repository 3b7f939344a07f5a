package auth

import (
	"context"

	"tollgate"
)

// BoundKey replaces the quotas and the limits of a key by those given; what is
// absent stays. A quota whose window stays keeps what is spent of it. Everybody
// bounds their own keys, an admin others' too.
func (a *Accounts) BoundKey(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64, quotas tollgate.Opt[[]tollgate.Quota], limits tollgate.Opt[[]tollgate.RateLimit]) error {
	if quotas.Set {
		if err := a.replaceKeyQuotas(ctx, tx, by, id, quotas.Value); err != nil {
			return err
		}
	}
	if !limits.Set {
		return nil
	}
	have, _, err := tx.RateLimits.Query(ctx, tollgate.RateLimitFilter{Scope: tollgate.Is(tollgate.ScopeKey), ScopeID: tollgate.Is(id)}, all())
	if err != nil {
		return err
	}
	for _, l := range have {
		if err := a.DeleteRateLimit(ctx, tx, by, l.ID); err != nil {
			return err
		}
	}
	for _, l := range limits.Value {
		l.Scope, l.ScopeID = tollgate.ScopeKey, id
		if _, err := a.SaveRateLimit(ctx, tx, by, l); err != nil {
			return err
		}
	}
	return nil
}

func (a *Accounts) replaceKeyQuotas(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64, want []tollgate.Quota) error {
	have, _, err := tx.Quotas.Query(ctx, tollgate.QuotaFilter{Scope: tollgate.Is(tollgate.ScopeKey), ScopeID: tollgate.Is(id)}, all())
	if err != nil {
		return err
	}
	keep := make(map[tollgate.Window]bool, len(want))
	for _, q := range want {
		if keep[q.Window] {
			return tollgate.Invalidf("quotas", "quotas names the window %s twice", q.Window)
		}
		keep[q.Window] = true
		limit := tollgate.Null[tollgate.Money]()
		if q.Limit != nil {
			limit = tollgate.Some(*q.Limit)
		}
		if _, err := a.SaveQuota(ctx, tx, by, QuotaWrite{Scope: tollgate.ScopeKey, ScopeID: id, Window: q.Window, Limit: limit}); err != nil {
			return err
		}
	}
	for _, q := range have {
		if keep[q.Window] {
			continue
		}
		if err := a.DeleteQuota(ctx, tx, by, tollgate.ScopeKey, id, q.Window); err != nil {
			return err
		}
	}
	return nil
}
