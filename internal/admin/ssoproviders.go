package admin

import (
	"context"
	"fmt"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/auth/sso"
	"tollgate/internal/web/api"
)

// groupMapping is what a group of the provider gives.
type groupMapping struct {
	Group   string `json:"group" required:"true" minLength:"1" maxLength:"255" doc:"As the group claim says it."`
	IsAdmin bool   `json:"is_admin,omitempty" doc:"Members are administrators, never the super admin."`
	Team    string `json:"team,omitempty" maxLength:"128" doc:"The name of the team that members belong to."`
}

// signInProvider is the JSON of a sign-in provider. There is no field for the secret.
type signInProvider struct {
	ID                 int64          `json:"id" doc:"0 = set in the configuration file."`
	Name               string         `json:"name"`
	Kind               string         `json:"kind" enum:"github,google,oidc"`
	DisplayName        string         `json:"display_name"`
	Enabled            bool           `json:"enabled"`
	ReadOnly           bool           `json:"read_only" doc:"Set in the configuration file, and changed there."`
	InForce            bool           `json:"in_force" doc:"False when the configuration file has a provider of this name, or the gateway has no public URL."`
	ClientID           string         `json:"client_id"`
	Issuer             string         `json:"issuer"`
	Scopes             []string       `json:"scopes"`
	AllowedOrgs        []string       `json:"allowed_orgs"`
	AllowedDomains     []string       `json:"allowed_domains"`
	SignUp             bool           `json:"sign_up"`
	TrustsSecondFactor bool           `json:"trusts_second_factor"`
	GroupsClaim        string         `json:"groups_claim"`
	Roles              []groupMapping `json:"roles"`
	RedirectURI        string         `json:"redirect_uri" doc:"To be registered at the provider, character by character."`
	CreatedAt          *time.Time     `json:"created_at"`
}

type signInProviderWrite struct {
	ID             int64             `json:"id,omitempty" minimum:"0" doc:"0 or absent = a new one."`
	Name           api.Val[string]   `json:"name,omitzero" maxLength:"32" doc:"1 to 32 of a-z, 0-9 and -; part of the redirect URI."`
	Kind           api.Val[string]   `json:"kind,omitzero" doc:"github, google or oidc."`
	DisplayName    api.Opt[string]   `json:"display_name,omitzero" maxLength:"64" doc:"What the sign-in page shows."`
	Enabled        api.Val[bool]     `json:"enabled,omitzero" doc:"The default is true. Disabling ends the sign-ins that came through it."`
	ClientID       api.Val[string]   `json:"client_id,omitzero" maxLength:"512"`
	ClientSecret   api.Val[string]   `json:"client_secret,omitzero" maxLength:"4096" doc:"Stored encrypted, never shown again. Empty or absent = unchanged."`
	Issuer         api.Opt[string]   `json:"issuer,omitzero" maxLength:"512" doc:"Exactly as the discovery document says it; for GitHub the site of an Enterprise Server; null = the public one."`
	Scopes         api.Opt[[]string] `json:"scopes,omitzero" doc:"Asked for beyond what the kind needs."`
	AllowedOrgs    api.Opt[[]string] `json:"allowed_orgs,omitzero" doc:"GitHub organisations (acme) or teams (acme/platform)."`
	AllowedDomains api.Opt[[]string] `json:"allowed_domains,omitzero" doc:"Exact domains of verified addresses, for Google of hosted domains."`
	SignUp         api.Val[bool]     `json:"sign_up,omitzero" doc:"Opens accounts for people in allowed_domains. The default is false."`

	TrustsSecondFactor api.Val[bool]           `json:"trusts_second_factor,omitzero" doc:"Accounts with a second factor here need not show it. The default is false."`
	GroupsClaim        api.Opt[string]         `json:"groups_claim,omitzero" maxLength:"128" doc:"The default is groups."`
	Roles              api.Opt[[]groupMapping] `json:"roles,omitzero"`
}

func (w signInProviderWrite) write() auth.SignInProviderWrite {
	out := auth.SignInProviderWrite{
		ID: w.ID, Name: w.Name.Opt, Kind: w.Kind.Opt, Enabled: w.Enabled.Opt, Label: w.DisplayName.Opt, ClientID: w.ClientID.Opt, Issuer: w.Issuer.Opt,
		Scopes: w.Scopes.Opt, AllowedOrgs: w.AllowedOrgs.Opt, AllowedDomains: w.AllowedDomains.Opt, SignUp: w.SignUp.Opt,
		TrustsFactor: w.TrustsSecondFactor.Opt, GroupsClaim: w.GroupsClaim.Opt,
	}
	if secret, ok := w.ClientSecret.Given(); ok {
		out.ClientSecret = tollgate.Some(tollgate.NewSecret(secret))
	}
	out.Roles.Set, out.Roles.Null = w.Roles.Set, w.Roles.Null
	for _, m := range w.Roles.Value {
		out.Roles.Value = append(out.Roles.Value, sso.Mapping{Group: m.Group, Admin: m.IsAdmin, Team: m.Team})
	}
	return out
}

type signInProviderQuery struct {
	ID   api.Scope[int64]  `json:"id,omitzero"`
	Name api.Scope[string] `json:"name,omitzero"`
}

type finding struct {
	OK   bool   `json:"ok"`
	What string `json:"what" doc:"settings, public_url, redirect_uri, discovery, issuer, scopes, pkce, keys or teams"`
	Text string `json:"text" doc:"What is so, and what to do about it."`
}

type findings struct {
	OK       bool      `json:"ok"`
	Findings []finding `json:"findings"`
}

func (s *SSO) mountProviders() {
	const base, tag = "/admin/sso-providers", "Sign-in providers"
	example := map[string]any{"name": "corp", "kind": "oidc", "issuer": "https://id.example.com", "client_id": "tollgate", "client_secret": "…"}
	api.Handle(s.API, reads(base+"/query", tag, "Show the providers that users sign in through, those of the configuration file too"), s.query)
	upsert := writes(base+"/upsert", tag, "Create or change a sign-in provider", example)
	upsert.Policy.RecentSignIn = true
	api.Handle(s.API, upsert, s.save)
	remove := writes(base+"/delete", tag, "Delete a sign-in provider with every link to it; ends the sign-ins that came through it", api.ByID{ID: 7})
	remove.Policy.RecentSignIn = true
	api.Handle(s.API, remove, s.remove)
	test := reads(base+"/test", tag, "Try the settings of a sign-in provider and say what is wrong; nothing is saved, and nothing stored is used")
	test.Example = example
	api.Handle(s.API, test, s.test)
}

// inForce reports whether the engine has the provider of that name from that record.
func (s *SSO) inForce(p sso.Settings) bool {
	if s.Engine == nil {
		return false
	}
	for _, have := range s.Engine.All() {
		if have.Name == p.Name {
			return have.Row == p.Row
		}
	}
	return false
}

// ofFile returns the providers of the configuration file.
func (s *SSO) ofFile() (list []sso.Settings) {
	if s.Engine == nil {
		return nil
	}
	for _, p := range s.Engine.All() {
		if p.Row == 0 {
			list = append(list, p)
		}
	}
	return list
}

func (s *SSO) query(ctx context.Context, in *signInProviderQuery) ([]signInProvider, error) {
	recs := []signInProvider{}
	add := func(p sso.Settings, created *time.Time) {
		if fits(in.ID, p.Row) && fits(in.Name, p.Name) {
			recs = append(recs, s.record(p, created))
		}
	}
	for _, p := range s.ofFile() {
		add(p, nil)
	}
	err := s.Store.View(ctx, func(tx tollgate.Tx) error {
		rows, _, err := tx.SignInProviders.Query(ctx, tollgate.SignInProviderFilter{}, tollgate.Page{})
		for _, row := range rows {
			p, err := sso.FromRecord(row, tollgate.Secret{})
			if err != nil {
				return err
			}
			created := row.CreatedAt.UTC()
			add(p, &created)
		}
		return err
	})
	return recs, err
}

func (s *SSO) record(p sso.Settings, created *time.Time) signInProvider {
	rec := signInProvider{
		ID: p.Row, Name: p.Name, Kind: string(p.Kind), DisplayName: p.Label, Enabled: !p.Disabled, ReadOnly: p.Row == 0, InForce: s.inForce(p),
		ClientID: p.ClientID, Issuer: p.Issuer, Scopes: orNone(p.Scopes), AllowedOrgs: orNone(p.AllowedOrgs),
		AllowedDomains: orNone(p.AllowedDomains), SignUp: p.SignUp, TrustsSecondFactor: p.TrustsFactor, GroupsClaim: p.GroupsClaim,
		Roles: []groupMapping{}, CreatedAt: created,
	}
	for _, m := range p.Roles {
		rec.Roles = append(rec.Roles, groupMapping{m.Group, m.Admin, m.Team})
	}
	if s.Engine != nil {
		rec.RedirectURI = s.Engine.Callback(p.Name)
	}
	return rec
}

// orNone is list, or an empty one for JSON.
func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func (s *SSO) save(ctx context.Context, in *signInProviderWrite) (api.Done, error) {
	by, id := api.Actor(ctx), int64(0)
	err := s.Store.Update(ctx, func(tx tollgate.Tx) error {
		row, err := s.Accounts.SaveSignInProvider(ctx, tx, by, in.write())
		id = row.ID
		return err
	})
	return api.Done{OK: true, ID: id}, err
}

func (s *SSO) remove(ctx context.Context, in *api.ByID) (api.Done, error) {
	by := api.Actor(ctx)
	return api.Done{OK: true, ID: in.ID}, s.Store.Update(ctx, func(tx tollgate.Tx) error {
		return s.Accounts.DeleteSignInProvider(ctx, tx, by, in.ID)
	})
}

// test tries what was sent. Of the client secret it only wants to know that
// there is one: whether it is right shows when somebody signs in.
func (s *SSO) test(ctx context.Context, in *signInProviderWrite) (findings, error) {
	if s.Engine == nil {
		return findings{Findings: []finding{{What: "public_url", Text: errNoPublicURL().Error()}}}, nil
	}
	p := in.write().Apply(sso.Settings{})
	out := findings{OK: true, Findings: []finding{}}
	for _, f := range s.Engine.Test(ctx, p) {
		out.Findings = append(out.Findings, finding(f))
	}
	teams, err := s.testTeams(ctx, p)
	out.Findings = append(out.Findings, teams...)
	for _, f := range out.Findings {
		out.OK = out.OK && f.OK
	}
	return out, err
}

// testTeams names the teams of the mapping that are not there.
func (s *SSO) testTeams(ctx context.Context, p sso.Settings) (out []finding, err error) {
	err = s.Store.View(ctx, func(tx tollgate.Tx) error {
		for _, m := range p.Roles {
			n, err := tx.Teams.Count(ctx, tollgate.TeamFilter{Name: tollgate.Is(m.Team)})
			if err != nil {
				return err
			}
			if m.Team != "" && n == 0 {
				out = append(out, finding{What: "teams", Text: fmt.Sprintf("There is no team %q, so that the group %q gives none.", m.Team, m.Group)})
			}
		}
		return nil
	})
	return out, err
}

// allows refuses (CodeConflict) sso_only while nobody could sign in.
func (s *SSO) allows(row tollgate.Setting) error {
	if row.Name != "sso_only" || string(row.Value) != "true" || s.Engine != nil && len(s.Engine.Providers()) > 0 {
		return nil
	}
	return tollgate.Errorf(tollgate.CodeConflict, "there is no sign-in provider yet; set one up, sign in through it, then close the other ways")
}
