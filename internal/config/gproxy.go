package config

import (
	"encoding/json"
	"slices"
	"strings"
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

// channel is how a GPROXY channel is carried over.
type channel struct {
	kind    string
	baseURL string // empty = the kind's own
	// ready channels are enabled; the others need credentials or protocols
	// that this version does not have.
	ready bool
}

func channels() map[string]channel {
	return map[string]channel{
		"openai":        {kind: "openai", ready: true},
		"anthropic":     {kind: "anthropic", ready: true},
		"gemini":        {kind: "gemini", ready: true},
		"aistudio":      {kind: "gemini", ready: true},
		"custom":        {kind: "openai-compatible", ready: true},
		"deepseek":      {kind: "openai-compatible", baseURL: "https://api.deepseek.com/v1", ready: true},
		"groq":          {kind: "openai-compatible", baseURL: "https://api.groq.com/openai/v1", ready: true},
		"openrouter":    {kind: "openai-compatible", baseURL: "https://openrouter.ai/api/v1", ready: true},
		"nvidia":        {kind: "openai-compatible", baseURL: "https://integrate.api.nvidia.com/v1", ready: true},
		"claudecode":    {kind: "anthropic"},
		"codex":         {kind: "openai"},
		"vertex":        {kind: "gemini"},
		"vertexexpress": {kind: "gemini"},
		"geminicli":     {kind: "gemini"},
		"antigravity":   {kind: "gemini"},
	}
}

// mapChannel turns a GPROXY provider into one of ours and notes what was
// changed or left out.
func mapChannel(p *SeedProvider, notes, problems *Problems) {
	if p.Kind != "" && p.Kind != p.Channel {
		problems.addf(p.At, "kind and channel are two names for one thing; both are set, and they differ")
		return
	}
	ch, known := channels()[p.Channel]
	if !known {
		ch = channel{kind: "openai-compatible"}
	}
	p.Kind = ch.kind
	settings := map[string]json.RawMessage{}
	if len(p.Settings) > 0 && json.Unmarshal(p.Settings, &settings) == nil {
		if raw, ok := settings["base_url"]; ok && p.BaseURL == "" {
			_ = json.Unmarshal(raw, &p.BaseURL) // not a string: as if it were not there
		}
		delete(settings, "base_url")
		for _, key := range sortedKeys(settings) {
			notes.addf(p.At, "provider %s: settings.%s of channel %s means nothing here and is ignored", p.Name, clip(key), clip(p.Channel))
		}
		p.Settings = nil
	}
	if p.BaseURL == "" {
		p.BaseURL = ch.baseURL
	}
	if p.BaseURL == "" && ch.kind == "openai-compatible" {
		if ch.ready {
			problems.addf(p.At, "provider %s: channel %s needs a base_url", p.Name, p.Channel)
			return
		}
		p.BaseURL = "https://unknown.invalid/v1"
	}
	if !ch.ready {
		p.Enabled = false
		notes.addf(p.At, "provider %s: channel %s is not served by this version; the provider is imported disabled, as kind %s", p.Name, clip(p.Channel), p.Kind)
	} else if p.Channel != p.Kind {
		notes.addf(p.At, "provider %s: channel %s is imported as kind %s", p.Name, p.Channel, p.Kind)
	}
	p.Credentials = slices.DeleteFunc(p.Credentials, func(c SeedCredential) bool {
		if !c.APIKey.Empty() || c.NeedsSecret {
			return false
		}
		notes.addf(c.At, "provider %s: a credential without api_key is left out", p.Name)
		return true
	})
}

// freeQuota makes a GPROXY quota of 0, which is unlimited there, unlimited here.
func freeQuota(q *SeedQuota, notes *Problems) {
	if q.Limit != nil && *q.Limit == 0 {
		q.Limit = nil
		notes.addf(q.At, "quota 0 of %s means unlimited in a GPROXY file and is imported as unlimited", strings.TrimSpace(q.UserName))
	}
}
