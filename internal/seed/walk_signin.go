package seed

import (
	"context"
	"encoding/json"
	"slices"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/auth/sso"
	"tollgate/internal/config"
)

// signInProviders brings sign-in providers in. An entry is the whole of its
// provider, less the secret: one that says none keeps what is there.
func (r *run) signInProviders(ctx context.Context) error {
	for _, p := range r.seed.SignInProviders {
		old, exists := r.state.signIn[p.Name]
		want := settingsOf(p, old)
		if err := want.Check(); err != nil {
			r.problem(p.At, "sign-in provider "+p.Name+": "+tollgate.AsError(err).Message)
			continue
		}
		if exists && p.ClientSecret.Empty() && old.Origin() != want.Origin() {
			r.problem(p.At, "sign-in provider "+p.Name+": another issuer needs its client secret anew: the stored one is sent to nobody else")
			continue
		}
		fields := signInDiff(old, want)
		if exists {
			r.see("sign-in provider", old.Row)
		}
		switch {
		case exists && len(fields) == 0:
			continue
		case exists:
			r.change(Update, "sign-in provider", p.Name, p.At, fields...)
		default:
			r.change(Create, "sign-in provider", p.Name, p.At, fields.created()...)
		}
		if !exists && want.ClientSecret.Empty() {
			r.needSecret = append(r.needSecret, "sign-in provider "+p.Name)
		}
		if !r.apply {
			continue
		}
		row, err := r.im.Accounts.SaveSignInProvider(ctx, r.tx, r.by, signInWrite(want, p.ClientSecret))
		if err != nil {
			return place(p.At, "sign-in provider "+p.Name, err)
		}
		r.see("sign-in provider", row.ID)
	}
	return nil
}

// SignIn returns what a file says of a sign-in provider as its settings.
func SignIn(name, kind string, in config.SignInSettings) sso.Settings {
	s := sso.Settings{
		Name: name, Kind: sso.Kind(kind), Label: in.Label, ClientID: in.ClientID, ClientSecret: in.ClientSecret, Issuer: in.Issuer,
		Scopes: in.Scopes, AllowedOrgs: in.AllowedOrgs, AllowedDomains: in.AllowedDomains, SignUp: in.SignUp, TrustsFactor: in.TrustsFactor,
		GroupsClaim: in.GroupsClaim,
	}
	for _, m := range in.Roles {
		s.Roles = append(s.Roles, sso.Mapping(m))
	}
	return s
}

// settingsOf returns what an entry makes of a provider. Without a secret,
// whether in the file or in the database, it is disabled.
func settingsOf(p config.SeedSignInProvider, old sso.Settings) sso.Settings {
	s := SignIn(p.Name, p.Kind, p.SignInSettings)
	s.Row = old.Row
	if s.ClientSecret.Empty() {
		s.ClientSecret = old.ClientSecret
	}
	s.Disabled = !p.Enabled || s.ClientSecret.Empty()
	return s
}

// seedOf is what an export says of a provider.
func seedOf(s sso.Settings, secrets bool) config.SeedSignInProvider {
	p := config.SeedSignInProvider{
		Name: s.Name, Kind: string(s.Kind), Enabled: !s.Disabled,
		SignInSettings: config.SignInSettings{
			Label: s.Label, ClientID: s.ClientID, Issuer: s.Issuer, Scopes: s.Scopes, AllowedOrgs: s.AllowedOrgs, AllowedDomains: s.AllowedDomains,
			SignUp: s.SignUp, TrustsFactor: s.TrustsFactor, GroupsClaim: s.GroupsClaim,
		},
	}
	for _, m := range s.Roles {
		p.Roles = append(p.Roles, config.GroupMapping(m))
	}
	if secrets {
		p.ClientSecret = s.ClientSecret
	}
	p.NeedsSecret = p.ClientSecret.Empty()
	return p
}

// signInDiff compares two providers field by field.
func signInDiff(old, want sso.Settings) diff {
	var fields diff
	before, after := seedOf(old, false), seedOf(want, false)
	for _, f := range []struct {
		name string
		a, b any
	}{
		{"kind", before.Kind, after.Kind},
		{"enabled", old.Row != 0 && before.Enabled, after.Enabled},
		{"display_name", before.Label, after.Label},
		{"client_id", before.ClientID, after.ClientID},
		{"issuer", before.Issuer, after.Issuer},
		{"scopes", slices.Concat([]string{}, before.Scopes), slices.Concat([]string{}, after.Scopes)},
		{"allowed_orgs", slices.Concat([]string{}, before.AllowedOrgs), slices.Concat([]string{}, after.AllowedOrgs)},
		{"allowed_domains", slices.Concat([]string{}, before.AllowedDomains), slices.Concat([]string{}, after.AllowedDomains)},
		{"sign_up", before.SignUp, after.SignUp},
		{"trusts_second_factor", before.TrustsFactor, after.TrustsFactor},
		{"groups_claim", before.GroupsClaim, after.GroupsClaim},
		{"roles", config.Mapped(before.Roles), config.Mapped(after.Roles)},
	} {
		if !sameText(f.a, f.b) {
			fields.add(f.name, f.a, f.b)
		}
	}
	if !old.ClientSecret.Equal(want.ClientSecret) {
		fields.secret("client_secret")
	}
	return fields
}

// sameText compares values by their JSON.
func sameText(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && string(x) == string(y)
}

// signInWrite writes all of a provider; secret is new, or empty.
func signInWrite(s sso.Settings, secret tollgate.Secret) auth.SignInProviderWrite {
	w := auth.SignInProviderWrite{
		ID: s.Row, Name: tollgate.Some(s.Name), Kind: tollgate.Some(string(s.Kind)), Enabled: tollgate.Some(!s.Disabled), Label: tollgate.Some(s.Label),
		ClientID: tollgate.Some(s.ClientID), Issuer: tollgate.Some(s.Issuer), Scopes: tollgate.Some(s.Scopes), AllowedOrgs: tollgate.Some(s.AllowedOrgs),
		AllowedDomains: tollgate.Some(s.AllowedDomains), SignUp: tollgate.Some(s.SignUp), TrustsFactor: tollgate.Some(s.TrustsFactor),
		GroupsClaim: tollgate.Some(s.GroupsClaim), Roles: tollgate.Some(s.Roles),
	}
	if !secret.Empty() {
		w.ClientSecret = tollgate.Some(secret)
	}
	return w
}
