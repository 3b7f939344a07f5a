package seed

import (
	"cmp"
	"slices"

	"tollgate"
	"tollgate/internal/config"
)

// extras reports what is in the database alone. Grants that come with a role
// and the records of --demo are not the file's to name.
func (r *run) extras() {
	st := r.state
	demo := map[int64]bool{}
	for name, p := range st.providers {
		if demo[p.ID] = p.Kind == demoKind; !demo[p.ID] {
			r.extra("provider", p.ID, name)
		}
	}
	for name, t := range st.teams {
		r.extra("team", t.ID, name)
	}
	for name, u := range st.users {
		r.extra("user", u.ID, name)
	}
	for _, k := range st.keys {
		r.extra("key", k.ID, st.userName[k.UserID]+"/"+k.Label)
	}
	for _, c := range st.credentials {
		r.extra("credential", c.ID, st.providerName[c.ProviderID]+"/"+c.Label)
	}
	for _, m := range st.models {
		if !demo[m.ProviderID] {
			r.extra("model", m.ID, st.providerName[m.ProviderID]+"/"+m.ModelID)
		}
	}
	for _, p := range st.prices {
		if !demo[p.ProviderID] {
			r.extra("price", p.ID, p.ModelPattern+" at "+atProvider(st.providerName[p.ProviderID]))
		}
	}
	for name, a := range st.aliases {
		r.extra("alias", a.ID, name)
	}
	for _, p := range st.permissions {
		if !p.Automatic {
			r.extra("permission", p.ID, st.userName[p.UserID]+" "+p.ModelPattern+" at "+atProvider(st.providerName[p.ProviderID]))
		}
	}
	for _, p := range st.files {
		r.extra("file permission", p.ID, st.userName[p.UserID]+" at "+atProvider(st.providerName[p.ProviderID]))
	}
	for _, l := range st.limits {
		r.extra("rate limit", l.ID, r.ownerName(l.Scope, l.ScopeID)+" "+l.ModelPattern)
	}
	for _, q := range st.quotas {
		r.extra("quota", q.ID, r.ownerName(q.Scope, q.ScopeID)+" "+string(q.Window))
	}
	slices.SortStableFunc(r.changes, func(a, b Change) int {
		if a.Action != Extra || b.Action != Extra {
			return cmp.Compare(b2i(a.Action == Extra), b2i(b.Action == Extra))
		}
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
}

func (r *run) extra(kind string, id int64, name string) {
	if id > 0 && !r.seenBefore(kind, id) {
		r.change(Extra, kind, name, config.Place{})
	}
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
