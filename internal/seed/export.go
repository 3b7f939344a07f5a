package seed

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"tollgate"
	"tollgate/internal/auth/sso"
	"tollgate/internal/config"
)

// Export returns what the database holds as a seed. Without secrets, keys and
// credentials have NeedsSecret, and users with a password are marked; with
// secrets, only keys that are stored as a digest alone have NeedsSecret.
// Records of --demo and grants that come with a role are left out. Notes name
// what has no place in a file.
func (im *Importer) Export(ctx context.Context, store tollgate.Store, secrets bool) (config.Seed, error) {
	var out config.Seed
	err := store.View(ctx, func(tx tollgate.Tx) error {
		st, err := im.loadState(ctx, tx)
		if err != nil {
			return err
		}
		out, err = im.export(st, secrets)
		return err
	})
	return out, err
}

func (im *Importer) export(st *state, secrets bool) (config.Seed, error) {
	e := exporter{im: im, state: st, secrets: secrets, demo: map[int64]bool{}}
	for _, section := range []func() error{e.providers, e.models, e.prices, e.aliases, e.users, e.rights, e.money, e.signIn} {
		if err := section(); err != nil {
			return config.Seed{}, err
		}
	}
	return e.seed, nil
}

type exporter struct {
	im      *Importer
	state   *state
	secrets bool
	demo    map[int64]bool // ids of demo providers
	seed    config.Seed
}

func (e *exporter) note(message string) {
	e.seed.Notes = append(e.seed.Notes, config.Problem{Message: message})
}

// inOrder returns the rows of a map by id, which is the order of creation.
func inOrder[T any](m map[string]T, id func(T) int64) []T {
	return slices.SortedFunc(maps.Values(m), func(a, b T) int { return cmp.Compare(id(a), id(b)) })
}

func (e *exporter) providers() error {
	for _, p := range inOrder(e.state.providers, func(p tollgate.Provider) int64 { return p.ID }) {
		if e.demo[p.ID] = p.Kind == demoKind; e.demo[p.ID] {
			continue
		}
		out := config.SeedProvider{Name: p.Name, Kind: p.Kind, BaseURL: p.BaseURL, Settings: p.Settings, Enabled: p.Enabled}
		for _, c := range e.state.credentials {
			if c.ProviderID != p.ID {
				continue
			}
			row := config.SeedCredential{Label: c.Label, Enabled: c.Enabled, NeedsSecret: true}
			if e.secrets && !c.NeedsSecret() {
				secret, err := e.im.credentialSecret(c)
				if err != nil {
					return err
				}
				row.APIKey, row.NeedsSecret = secret, false
			}
			out.Credentials = append(out.Credentials, row)
		}
		e.seed.Providers = append(e.seed.Providers, out)
	}
	return nil
}

func (e *exporter) models() error {
	for _, m := range e.state.models {
		if e.demo[m.ProviderID] {
			continue
		}
		prices, err := config.ParsePrices(m.Prices)
		if err != nil {
			return err
		}
		e.seed.Models = append(e.seed.Models, config.SeedModel{
			ProviderName: e.state.providerName[m.ProviderID], ModelID: m.ModelID, DisplayName: m.DisplayName, Enabled: m.Enabled,
			ContextTokens: m.ContextTokens, OutputTokens: m.OutputTokens, Prices: prices,
		})
	}
	return nil
}

func (e *exporter) prices() error {
	for _, p := range e.state.prices {
		provider, known := e.state.providerName[p.ProviderID]
		if e.demo[p.ProviderID] || p.ProviderID != 0 && !known {
			continue
		}
		prices, err := config.ParsePrices(p.Prices)
		if err != nil {
			return err
		}
		out := config.SeedPrice{ProviderName: provider, ModelPattern: p.ModelPattern, Prices: prices}
		if p.ValidFrom.After(e.im.Now()) {
			out.ValidFrom = p.ValidFrom
		}
		e.seed.Prices = append(e.seed.Prices, out)
	}
	return nil
}

func (e *exporter) aliases() error {
	for _, a := range inOrder(e.state.aliases, func(a tollgate.ModelAlias) int64 { return a.ID }) {
		if !e.demo[a.ProviderID] {
			e.seed.Aliases = append(e.seed.Aliases, config.SeedAlias{
				Alias: a.Alias, ProviderName: e.state.providerName[a.ProviderID], ModelID: a.Target, Enabled: a.Enabled,
			})
		}
	}
	return nil
}

func (e *exporter) users() error {
	for _, t := range inOrder(e.state.teams, func(t tollgate.Team) int64 { return t.ID }) {
		e.seed.Teams = append(e.seed.Teams, config.SeedTeam{Name: t.Name})
	}
	users := inOrder(e.state.users, func(u tollgate.User) int64 { return u.ID })
	// The super admin comes first: an import into an empty database makes the
	// first admin the super admin.
	slices.SortStableFunc(users, func(a, b tollgate.User) int {
		return cmp.Compare(b2i(b.Role == tollgate.RoleSuperAdmin), b2i(a.Role == tollgate.RoleSuperAdmin))
	})
	for _, u := range users {
		isAdmin := u.Role.IsAdmin()
		out := config.SeedUser{
			Name: u.Name, Enabled: u.Enabled, IsAdmin: &isAdmin, IsSuperAdmin: u.Role == tollgate.RoleSuperAdmin, HasPassword: u.Password != nil && !e.secrets,
		}
		if u.Email != "" {
			out.Email = &u.Email
		}
		if team := e.state.teamName[u.TeamID]; team != "" {
			out.Team, out.TeamRole = &team, &u.TeamRole
		}
		if e.secrets && u.Password != nil {
			phc, err := e.im.password(u)
			if err != nil {
				return err
			}
			out.Password = phc
		}
		if err := e.keys(u, &out); err != nil {
			return err
		}
		e.seed.Users = append(e.seed.Users, out)
	}
	return nil
}

func (e *exporter) keys(u tollgate.User, out *config.SeedUser) error {
	for _, k := range e.state.keys {
		if k.UserID != u.ID {
			continue
		}
		row := config.SeedKey{
			Label: k.Label, Enabled: k.Enabled, ExpiresAt: k.ExpiresAt, Surfaces: k.Surfaces, TeamKey: k.TeamID != 0, Models: k.Models, IPAllow: k.IPAllow,
			OnLeave:     k.OnLeave,
			Payloads:    k.Payloads,
			NeedsSecret: true, Prefix: k.Prefix, Last4: k.Last4,
		}
		if e.secrets {
			secret, err := e.im.clientKey(k)
			if err != nil {
				return err
			}
			if row.APIKey = secret; !secret.Empty() {
				row.NeedsSecret, row.Prefix, row.Last4 = false, "", ""
			}
		}
		out.Keys = append(out.Keys, row)
	}
	return nil
}

func (e *exporter) rights() error {
	for _, p := range e.state.permissions {
		if !p.Automatic && !e.demo[p.ProviderID] {
			e.seed.Permissions = append(e.seed.Permissions, config.SeedPermission{
				UserName: e.state.userName[p.UserID], ProviderName: e.state.providerName[p.ProviderID], ModelPattern: p.ModelPattern,
			})
		}
	}
	for _, p := range e.state.teamRights {
		if !e.demo[p.ProviderID] {
			e.seed.Permissions = append(e.seed.Permissions, config.SeedPermission{
				TeamName: e.state.teamName[p.TeamID], ProviderName: e.state.providerName[p.ProviderID], ModelPattern: p.ModelPattern,
			})
		}
	}
	for _, p := range e.state.files {
		if !e.demo[p.ProviderID] {
			e.seed.FilePermissions = append(e.seed.FilePermissions, config.SeedFilePermission{
				UserName: e.state.userName[p.UserID], ProviderName: e.state.providerName[p.ProviderID],
			})
		}
	}
	return nil
}

func (e *exporter) signIn() error {
	for _, p := range inOrder(e.state.signIn, func(p sso.Settings) int64 { return p.Row }) {
		e.seed.SignInProviders = append(e.seed.SignInProviders, seedOf(p, e.secrets))
	}
	return nil
}

func (e *exporter) money() error {
	for _, l := range e.state.limits {
		if scope, ok := e.scope(l.Scope, l.ScopeID, "rate limit"); ok {
			e.seed.RateLimits = append(e.seed.RateLimits, config.SeedRateLimit{
				SeedScope: scope, ModelPattern: l.ModelPattern, RPM: l.RPM, RPD: l.RPD, TotalTokens: l.TotalTokens, Concurrency: l.Concurrency,
			})
		}
	}
	now, zone := e.im.Now(), cmp.Or(e.im.Accounts.Zone, time.UTC)
	for _, q := range e.state.quotas {
		if scope, ok := e.scope(q.Scope, q.ScopeID, "quota"); ok {
			spent := q.SpentAt(now, zone) // of a window that is over nothing is left to bring along
			e.seed.Quotas = append(e.seed.Quotas, config.SeedQuota{SeedScope: scope, Window: q.Window, Limit: q.Limit, Spent: &spent})
		}
	}
	return nil
}

// scope names whose a row is; a key's rows have no place in the format.
func (e *exporter) scope(scope tollgate.Scope, id int64, what string) (config.SeedScope, bool) {
	switch scope {
	case tollgate.ScopeUser:
		return config.SeedScope{UserName: e.state.userName[id]}, true
	case tollgate.ScopeTeam:
		return config.SeedScope{TeamName: e.state.teamName[id]}, true
	case tollgate.ScopeInstance, tollgate.ScopeService:
		return config.SeedScope{Scope: scope}, true
	case tollgate.ScopeKey:
	}
	for _, k := range e.state.keys {
		if k.ID == id {
			e.note("the " + what + " of key " + e.state.userName[k.UserID] + "/" + k.Label + " is not part of the export")
		}
	}
	return config.SeedScope{}, false
}
