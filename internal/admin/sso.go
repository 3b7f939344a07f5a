package admin

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/auth/sso"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

// SSO is sign-in through other providers: where browsers are sent, what they
// come back with, and which providers there are.
type SSO struct {
	API    *api.API
	Router *web.Router
	// Engine speaks to the providers; nil = there is no public URL to come back to.
	Engine   *sso.Engine
	Store    tollgate.Store
	Accounts *auth.Accounts
	Sessions *auth.Sessions
}

const (
	ssoPath    = "/auth/sso/"
	signInPage = "/console/sign-in"
	consoleTop = "/console/"
)

// Mount mounts the routes.
func (s *SSO) Mount() {
	public := web.Policy{Access: web.AccessPublic}
	s.Router.Handle(http.MethodGet, "/auth/providers", public, s.list)
	s.Router.Handle(http.MethodGet, ssoPath, public, s.travel)
	s.Router.Handle(http.MethodGet, "/login/pending", public, s.pending)
	link := api.Op{
		Path: "/user/identities/link", Tag: "Self-service", Summary: "Begin to link an account at a sign-in provider; send the browser to the url",
		Policy:  web.Policy{Access: web.AccessSelf, MaxBody: api.MaxBody, RecentSignIn: true},
		Example: map[string]any{"provider": "github", "return_to": "/console/account"},
	}
	api.HandleFull(s.API, link, s.link)
	invited := onLink("/auth/invitation/sign-in", "Begin to take an invitation up through a sign-in provider; send the browser to the url", map[string]any{"token": "…", "provider": "github"})
	api.HandleFull(s.API, invited, s.invited)
	s.mountProviders()
}

// listedProvider is what everybody may know of a provider.
type listedProvider struct {
	Name        string `json:"name"`
	Title       string `json:"title"`
	DisplayName string `json:"display_name"`
	Kind        string `json:"kind"`
	LoginURL    string `json:"login_url"`
}

// waysIn is what the sign-in page asks for first.
type waysIn struct {
	// SSOOnly: the gateway's own ways are the super admin's alone.
	SSOOnly   bool             `json:"sso_only"`
	Providers []listedProvider `json:"providers"`
}

func (s *SSO) list(w http.ResponseWriter, r *http.Request) error {
	only, err := s.Sessions.SSOOnly(r.Context())
	if err != nil {
		return err
	}
	out := waysIn{SSOOnly: only, Providers: []listedProvider{}}
	if s.Engine != nil {
		for _, p := range s.Engine.Providers() {
			title := p.Label
			if title == "" {
				title = map[string]string{"github": "GitHub", "google": "Google"}[p.Name]
			}
			if title == "" {
				title = p.Name
			}
			out.Providers = append(out.Providers, listedProvider{p.Name, title, title, string(p.Kind), ssoPath + p.Name + "/login"})
		}
	}
	web.WriteJSON(w, http.StatusOK, out)
	return nil
}

// travel serves /auth/sso/{provider}/login and /callback. People see these
// pages, so what goes wrong leads to a page that says it.
func (s *SSO) travel(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	name, step, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, ssoPath), "/")
	if step != "login" && step != "callback" {
		return tollgate.Errorf(tollgate.CodeNotFound, "there is nothing at this path")
	}
	var to string
	var err error
	switch {
	case s.Engine == nil:
		err = errNoPublicURL()
	case step == "login":
		to, err = s.depart(w, r, name)
	default:
		return s.callback(w, r, name)
	}
	if err != nil {
		to = s.failed(r, err, signInPage)
	}
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // a page of ours, or what the engine made of the provider's settings
	return nil
}

func errNoPublicURL() error {
	return tollgate.Errorf(tollgate.CodeConflict, "sign-in through other providers needs the address under which browsers reach the gateway; the operator can set TOLLGATE_PUBLIC_URL")
}

// failed notes why a sign-in did not come about and returns the page that says
// so to the person.
func (s *SSO) failed(r *http.Request, err error, page string) string {
	web.EventFrom(r.Context()).Err = err
	te := tollgate.AsError(err)
	text := te.Message
	if te.Code == tollgate.CodeInternal {
		text = "the sign-in failed here, not at the provider; the operator finds the reason in the log"
	}
	q := url.Values{"error": {text}, "reason": {string(te.Code)}}
	if te.Reason != "" {
		q.Set("reason", te.Reason)
	}
	join := "?"
	if strings.Contains(page, "?") {
		join = "&"
	}
	return page + join + q.Encode()
}

// depart sends the browser to the provider.
func (s *SSO) depart(w http.ResponseWriter, r *http.Request, name string) (string, error) {
	to := r.URL.Query().Get("return_to")
	if to == "" {
		to = consoleTop
	}
	start, err := s.Engine.Begin(r.Context(), name, sso.Intent{ReturnTo: to})
	if err != nil {
		return "", err
	}
	http.SetCookie(w, s.cookie(s.Engine.CookieName(name), start.Cookie, start.MaxAge))
	return start.URL, nil
}

// cookie returns one of ours that comes back with the provider's redirect.
func (s *SSO) cookie(name, value string, life time.Duration) *http.Cookie {
	maxAge := int(life / time.Second)
	if maxAge <= 0 {
		maxAge = -1
	}
	return &http.Cookie{ //nolint:gosec // Secure whenever the public address is https; plain http has its own cookie name
		Name: name, Value: value, Path: "/", MaxAge: maxAge, Secure: s.Engine.Secure(), HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// pendingCookie holds the token of a sign-in that waits for its second factor.
func (s *SSO) pendingCookie() string {
	if s.Engine.Secure() {
		return "__Host-tollgate_pending"
	}
	return "tollgate_pending"
}

// pendingLife is as long as the token lives.
const pendingLife = 5 * time.Minute

// callback ends a sign-in, or a link, with what the browser comes back with.
func (s *SSO) callback(w http.ResponseWriter, r *http.Request, name string) error {
	ctx, e := r.Context(), web.EventFrom(r.Context())
	var flow string
	if c, err := r.Cookie(s.Engine.CookieName(name)); err == nil {
		flow = c.Value
		http.SetCookie(w, s.cookie(c.Name, "", 0))
	}
	id, intent, err := s.Engine.Finish(ctx, name, r.URL.Query(), flow)
	if intent.LinkUser != 0 {
		if err == nil {
			err = s.linkNow(ctx, intent, id)
		}
		if err != nil {
			intent.ReturnTo = s.failed(r, err, intent.ReturnTo)
		}
		return goOn(w, intent.ReturnTo)
	}
	var res auth.LoginResult
	if err == nil {
		var p sso.Settings
		if p, err = s.Engine.Provider(name); err == nil {
			in := signInOf(e)
			in.Invitation = tollgate.NewSecret(intent.Invitation)
			res, err = s.Sessions.LoginSSO(ctx, p, id, in)
		}
	}
	if need := tollgate.AsError(err); err != nil && need.SecondFactor != nil {
		http.SetCookie(w, s.cookie(s.pendingCookie(), need.SecondFactor.LoginToken.Reveal(), pendingLife))
		return goOn(w, signInPage+"?"+url.Values{"second_factor": {"1"}, "next": {intent.ReturnTo}}.Encode())
	}
	if err != nil {
		return goOn(w, s.failed(r, err, signInPage))
	}
	http.SetCookie(w, web.SessionCookie(e, res.Token.Reveal(), res.ExpiresIn))
	return goOn(w, intent.ReturnTo)
}

// goOn leads a browser that another site has sent here on to a page of ours.
// It is a page, not a redirect: with a redirect the whole way counts as come
// from the other site, and the session cookie, which is SameSite=Strict, would
// stay behind.
func goOn(w http.ResponseWriter, to string) error {
	if u, err := url.Parse(to); err == nil {
		to = u.String() // escaped as a header wants it
	}
	web.PageHeaders(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Refresh", "0;url="+to)
	_, err := w.Write([]byte("<!doctype html><title>Tollgate</title><p>Going on to the console.</p>\n"))
	return err
}

// linkNow links id to the user who set out to, if the session that did is still there.
func (s *SSO) linkNow(ctx context.Context, intent sso.Intent, id sso.Identity) error {
	e := web.EventFrom(ctx)
	by := tollgate.Actor{
		Principal: tollgate.Principal{
			Kind: tollgate.PrincipalSession, User: &tollgate.User{ID: intent.LinkUser}, Session: &tollgate.Session{ID: intent.LinkSession, UserID: intent.LinkUser},
		},
		Via: "sso", IP: e.ClientIP, RequestID: e.ID,
	}
	return s.Store.Update(ctx, func(tx tollgate.Tx) error {
		_, err := s.Accounts.Link(ctx, tx, by, tollgate.Identity{UserID: intent.LinkUser, Provider: id.Provider, Subject: id.Subject, Email: id.Email})
		return err
	})
}

type linkBody struct {
	Provider string `json:"provider" required:"true" maxLength:"32" doc:"The sign-in provider's name."`
	ReturnTo string `json:"return_to,omitempty" maxLength:"2048" doc:"A path of this gateway to come back to."`
}

type linkAnswer struct {
	OK  bool   `json:"ok"`
	URL string `json:"url" doc:"Where to send this browser, within ten minutes."`
}

type linkOutput struct {
	Cookie string `header:"Set-Cookie"`
	Body   linkAnswer
}

func (s *SSO) link(ctx context.Context, in *linkBody) (*linkOutput, error) {
	p := web.EventFrom(ctx).Principal
	if s.Engine == nil {
		return nil, errNoPublicURL()
	}
	if in.ReturnTo == "" {
		in.ReturnTo = consoleTop
	}
	return s.begin(ctx, in.Provider, sso.Intent{ReturnTo: in.ReturnTo, LinkUser: p.UserID(), LinkSession: p.Session.ID})
}

// begin starts on the way to a provider and answers where it leads.
func (s *SSO) begin(ctx context.Context, provider string, intent sso.Intent) (*linkOutput, error) {
	start, err := s.Engine.Begin(ctx, provider, intent)
	if err != nil {
		return nil, err
	}
	c := s.cookie(s.Engine.CookieName(provider), start.Cookie, start.MaxAge)
	return &linkOutput{Cookie: c.String(), Body: linkAnswer{OK: true, URL: start.URL}}, nil
}

type invitedBody struct {
	Token    string `json:"token" required:"true" doc:"What stands behind the # of the link."`
	Provider string `json:"provider" required:"true" maxLength:"32" doc:"The sign-in provider's name."`
}

// invited begins to take an invitation up. The token goes along sealed, in the
// cookie of the sign-in: it stands in no address. It is used up when the person
// comes back; nothing happens until then.
func (s *SSO) invited(ctx context.Context, in *invitedBody) (*linkOutput, error) {
	if _, err := s.Sessions.Invitation(ctx, tollgate.NewSecret(in.Token), signInOf(web.EventFrom(ctx))); err != nil {
		return nil, err
	}
	if s.Engine == nil {
		return nil, errNoPublicURL()
	}
	return s.begin(ctx, in.Provider, sso.Intent{ReturnTo: consoleTop, Invitation: in.Token})
}

// pending answers what /login answers when a second factor is missing:
// for the sign-in page, which a provider's redirect has opened.
func (s *SSO) pending(w http.ResponseWriter, r *http.Request) error {
	if s.Engine == nil {
		return tollgate.Errorf(tollgate.CodeUnauthenticated, "no sign-in waits for a second factor")
	}
	c, err := r.Cookie(s.pendingCookie())
	if err != nil {
		return tollgate.Errorf(tollgate.CodeUnauthenticated, "no sign-in waits for a second factor")
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.Sessions.Pending(r.Context(), tollgate.NewSecret(c.Value))
}
