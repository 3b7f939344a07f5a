// Package lookalike is a GitHub for tests: its login and consent pages, its
// token endpoint and the part of its REST API that sign-in needs, served as an
// Enterprise Server serves them (API below /api/v3), with what GitHub does
// differently from others: errors of the token endpoint with status 200, forms
// unless JSON is asked for, numeric ids under logins that can be renamed,
// scopes that a user may strike out, lists in pages, 404 for what a token may
// not see, 403 for too many requests.
//
// Sources: docs.github.com, "Authorizing OAuth apps", "Troubleshooting
// authorization request errors", "Troubleshooting OAuth app access token
// request errors", "Scopes for OAuth apps", "Rate limits for the REST API",
// and the REST reference of users, emails, organization members and teams.
package lookalike

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// App is a registered OAuth app.
type App struct {
	ClientID, ClientSecret, Callback string
	// Suspended apps get nobody in: GitHub says application_suspended.
	Suspended bool
}

// Email is an address of an account.
type Email struct {
	Email      string  `json:"email"`
	Primary    bool    `json:"primary"`
	Verified   bool    `json:"verified"`
	Visibility *string `json:"visibility"`
}

// Account is somebody at GitHub.
type Account struct {
	ID    int64
	Login string
	// PublicEmail is what the profile shows, which nobody has verified.
	PublicEmail string
	Emails      []Email
	// Orgs maps an organisation to the state of the membership, "active" or "pending".
	Orgs map[string]string
	// Teams are "org/team".
	Teams []string
}

// Trouble is what the site does wrong on purpose.
type Trouble string

// The troubles.
const (
	None        Trouble = ""
	RateLimited Trouble = "rate_limited" // the API refuses with its secondary limit
	Down        Trouble = "down"         // the API answers 503
	Revoked     Trouble = "revoked"      // tokens are revoked as soon as they are made
)

// Site is the look-alike; it is an http.Handler and safe for concurrent use.
type Site struct {
	mux *http.ServeMux

	mu       sync.Mutex
	password string
	apps     map[string]*App
	accounts []*Account
	trouble  Trouble
	answers  map[string]string // by path below /api/v3: what is answered whoever asks
	sessions map[string]int64  // by cookie: who is signed in at GitHub
	codes    map[string]grant
	tokens   map[string]grant
	granted  map[string][]string // by client and account: scopes consented to earlier
}

// grant is what a user allowed an app.
type grant struct {
	client, callback, challenge string
	account                     int64
	scopes                      []string
}

// New returns a site with one app, where password opens every account.
func New(app App, password string, accounts ...Account) *Site {
	s := &Site{
		mux: http.NewServeMux(), password: password, apps: map[string]*App{app.ClientID: &app}, answers: map[string]string{},
		sessions: map[string]int64{}, codes: map[string]grant{}, tokens: map[string]grant{}, granted: map[string][]string{},
	}
	for _, a := range accounts {
		s.accounts = append(s.accounts, &a)
	}
	s.mux.HandleFunc("GET /login", s.loginPage)
	s.mux.HandleFunc("POST /session", s.login)
	s.mux.HandleFunc("GET /login/oauth/authorize", s.authorizePage)
	s.mux.HandleFunc("POST /login/oauth/authorize", s.authorize)
	s.mux.HandleFunc("POST /login/oauth/access_token", s.token)
	s.mux.HandleFunc("GET /api/v3/meta", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]any{"verifiable_password_authentication": true, "installed_version": "3.19.0"})
	})
	s.mux.HandleFunc("GET /api/v3/user", s.api("", s.user))
	s.mux.HandleFunc("GET /api/v3/user/emails", s.api("user:email", s.emails))
	s.mux.HandleFunc("GET /api/v3/user/memberships/orgs", s.api("read:org", s.memberships))
	s.mux.HandleFunc("GET /api/v3/user/memberships/orgs/{org}", s.api("read:org", s.membership))
	s.mux.HandleFunc("GET /api/v3/user/teams", s.api("read:org", s.teams))
	return s
}

// ServeHTTP serves pages, token endpoint and API.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mux.ServeHTTP(w, r)
}

// Rename gives the account of a login another one; its id stays.
func (s *Site) Rename(login, to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.byLogin(login); a != nil {
		a.Login = to
	}
}

// Make causes a trouble, or with None ends it.
func (s *Site) Make(t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = t
}

// Suspend suspends every app, or takes that back.
func (s *Site) Suspend(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, app := range s.apps {
		app.Suspended = on
	}
}

// Answer makes the API answer a path, such as "/user", with text.
func (s *Site) Answer(path, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[path] = text
}

// Grant returns a code as if the account of login had consented to scopes, for
// tests without a browser. challenge is the PKCE challenge that was sent.
func (s *Site) Grant(clientID, login, challenge string, scopes ...string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.newCode(grant{clientID, s.apps[clientID].Callback, challenge, s.byLogin(login).ID, scopes})
}

func (s *Site) newCode(g grant) string {
	code := strings.ToLower(rand.Text()[:20])
	s.codes[code] = g
	return code
}

func (s *Site) byLogin(login string) *Account {
	for _, a := range s.accounts {
		if strings.EqualFold(a.Login, login) {
			return a
		}
	}
	return nil
}

func (s *Site) byID(id int64) *Account {
	for _, a := range s.accounts {
		if a.ID == id {
			return a
		}
	}
	return nil
}

// covers reports whether scopes include one, by itself or by a wider one.
func covers(scopes []string, want string) bool {
	wider := map[string][]string{"user:email": {"user"}, "read:org": {"write:org", "admin:org"}}
	return want == "" || slices.Contains(scopes, want) || slices.ContainsFunc(wider[want], func(w string) bool { return slices.Contains(scopes, w) })
}
