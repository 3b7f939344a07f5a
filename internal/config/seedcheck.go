package config

import (
	"fmt"
	"slices"

	"tollgate"
)

// finishSeed checks a decoded seed row by row, fills defaults that depend on
// other fields, and translates what a GPROXY file says.
func finishSeed(s *Seed, gproxy bool, problems *Problems) {
	c := seedCheck{seed: s, problems: problems, seen: map[string]Place{}}
	for i := range s.Users {
		c.user(&s.Users[i])
	}
	for i := range s.Teams {
		c.valid(s.Teams[i].At, tollgate.ValidName("name", s.Teams[i].Name))
		c.unique(s.Teams[i].At, "team", s.Teams[i].Name)
	}
	for i := range s.Providers {
		c.provider(&s.Providers[i])
	}
	for i := range s.Models {
		c.model(&s.Models[i])
	}
	for i := range s.Prices {
		c.price(&s.Prices[i])
	}
	for _, a := range s.Aliases {
		c.valid(a.At, tollgate.ValidModelName("alias", a.Alias))
		c.valid(a.At, tollgate.ValidModelName("model_id", a.ModelID))
		c.unique(a.At, "alias", a.Alias)
	}
	for _, p := range s.Permissions {
		c.permission(p)
	}
	for _, p := range s.FilePermissions {
		c.required(p.At, "user_name", p.UserName)
		c.unique(p.At, "file permission", p.UserName, p.ProviderName)
	}
	for i := range s.RateLimits {
		c.rateLimit(&s.RateLimits[i])
	}
	for i := range s.Quotas {
		if gproxy {
			freeQuota(&s.Quotas[i], &s.Notes)
		}
		c.quota(&s.Quotas[i])
	}
	for i := range s.SignInProviders {
		c.signInProvider(&s.SignInProviders[i])
	}
}

type seedCheck struct {
	seed     *Seed
	problems *Problems
	seen     map[string]Place
}

func (c *seedCheck) valid(at Place, err error) {
	if err != nil {
		addf(c.problems, at, "%s", message(err))
	}
}

func (c *seedCheck) required(at Place, key, value string) {
	if value == "" {
		addf(c.problems, at, "%s is missing", key)
	}
}

// unique reports the second record with the same identity.
func (c *seedCheck) unique(at Place, what string, identity ...string) {
	key := fmt.Sprintf("%s%q", what, identity)
	if first, dup := c.seen[key]; dup {
		addf(c.problems, at, "%s %s stands here a second time; the first is at %s", what, clip(identity[0]), first)
		return
	}
	c.seen[key] = at
}

func (c *seedCheck) user(u *SeedUser) {
	c.valid(u.At, tollgate.ValidName("name", u.Name))
	if u.Email != nil {
		c.valid(u.At, tollgate.User{Name: "-", Email: *u.Email, Role: tollgate.RoleUser}.Validate())
	}
	c.unique(u.At, "user", u.Name)
	if u.Password.Empty() && u.HasPassword {
		addf(&c.seed.Notes, u.At, "user %s had a password that this file does not hold; set a new one", u.Name)
	}
	if p := u.Password.Reveal(); p != "" && p[0] != '$' && len(p) < minPassword {
		addf(&c.seed.Notes, u.At, "the password of user %s is shorter than %d characters", u.Name, minPassword)
	}
	if u.TeamRole != nil && !slices.Contains([]string{"", "member", "admin"}, *u.TeamRole) {
		addf(c.problems, u.At, `team_role of user %s must be "member" or "admin"`, u.Name)
	}
	for i := range u.Keys {
		c.key(u, &u.Keys[i])
	}
}

func (c *seedCheck) key(u *SeedUser, k *SeedKey) {
	c.valid(k.At, tollgate.ValidLabel("label", k.Label))
	for _, s := range k.Surfaces {
		if s != tollgate.SurfaceLLM && s != tollgate.SurfaceUser && s != tollgate.SurfaceAdmin {
			addf(c.problems, k.At, "surfaces of a key are llm, user and admin, not %q", clip(string(s)))
		}
	}
	if k.TeamKey && !slices.Equal(k.Surfaces, []tollgate.Surface{tollgate.SurfaceLLM}) {
		addf(c.problems, k.At, `a key with team_key has surfaces = ["llm"]`)
	}
	if !k.OnLeave.Valid() {
		addf(c.problems, k.At, "on_leave of a key is cancel or drain, not %q", clip(string(k.OnLeave)))
	}
	if !k.Payloads.Valid() {
		addf(c.problems, k.At, "payloads of a key is off, errors or all, not %q", clip(string(k.Payloads)))
	}
	for _, m := range k.Models {
		c.valid(k.At, tollgate.ValidPattern("models", m))
	}
	key := k.APIKey.Reveal()
	switch {
	case key == "" && !k.NeedsSecret:
		addf(c.problems, k.At, "a key of user %s has no api_key; write needs_secret = true for a key that gets one later", u.Name)
	case key == "":
	case len(key) < 8 || len(key) > 256 || !visible(key):
		addf(c.problems, k.At, "an api_key of user %s is not made of 8 to 256 visible ASCII characters", u.Name)
	default:
		k.NeedsSecret = false
		if first, dup := c.seen["key "+key]; dup {
			addf(c.problems, k.At, "this api_key stands here a second time; the first is at %s", first)
		}
		c.seen["key "+key] = k.At
	}
}

func visible(s string) bool {
	return !slices.ContainsFunc([]byte(s), func(b byte) bool { return b <= ' ' || b > '~' })
}

func (c *seedCheck) provider(p *SeedProvider) {
	if p.Channel != "" {
		mapChannel(p, &c.seed.Notes, c.problems)
	}
	c.valid(p.At, tollgate.ValidProviderName(p.Name))
	c.unique(p.At, "provider", p.Name)
	c.required(p.At, "kind of provider "+clip(p.Name), p.Kind)
	for i := range p.Credentials {
		k := &p.Credentials[i]
		c.valid(k.At, tollgate.ValidLabel("label", k.Label))
		switch {
		case k.APIKey.Empty() && !k.NeedsSecret:
			addf(c.problems, k.At, "a credential of provider %s has no api_key; write needs_secret = true for one that gets it later", clip(p.Name))
		case k.APIKey.Empty():
		case !visible(k.APIKey.Reveal()) || len(k.APIKey.Reveal()) > 16<<10:
			addf(c.problems, k.At, "the api_key of a credential of provider %s is not made of visible ASCII characters", clip(p.Name))
		default:
			k.NeedsSecret = false
		}
		if k.Label != "" {
			c.unique(k.At, "credential", k.Label, p.Name)
		}
	}
}

func (c *seedCheck) model(m *SeedModel) {
	c.required(m.At, "provider_name", m.ProviderName)
	c.valid(m.At, tollgate.ValidModelName("model_id", m.ModelID))
	c.unique(m.At, "model", m.ModelID, m.ProviderName)
	if m.ContextTokens < 0 || m.OutputTokens < 0 {
		addf(c.problems, m.At, "context_tokens and output_tokens of model %s must not be negative", clip(m.ModelID))
	}
	c.checkPrices(m.At, "model "+clip(m.ModelID), &m.Prices)
}

func (c *seedCheck) permission(p SeedPermission) {
	switch {
	case p.UserName == "" && p.TeamName == "":
		addf(c.problems, p.At, "user_name is missing (or team_name)")
	case p.UserName != "" && p.TeamName != "":
		addf(c.problems, p.At, "give either user_name or team_name, not both")
	}
	c.valid(p.At, tollgate.ValidPattern("model_pattern", p.ModelPattern))
	c.unique(p.At, "permission", p.UserName, p.TeamName, p.ProviderName, p.ModelPattern)
}

// signInProvider checks what makes an entry one; its values are judged by the
// rules of the single command.
func (c *seedCheck) signInProvider(p *SeedSignInProvider) {
	c.required(p.At, "name", p.Name)
	c.required(p.At, "kind of sign-in provider "+clip(p.Name), p.Kind)
	c.unique(p.At, "sign-in provider", p.Name)
	if p.ClientSecret.Empty() && !p.NeedsSecret {
		addf(c.problems, p.At, "sign-in provider %s has no client_secret; write needs_secret = true for one that gets it later", clip(p.Name))
	}
	p.NeedsSecret = p.ClientSecret.Empty()
}

// scope settles whose an entry is.
func (c *seedCheck) scope(at Place, s *SeedScope) {
	named := tollgate.Scope("")
	switch {
	case s.UserName != "" && s.TeamName != "":
		addf(c.problems, at, "give either user_name or team_name, not both")
		return
	case s.UserName != "":
		named = tollgate.ScopeUser
	case s.TeamName != "":
		named = tollgate.ScopeTeam
	}
	switch {
	case s.Scope == "" && named == "":
		addf(c.problems, at, `user_name is missing (or team_name, or scope = "instance" or "service")`)
	case s.Scope == "":
		s.Scope = named
	case named != "" && s.Scope != named:
		addf(c.problems, at, "scope %q does not go with %s_name", clip(string(s.Scope)), named)
	case named == "" && s.Scope != tollgate.ScopeInstance && s.Scope != tollgate.ScopeService:
		addf(c.problems, at, `scope must be "instance" or "service" where no user or team is named`)
	}
}

func (c *seedCheck) rateLimit(r *SeedRateLimit) {
	c.scope(r.At, &r.SeedScope)
	if r.ModelPattern == "" {
		r.ModelPattern = "*"
	}
	c.valid(r.At, tollgate.ValidPattern("model_pattern", r.ModelPattern))
	c.unique(r.At, "rate limit", r.UserName+r.TeamName, string(r.Scope), r.ModelPattern)
	for _, v := range []*int64{r.RPM, r.RPD, r.TotalTokens, r.Concurrency} {
		if v != nil && *v < 0 {
			addf(c.problems, r.At, "a rate limit must not be negative")
			return
		}
	}
}

func (c *seedCheck) quota(q *SeedQuota) {
	c.scope(q.At, &q.SeedScope)
	if q.Window == "" {
		q.Window = tollgate.WindowTotal
	}
	if !q.Window.Valid() {
		addf(c.problems, q.At, "window must be total, day, week or month")
	}
	c.unique(q.At, "quota", q.UserName+q.TeamName, string(q.Scope), string(q.Window))
	if (q.Limit != nil && *q.Limit < 0) || (q.Spent != nil && *q.Spent < 0) {
		addf(c.problems, q.At, "quota and cost_used must not be negative")
	}
}
