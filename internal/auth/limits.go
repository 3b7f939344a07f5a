package auth

import (
	"cmp"
	"context"
	"time"

	"tollgate"
)

// QuotaWrite sets the quota of a scope and window; there is one row of each.
type QuotaWrite struct {
	Scope   tollgate.Scope
	ScopeID int64           // 0 for instance and service
	Window  tollgate.Window // empty = total
	// Limit is the budget; null = unlimited; absent keeps it, and is unlimited for a new row.
	Limit tollgate.Opt[tollgate.Money]
	// Spent corrects what was spent in the running window, by an adjustment.
	Spent tollgate.Opt[tollgate.Money]
	// Reason is kept with the adjustment.
	Reason string
}

// maxReason bounds the reason of an adjustment, in bytes.
const maxReason = 500

// SaveQuota inserts or changes a quota.
func (a *Accounts) SaveQuota(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w QuotaWrite) (tollgate.Quota, error) {
	who, err := a.scoped(ctx, tx, by, w.Scope, w.ScopeID)
	if err != nil {
		return tollgate.Quota{}, err
	}
	if w.Spent.Set && !who.role.IsAdmin() {
		return tollgate.Quota{}, errNotAdmin()
	}
	q, found, err := findQuota(ctx, tx, w.Scope, w.ScopeID, w.Window)
	if err != nil {
		return q, err
	}
	var before any
	if found {
		before = viewQuota(q)
	}
	if limit, ok := w.Limit.Given(); ok {
		q.Limit = &limit
	} else if w.Limit.Null {
		q.Limit = nil
	}
	switch {
	case q.Limit != nil && (*q.Limit < 0 || *q.Limit > tollgate.MaxMoney):
		return q, tollgate.Invalidf("quota", "a quota is between 0 and %d dollars, or null for unlimited", tollgate.MaxMoney/tollgate.Dollar)
	case w.Spent.Value < 0 || w.Spent.Value > tollgate.MaxMoney:
		return q, tollgate.Invalidf("cost_used", "cost_used is between 0 and %d dollars", tollgate.MaxMoney/tollgate.Dollar)
	case len(w.Reason) > maxReason:
		return q, tollgate.Invalidf("reason", "a reason has at most %d bytes", maxReason)
	}
	if found {
		err = tx.Quotas.Update(ctx, q)
	} else {
		err = tx.Quotas.Insert(ctx, &q)
	}
	if err != nil {
		return q, err
	}
	if spent, ok := w.Spent.Given(); ok {
		if q, err = a.correct(ctx, tx, who, q, spent, cmp.Or(w.Reason, "cost_used was written")); err != nil {
			return q, err
		}
	}
	return q, a.audit(ctx, tx, who, "quota.upsert", "quota", q.ID, before, viewQuota(q))
}

// correct makes what a quota has spent in the running window the given amount,
// by an adjustment of what is missing or too much (SECURITY M-10).
func (a *Accounts) correct(ctx context.Context, tx tollgate.Tx, who actor, q tollgate.Quota, spent tollgate.Money, reason string) (tollgate.Quota, error) {
	zone := cmp.Or(a.Zone, time.UTC)
	at := a.Now()
	if q.WindowStart.After(at) {
		at = q.WindowStart // the clock was set back: the ledger stays where it is
	}
	start, _ := q.Window.Bounds(at, zone)
	amount := spent - q.SpentAt(at, zone)
	q.Spent, q.WindowStart = spent, start
	if amount == 0 {
		return q, nil
	}
	e := who.by.Entry(at, "", "", 0)
	return q, tx.Ledger.Adjust(ctx, &tollgate.Adjustment{
		At: at, Kind: tollgate.AdjustCorrection, QuotaID: q.ID, Scope: q.Scope, ScopeID: q.ScopeID, Window: q.Window, WindowStart: start,
		Amount: amount, Reason: reason, ActorID: e.ActorID, ActorName: e.ActorName, Via: e.Via,
	})
}

// DeleteQuota removes the quota of a scope and window: it is unlimited then.
func (a *Accounts) DeleteQuota(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, scope tollgate.Scope, id int64, window tollgate.Window) error {
	who, err := a.scoped(ctx, tx, by, scope, id)
	if err != nil {
		return err
	}
	q, found, err := findQuota(ctx, tx, scope, id, window)
	if err != nil {
		return err
	}
	if !found {
		return tollgate.Errorf(tollgate.CodeNotFound, "there is no such quota")
	}
	if err := tx.Quotas.Delete(ctx, q.ID); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "quota.delete", "quota", q.ID, viewQuota(q), nil)
}

func findQuota(ctx context.Context, tx tollgate.Tx, scope tollgate.Scope, id int64, window tollgate.Window) (q tollgate.Quota, found bool, err error) {
	if window == "" {
		window = tollgate.WindowTotal
	}
	if !window.Valid() {
		return q, false, tollgate.Invalidf("window", "a window is total, day, week or month")
	}
	rows, _, err := tx.Quotas.Query(ctx, tollgate.QuotaFilter{Scope: tollgate.Is(scope), ScopeID: tollgate.Is(id), Window: tollgate.Is(window)}, all())
	if err != nil {
		return q, false, err
	}
	if len(rows) > 0 {
		return rows[0], true, nil
	}
	return tollgate.Quota{Scope: scope, ScopeID: id, Window: window}, false, nil
}

// scoped checks that what a quota or limit is for exists and that the actor
// may change it.
func (a *Accounts) scoped(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, scope tollgate.Scope, id int64) (actor, error) {
	switch scope {
	case tollgate.ScopeUser:
		return a.grantee(ctx, tx, by, id)
	case tollgate.ScopeKey:
		k, err := tx.Keys.Get(ctx, id)
		if err != nil {
			return actor{}, a.refuseFirst(ctx, tx, by, missing(err, "key", id))
		}
		if who, err := a.actor(ctx, tx, by); err != nil || who.self(k.UserID) || who.madeFor(k) {
			return who, err // everybody bounds their own keys, a team admin those of the team
		}
		return a.grantee(ctx, tx, by, k.UserID)
	case tollgate.ScopeTeam, tollgate.ScopeInstance, tollgate.ScopeService:
	default:
		return actor{}, tollgate.Invalidf("scope", "a scope is user, key, team, instance or service")
	}
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return who, err
	}
	if !who.role.IsAdmin() {
		return who, errNotAdmin()
	}
	if scope == tollgate.ScopeTeam {
		_, err := tx.Teams.Get(ctx, id)
		return who, missing(err, "team", id)
	}
	if id != 0 {
		return who, tollgate.Invalidf("scope", "the %s scope has no id", scope)
	}
	return who, nil
}

// SaveRateLimit inserts (ID 0) or changes a rate limit. Inserting one for a
// scope and pattern that has a limit changes that one.
func (a *Accounts) SaveRateLimit(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, r tollgate.RateLimit) (tollgate.RateLimit, error) {
	who, err := a.scoped(ctx, tx, by, r.Scope, r.ScopeID)
	if err != nil {
		return r, err
	}
	if err := checkRateLimit(r); err != nil {
		return r, err
	}
	var before any
	if r.ID != 0 {
		old, err := tx.RateLimits.Get(ctx, r.ID)
		if err != nil {
			return r, missing(err, "rate limit", r.ID)
		}
		if _, err := a.scoped(ctx, tx, by, old.Scope, old.ScopeID); err != nil {
			return r, err
		}
		before = viewRateLimit(old)
	} else {
		rows, _, err := tx.RateLimits.Query(ctx, tollgate.RateLimitFilter{Scope: tollgate.Is(r.Scope), ScopeID: tollgate.Is(r.ScopeID)}, all())
		if err != nil {
			return r, err
		}
		for _, old := range rows {
			if old.ModelPattern == r.ModelPattern {
				r.ID, before = old.ID, viewRateLimit(old)
			}
		}
	}
	if r.ID == 0 {
		err = tx.RateLimits.Insert(ctx, &r)
	} else {
		err = tx.RateLimits.Update(ctx, r)
	}
	if err != nil {
		return r, err
	}
	return r, a.audit(ctx, tx, who, "rate_limit.upsert", "rate_limit", r.ID, before, viewRateLimit(r))
}

func checkRateLimit(r tollgate.RateLimit) error {
	if err := tollgate.ValidPattern("model_pattern", r.ModelPattern); err != nil {
		return err
	}
	for name, v := range map[string]*int64{"rpm": r.RPM, "rpd": r.RPD, "total_tokens": r.TotalTokens, "concurrency": r.Concurrency} {
		if v != nil && (*v < 0 || *v > 1_000_000_000_000) {
			return tollgate.Invalidf(name, "%s is a count, or null for no limit", name)
		}
	}
	return nil
}

// DeleteRateLimit removes a rate limit.
func (a *Accounts) DeleteRateLimit(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	r, err := tx.RateLimits.Get(ctx, id)
	if err != nil {
		return a.refuseFirst(ctx, tx, by, missing(err, "rate limit", id))
	}
	who, err := a.scoped(ctx, tx, by, r.Scope, r.ScopeID)
	if err != nil {
		return err
	}
	if err := tx.RateLimits.Delete(ctx, id); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "rate_limit.delete", "rate_limit", id, viewRateLimit(r), nil)
}

// quotaView is a quota as the audit shows it; amounts in dollars.
type quotaView struct {
	ID       int64           `json:"id"`
	Scope    tollgate.Scope  `json:"scope"`
	ScopeID  int64           `json:"scope_id"`
	Window   tollgate.Window `json:"window"`
	Quota    *tollgate.Money `json:"quota"` // null = unlimited
	CostUsed tollgate.Money  `json:"cost_used"`
}

func viewQuota(q tollgate.Quota) quotaView {
	return quotaView{ID: q.ID, Scope: q.Scope, ScopeID: q.ScopeID, Window: q.Window, Quota: q.Limit, CostUsed: q.Spent}
}

// rateLimitView is a rate limit as the audit shows it.
type rateLimitView struct {
	ID           int64          `json:"id"`
	Scope        tollgate.Scope `json:"scope"`
	ScopeID      int64          `json:"scope_id"`
	ModelPattern string         `json:"model_pattern"`
	RPM          *int64         `json:"rpm"`
	RPD          *int64         `json:"rpd"`
	TotalTokens  *int64         `json:"total_tokens"`
	Concurrency  *int64         `json:"concurrency"`
}

func viewRateLimit(r tollgate.RateLimit) rateLimitView { return rateLimitView(r) }
