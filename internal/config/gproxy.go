package config

import (
	"encoding/json"
	"slices"
	"strings"

	"tollgate"
)

// isGPROXY reports whether a document is a GPROXY file: it has a [global]
// table or a provider with a channel. Some values mean something else there.
func isGPROXY(root *node) bool {
	if root.table["global"] != nil {
		return true
	}
	providers := root.table["providers"]
	return providers != nil && slices.ContainsFunc(providers.items, func(n *node) bool { return n.table["channel"] != nil })
}

// tolerates accepts whatever else a GPROXY provider says: its channels have
// many keys of their own, and so have their credentials.
func (SeedProvider) tolerates(n *node) bool { return n.table["channel"] != nil }

// channel is how a GPROXY channel is carried over. Channels that are not
// listed need credentials or protocols that this version does not have.
type channel struct {
	kind    string
	baseURL string // empty = the kind's own, or must be given
}

func channels() map[string]channel {
	return map[string]channel{
		"openai":     {kind: "openai"},
		"anthropic":  {kind: "anthropic"},
		"gemini":     {kind: "gemini"},
		"aistudio":   {kind: "gemini"},
		"custom":     {kind: "openai-compatible"},
		"deepseek":   {kind: "openai-compatible", baseURL: "https://api.deepseek.com/v1"},
		"groq":       {kind: "openai-compatible", baseURL: "https://api.groq.com/openai/v1"},
		"openrouter": {kind: "openai-compatible", baseURL: "https://openrouter.ai/api/v1"},
		"nvidia":     {kind: "openai-compatible", baseURL: "https://integrate.api.nvidia.com/v1"},
	}
}

// mapChannel turns a GPROXY provider into one of ours and notes what was
// changed or left out.
func mapChannel(p *SeedProvider, notes, problems *Problems) {
	if p.Kind != "" && p.Kind != p.Channel {
		addf(problems, p.At, "kind and channel are two names for one thing; both are set, and they differ")
		return
	}
	channelSettings(p, notes)
	p.Credentials = slices.DeleteFunc(p.Credentials, func(c SeedCredential) bool {
		if !c.APIKey.Empty() || c.NeedsSecret {
			return false
		}
		addf(notes, c.At, "provider %s: a credential without api_key is left out", p.Name)
		return true
	})
	ch, served := channels()[p.Channel]
	switch {
	case !served:
		p.Kind, p.Enabled = p.Channel, false
		for i := range p.Credentials {
			p.Credentials[i].APIKey, p.Credentials[i].NeedsSecret = tollgate.Secret{}, true
		}
		addf(notes, p.At, "provider %s: channel %s is not served by this version; the provider is imported disabled and without secrets", p.Name, clip(p.Channel))
		return
	case p.BaseURL == "":
		p.BaseURL = ch.baseURL
	}
	if p.Kind = ch.kind; p.BaseURL == "" && p.Kind == "openai-compatible" {
		addf(problems, p.At, "provider %s: channel %s needs a base_url", p.Name, p.Channel)
	}
	if p.Channel != p.Kind {
		addf(notes, p.At, "provider %s: channel %s is imported as kind %s", p.Name, p.Channel, p.Kind)
	}
}

// channelSettings takes the base URL out of a channel's settings; the others
// mean nothing here.
func channelSettings(p *SeedProvider, notes *Problems) {
	settings := map[string]json.RawMessage{}
	if len(p.Settings) == 0 || json.Unmarshal(p.Settings, &settings) != nil {
		return
	}
	if raw, ok := settings["base_url"]; ok && p.BaseURL == "" {
		_ = json.Unmarshal(raw, &p.BaseURL) // not a string: as if it were not there
	}
	delete(settings, "base_url")
	for _, key := range sortedKeys(settings) {
		addf(notes, p.At, "provider %s: settings.%s of channel %s means nothing here and is ignored", p.Name, clip(key), clip(p.Channel))
	}
	p.Settings = nil
}

// freeQuota makes a GPROXY quota of 0, which is unlimited there, unlimited here.
func freeQuota(q *SeedQuota, notes *Problems) {
	if q.Limit != nil && *q.Limit == 0 {
		q.Limit = nil
		addf(notes, q.At, "quota 0 of %s means unlimited in a GPROXY file and is imported as unlimited", strings.TrimSpace(q.UserName))
	}
}
