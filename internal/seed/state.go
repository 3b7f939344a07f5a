package seed

import (
	"context"
	"slices"

	"tollgate"
	"tollgate/internal/auth/sso"
)

// state is what the database holds, indexed by the names that files use.
type state struct {
	teams       map[string]tollgate.Team
	users       map[string]tollgate.User
	keys        []tollgate.Key
	providers   map[string]tollgate.Provider
	credentials []tollgate.Credential
	models      []tollgate.Model
	prices      []tollgate.Price // explicit ones by pattern, their latest versions
	aliases     map[string]tollgate.ModelAlias
	permissions []tollgate.Permission
	teamRights  []tollgate.TeamPermission
	files       []tollgate.FilePermission
	limits      []tollgate.RateLimit
	quotas      []tollgate.Quota
	signIn      map[string]sso.Settings // sign-in providers with their secrets
	// names of records by id, for messages and exports
	userName, teamName, providerName map[int64]string
}

// all reads a whole table.
func all[T, F any](ctx context.Context, t tollgate.Table[T, F]) ([]T, error) {
	var f F
	rows, _, err := t.Query(ctx, f, tollgate.Page{All: true})
	return rows, err
}

// index reads a whole table by name.
func index[T, F any](ctx context.Context, t tollgate.Table[T, F], name func(T) string) (map[string]T, error) {
	rows, err := all(ctx, t)
	out := make(map[string]T, len(rows))
	for _, row := range rows {
		out[name(row)] = row
	}
	return out, err
}

func (im *Importer) loadState(ctx context.Context, tx tollgate.Tx) (*state, error) {
	s := &state{signIn: map[string]sso.Settings{}, userName: map[int64]string{}, teamName: map[int64]string{}, providerName: map[int64]string{}}
	var err error
	for _, read := range []func() error{
		func() error {
			s.teams, err = index(ctx, tx.Teams, func(t tollgate.Team) string { return t.Name })
			return err
		},
		func() error {
			s.users, err = index(ctx, tx.Users, func(u tollgate.User) string { return u.Name })
			return err
		},
		func() error { s.keys, err = all(ctx, tx.Keys); return err },
		func() error {
			s.providers, err = index(ctx, tx.Providers, func(p tollgate.Provider) string { return p.Name })
			return err
		},
		func() error { s.credentials, err = all(ctx, tx.Credentials); return err },
		func() error { s.models, err = all(ctx, tx.Models); return err },
		func() error { s.prices, err = explicitPrices(ctx, tx); return err },
		func() error {
			s.aliases, err = index(ctx, tx.Aliases, func(a tollgate.ModelAlias) string { return a.Alias })
			return err
		},
		func() error { s.permissions, err = all(ctx, tx.Permissions); return err },
		func() error { s.teamRights, err = all(ctx, tx.TeamPermissions); return err },
		func() error { s.files, err = all(ctx, tx.FilePermissions); return err },
		func() error { s.limits, err = all(ctx, tx.RateLimits); return err },
		func() error { s.quotas, err = all(ctx, tx.Quotas); return err },
		func() error {
			rows, err := im.Accounts.SignInProviders(ctx, tx)
			for _, p := range rows {
				s.signIn[p.Name] = p
			}
			return err
		},
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	for _, u := range s.users {
		s.userName[u.ID] = u.Name
	}
	for _, t := range s.teams {
		s.teamName[t.ID] = t.Name
	}
	for _, p := range s.providers {
		s.providerName[p.ID] = p.Name
	}
	return s, nil
}

// explicitPrices reads the prices by pattern that an operator has set.
func explicitPrices(ctx context.Context, tx tollgate.Tx) ([]tollgate.Price, error) {
	rows, _, err := tx.Prices.Query(ctx, tollgate.PriceFilter{
		ModelID: tollgate.Is[int64](0), Latest: true,
		Source: tollgate.Is(tollgate.PriceTOML, tollgate.PriceAPI, tollgate.PriceImport),
	}, tollgate.Page{All: true})
	return slices.DeleteFunc(rows, func(p tollgate.Price) bool { return p.Prices == nil }), err
}

// superAdmin reports whether there is a super admin.
func (s *state) superAdmin() bool {
	for _, u := range s.users {
		if u.Role == tollgate.RoleSuperAdmin {
			return true
		}
	}
	return false
}

// wayIn reports whether an enabled admin has an enabled key (CONTRACT 4).
func (s *state) wayIn() bool {
	for _, k := range s.keys {
		if u := s.users[s.userName[k.UserID]]; k.Enabled && !k.NeedsSecret && u.Enabled && u.Role.IsAdmin() {
			return true
		}
	}
	return false
}
