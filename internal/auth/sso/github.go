package sso

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"tollgate"
)

// The paths of GitHub (docs.github.com: authorizing OAuth apps; REST API:
// users, emails, organizations, teams).
const (
	githubPage    = 100 // entries per page, the most that GitHub gives
	githubMaxPage = 20  // more memberships than that are not looked at
)

func (s Settings) githubSite() string {
	if s.Issuer == "" {
		return siteGitHub
	}
	return strings.TrimSuffix(s.Issuer, "/")
}

func (s Settings) githubAPI() string {
	if s.Issuer == "" {
		return apiGitHub
	}
	return s.githubSite() + apiEnterprise
}

// githubEndpoint names the style: a guess would send a code twice.
func (s Settings) githubEndpoint() oauth2.Endpoint {
	return oauth2.Endpoint{
		AuthURL:   s.githubSite() + "/login/oauth/authorize",
		TokenURL:  s.githubSite() + "/login/oauth/access_token",
		AuthStyle: oauth2.AuthStyleInParams,
	}
}

func (s Settings) githubScopes() []string {
	scopes := []string{"user:email"}
	if len(s.AllowedOrgs) > 0 {
		scopes = append(scopes, "read:org")
	}
	return scopes
}

// githubIdentity asks GitHub whose token it is. The subject is the numeric id:
// a login can be renamed and taken by somebody else (SECURITY O-04).
func (e *Engine) githubIdentity(ctx context.Context, s Settings, token *oauth2.Token) (Identity, error) {
	if err := granted(token, s.githubScopes()); err != nil {
		return Identity{}, err
	}
	var user struct {
		ID    int64  `json:"id"`
		Login string `json:"login"`
	}
	if err := e.fetch(ctx, s.githubAPI()+"/user", token.AccessToken, &user); err != nil {
		return Identity{}, unreachable(err)
	}
	if user.ID <= 0 {
		return Identity{}, refuse("subject", "GitHub did not say the numeric id of the account")
	}
	id := Identity{Provider: s.Name, Subject: strconv.FormatInt(user.ID, 10), Name: user.Login}
	var err error
	if id.Email, err = e.githubEmail(ctx, s, token.AccessToken); err != nil {
		return Identity{}, err
	}
	id.EmailVerified = id.Email != ""
	if len(s.AllowedOrgs) > 0 {
		id.Groups, err = e.githubGroups(ctx, s, token.AccessToken)
	}
	return id, err
}

// granted reports scopes that the user struck out on GitHub's page. GitHub
// separates them by commas, the standard by spaces.
func granted(token *oauth2.Token, want []string) error {
	text, ok := token.Extra("scope").(string)
	if !ok {
		return nil // said only if it differs; what is missing fails below
	}
	have := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
	for _, scope := range want {
		covered := slices.Contains(have, scope) || (scope == "user:email" && slices.Contains(have, "user")) ||
			(scope == "read:org" && (slices.Contains(have, "write:org") || slices.Contains(have, "admin:org")))
		if !covered {
			return refuse("scope", "GitHub did not grant %s; begin again and leave it checked", scope)
		}
	}
	return nil
}

// githubEmail returns the primary address if GitHub has verified it, else
// nothing: the address in a public profile is verified by nobody.
func (e *Engine) githubEmail(ctx context.Context, s Settings, token string) (string, error) {
	var emails []struct {
		Email             string
		Primary, Verified bool
	}
	if err := e.fetch(ctx, s.githubAPI()+"/user/emails?per_page=100", token, &emails); err != nil {
		return "", unreachable(err)
	}
	for _, m := range emails {
		if m.Primary && m.Verified {
			return m.Email, nil
		}
	}
	return "", nil
}

// githubGroups lists active organisations as "org" and teams as "org/team".
func (e *Engine) githubGroups(ctx context.Context, s Settings, token string) ([]string, error) {
	type org struct {
		Login string `json:"login"`
	}
	var groups []string
	orgs, err := pages[struct {
		State        string `json:"state"`
		Organization org    `json:"organization"`
	}](ctx, e, s.githubAPI()+"/user/memberships/orgs?state=active", token)
	if err != nil {
		return nil, unreachable(err)
	}
	for _, m := range orgs {
		if m.State == "active" { // pending is an invitation that anybody may have been sent
			groups = append(groups, m.Organization.Login)
		}
	}
	if !slices.ContainsFunc(s.AllowedOrgs, func(o string) bool { return strings.Contains(o, "/") }) {
		return groups, nil
	}
	teams, err := pages[struct {
		Slug         string `json:"slug"`
		Organization org    `json:"organization"`
	}](ctx, e, s.githubAPI()+"/user/teams?", token)
	if err != nil {
		return nil, unreachable(err)
	}
	for _, t := range teams {
		groups = append(groups, t.Organization.Login+"/"+t.Slug)
	}
	return groups, nil
}

// pages fetches all pages of a list.
func pages[T any](ctx context.Context, e *Engine, address, token string) ([]T, error) {
	var all []T
	for page := 1; page <= githubMaxPage; page++ {
		var some []T
		if err := e.fetch(ctx, fmt.Sprintf("%s&per_page=%d&page=%d", address, githubPage, page), token, &some); err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < githubPage {
			return all, nil
		}
	}
	return nil, tollgate.Errorf(tollgate.CodeUpstream, "more than %d memberships", githubPage*githubMaxPage)
}
