package sso

import (
	"slices"
	"strings"

	"tollgate"
)

// Identity is who a provider says somebody is.
type Identity struct {
	// Provider and Subject together are the key. GitHub's subject is the
	// numeric id of the account: logins are renamed and given to others.
	Provider, Subject string
	// Email is what the provider says, and EmailVerified whether it says that
	// it has checked it. Neither identifies anybody.
	Email         string
	EmailVerified bool
	// Name suggests a name for a new account.
	Name string
	// HostedDomain is Google's hd; empty for private accounts.
	HostedDomain string
	// Groups are what the group claim says, or GitHub's memberships as "org"
	// and "org/team".
	Groups []string
}

// Rights are what the groups of an identity give. Their zero value is the
// lowest role and no team.
type Rights struct {
	Admin bool
	// Teams are names of teams, each once, in the order of the mapping.
	Teams []string
}

// Admit reports whether the settings let id in, known here or not: a
// CodeForbidden error says why not. It opens no account.
func (s Settings) Admit(id Identity) error {
	if s.Disabled || id.Provider != s.Name {
		return tollgate.Errorf(tollgate.CodeForbidden, "this sign-in provider is not enabled")
	}
	if len(s.AllowedOrgs) > 0 && !slices.ContainsFunc(s.AllowedOrgs, id.memberOf) {
		return tollgate.Errorf(tollgate.CodeForbidden, "this GitHub account is in none of the organisations and teams that may sign in; if it should be, let the organisation approve the application")
	}
	if len(s.AllowedDomains) > 0 && !s.allowsDomain(s.domain(id)) {
		return tollgate.Errorf(tollgate.CodeForbidden, "this account belongs to none of the domains that may sign in")
	}
	return nil
}

// AdmitNew reports whether the settings let id open an account without an
// invitation. The account's role is user, whatever Rights say later.
func (s Settings) AdmitNew(id Identity) error {
	if err := s.Admit(id); err != nil {
		return err
	}
	if !s.SignUp {
		return tollgate.Errorf(tollgate.CodeForbidden, "no account here is linked to this sign-in; ask an administrator for an invitation, or sign in and link it")
	}
	if !id.EmailVerified || !s.allowsDomain(domainOf(id.Email)) {
		return tollgate.Errorf(tollgate.CodeForbidden, "an account is opened only for an address that the provider has verified, in a domain that may sign up")
	}
	return nil
}

// Rights returns what id's groups give.
func (s Settings) Rights(id Identity) Rights {
	var r Rights
	for _, m := range s.Roles {
		if !slices.Contains(id.Groups, m.Group) {
			continue
		}
		r.Admin = r.Admin || m.Admin
		if m.Team != "" && !slices.Contains(r.Teams, m.Team) {
			r.Teams = append(r.Teams, m.Team)
		}
	}
	return r
}

// domain returns the domain that id provably belongs to; empty if none.
func (s Settings) domain(id Identity) string {
	if s.Kind == KindGoogle {
		return id.HostedDomain
	}
	if !id.EmailVerified {
		return ""
	}
	return domainOf(id.Email)
}

// memberOf reports membership in "org" or "org/team"; GitHub compares both
// without regard to case.
func (id Identity) memberOf(group string) bool {
	return slices.ContainsFunc(id.Groups, func(g string) bool { return strings.EqualFold(g, group) })
}

// domainOf returns what follows the only @ of a plain address; an address in
// quotes, with several @ or with anything that is not a domain after it has
// none (SECURITY N-55).
func domainOf(email string) string {
	local, domain, ok := strings.Cut(email, "@")
	if !ok || local == "" || strings.ContainsAny(email, " \t\r\n\"<>(),;:\\\x00") || !plainDomain(domain) {
		return ""
	}
	return domain
}
