package upstream

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"tollgate"
	"tollgate/internal/upstream/h1"
)

// defaultAnthropicVersion is sent when the client names none.
const defaultAnthropicVersion = "2023-06-01"

// Endpoint is one provider, ready to be called. It is immutable but for the
// turn of its credentials, and safe for concurrent use.
type Endpoint struct {
	provider  tollgate.Provider
	kind      kind
	base      base
	dialects  []tollgate.Dialect
	usage     bool
	strict    bool
	state     bool
	forward   []string
	timeouts  Timeouts
	transport http.RoundTripper
	plain     bool // transport is h1's
	now       func() time.Time

	prefix string // base path and version, as Gemini's and model paths begin; see url
	urls   map[operationKey]target
	// template is copied for each request; fixed holds the shared header
	// values, which nothing may modify.
	template *http.Request
	fixed    fixedHeaders

	creds     []*Credential
	rotations [][]*Credential
	turn      atomic.Uint64
	secrets   []string
}

type operationKey struct {
	dialect   tollgate.Dialect
	operation tollgate.Operation
}

// target is where an operation goes when its path names no model.
type target struct {
	method string
	url    *url.URL
}

// fixedHeaders are header values shared by all requests of an endpoint.
type fixedHeaders struct {
	identity, json, events, agent, anthropicVersion, none []string
}

// Credential is an opened secret of ours at a provider. ID 0 stands for a
// provider that needs none.
type Credential struct {
	ID    int64
	Label string

	secret                         string
	bearer, apiKey, googleAPI      []string
	anthropicBearer, authenticated bool
	health                         *health
	now                            func() time.Time
}

// Report records how a use of the credential went. Endpoint.Send does it for
// what it sees; call it for what happens after the headers.
func (c *Credential) Report(r Result) { c.health.report(r, c.now()) }

func newEndpoint(p tollgate.Provider, k kind, b base, s settings) *Endpoint {
	e := &Endpoint{
		provider: p, kind: k, base: b, dialects: k.dialects, usage: s.IncludeUsage == nil || *s.IncludeUsage, strict: s.Strict,
		state: s.ResponsesState == stateProvider || s.ResponsesState == "" && k.state, forward: s.ForwardHeaders,
		template: &http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1},
		fixed: fixedHeaders{
			identity: []string{"identity"}, json: []string{"application/json"}, events: []string{"text/event-stream"}, agent: []string{"tollgate"},
			anthropicVersion: []string{defaultAnthropicVersion}, none: []string{},
		},
		urls: map[operationKey]target{},
	}
	if s.Dialects != nil {
		e.dialects = s.Dialects
	}
	switch {
	case b.versioned():
	case s.VersionPath != nil:
		if v := strings.Trim(*s.VersionPath, "/"); v != "" {
			e.prefix = "/" + v
		}
	default:
		e.prefix = "/" + k.version
	}
	ops := []tollgate.Operation{
		tollgate.OpGenerate, tollgate.OpComplete, tollgate.OpCompact, tollgate.OpCount, tollgate.OpEmbed, tollgate.OpModerate, tollgate.OpListModels,
	}
	for _, d := range e.dialects {
		for _, op := range ops {
			if method, path, ok := operation(d, op); ok && d != tollgate.DialectGemini {
				e.urls[operationKey{d, op}] = target{method, b.url(e.prefix + path)}
			}
		}
	}
	// "Keep the client's API version" (Gemini): only where neither the base
	// URL nor the settings say one.
	if k.name != KindDemo && (b.versioned() || s.VersionPath != nil) {
		e.kind.version = ""
	}
	return e
}

// add makes c usable by the endpoint.
func (e *Endpoint) add(c *Credential) {
	if c.secret != "" {
		c.authenticated = true
		c.bearer, c.apiKey, c.googleAPI = []string{"Bearer " + c.secret}, []string{c.secret}, []string{c.secret}
		c.anthropicBearer = strings.HasPrefix(c.secret, "sk-ant-oat")
		e.secrets = append(e.secrets, c.secret)
	}
	e.creds = append(e.creds, c)
}

// turns prepares the rotations, so that taking a turn allocates nothing.
func (e *Endpoint) turns() {
	for i := range e.creds {
		e.rotations = append(e.rotations, append(slices.Clone(e.creds[i:]), e.creds[:i]...))
	}
}

// Releases reports whether nobody reads a call's body any more once Send has
// failed or the answer's body was closed. net/http may read on for a moment.
func (e *Endpoint) Releases() bool { return e.plain }

// Provider returns the provider's row.
func (e *Endpoint) Provider() tollgate.Provider { return e.provider }

// Dialects returns what the provider speaks, in order of preference. Do not
// modify the slice.
func (e *Endpoint) Dialects() []tollgate.Dialect { return e.dialects }

// Speaks reports whether the provider speaks d.
func (e *Endpoint) Speaks(d tollgate.Dialect) bool { return slices.Contains(e.dialects, d) }

// Serves reports whether the provider has op in dialect d.
func (e *Endpoint) Serves(d tollgate.Dialect, op tollgate.Operation) bool {
	if !e.Speaks(d) {
		return false
	}
	if d == tollgate.DialectGemini {
		_, ok := geminiVerb(op, false)
		return ok
	}
	_, _, ok := operation(d, op)
	return ok
}

// IncludeUsage reports whether OpenAI streams are asked for a usage chunk that
// the client did not ask for (settings.include_usage).
func (e *Endpoint) IncludeUsage() bool { return e.usage }

// Strict reports whether translated calls that would lose something are
// refused (settings.strict).
func (e *Endpoint) Strict() bool { return e.strict }

// KeepsResponses reports whether the provider itself keeps the answers of its
// Responses API, to be gone on from (settings.responses_state).
func (e *Endpoint) KeepsResponses() bool { return e.state }

// Timeouts returns the bounds of calls to the provider.
func (e *Endpoint) Timeouts() Timeouts { return e.timeouts }

// Credentials returns the credentials to try, the one whose turn it is first.
// Those that cool down are left out, unless all do; then the one that comes
// back first leads. Empty = the provider has no usable credential. Do not
// modify the slice.
func (e *Endpoint) Credentials() []*Credential {
	n := uint64(len(e.rotations))
	if n <= 1 {
		return e.creds
	}
	turn := e.rotations[(e.turn.Add(1)-1)%n]
	now := e.now()
	for i, c := range turn {
		if _, cooling := c.health.cooling(now); cooling {
			return warm(turn, i, now)
		}
	}
	return turn
}

// warm returns turn without the credentials that cool down, the first of which
// is at i.
func warm(turn []*Credential, i int, now time.Time) []*Credential {
	out := append(make([]*Credential, 0, len(turn)), turn[:i]...)
	for _, c := range turn[i:] {
		if _, cooling := c.health.cooling(now); !cooling {
			out = append(out, c)
		}
	}
	if len(out) > 0 {
		return out
	}
	out = append(out, turn...)
	slices.SortStableFunc(out, func(a, b *Credential) int {
		ta, _ := a.health.cooling(now)
		tb, _ := b.health.cooling(now)
		return ta.Compare(tb)
	})
	return out
}

// Call is one call of a provider.
type Call struct {
	Dialect   tollgate.Dialect
	Operation tollgate.Operation
	// Model is the provider's name for the model, where the path needs it.
	Model string
	// Version is the client's API version segment ("v1", "v1beta"); Gemini only.
	Version string
	// Stream chooses Gemini's streaming method; elsewhere the body says it.
	Stream bool
	// Query is the client's; credentials in it stay here.
	Query url.Values
	// Header is the client's; see the package documentation for what crosses.
	Header http.Header
	// Translated marks a call whose client speaks another dialect: the headers
	// of its protocol and of its SDK stay here, and what Dialect demands is set.
	Translated bool
	Body       []byte
}

// NewRequest builds the request of call with the credential c. Slices of
// call.Header are shared with the request and must not change while it runs;
// so must call.Body. Errors are CodeUnsupported for an operation that the
// provider does not have, CodeInvalid for a model name that is no path segment.
func (e *Endpoint) NewRequest(ctx context.Context, c *Credential, call *Call) (*http.Request, error) {
	to, err := e.target(call)
	if err != nil {
		return nil, err
	}
	req := e.template.WithContext(ctx)
	req.Method, req.URL, req.Host = to.method, to.url, to.url.Host
	if len(call.Query) > 0 {
		req.URL = withQuery(to.url, call.Query)
	}
	h := make(http.Header, headerRoom(len(call.Header)))
	if call.Translated {
		copyTranslatedHeader(h, call.Header, e.forward)
	} else {
		copyRequestHeader(h, call.Header, e.forward)
	}
	e.setHeaders(h, c, call)
	req.Header = h
	if to.method == http.MethodPost {
		req.ContentLength = int64(len(call.Body))
		if e.plain {
			req.Body = newBody(call.Body) // h1 sends and sends again by itself
			return req, nil
		}
		// net/http knows a plain bytes.Reader: headers and a small body leave in
		// one write.
		req.Body = io.NopCloser(bytes.NewReader(call.Body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(call.Body)), nil }
		if _, ok := h["Idempotency-Key"]; !ok {
			// An empty list sends nothing, but tells net/http that the request
			// may be sent again when a pooled connection turns out to be dead
			// before a byte of the answer came.
			h["Idempotency-Key"] = e.fixed.none
		}
	}
	return req, nil
}

// headerRoom is the size of the header map for a client that sent n headers: a
// map of up to eight is one small block, and most calls without an SDK fit it.
func headerRoom(n int) int {
	if n <= 8 {
		return 8
	}
	return n + 4
}

// setHeaders sets what is ours: the credential in the dialect's form, and
// defaults for what the client left out.
func (e *Endpoint) setHeaders(h http.Header, c *Credential, call *Call) {
	h["Accept-Encoding"] = e.fixed.identity
	if _, ok := h["User-Agent"]; !ok {
		h["User-Agent"] = e.fixed.agent
	}
	if _, ok := h["Content-Type"]; !ok && len(call.Body) > 0 {
		h["Content-Type"] = e.fixed.json
	}
	if call.Translated {
		h["Accept"] = e.fixed.json
		if call.Stream {
			h["Accept"] = e.fixed.events
		}
	}
	if call.Dialect == tollgate.DialectAnthropic {
		if _, ok := h["Anthropic-Version"]; !ok {
			h["Anthropic-Version"] = e.fixed.anthropicVersion
		}
	}
	if !c.authenticated {
		return
	}
	switch {
	case call.Dialect == tollgate.DialectAnthropic && !c.anthropicBearer:
		h["X-Api-Key"] = c.apiKey
	case call.Dialect == tollgate.DialectGemini:
		h["X-Goog-Api-Key"] = c.googleAPI
	default:
		h["Authorization"] = c.bearer
	}
}

// target returns where call goes.
func (e *Endpoint) target(call *Call) (target, error) {
	if t, ok := e.urls[operationKey{call.Dialect, call.Operation}]; ok {
		return t, nil
	}
	unsupported := func() (target, error) {
		return target{}, tollgate.Errorf(tollgate.CodeUnsupported, "provider %s cannot do this in the %s protocol", e.provider.Name, call.Dialect)
	}
	if !e.Serves(call.Dialect, call.Operation) {
		return unsupported()
	}
	if call.Dialect != tollgate.DialectGemini { // a model lookup
		path, err := modelPath(call.Model)
		if err != nil {
			return target{}, err
		}
		return target{http.MethodGet, e.base.withPath(e.prefix+"/models/", path)}, nil
	}
	prefix := e.prefix
	if e.kind.version != "" && (call.Version == "v1" || call.Version == "v1beta") {
		prefix = "/" + call.Version
	}
	if call.Operation == tollgate.OpListModels {
		return target{http.MethodGet, e.base.url(prefix + "/models")}, nil
	}
	verb, ok := geminiVerb(call.Operation, call.Stream)
	if !ok {
		return unsupported()
	}
	path, err := modelPath(call.Model)
	if err != nil {
		return target{}, err
	}
	method := http.MethodPost
	if verb == "" {
		method = http.MethodGet
	}
	collection := "/models/"
	if strings.HasPrefix(path, "models/") || strings.HasPrefix(path, "tunedModels/") {
		collection = "/"
	}
	return target{method, e.base.withPath(prefix+collection, path+verb)}, nil
}

// withPath returns the URL of fixed+path, path being escaped where it needs it.
func (b base) withPath(fixed, path string) *url.URL {
	u := b.url(fixed + path)
	for i := range len(path) {
		if !plainPathByte(path[i]) {
			u.RawPath = b.path + fixed + escapePath(path)
			break
		}
	}
	return u
}

func plainPathByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~/:@", c) >= 0
}

// escapePath percent-encodes everything but unreserved characters, slashes,
// colons and at signs.
func escapePath(p string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(p) {
		if c := p[i]; plainPathByte(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// modelPath refuses model names that would walk the provider's paths.
func modelPath(model string) (string, error) {
	if model == "" || strings.Contains(model, "\\") {
		return "", tollgate.Invalidf("model", "the model name cannot be part of a path")
	}
	for seg := range strings.SplitSeq(model, "/") {
		if seg == "" || seg == "." || seg == ".." {
			return "", tollgate.Invalidf("model", "the model name cannot be part of a path")
		}
	}
	return model, nil
}

// withQuery returns u with the client's query less credentials.
func withQuery(u *url.URL, q url.Values) *url.URL {
	clean := make(url.Values, len(q))
	for k, v := range q {
		if !credentialParameter(k) {
			clean[k] = v
		}
	}
	out := *u
	out.RawQuery = clean.Encode()
	return &out
}

func credentialParameter(k string) bool {
	switch strings.ToLower(k) {
	case "key", "api_key", "api-key", "apikey", "x-api-key", "access_key", "access_token", "oauth_token", "bearer_token", "token", "authorization":
		return true
	default:
		return false
	}
}

// body is a request body in memory.
type body struct {
	bytes.Reader
	data []byte
}

var _ h1.Bytes = (*body)(nil)

func newBody(b []byte) *body {
	r := &body{data: b}
	r.Reset(b)
	return r
}

// Bytes returns all of it.
func (b *body) Bytes() []byte { return b.data }

// Close does nothing.
func (*body) Close() error { return nil }
