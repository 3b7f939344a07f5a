package admin_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// op is an OpenID provider without a login page: whoever comes is sent back as
// what claims say.
type op struct {
	*httptest.Server
	key    *rsa.PrivateKey
	mu     sync.Mutex
	nonces map[string]string // by code
	claims map[string]any
}

func newOP(t *testing.T) *op {
	t.Helper()
	p := &op{nonces: map[string]string{}, claims: map[string]any{}}
	var err error
	if p.key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func (p *op) says(claims map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims = claims
}

func (p *op) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		out = map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys"}
	case "/keys":
		out = jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: p.key.Public(), KeyID: "1", Algorithm: "RS256", Use: "sig"}}}
	case "/authorize":
		q, code := r.URL.Query(), rand.Text()
		p.nonces[code] = q.Get("nonce")
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
		return
	case "/token":
		out = map[string]any{"access_token": "canary-access-token", "token_type": "Bearer", "id_token": p.sign(p.nonces[r.FormValue("code")])}
		delete(p.nonces, r.FormValue("code"))
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

func (p *op) sign(nonce string) string {
	now := time.Now().Unix()
	all := map[string]any{"iss": p.URL, "aud": "tollgate", "iat": now, "exp": now + 300, "nonce": nonce}
	maps.Copy(all, p.claims)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: p.key}, (&jose.SignerOptions{}).WithHeader("kid", "1"))
	if err != nil {
		return err.Error()
	}
	text, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		return err.Error()
	}
	return text
}

// browser is somebody's, with their cookies.
type browser struct {
	*rig
	cookies map[string]string
}

func (r *rig) browser() *browser { return &browser{r, map[string]string{}} }

func (b *browser) do(method, path, body string, change ...func(*http.Request)) answer {
	b.t.Helper()
	a := b.send(method, "", path, body, append(change, func(q *http.Request) {
		for name, value := range b.cookies {
			q.AddCookie(&http.Cookie{Name: name, Value: value})
		}
	})...)
	for _, c := range (&http.Response{Header: a.header}).Cookies() {
		if b.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return a
}

func (b *browser) get(path string, change ...func(*http.Request)) answer {
	b.t.Helper()
	return b.do(http.MethodGet, path, "", change...)
}

// visit follows the browser to the provider and returns the path that it is
// sent back to.
func (b *browser) visit(to string) string {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, to, nil)
	b.must(err)
	res, err := http.DefaultTransport.RoundTrip(req)
	b.must(err)
	_ = res.Body.Close()
	back, err := res.Location()
	b.must(err)
	if back.Host != "127.0.0.1:8787" {
		b.t.Fatalf("the provider was told to send people to %s", back)
	}
	return back.RequestURI()
}

// through signs in through a provider and returns where the browser ends up.
func (b *browser) through(provider, returnTo string) string {
	b.t.Helper()
	a := b.get("/auth/sso/" + provider + "/login?return_to=" + url.QueryEscape(returnTo))
	if to := a.header.Get("Location"); a.status != http.StatusSeeOther || strings.HasPrefix(to, "/") {
		return to
	}
	return landed(b.get(b.visit(a.header.Get("Location"))))
}

// landed is the path that an answer leads on to.
func landed(a answer) string { return strings.TrimPrefix(a.header.Get("Refresh"), "0;url=") }

// whoami is the name of who the browser's cookies are; empty = nobody.
func (b *browser) whoami() string {
	b.t.Helper()
	var me struct{ Name string }
	if a := b.do(http.MethodPost, "/user/me", "{}"); a.status == http.StatusOK {
		b.must(json.Unmarshal([]byte(a.body), &me))
	}
	return me.Name
}
