package monorelay

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"tollgate"
	"tollgate/internal/config"
)

// ReadConfig reads a config.yml. Errors are CodeInvalid.
func ReadConfig(text []byte) (*Result, error) {
	var root map[string]any
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, tollgate.WrapError(tollgate.CodeInvalid, nil, "the file is not YAML: %s", clip(err.Error()))
	}
	if _, ok := root["providers"].(map[string]any); !ok {
		return nil, tollgate.Errorf(tollgate.CodeInvalid, "the file has no providers; is it the config.yml of MonoRelay?")
	}
	c := converter{Result: &Result{}, names: map[string]string{}}
	top := newSection("", root)
	c.providers(top.section("providers"))
	c.routing(top.section("model_routing"))
	c.server(top.section("server"))
	for _, key := range []string{"key_selection", "tool_calling", "logging", "sync", "sso"} {
		c.other(key, top.section(key))
	}
	for _, key := range top.names() {
		c.notef("%s is not carried over", clip(key))
	}
	return c.Result, nil
}

type converter struct {
	*Result
	names   map[string]string // of providers: theirs → ours
	mapping [][2]string       // of models to providers: pattern, their name
}

func (c *converter) providers(all section) {
	for _, name := range all.names() {
		c.provider(name, all.section(name))
	}
}

func (c *converter) provider(name string, s section) {
	s.path = "providers." + name
	kind := s.text("provider_type")
	if kind != "" && kind != "api" {
		c.notef("provider %s: its type %s is not served by this version; it is left out", clip(name), clip(kind))
		return
	}
	base := s.text("base_url")
	out := config.SeedProvider{Name: c.providerName(name), Kind: kindOf(base), BaseURL: base, Enabled: s.on("enabled", true)}
	if base == "" {
		c.notef("provider %s: it has no base_url; it is left out", clip(name))
		return
	}
	if out.Name == "" {
		return
	}
	c.names[name] = out.Name
	for i, k := range s.list("keys") {
		c.credential(&out, newSection(s.path+".keys["+strconv.Itoa(i)+"]", k))
	}
	models := s.section("models")
	for _, m := range models.list("include") {
		c.model(out.Name, scalar(m))
	}
	models.rest(c.Result)
	c.price(out.Name, s.text("cost_per_m_input"), s.text("cost_per_m_output"))
	s.take("console_url") // a bookmark
	s.rest(c.Result)
	c.Seed.Providers = append(c.Seed.Providers, out)
}

// kindOf tells the protocol by the host; others speak that of OpenAI.
func kindOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return "openai-compatible"
	}
	switch strings.ToLower(u.Hostname()) {
	case "api.openai.com":
		return "openai"
	case "api.anthropic.com":
		return "anthropic"
	case "generativelanguage.googleapis.com":
		if !strings.Contains(u.Path, "/openai") {
			return "gemini"
		}
	}
	return "openai-compatible"
}

// providerName makes a name that is allowed here; empty if there is none.
func (c *converter) providerName(name string) string {
	out := strings.Trim(regexp.MustCompile(`[^a-z0-9_-]+`).ReplaceAllString(strings.ToLower(name), "-"), "-_")
	taken := slices.ContainsFunc(c.Seed.Providers, func(p config.SeedProvider) bool { return p.Name == out })
	if err := tollgate.ValidProviderName(out); err != nil || taken {
		c.notef("provider %s: its name cannot be used here; it is left out", clip(name))
		return ""
	}
	if out != name {
		c.notef("provider %s is called %s here", clip(name), out)
	}
	return out
}

func (c *converter) credential(p *config.SeedProvider, s section) {
	key, label := strings.TrimSpace(s.text("key")), s.text("label")
	if key == "" {
		c.notef("%s has no key; it is left out", s.path)
		return
	}
	if tollgate.ValidLabel("label", label) != nil {
		label = ""
	}
	for n := 2; slices.ContainsFunc(p.Credentials, func(x config.SeedCredential) bool { return x.Label == label }); n++ {
		label = strings.TrimSuffix(label, "-"+strconv.Itoa(n-1)) + "-" + strconv.Itoa(n)
	}
	out := config.SeedCredential{Label: label, Enabled: s.on("enabled", true), APIKey: tollgate.NewSecret(key)}
	if strings.HasPrefix(key, "env:") || strings.HasPrefix(key, "file:") || strings.HasPrefix(key, "${") {
		c.notef("%s: its key is a reference, not a key; the credential gets none", s.path)
		out.APIKey, out.NeedsSecret = tollgate.Secret{}, true
	}
	if scalar(s.m["weight"]) == "1" {
		delete(s.m, "weight") // as all are here
	}
	s.take("quota_used") // a counter
	s.rest(c.Result)
	p.Credentials = append(p.Credentials, out)
}

func (c *converter) model(provider, name string) {
	if tollgate.ValidModelName("model", name) != nil || strings.ContainsAny(name, "*?[") {
		c.notef("provider %s: the pattern %s of its models is not carried over; grants decide what may be used", provider, clip(name))
		return
	}
	c.Seed.Models = append(c.Seed.Models, config.SeedModel{ProviderName: provider, ModelID: name, Enabled: true})
}

// price takes dollars per million tokens over for all models of a provider.
func (c *converter) price(provider, in, out string) {
	p := config.SeedPrice{ProviderName: provider, ModelPattern: "*"}
	tier, given := config.PriceTier{}, false
	for _, x := range []struct {
		text string
		to   **tollgate.Money
	}{{in, &tier.Input}, {out, &tier.Output}} {
		m, err := tollgate.ParseMoney(x.text)
		if err != nil || m <= 0 {
			continue
		}
		*x.to, given = &m, true
	}
	if given {
		p.Tiers = []config.PriceTier{tier}
		c.Seed.Prices = append(c.Seed.Prices, p)
	}
}

func (c *converter) routing(s section) {
	s.path = "model_routing"
	enabled := s.on("enabled", true)
	s.take("mode")
	mapping := s.section("provider_mapping")
	for _, pattern := range mapping.names() {
		c.mapping = append(c.mapping, [2]string{pattern, mapping.text(pattern)})
	}
	if len(c.mapping) > 0 {
		c.notef("model_routing.provider_mapping: a model of several providers goes to the first one that is declared; %d patterns are not carried over", len(c.mapping))
	}
	for _, key := range []string{"aliases", "model_overrides"} {
		aliases := s.section(key)
		for _, name := range aliases.names() {
			c.alias(name, aliases.text(name), enabled)
		}
	}
	for _, key := range []string{"complexity", "cascade", "payload_transformation"} {
		if part := s.section(key); part.on("enabled", false) {
			c.notef("model_routing.%s is not carried over", key)
		}
	}
	s.rest(c.Result)
}

// alias finds the provider of an alias's target: the part in front of the
// slash if it is one, else what the mapping says.
func (c *converter) alias(name, target string, enabled bool) {
	if tollgate.ValidModelName("alias", name) != nil || tollgate.ValidModelName("model_id", target) != nil {
		c.notef("the alias %s is no name here; it is left out", clip(name))
		return
	}
	if slices.ContainsFunc(c.Seed.Aliases, func(a config.SeedAlias) bool { return a.Alias == name }) {
		c.notef("the alias %s stands there twice; the first one counts", clip(name))
		return
	}
	out := config.SeedAlias{Alias: name, ModelID: target, Enabled: enabled}
	if front, rest, ok := strings.Cut(target, "/"); ok && c.enabled(front) {
		out.ProviderName, out.ModelID = c.names[front], rest
	} else if theirs := c.mapped(target); theirs != "" {
		out.ProviderName = c.names[theirs]
	} else {
		c.notef("the alias %s: no provider is known for %s; whatever provider has that model serves it", clip(name), clip(target))
	}
	c.Seed.Aliases = append(c.Seed.Aliases, out)
}

func (c *converter) enabled(name string) bool {
	return slices.ContainsFunc(c.Seed.Providers, func(p config.SeedProvider) bool { return p.Name == c.names[name] && p.Enabled })
}

// mapped is the provider that the mapping gives a model, with what stands in
// front of its slash or without; empty = none.
func (c *converter) mapped(model string) string {
	for _, m := range c.mapping {
		for _, name := range []string{model, path.Base(model)} {
			if ok, err := path.Match(strings.ReplaceAll(m[0], "/", ":"), strings.ReplaceAll(name, "/", ":")); ok && err == nil && c.enabled(m[1]) {
				return m[1]
			}
		}
	}
	return ""
}

func (c *converter) server(s section) {
	s.path = "server"
	if s.text("access_key") != "" {
		c.notef("server.access_key: everybody shared it; give users keys of their own, or set access_key in [server] for services")
	}
	if s.text("jwt_secret") != "" {
		c.notef("server.jwt_secret: sessions are not carried over; everybody signs in again")
	}
	for _, key := range s.names() {
		if !empty(s.m[key]) {
			c.notef("server.%s is a process setting; look for its counterpart in docs/configuration.md", clip(key))
		}
	}
}

func (c *converter) other(name string, s section) {
	if s.m == nil {
		return
	}
	said := map[string]string{
		"key_selection": "credentials are used in turn, and set aside when they fail",
		"tool_calling":  "tools are passed on as they are",
		"logging":       "requests are always logged, without payloads",
		"sync":          "set up places with config-sync",
		"sso":           "set up sign-ins in [sso]",
	}
	if !empty(s.m) {
		c.notef("%s is not carried over: %s", name, said[name])
	}
}
