package sso

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"tollgate"
)

// Options are what an engine needs. All fields are required.
type Options struct {
	// Client reaches the providers: guarded, with a time limit, without
	// following redirects.
	Client *http.Client
	Sealer tollgate.Sealer
	// PublicURL is the address under which browsers reach the gateway. Callback
	// addresses are made from it alone, never from a request (SECURITY N-34).
	PublicURL string
	Now       func() time.Time
	Random    io.Reader
}

// Engine runs sign-ins through the configured providers. It is safe for
// concurrent use.
type Engine struct {
	o         Options
	base      string
	epoch     []byte
	spent     once
	providers atomic.Pointer[[]Settings]

	mu   sync.Mutex
	docs map[string]*issuerDoc // by issuer
}

// New returns an engine without providers.
func New(o Options) (*Engine, error) {
	u, err := url.Parse(o.PublicURL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, tollgate.Invalidf("public_url", "sign-in through other providers needs the address under which browsers reach the gateway, such as https://llm.example.com")
	}
	e := &Engine{o: o, base: strings.TrimSuffix(o.PublicURL, "/"), epoch: make([]byte, flowIDSize), docs: map[string]*issuerDoc{}}
	e.spent.used = map[string]time.Time{}
	if _, err := io.ReadFull(o.Random, e.epoch); err != nil {
		return nil, tollgate.WrapError(tollgate.CodeInternal, err, "read random bytes")
	}
	e.providers.Store(&[]Settings{})
	return e, nil
}

// Set replaces the providers. Two of one name, and settings that do not pass
// Check, are an error, and nothing changes.
func (e *Engine) Set(list []Settings) error {
	seen := map[string]bool{}
	for _, s := range list {
		if err := s.Check(); err != nil {
			return err
		}
		if seen[s.Name] {
			return tollgate.Invalidf("name", "two sign-in providers are called %q", s.Name)
		}
		seen[s.Name] = true
	}
	list = append([]Settings(nil), list...)
	e.providers.Store(&list)
	return nil
}

// Providers returns those that are enabled.
func (e *Engine) Providers() []Settings {
	var out []Settings
	for _, s := range *e.providers.Load() {
		if !s.Disabled {
			out = append(out, s)
		}
	}
	return out
}

// All returns the disabled ones too.
func (e *Engine) All() []Settings { return *e.providers.Load() }

// OfFile reports whether the configuration file has a provider of that name.
func (e *Engine) OfFile(name string) bool {
	return slices.ContainsFunc(e.All(), func(s Settings) bool { return s.Row == 0 && s.Name == name })
}

// Provider returns the enabled provider of that name, CodeNotFound without one.
func (e *Engine) Provider(name string) (Settings, error) {
	for _, s := range e.Providers() {
		if s.Name == name {
			return s, nil
		}
	}
	return Settings{}, tollgate.Errorf(tollgate.CodeNotFound, "there is no sign-in provider of that name")
}

// Callback returns the redirect URI to register at the provider.
func (e *Engine) Callback(name string) string { return e.base + "/auth/sso/" + name + "/callback" }

// CookieName is the cookie that binds a sign-in through a provider to the
// browser. Over https its prefix keeps other sites of the domain from setting it.
func (e *Engine) CookieName(provider string) string {
	if e.Secure() {
		return "__Host-tollgate_sso_" + provider
	}
	return "tollgate_sso_" + provider
}

// Secure reports whether browsers reach the gateway over https.
func (e *Engine) Secure() bool { return strings.HasPrefix(e.base, "https://") }

// Start is the first half of a sign-in.
type Start struct {
	// URL is where the browser is sent.
	URL string
	// Cookie is the value that it must bring back, within MaxAge.
	Cookie string
	MaxAge time.Duration
}

// Begin starts a sign-in. CodeNotFound: no such provider; CodeUpstream: the
// provider's discovery document cannot be had or is not its own.
func (e *Engine) Begin(ctx context.Context, provider string, intent Intent) (Start, error) {
	s, err := e.Provider(provider)
	if err != nil {
		return Start{}, err
	}
	client, err := e.oauth(ctx, s)
	if err != nil {
		return Start{}, unreachable(err)
	}
	intent.ReturnTo = ReturnTo(intent.ReturnTo)
	f := flow{ID: make([]byte, flowIDSize), Epoch: e.epoch, Provider: s.Name, Issuer: s.issuer(), Begun: e.o.Now(), Intent: intent}
	if f.Nonce, err = e.token(); err != nil {
		return Start{}, err
	}
	if f.Verifier, err = e.token(); err != nil {
		return Start{}, err
	}
	if _, err := io.ReadFull(e.o.Random, f.ID); err != nil {
		return Start{}, tollgate.WrapError(tollgate.CodeInternal, err, "read random bytes")
	}
	cookie, err := e.sealFlow(f)
	if err != nil {
		return Start{}, err
	}
	return Start{URL: client.AuthCodeURL(f.state(), s.authParams(f)...), Cookie: cookie, MaxAge: flowLife}, nil
}

func (s Settings) authParams(f flow) []oauth2.AuthCodeOption {
	out := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(f.Verifier)}
	if s.Kind != KindGitHub {
		out = append(out, oauth2.SetAuthURLParam("nonce", f.Nonce))
	}
	if s.Kind == KindGoogle && len(s.AllowedDomains) == 1 {
		out = append(out, oauth2.SetAuthURLParam("hd", s.AllowedDomains[0])) // a hint; the claim decides
	}
	return out
}

// token returns 256 random bits in base64url, 43 characters as RFC 7636 wants
// a verifier at least.
func (e *Engine) token() (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(e.o.Random, b); err != nil {
		return "", tollgate.WrapError(tollgate.CodeInternal, err, "read random bytes")
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// Finish reads the callback of a provider: query is the callback's, cookie the
// value of the cookie CookieName. It returns who the provider says the
// browser's owner is, with what they set out to do; [Settings.Admit] has
// passed. CodeUnauthenticated: the answer proves nothing, Reason says what is
// missing; CodeForbidden: the settings keep this account out; CodeUpstream: the
// provider failed.
func (e *Engine) Finish(ctx context.Context, provider string, query url.Values, cookie string) (Identity, Intent, error) {
	s, err := e.Provider(provider)
	if err != nil {
		return Identity{}, Intent{}, err
	}
	for name, values := range query {
		if len(values) > 1 {
			return Identity{}, Intent{}, refuse("answer", "the sign-in provider's answer says %.32q twice", name)
		}
	}
	f, err := e.openFlow(provider, cookie, query.Get("state"))
	if err != nil {
		return Identity{}, Intent{}, err
	}
	id, err := e.identify(ctx, s, f, query)
	if err != nil {
		return Identity{}, f.Intent, err
	}
	return id, f.Intent, s.Admit(id)
}

// identify turns the answer into an identity.
func (e *Engine) identify(ctx context.Context, s Settings, f flow, query url.Values) (Identity, error) {
	if f.Issuer != s.issuer() {
		return Identity{}, refuse("issuer", "the sign-in provider was set up anew meanwhile; begin again")
	}
	client, err := e.oauth(ctx, s)
	if err != nil {
		return Identity{}, unreachable(err)
	}
	if err := e.checkIssuer(ctx, s, query); err != nil {
		return Identity{}, err
	}
	if query.Has("error") {
		return Identity{}, refuse("denied", "the sign-in provider refused with %.64q", query.Get("error"))
	}
	if query.Get("code") == "" {
		return Identity{}, refuse("answer", "the sign-in provider's answer has no code")
	}
	token, err := e.exchange(ctx, client, query.Get("code"), f.Verifier)
	if err != nil {
		return Identity{}, unreachable(err)
	}
	if s.Kind == KindGitHub {
		return e.githubIdentity(ctx, s, token)
	}
	return e.oidcIdentity(ctx, s, f, token)
}

// oauth returns the client of s.
func (e *Engine) oauth(ctx context.Context, s Settings) (oauth2.Config, error) {
	c := oauth2.Config{ClientID: s.ClientID, ClientSecret: s.ClientSecret.Reveal(), RedirectURL: e.Callback(s.Name)}
	if s.Kind == KindGitHub {
		c.Endpoint, c.Scopes = s.githubEndpoint(), append(s.githubScopes(), s.Scopes...)
		return c, nil
	}
	doc, err := e.discover(ctx, s.issuer())
	if err != nil {
		return c, err
	}
	c.Endpoint, c.Scopes = doc.endpoint(), append([]string{"openid", "email", "profile"}, s.Scopes...)
	return c, nil
}

// unreachable is the error of a provider that failed; the cause is for the log.
func unreachable(err error) error {
	if answer, ok := errors.AsType[*statusError](err); ok && answer.limited {
		return tollgate.WrapError(tollgate.CodeUpstream, err, "the sign-in provider takes no more requests for now; try again in some minutes")
	}
	return tollgate.WrapError(tollgate.CodeUpstream, err, "the sign-in provider cannot be reached or answers what it should not; an administrator can test it")
}
