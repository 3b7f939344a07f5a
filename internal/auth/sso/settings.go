package sso

import (
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"tollgate"
)

// Kind is what a provider speaks.
type Kind string

// The kinds.
const (
	KindGitHub Kind = "github" // OAuth 2.0 with GitHub's REST API
	KindGoogle Kind = "google" // OpenID Connect with a hosted-domain claim
	KindOIDC   Kind = "oidc"   // OpenID Connect as discovered
)

// The public instances.
const (
	issuerGoogle  = "https://accounts.google.com"
	siteGitHub    = "https://github.com"
	apiGitHub     = "https://api.github.com"
	apiEnterprise = "/api/v3" // GitHub Enterprise Server serves the API below its site
)

// Settings describe one provider. The zero value of a list allows everybody.
type Settings struct {
	// Name is the provider's part of the callback path and of every identity:
	// 1–32 of a–z, 0–9 and "-", beginning with a letter or digit.
	Name string
	Kind Kind
	// Label is what the sign-in page shows; empty = Name.
	Label string
	// Disabled providers are listed nowhere and let nobody in. Only they may be
	// without a secret.
	Disabled bool
	// Row is the id of the record that they come from; 0 = the configuration file.
	Row int64

	ClientID     string
	ClientSecret tollgate.Secret
	// Issuer is the exact issuer of an OpenID provider; for GitHub the site of
	// an Enterprise Server. Empty = the public Google or GitHub.
	Issuer string
	// Scopes are asked for beyond what the kind needs.
	Scopes []string

	// AllowedOrgs restricts GitHub accounts to members of an organisation
	// ("acme") or of a team ("acme/platform").
	AllowedOrgs []string
	// AllowedDomains restricts who gets in by the domain: for Google the hosted
	// domain (hd), else that of the verified e-mail address. Exact names; a
	// subdomain is another domain.
	AllowedDomains []string

	// SignUp lets an unknown identity open an account with role user. It takes
	// AllowedDomains, so that it can never mean everybody.
	SignUp bool

	// TrustsFactor takes the provider's word for the second factor too; else an
	// account that has one here shows it.
	TrustsFactor bool

	// GroupsClaim is the claim that lists groups; empty = "groups".
	GroupsClaim string
	// Roles maps groups to what they give. A group that is not in it gives nothing.
	Roles []Mapping
}

// Mapping is what a group of the provider gives. There is no way to write
// super admin: that role is handed over by its holder alone (SECURITY O-09).
type Mapping struct {
	Group string
	Admin bool
	// Team is the name of a team to be a member of; empty = none.
	Team string
}

// Check reports the first thing that is wrong, as a CodeInvalid error that
// names the field.
func (s Settings) Check() error {
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`).MatchString(s.Name) {
		return tollgate.Invalidf("name", "a provider's name is 1 to 32 of a-z, 0-9 and -, as it is part of the callback address")
	}
	if s.ClientID == "" {
		return tollgate.Invalidf("client_id", "the client id that the provider gave is missing")
	}
	if s.ClientSecret.Empty() && !s.Disabled {
		return tollgate.Invalidf("client_secret", "the client secret that the provider gave is missing")
	}
	if err := s.checkIssuer(); err != nil {
		return err
	}
	if len(s.AllowedOrgs) > 0 && s.Kind != KindGitHub {
		return tollgate.Invalidf("allowed_orgs", "only a provider of kind github has organisations")
	}
	for _, d := range s.AllowedDomains {
		if !plainDomain(d) {
			return tollgate.Invalidf("allowed_domains", "%q is not a domain such as example.com", d)
		}
	}
	if s.SignUp && len(s.AllowedDomains) == 0 {
		return tollgate.Invalidf("allowed_domains", "sign-up needs the domains whose verified addresses may open an account")
	}
	return s.checkRoles()
}

func (s Settings) checkIssuer() error {
	switch s.Kind {
	case KindGitHub, KindGoogle:
		if s.Issuer == "" {
			return nil
		}
	case KindOIDC:
		if s.Issuer == "" {
			return tollgate.Invalidf("issuer", "an OpenID provider needs its issuer, exactly as its discovery document says it")
		}
	default:
		return tollgate.Invalidf("kind", "%q is not one of github, google, oidc", s.Kind)
	}
	u, err := url.Parse(s.Issuer)
	if err != nil || fetchable(u) != nil || u.RawQuery != "" || strings.Contains(s.Issuer, "#") {
		return tollgate.Invalidf("issuer", "an issuer is an https address without query, fragment and user (http only for localhost and addresses in numbers)")
	}
	return nil
}

func (s Settings) checkRoles() error {
	for _, m := range s.Roles {
		if m.Group == "" || (!m.Admin && m.Team == "") {
			return tollgate.Invalidf("roles", "a mapping needs a group, and a role or a team that it gives")
		}
	}
	if len(s.Roles) > 0 && s.Kind == KindGitHub {
		return tollgate.Invalidf("roles", "GitHub sends no group claim; restrict by allowed_orgs instead")
	}
	return nil
}

// issuer returns the issuer to expect.
func (s Settings) issuer() string {
	if s.Issuer == "" && s.Kind == KindGoogle {
		return issuerGoogle
	}
	return s.Issuer
}

func (s Settings) groupsClaim() string {
	if s.GroupsClaim == "" {
		return "groups"
	}
	return s.GroupsClaim
}

func (s Settings) allowsDomain(domain string) bool {
	return slices.ContainsFunc(s.AllowedDomains, func(d string) bool { return domain != "" && strings.EqualFold(d, domain) })
}

// fetchable reports why u must not be requested: anything but https, save for
// this host and addresses in numbers, which the guard judges by its allow-list.
func fetchable(u *url.URL) error {
	if u.Host == "" || u.User != nil {
		return tollgate.Errorf(tollgate.CodeInvalid, "not a plain web address")
	}
	if u.Scheme == "https" {
		return nil
	}
	_, err := netip.ParseAddr(u.Hostname())
	if u.Scheme == "http" && (err == nil || u.Hostname() == "localhost") {
		return nil
	}
	return tollgate.Errorf(tollgate.CodeInvalid, "only https is spoken to sign-in providers")
}

// plainDomain reports whether d is a domain name of at least two labels of
// letters, digits and hyphens.
func plainDomain(d string) bool {
	return len(d) <= 253 && regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}$`).MatchString(d)
}
