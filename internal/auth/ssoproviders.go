package auth

import (
	"context"
	"slices"
	"strings"

	"tollgate"
	"tollgate/internal/auth/sso"
)

// SignInProviderWrite is a new sign-in provider (ID 0) or a change of one.
// Absent fields stay as they are; null clears.
type SignInProviderWrite struct {
	ID      int64
	Name    tollgate.Opt[string]
	Kind    tollgate.Opt[string]
	Enabled tollgate.Opt[bool] // new: true
	Label   tollgate.Opt[string]

	ClientID tollgate.Opt[string]
	// ClientSecret: "" keeps the old one.
	ClientSecret tollgate.Opt[tollgate.Secret]
	Issuer       tollgate.Opt[string]

	Scopes, AllowedOrgs, AllowedDomains tollgate.Opt[[]string]
	SignUp, TrustsFactor                tollgate.Opt[bool]
	GroupsClaim                         tollgate.Opt[string]
	Roles                               tollgate.Opt[[]sso.Mapping]
}

// Apply returns s with the fields of w.
func (w SignInProviderWrite) Apply(s sso.Settings) sso.Settings {
	s.Name, s.Kind, s.Label = w.Name.Or(s.Name), sso.Kind(w.Kind.Or(string(s.Kind))), w.Label.Or(s.Label)
	s.Disabled = !w.Enabled.Or(!s.Disabled)
	s.ClientID, s.Issuer = w.ClientID.Or(s.ClientID), w.Issuer.Or(s.Issuer)
	if secret, ok := w.ClientSecret.Given(); ok && !secret.Empty() {
		s.ClientSecret = secret
	}
	s.Scopes, s.AllowedOrgs, s.AllowedDomains = w.Scopes.Or(s.Scopes), w.AllowedOrgs.Or(s.AllowedOrgs), w.AllowedDomains.Or(s.AllowedDomains)
	s.SignUp, s.TrustsFactor = w.SignUp.Or(s.SignUp), w.TrustsFactor.Or(s.TrustsFactor)
	s.GroupsClaim, s.Roles = w.GroupsClaim.Or(s.GroupsClaim), w.Roles.Or(s.Roles)
	return s
}

func (w SignInProviderWrite) check() error {
	for field, text := range map[string]string{
		"client_id": w.ClientID.Or(""), "client_secret": w.ClientSecret.Or(tollgate.Secret{}).Reveal(), "issuer": w.Issuer.Or(""), "label": w.Label.Or(""),
	} {
		if strings.HasPrefix(text, "env:") || strings.HasPrefix(text, "file:") {
			return tollgate.Invalidf(field, "%s: env: and file: are resolved only in a configuration file on the gateway's own disk; give the value itself", field)
		}
	}
	return nil
}

// SaveSignInProvider inserts or changes a provider that users sign in through.
// While accounts are linked to it, name, kind and issuer stay: the same subject
// of another issuer is another person (SECURITY O-04). A change of whom the
// secret is sent to needs the secret anew. Disabling ends the sessions that came
// through it. One without a secret is disabled.
func (a *Accounts) SaveSignInProvider(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w SignInProviderWrite) (tollgate.SignInProvider, error) {
	var row tollgate.SignInProvider
	who, err := a.scoped(ctx, tx, by, tollgate.ScopeInstance, 0)
	if err != nil {
		return row, err
	}
	if err := w.check(); err != nil {
		return row, err
	}
	old, created := sso.Settings{}, a.Now()
	if w.ID != 0 {
		if row, err = tx.SignInProviders.Get(ctx, w.ID); err != nil {
			return row, missing(err, "sign-in provider", w.ID)
		}
		created = row.CreatedAt
		if old, err = a.openSignInProvider(row); err != nil {
			return row, err
		}
	}
	next := w.Apply(old)
	if old.Name != next.Name && a.SignInOfFile != nil && a.SignInOfFile(next.Name) {
		return row, tollgate.Errorf(tollgate.CodeConflict, "the configuration file has a sign-in provider %q; change it there, or take another name", next.Name)
	}
	if err := a.mayReplace(ctx, tx, w, old, next); err != nil {
		return row, err
	}
	if err := next.Check(); err != nil {
		return row, err
	}
	if row, err = next.Record(); err != nil {
		return row, err
	}
	row.CreatedAt = created
	if row.ID == 0 {
		if err := tx.SignInProviders.Insert(ctx, &row); err != nil {
			return row, err
		}
	}
	if err := a.sealSignInProvider(&row, next); err != nil { // the seal binds the row, so it comes after the id
		return row, err
	}
	if err := tx.SignInProviders.Update(ctx, row); err != nil {
		return row, err
	}
	if next.Disabled && !old.Disabled {
		if err := endSessionsOf(ctx, tx, row.Name); err != nil {
			return row, err
		}
	}
	var before any
	if w.ID != 0 {
		before = viewSignInProvider(old, false)
	}
	fresh := old.ClientSecret.Reveal() != next.ClientSecret.Reveal()
	return row, a.audit(ctx, tx, who, "sso_provider.upsert", "sso_provider", row.ID, before, viewSignInProvider(next, fresh))
}

// mayReplace holds what may not change under a name that accounts are linked to.
func (a *Accounts) mayReplace(ctx context.Context, tx tollgate.Tx, w SignInProviderWrite, old, next sso.Settings) error {
	moved := w.ID != 0 && (old.Kind != next.Kind || old.Origin() != next.Origin())
	if moved && w.ClientSecret.Or(tollgate.Secret{}).Empty() {
		return tollgate.Invalidf("client_secret", "another issuer needs its client secret anew: the stored one is sent to nobody else")
	}
	if !moved && old.Name == next.Name {
		return nil
	}
	n, err := tx.Identities.Count(ctx, tollgate.IdentityFilter{Provider: tollgate.Is(old.Name, next.Name)})
	if err == nil && n > 0 {
		err = tollgate.Errorf(tollgate.CodeConflict, "%d accounts are linked to a provider of this name, which therefore keeps its kind and issuer; add the other one under a name of its own", n)
	}
	return err
}

// DeleteSignInProvider removes a provider with every link to it, and ends the
// sessions that came through it. Links of administrators are the super admin's
// to take away.
func (a *Accounts) DeleteSignInProvider(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	who, err := a.scoped(ctx, tx, by, tollgate.ScopeInstance, 0)
	if err != nil {
		return err
	}
	row, err := tx.SignInProviders.Get(ctx, id)
	if err != nil {
		return missing(err, "sign-in provider", id)
	}
	links, _, err := tx.Identities.Query(ctx, tollgate.IdentityFilter{Provider: tollgate.Is(row.Name)}, all())
	if err != nil {
		return err
	}
	for _, link := range links {
		owner, err := tx.Users.Get(ctx, link.UserID)
		if err != nil {
			return err
		}
		if err := who.holds(owner, errNotAdmin()); err != nil {
			return err
		}
		if err := tx.Identities.Delete(ctx, link.ID); err != nil {
			return err
		}
		if err := a.audit(ctx, tx, who, "identity.unlink", "user", link.UserID, viewIdentity(link), nil); err != nil {
			return err
		}
	}
	if err := tx.SignInProviders.Delete(ctx, id); err != nil {
		return err
	}
	if err := endSessionsOf(ctx, tx, row.Name); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "sso_provider.delete", "sso_provider", id, map[string]string{"name": row.Name}, nil)
}

// SignInProviders returns the settings of every record, secrets opened.
func (a *Accounts) SignInProviders(ctx context.Context, tx tollgate.Tx) ([]sso.Settings, error) {
	rows, _, err := tx.SignInProviders.Query(ctx, tollgate.SignInProviderFilter{}, all())
	if err != nil {
		return nil, err
	}
	list := make([]sso.Settings, len(rows))
	for i, row := range rows {
		if list[i], err = a.openSignInProvider(row); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func signInSecretLabel(s sso.Settings, id int64) tollgate.Label {
	return tollgate.Label{Table: "signin_providers", Column: "secret", Row: id, Origin: s.Origin()}
}

func (a *Accounts) sealSignInProvider(row *tollgate.SignInProvider, s sso.Settings) (err error) {
	if row.Secret = nil; s.ClientSecret.Empty() {
		return nil
	}
	row.Secret, err = a.Sealer.Seal(signInSecretLabel(s, row.ID), []byte(s.ClientSecret.Reveal()))
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "seal a client secret")
	}
	return nil
}

func (a *Accounts) openSignInProvider(row tollgate.SignInProvider) (sso.Settings, error) {
	s, err := sso.FromRecord(row, tollgate.Secret{})
	if err != nil || len(row.Secret) == 0 {
		return s, err
	}
	plain, err := a.Sealer.Open(signInSecretLabel(s, row.ID), row.Secret)
	if err != nil {
		return s, tollgate.WrapError(tollgate.CodeInternal, err, "internal error")
	}
	s.ClientSecret = tollgate.NewSecret(string(plain))
	return s, nil
}

// endSessionsOf ends what anybody signed in through a provider.
func endSessionsOf(ctx context.Context, tx tollgate.Tx, provider string) error {
	rows, _, err := tx.Sessions.Query(ctx, tollgate.SessionFilter{}, all())
	if err != nil {
		return err
	}
	for _, s := range rows {
		if !cameThrough(s, provider) {
			continue
		}
		if err := tx.Sessions.Delete(ctx, s.ID); err != nil {
			return err
		}
	}
	return nil
}

// signInProviderView is a provider as the audit shows it.
type signInProviderView struct {
	Name           string        `json:"name"`
	Kind           sso.Kind      `json:"kind"`
	Enabled        bool          `json:"enabled"`
	ClientID       string        `json:"client_id"`
	Issuer         string        `json:"issuer,omitempty"`
	AllowedOrgs    []string      `json:"allowed_orgs,omitempty"`
	AllowedDomains []string      `json:"allowed_domains,omitempty"`
	SignUp         bool          `json:"sign_up,omitempty"`
	TrustsFactor   bool          `json:"trusts_second_factor,omitempty"`
	GroupsClaim    string        `json:"groups_claim,omitempty"`
	Roles          []sso.Mapping `json:"roles,omitempty"`
	NewSecret      bool          `json:"new_secret,omitempty"`
}

func viewSignInProvider(s sso.Settings, fresh bool) signInProviderView {
	return signInProviderView{
		Name: s.Name, Kind: s.Kind, Enabled: !s.Disabled, ClientID: s.ClientID, Issuer: s.Issuer,
		AllowedOrgs: slices.Clone(s.AllowedOrgs), AllowedDomains: slices.Clone(s.AllowedDomains), SignUp: s.SignUp, TrustsFactor: s.TrustsFactor,
		GroupsClaim: s.GroupsClaim, Roles: s.Roles, NewSecret: fresh,
	}
}
