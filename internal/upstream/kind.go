package upstream

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"tollgate"
)

// The provider kinds.
const (
	KindOpenAI           = "openai"
	KindAnthropic        = "anthropic"
	KindGemini           = "gemini"
	KindOpenAICompatible = "openai-compatible"
	KindDemo             = "demo"
)

// Kinds says which optional kinds exist in this process.
type Kinds struct {
	// Demo is set by --demo: the simulated vendor inside the process.
	Demo bool
}

// Names lists the kinds, for messages and forms.
func (k Kinds) Names() []string {
	names := []string{KindOpenAI, KindAnthropic, KindGemini, KindOpenAICompatible}
	if k.Demo {
		names = append(names, KindDemo)
	}
	return names
}

// kind is what providers of one kind have in common.
type kind struct {
	name    string
	baseURL string // the kind's own; "" = must be given
	version string // path segment added when the base URL has none
	// dialects are spoken unless settings say otherwise; may are the ones settings may name.
	dialects, may []tollgate.Dialect
	// state is set where the provider keeps the answers of its Responses API.
	state bool
	// keyless kinds work without any credential row (a local server, the demo).
	keyless bool
}

// kind returns the kind called name. Errors are CodeInvalid.
func (k Kinds) kind(name string) (kind, error) {
	if slices.Contains(k.Names(), name) {
		for _, x := range kinds() {
			if x.name == name {
				return x, nil
			}
		}
	}
	if name == KindDemo {
		return kind{}, tollgate.Invalidf("kind", "kind %q exists only when the gateway runs with --demo", name)
	}
	return kind{}, tollgate.Invalidf("kind", "unknown kind %q; the kinds are %s", name, strings.Join(k.Names(), ", "))
}

func kinds() []kind {
	chat, responses := tollgate.DialectOpenAIChat, tollgate.DialectOpenAIResponses
	anthropic, gemini := tollgate.DialectAnthropic, tollgate.DialectGemini
	return []kind{
		{
			name: KindOpenAI, baseURL: "https://api.openai.com", version: "v1", state: true,
			dialects: []tollgate.Dialect{chat, responses}, may: []tollgate.Dialect{chat, responses},
		},
		{
			name: KindAnthropic, baseURL: "https://api.anthropic.com", version: "v1",
			dialects: []tollgate.Dialect{anthropic}, may: []tollgate.Dialect{anthropic},
		},
		{
			name: KindGemini, baseURL: "https://generativelanguage.googleapis.com", version: "v1beta",
			dialects: []tollgate.Dialect{gemini}, may: []tollgate.Dialect{gemini},
		},
		{
			name: KindOpenAICompatible, version: "v1", keyless: true,
			dialects: []tollgate.Dialect{chat}, may: []tollgate.Dialect{chat, responses, anthropic},
		},
		{
			name: KindDemo, baseURL: "https://demo.invalid", version: "v1", keyless: true,
			dialects: tollgate.Dialects(), may: tollgate.Dialects(),
		},
	}
}

// settings are the keys of Provider.Settings that every kind knows.
type settings struct {
	// Dialects the provider speaks, in order of preference; absent = the kind's own.
	Dialects []tollgate.Dialect `json:"dialects"`
	// VersionPath is put between a base URL that ends in no version and the
	// operation; absent = the kind's version, "" = nothing.
	VersionPath *string `json:"version_path"`
	// IncludeUsage asks the provider for a usage chunk at the end of OpenAI
	// streams when the client did not; absent = true.
	IncludeUsage *bool `json:"include_usage"`
	// Strict refuses translated calls that would lose something of the request.
	Strict bool `json:"strict"`
	// ResponsesState says who keeps what clients of the Responses API go on from:
	// the provider itself, or the gateway; absent = the kind's own.
	ResponsesState string `json:"responses_state"`
	// ForwardHeaders are client headers to send on beyond the protocol's own.
	ForwardHeaders []string `json:"forward_headers"`
}

// The values of settings.responses_state.
const (
	stateProvider = "provider"
	stateGateway  = "gateway"
)

// parseSettings reads and checks a provider's settings. Errors are CodeInvalid.
func (k kind) parseSettings(raw json.RawMessage, b base) (settings, error) {
	var s settings
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return s, nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil || dec.More() {
		return s, tollgate.Invalidf("settings", "settings is an object with the keys dialects (list), version_path (string), include_usage (true or false), strict (true or false), responses_state (provider or gateway), forward_headers (list)%s", decodeFault(err))
	}
	for i, d := range s.Dialects {
		if !slices.Contains(k.may, d) || slices.Index(s.Dialects, d) != i {
			return s, tollgate.Invalidf("settings.dialects", "settings.dialects: %q cannot be a dialect of kind %s; it may list each of %s once", d, k.name, join(k.may))
		}
	}
	if s.Dialects != nil && len(s.Dialects) == 0 {
		return s, tollgate.Invalidf("settings.dialects", "settings.dialects must not be empty; leave it out for the kind's own")
	}
	if s.VersionPath != nil {
		if err := validVersionPath(*s.VersionPath, b); err != nil {
			return s, err
		}
	}
	if v := s.ResponsesState; v != "" && v != stateProvider && v != stateGateway {
		return s, tollgate.Invalidf("settings.responses_state", "settings.responses_state must be %q or %q", stateProvider, stateGateway)
	}
	for i, h := range s.ForwardHeaders {
		canonical := textproto.CanonicalMIMEHeaderKey(h)
		if !validHeaderName(h) || neverForward(canonical) {
			return s, tollgate.Invalidf("settings.forward_headers", "settings.forward_headers: %q cannot be forwarded", h)
		}
		s.ForwardHeaders[i] = canonical
	}
	return s, nil
}

// decodeFault adds the decoder's own words about an unknown key or a wrong type.
func decodeFault(err error) string {
	if err == nil {
		return ""
	}
	if _, key, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return "; unknown key " + key
	}
	return ""
}

func join(list []tollgate.Dialect) string {
	names := make([]string, len(list))
	for i, d := range list {
		names[i] = string(d)
	}
	return strings.Join(names, ", ")
}

func validVersionPath(p string, b base) error {
	if p == "" {
		return nil
	}
	trimmed := strings.Trim(p, "/")
	if trimmed == "" || len(p) > 128 || strings.Contains(trimmed, "//") || strings.Trim(trimmed, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./") != "" ||
		slices.ContainsFunc(strings.Split(trimmed, "/"), func(s string) bool { return s == "." || s == ".." }) {
		return tollgate.Invalidf("settings.version_path", "settings.version_path is a path such as v1 or openai/v1")
	}
	if b.versioned() {
		return tollgate.Invalidf("settings.version_path", "settings.version_path: base_url already ends in a version and is used as it is; take the version out of one of them")
	}
	return nil
}

// validHeaderName reports whether h is letters, digits and dashes.
func validHeaderName(h string) bool {
	return h != "" && len(h) <= 64 && strings.Trim(h, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// operation returns method and path of op in dialect d, below the version;
// false if the dialect has no such operation. Gemini's paths name the model
// and are built by Endpoint.url.
func operation(d tollgate.Dialect, op tollgate.Operation) (method, path string, ok bool) {
	type key struct {
		d  tollgate.Dialect
		op tollgate.Operation
	}
	chat, responses, anthropic := tollgate.DialectOpenAIChat, tollgate.DialectOpenAIResponses, tollgate.DialectAnthropic
	switch (key{d, op}) {
	case key{chat, tollgate.OpGenerate}:
		return http.MethodPost, "/chat/completions", true
	case key{chat, tollgate.OpComplete}, key{responses, tollgate.OpComplete}:
		return http.MethodPost, "/completions", true
	case key{chat, tollgate.OpEmbed}, key{responses, tollgate.OpEmbed}:
		return http.MethodPost, "/embeddings", true
	case key{chat, tollgate.OpModerate}, key{responses, tollgate.OpModerate}:
		return http.MethodPost, "/moderations", true
	case key{responses, tollgate.OpGenerate}:
		return http.MethodPost, "/responses", true
	case key{responses, tollgate.OpCount}, key{chat, tollgate.OpCount}:
		return http.MethodPost, "/responses/input_tokens", true
	case key{responses, tollgate.OpCompact}:
		return http.MethodPost, "/responses/compact", true
	case key{anthropic, tollgate.OpGenerate}:
		return http.MethodPost, "/messages", true
	case key{anthropic, tollgate.OpCount}:
		return http.MethodPost, "/messages/count_tokens", true
	}
	if d != tollgate.DialectGemini && (op == tollgate.OpListModels || op == tollgate.OpGetModel) {
		return http.MethodGet, "/models", true
	}
	return "", "", false
}

// geminiVerb returns the method of a model resource that does op.
func geminiVerb(op tollgate.Operation, stream bool) (string, bool) {
	switch op {
	case tollgate.OpGenerate:
		if stream {
			return ":streamGenerateContent", true
		}
		return ":generateContent", true
	case tollgate.OpCount:
		return ":countTokens", true
	case tollgate.OpEmbed:
		return ":embedContent", true
	case tollgate.OpBatchEmbed:
		return ":batchEmbedContents", true
	case tollgate.OpListModels, tollgate.OpGetModel:
		return "", true
	case tollgate.OpComplete, tollgate.OpModerate, tollgate.OpOther, tollgate.OpCompact, tollgate.OpConnect, tollgate.OpRetrieve,
		tollgate.OpInputItems, tollgate.OpDelete, tollgate.OpCancel:
	}
	return "", false
}

// Host returns the host that requests to a provider go to, in lower case; ""
// when its kind or base URL is not known here, and for the demo.
func (k Kinds) Host(p tollgate.Provider) string {
	_, b, _, err := k.resolve(p)
	if err != nil || p.Kind == KindDemo {
		return ""
	}
	return b.host
}

// resolve checks a provider row as a whole: kind, base URL, settings. Errors
// are CodeInvalid.
func (k Kinds) resolve(p tollgate.Provider) (kind, base, settings, error) {
	kd, err := k.kind(p.Kind)
	if err != nil {
		return kd, base{}, settings{}, err
	}
	raw := p.BaseURL
	if raw == "" {
		raw = kd.baseURL
	}
	if raw == "" {
		return kd, base{}, settings{}, tollgate.Invalidf("base_url", "base_url must be given for kind %s, such as https://llm.example.com/v1", kd.name)
	}
	b, err := parseBase(raw)
	if err != nil {
		return kd, b, settings{}, err
	}
	s, err := kd.parseSettings(p.Settings, b)
	return kd, b, s, err
}
