package seed

import (
	"cmp"
	"context"
	"slices"

	"tollgate"
	"tollgate/internal/auth/sso"
	"tollgate/internal/config"
)

// remover deletes a record under the rules of its single command.
type remover func(ctx context.Context, id int64) error

// extras reports what is in the database alone, and deletes it if the run
// prunes. Grants that come with a role and the records of --demo are not the
// file's to name; quotas and limits of keys have no place in a file, so that
// they are never pruned.
func (r *run) extras(ctx context.Context) error {
	first := len(r.changes)
	for _, section := range []func(context.Context) error{r.extraRights, r.extraMoney, r.extraCatalog, r.extraIdentity} {
		if err := section(ctx); err != nil {
			return err
		}
	}
	if !r.prune {
		slices.SortStableFunc(r.changes[first:], func(a, b Change) int {
			return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
		})
	}
	return nil
}

func (r *run) extraRights(ctx context.Context) error {
	for _, p := range r.state.permissions {
		if p.Automatic || r.demo(p.ProviderID) {
			continue
		}
		name := r.state.userName[p.UserID] + " " + p.ModelPattern + " at " + atProvider(r.state.providerName[p.ProviderID])
		err := r.extra(ctx, "permission", p.ID, name, func(ctx context.Context, id int64) error { return r.im.Accounts.DeletePermission(ctx, r.tx, r.by, id) })
		if err != nil {
			return err
		}
	}
	for _, p := range r.state.teamRights {
		if r.demo(p.ProviderID) {
			continue
		}
		name := "team " + r.state.teamName[p.TeamID] + " " + p.ModelPattern + " at " + atProvider(r.state.providerName[p.ProviderID])
		err := r.extra(ctx, "team permission", p.ID, name, func(ctx context.Context, id int64) error {
			return r.im.Accounts.DeleteTeamPermission(ctx, r.tx, r.by, id)
		})
		if err != nil {
			return err
		}
	}
	for _, p := range r.state.files {
		if r.demo(p.ProviderID) {
			continue
		}
		name := r.state.userName[p.UserID] + " at " + atProvider(r.state.providerName[p.ProviderID])
		err := r.extra(ctx, "file permission", p.ID, name, func(ctx context.Context, id int64) error {
			return r.im.Accounts.DeleteFilePermission(ctx, r.tx, r.by, id)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) extraMoney(ctx context.Context) error {
	for _, l := range r.state.limits {
		remove := func(ctx context.Context, id int64) error { return r.im.Accounts.DeleteRateLimit(ctx, r.tx, r.by, id) }
		if l.Scope == tollgate.ScopeKey {
			remove = nil
		}
		if err := r.extra(ctx, "rate limit", l.ID, r.ownerName(l.Scope, l.ScopeID)+" "+l.ModelPattern, remove); err != nil {
			return err
		}
	}
	for _, q := range r.state.quotas {
		remove := func(ctx context.Context, _ int64) error {
			return r.im.Accounts.DeleteQuota(ctx, r.tx, r.by, q.Scope, q.ScopeID, q.Window)
		}
		if q.Scope == tollgate.ScopeKey {
			remove = nil
		}
		if err := r.extra(ctx, "quota", q.ID, r.ownerName(q.Scope, q.ScopeID)+" "+string(q.Window), remove); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) extraCatalog(ctx context.Context) error {
	catalog := r.im.Catalog
	for _, a := range inOrder(r.state.aliases, func(a tollgate.ModelAlias) int64 { return a.ID }) {
		if r.demo(a.ProviderID) {
			continue
		}
		err := r.extra(ctx, "alias", a.ID, a.Alias, func(ctx context.Context, id int64) error { return catalog.DeleteAlias(ctx, r.tx, r.by, id) })
		if err != nil {
			return err
		}
	}
	for _, p := range r.state.prices {
		if r.demo(p.ProviderID) {
			continue
		}
		name := p.ModelPattern + " at " + atProvider(r.state.providerName[p.ProviderID])
		err := r.extra(ctx, "price", p.ID, name, func(ctx context.Context, id int64) error { return r.im.Prices.Withdraw(ctx, r.tx, r.by, id) })
		if err != nil {
			return err
		}
	}
	for _, m := range r.state.models {
		if r.demo(m.ProviderID) {
			continue
		}
		name := r.state.providerName[m.ProviderID] + "/" + m.ModelID
		err := r.extra(ctx, "model", m.ID, name, func(ctx context.Context, id int64) error { return catalog.DeleteModel(ctx, r.tx, r.by, id) })
		if err != nil {
			return err
		}
	}
	for _, c := range r.state.credentials {
		if r.demo(c.ProviderID) {
			continue
		}
		name := r.state.providerName[c.ProviderID] + "/" + c.Label
		err := r.extra(ctx, "credential", c.ID, name, func(ctx context.Context, id int64) error { return catalog.DeleteCredential(ctx, r.tx, r.by, id) })
		if err != nil {
			return err
		}
	}
	for _, p := range inOrder(r.state.providers, func(p tollgate.Provider) int64 { return p.ID }) {
		if p.Kind == demoKind {
			continue
		}
		err := r.extra(ctx, "provider", p.ID, p.Name, func(ctx context.Context, id int64) error { return catalog.DeleteProvider(ctx, r.tx, r.by, id) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) extraIdentity(ctx context.Context) error {
	accounts := r.im.Accounts
	for _, p := range inOrder(r.state.signIn, func(p sso.Settings) int64 { return p.Row }) {
		err := r.extra(ctx, "sign-in provider", p.Row, p.Name, func(ctx context.Context, id int64) error {
			return accounts.DeleteSignInProvider(ctx, r.tx, r.by, id)
		})
		if err != nil {
			return err
		}
	}
	for _, k := range r.state.keys {
		name := r.state.userName[k.UserID] + "/" + k.Label
		err := r.extra(ctx, "key", k.ID, name, func(ctx context.Context, id int64) error { return accounts.DeleteKey(ctx, r.tx, r.by, id, false) })
		if err != nil {
			return err
		}
	}
	for _, u := range inOrder(r.state.users, func(u tollgate.User) int64 { return u.ID }) {
		err := r.extra(ctx, "user", u.ID, u.Name, func(ctx context.Context, id int64) error { return accounts.DeleteUser(ctx, r.tx, r.by, id) })
		if err != nil {
			return err
		}
	}
	for _, t := range inOrder(r.state.teams, func(t tollgate.Team) int64 { return t.ID }) {
		err := r.extra(ctx, "team", t.ID, t.Name, func(ctx context.Context, id int64) error { return accounts.DeleteTeam(ctx, r.tx, r.by, id) })
		if err != nil {
			return err
		}
	}
	return nil
}

// extra reports or deletes one record unless the file names it.
func (r *run) extra(ctx context.Context, kind string, id int64, name string, remove remover) error {
	switch {
	case id <= 0 || r.seenBefore(kind, id):
		return nil
	case !r.prune || remove == nil:
		r.change(Extra, kind, name, config.Place{})
		return nil
	}
	r.change(Delete, kind, name, config.Place{})
	if !r.apply {
		return nil
	}
	if err := remove(ctx, id); err != nil {
		return placeless(kind+" "+name, err)
	}
	return nil
}

// demo reports whether a provider is one of --demo.
func (r *run) demo(providerID int64) bool {
	return r.state.providers[r.state.providerName[providerID]].Kind == demoKind
}

func (r *run) ownerName(scope tollgate.Scope, id int64) string {
	switch scope {
	case tollgate.ScopeUser:
		return r.state.userName[id]
	case tollgate.ScopeTeam:
		return "team " + r.state.teamName[id]
	case tollgate.ScopeKey:
		return "a key"
	case tollgate.ScopeInstance, tollgate.ScopeService:
	}
	return "the " + string(scope)
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}
