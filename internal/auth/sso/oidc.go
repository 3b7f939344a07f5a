package sso

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// The tolerances of an ID token.
const (
	skew   = time.Minute      // between the provider's clock and ours
	docAge = 10 * time.Minute // for which a discovery document and keys are kept
)

// algorithms are the signatures that are taken, whatever discovery says: none
// and the symmetric ones, for which a public key would do, are not among them.
func algorithms() []string {
	return []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA}
}

// issuerDoc is what a provider says about itself (OpenID Connect Discovery 1.0
// section 3; RFC 9207 section 3).
type issuerDoc struct {
	Issuer           string   `json:"issuer"`
	AuthorizationURL string   `json:"authorization_endpoint"`
	TokenURL         string   `json:"token_endpoint"`
	KeysURL          string   `json:"jwks_uri"`
	TokenAuth        []string `json:"token_endpoint_auth_methods_supported"`
	SaysIssuer       bool     `json:"authorization_response_iss_parameter_supported"`
	ScopesSupported  []string `json:"scopes_supported"`
	Challenges       []string `json:"code_challenge_methods_supported"`

	read time.Time
	keys *keySet
}

// discover returns the document of issuer, kept for docAge.
func (e *Engine) discover(ctx context.Context, issuer string) (*issuerDoc, error) {
	e.mu.Lock()
	doc := e.docs[issuer]
	e.mu.Unlock()
	if doc != nil && e.o.Now().Sub(doc.read) < docAge {
		return doc, nil
	}
	doc, err := e.readDocument(ctx, issuer)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.docs[issuer] = doc
	return doc, nil
}

func (e *Engine) readDocument(ctx context.Context, issuer string) (*issuerDoc, error) {
	doc := &issuerDoc{read: e.o.Now()}
	if err := e.fetch(ctx, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", "", doc); err != nil {
		return nil, fmt.Errorf("discovery of %s: %w", issuer, err)
	}
	if doc.Issuer != issuer {
		return nil, fmt.Errorf("discovery of %s: %w, it says %.128q", issuer, errIssuer, doc.Issuer)
	}
	for name, address := range map[string]string{"authorization_endpoint": doc.AuthorizationURL, "token_endpoint": doc.TokenURL, "jwks_uri": doc.KeysURL} {
		u, err := url.Parse(address)
		if err != nil || fetchable(u) != nil {
			return nil, fmt.Errorf("discovery of %s: %s is not an https address", issuer, name)
		}
	}
	doc.keys = &keySet{fetch: e.fetch, url: doc.KeysURL, now: e.o.Now}
	return doc, nil
}

// errIssuer is a document of another issuer than the one that was asked.
var errIssuer = errors.New("the issuer in the document is another")

// endpoint prefers the style that the standard makes the default.
func (d *issuerDoc) endpoint() oauth2.Endpoint {
	style := oauth2.AuthStyleInHeader
	if len(d.TokenAuth) > 0 && !slices.Contains(d.TokenAuth, "client_secret_basic") {
		style = oauth2.AuthStyleInParams
	}
	return oauth2.Endpoint{AuthURL: d.AuthorizationURL, TokenURL: d.TokenURL, AuthStyle: style}
}

// checkIssuer compares the iss of an answer (RFC 9207): wrong is refused, and
// so is missing where the provider says that it sends it (SECURITY O-03).
func (e *Engine) checkIssuer(ctx context.Context, s Settings, query url.Values) error {
	want, required := s.issuer(), false
	if s.Kind == KindGitHub {
		if s.Issuer != "" {
			return nil // what Enterprise Servers say of themselves is wrong, by GitHub's own documentation
		}
		want = siteGitHub + "/login/oauth"
	} else {
		doc, err := e.discover(ctx, want)
		if err != nil {
			return unreachable(err)
		}
		required = doc.SaysIssuer
	}
	if (required || query.Has("iss")) && query.Get("iss") != want {
		return refuse("issuer", "the answer came from another sign-in provider than the one that was asked")
	}
	return nil
}

// claims are what an ID token says beyond what the library checks.
type claims struct {
	AuthorizedParty string          `json:"azp"`
	Expiry          *seconds        `json:"exp"`
	IssuedAt        *seconds        `json:"iat"`
	NotBefore       *seconds        `json:"nbf"`
	Email           string          `json:"email"`
	EmailVerified   json.RawMessage `json:"email_verified"`
	Username        string          `json:"preferred_username"`
	Name            string          `json:"name"`
	HostedDomain    string          `json:"hd"`
}

// seconds is a NumericDate (RFC 7519 section 2), which may have a fraction.
type seconds float64

func (s seconds) time() time.Time { return time.Unix(int64(s), 0) }

// oidcIdentity verifies the ID token that came with token (OpenID Connect Core
// 1.0 section 3.1.3.7; SECURITY O-02).
func (e *Engine) oidcIdentity(ctx context.Context, s Settings, f flow, token *oauth2.Token) (Identity, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Identity{}, refuse("token", "the sign-in provider sent no ID token")
	}
	doc, err := e.discover(ctx, s.issuer())
	if err != nil {
		return Identity{}, unreachable(err)
	}
	// Times are checked below, with one tolerance for all of them.
	verified, err := oidc.NewVerifier(s.issuer(), doc.keys, &oidc.Config{
		ClientID: s.ClientID, SupportedSigningAlgs: algorithms(), SkipExpiryCheck: true,
	}).Verify(ctx, raw)
	if err != nil {
		return Identity{}, distrust(err)
	}
	var c claims
	if err := verified.Claims(&c); err != nil {
		return Identity{}, distrust(err)
	}
	if err := c.check(s, f, verified, e.o.Now()); err != nil {
		return Identity{}, distrust(err)
	}
	if verified.AccessTokenHash != "" {
		if err := verified.VerifyAccessToken(token.AccessToken); err != nil {
			return Identity{}, distrust(err)
		}
	}
	id := Identity{
		Provider: s.Name, Subject: verified.Subject, Email: c.Email, EmailVerified: isTrue(c.EmailVerified),
		Name: c.name(), HostedDomain: c.HostedDomain,
	}
	var all map[string]json.RawMessage
	if err := verified.Claims(&all); err != nil {
		return Identity{}, distrust(err)
	}
	id.Groups = groups(all[s.groupsClaim()])
	return id, nil
}

// check is the rest of the rules. The library lets Google's old issuer without
// a scheme pass, which is why the issuer is compared once more.
func (c claims) check(s Settings, f flow, t *oidc.IDToken, now time.Time) error {
	switch {
	case t.Issuer != s.issuer():
		return errors.New("iss is another")
	case t.Subject == "" || len(t.Subject) > 255:
		return errors.New("sub is missing or longer than 255 bytes")
	case t.Nonce == "" || t.Nonce != f.Nonce:
		return errors.New("nonce is another")
	case len(t.Audience) > 1 && c.AuthorizedParty == "":
		return errors.New("azp is missing although there are several audiences")
	case c.AuthorizedParty != "" && c.AuthorizedParty != s.ClientID:
		return errors.New("azp is another client")
	case c.Expiry == nil || !now.Before(c.Expiry.time().Add(skew)):
		return errors.New("exp is missing or over")
	case c.IssuedAt == nil || c.IssuedAt.time().After(now.Add(skew)):
		return errors.New("iat is missing or in the future")
	case c.NotBefore != nil && c.NotBefore.time().After(now.Add(skew)):
		return errors.New("nbf is in the future")
	}
	return nil
}

// name suggests a name for an account: few providers send all of these.
func (c claims) name() string {
	local, _, _ := strings.Cut(c.Email, "@")
	return cmp.Or(c.Username, c.Name, local)
}

// distrust is the error of an ID token that proves nothing; which rule it
// breaks is for the log.
func distrust(err error) error {
	e := refuse("token", "the sign-in provider's ID token does not prove who signed in")
	e.Err = err
	return e
}

// isTrue reads email_verified, which some providers send as a string.
func isTrue(raw json.RawMessage) bool { return string(raw) == "true" || string(raw) == `"true"` }

// groups reads a group claim: a list of texts, or one text. Anything else is
// no group at all.
func groups(raw json.RawMessage) []string {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	return nil
}
