package seed

import (
	"context"
	"encoding/json"
	"slices"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/config"
)

// at names a grant's provider for messages.
func atProvider(name string) string {
	if name == "" {
		return "every provider"
	}
	return name
}

func (r *run) permissions(ctx context.Context) error {
	for _, p := range r.seed.Permissions {
		grant := r.userPermission
		if p.TeamName != "" {
			grant = r.teamPermission
		}
		if err := grant(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) userPermission(ctx context.Context, p config.SeedPermission) error {
	userID, known := r.user(p.At, p.UserName)
	providerID, ok := r.provider(p.At, p.ProviderName)
	if !known || !ok {
		return nil
	}
	id := found(r.state.permissions, func(x tollgate.Permission) (int64, bool) {
		return x.ID, x.UserID == userID && x.ProviderID == providerID && x.ModelPattern == p.ModelPattern
	})
	name := p.UserName + " " + p.ModelPattern + " at " + atProvider(p.ProviderName)
	return r.once("permission", name, p.At, id, func() (int64, error) {
		row, err := r.im.Accounts.SavePermission(ctx, r.tx, r.by, tollgate.Permission{UserID: userID, ProviderID: providerID, ModelPattern: p.ModelPattern})
		return row.ID, err
	})
}

func (r *run) teamPermission(ctx context.Context, p config.SeedPermission) error {
	teamID, known := r.team(p.At, p.TeamName)
	providerID, ok := r.provider(p.At, p.ProviderName)
	if !known || !ok {
		return nil
	}
	id := found(r.state.teamRights, func(x tollgate.TeamPermission) (int64, bool) {
		return x.ID, x.TeamID == teamID && x.ProviderID == providerID && x.ModelPattern == p.ModelPattern
	})
	name := "team " + p.TeamName + " " + p.ModelPattern + " at " + atProvider(p.ProviderName)
	return r.once("team permission", name, p.At, id, func() (int64, error) {
		row, err := r.im.Accounts.SaveTeamPermission(ctx, r.tx, r.by, tollgate.TeamPermission{TeamID: teamID, ProviderID: providerID, ModelPattern: p.ModelPattern})
		return row.ID, err
	})
}

func (r *run) filePermissions(ctx context.Context) error {
	for _, p := range r.seed.FilePermissions {
		userID, known := r.user(p.At, p.UserName)
		providerID, ok := r.provider(p.At, p.ProviderName)
		if !known || !ok {
			continue
		}
		id := found(r.state.files, func(x tollgate.FilePermission) (int64, bool) {
			return x.ID, x.UserID == userID && x.ProviderID == providerID
		})
		name := p.UserName + " at " + atProvider(p.ProviderName)
		err := r.once("file permission", name, p.At, id, func() (int64, error) {
			row, err := r.im.Accounts.SaveFilePermission(ctx, r.tx, r.by, tollgate.FilePermission{UserID: userID, ProviderID: providerID})
			return row.ID, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// found is the id of the row that is the same, 0 if there is none.
func found[T any](rows []T, same func(T) (id int64, ok bool)) int64 {
	for _, row := range rows {
		if id, ok := same(row); ok {
			return id
		}
	}
	return 0
}

// once makes a record that has nothing but its name, unless it is there under id.
func (r *run) once(kind, name string, at config.Place, id int64, save func() (int64, error)) error {
	if id == 0 {
		r.change(Create, kind, name, at)
		if !r.apply {
			return nil
		}
		var err error
		if id, err = save(); err != nil {
			return place(at, kind+" "+name, err)
		}
	}
	r.see(kind, id)
	return nil
}

func (r *run) rateLimits(ctx context.Context) error {
	for _, l := range r.seed.RateLimits {
		id, owner, ok := r.owner(l.At, l.SeedScope)
		if !ok {
			continue
		}
		name := owner + " " + l.ModelPattern
		want := tollgate.RateLimit{
			Scope: l.Scope, ScopeID: id, ModelPattern: l.ModelPattern,
			RPM: l.RPM, RPD: l.RPD, TotalTokens: l.TotalTokens, Concurrency: l.Concurrency,
		}
		i := slices.IndexFunc(r.state.limits, func(x tollgate.RateLimit) bool {
			return x.Scope == want.Scope && x.ScopeID == id && x.ModelPattern == want.ModelPattern
		})
		if i < 0 {
			fields := limitDiff(tollgate.RateLimit{}, l)
			r.change(Create, "rate limit", name, l.At, fields.created()...)
		} else {
			row := r.state.limits[i]
			want.ID = row.ID
			r.see("rate limit", row.ID)
			fields := limitDiff(row, l)
			if len(fields) == 0 {
				continue
			}
			r.change(Update, "rate limit", name, l.At, fields...)
		}
		if !r.apply {
			continue
		}
		row, err := r.im.Accounts.SaveRateLimit(ctx, r.tx, r.by, want)
		if err != nil {
			return place(l.At, "rate limit of "+name, err)
		}
		r.see("rate limit", row.ID)
	}
	return nil
}

func limitDiff(row tollgate.RateLimit, l config.SeedRateLimit) diff {
	var fields diff
	for _, f := range []struct {
		name string
		a, b *int64
	}{
		{"rpm", row.RPM, l.RPM},
		{"rpd", row.RPD, l.RPD},
		{"total_tokens", row.TotalTokens, l.TotalTokens},
		{"concurrency", row.Concurrency, l.Concurrency},
	} {
		if !same(f.a, f.b) {
			fields.add(f.name, f.a, f.b)
		}
	}
	return fields
}

// same compares optional values.
func same[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return *a == *b
}

// dollars is a budget as a plan shows it: a number of dollars; nil = unlimited.
func dollars(m *tollgate.Money) any {
	if m == nil {
		return nil
	}
	return json.Number(m.String())
}

// quotas brings budgets in. What was spent before (cost_used) is taken when
// the quota is created, never later: the running account knows better.
func (r *run) quotas(ctx context.Context) error {
	for _, q := range r.seed.Quotas {
		id, owner, ok := r.owner(q.At, q.SeedScope)
		if !ok {
			continue
		}
		name := owner + " " + string(q.Window)
		w := auth.QuotaWrite{Scope: q.Scope, ScopeID: id, Window: q.Window, Limit: tollgate.Null[tollgate.Money]()}
		if q.Limit != nil {
			w.Limit = tollgate.Some(*q.Limit)
		}
		i := slices.IndexFunc(r.state.quotas, func(x tollgate.Quota) bool { return x.Scope == q.Scope && x.ScopeID == id && x.Window == q.Window })
		if i >= 0 {
			row := r.state.quotas[i]
			r.see("quota", row.ID)
			if same(row.Limit, q.Limit) {
				continue
			}
			r.change(Update, "quota", name, q.At, Field{Name: "quota", Before: dollars(row.Limit), After: dollars(q.Limit)})
		} else {
			r.change(Create, "quota", name, q.At, Field{Name: "quota", After: dollars(q.Limit)})
			if q.Spent != nil {
				w.Spent = tollgate.Some(*q.Spent)
			}
		}
		if !r.apply {
			continue
		}
		row, err := r.im.Accounts.SaveQuota(ctx, r.tx, r.by, w)
		if err != nil {
			return place(q.At, "quota of "+name, err)
		}
		r.see("quota", row.ID)
	}
	return nil
}
