package sso

import (
	"encoding/json"

	"tollgate"
)

// document is what a record keeps besides its own columns.
type document struct {
	Label          string          `json:"label,omitempty"`
	ClientID       string          `json:"client_id"`
	Issuer         string          `json:"issuer,omitempty"`
	Scopes         []string        `json:"scopes,omitempty"`
	AllowedOrgs    []string        `json:"allowed_orgs,omitempty"`
	AllowedDomains []string        `json:"allowed_domains,omitempty"`
	SignUp         bool            `json:"sign_up,omitempty"`
	TrustsFactor   bool            `json:"trusts_second_factor,omitempty"`
	GroupsClaim    string          `json:"groups_claim,omitempty"`
	Roles          []documentGroup `json:"roles,omitempty"`
}

type documentGroup struct {
	Group string `json:"group"`
	Admin bool   `json:"admin,omitempty"`
	Team  string `json:"team,omitempty"`
}

// Record returns s as a record without its secret.
func (s Settings) Record() (tollgate.SignInProvider, error) {
	d := document{
		Label: s.Label, ClientID: s.ClientID, Issuer: s.Issuer, Scopes: s.Scopes, AllowedOrgs: s.AllowedOrgs, AllowedDomains: s.AllowedDomains,
		SignUp: s.SignUp, TrustsFactor: s.TrustsFactor, GroupsClaim: s.GroupsClaim,
	}
	for _, m := range s.Roles {
		d.Roles = append(d.Roles, documentGroup(m))
	}
	text, err := json.Marshal(d)
	if err != nil {
		return tollgate.SignInProvider{}, tollgate.WrapError(tollgate.CodeInternal, err, "write a sign-in provider")
	}
	return tollgate.SignInProvider{ID: s.Row, Name: s.Name, Kind: string(s.Kind), Enabled: !s.Disabled, Settings: text}, nil
}

// FromRecord returns the settings of a record; its secret is opened by the
// caller. CodeInternal: the record cannot be read.
func FromRecord(row tollgate.SignInProvider, secret tollgate.Secret) (Settings, error) {
	var d document
	if err := json.Unmarshal(row.Settings, &d); err != nil {
		return Settings{}, tollgate.WrapError(tollgate.CodeInternal, err, "read sign-in provider %s", row.Name)
	}
	s := Settings{
		Name: row.Name, Kind: Kind(row.Kind), Disabled: !row.Enabled, Row: row.ID, ClientSecret: secret,
		Label: d.Label, ClientID: d.ClientID, Issuer: d.Issuer, Scopes: d.Scopes, AllowedOrgs: d.AllowedOrgs, AllowedDomains: d.AllowedDomains,
		SignUp: d.SignUp, TrustsFactor: d.TrustsFactor, GroupsClaim: d.GroupsClaim,
	}
	for _, m := range d.Roles {
		s.Roles = append(s.Roles, Mapping(m))
	}
	return s, nil
}

// Origin is who the client secret is sent to: a secret is bound to it.
func (s Settings) Origin() string {
	if s.Kind == KindGitHub {
		return s.githubSite()
	}
	return s.issuer()
}
