package sso_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth/seal"
	"tollgate/internal/auth/sso"
)

const publicURL = "https://llm.example.com"

// rig is an engine with a clock that the test moves.
type rig struct {
	*sso.Engine
	now *time.Time
}

func newRig(t *testing.T, sealer tollgate.Sealer, providers ...sso.Settings) rig {
	t.Helper()
	now := time.Now()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := sso.New(sso.Options{
		Client: &http.Client{Jar: jar, Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("a redirect, which is not followed") // as the guarded client
		}},
		Sealer: sealer, PublicURL: publicURL, Now: func() time.Time { return now }, Random: rand.Reader,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Set(providers); err != nil {
		t.Fatal(err)
	}
	return rig{engine, &now}
}

func newSealer(t *testing.T) tollgate.Sealer {
	t.Helper()
	ring, _, err := seal.Create(seal.Master{Key: tollgate.NewSecret("a master key for this test alone 0123456789"), Source: seal.SourceEnv}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

// op is an OpenID provider that does what it is told, the wrong things too.
type op struct {
	*httptest.Server
	rsa  *rsa.PrivateKey
	ec   *ecdsa.PrivateKey
	mu   sync.Mutex
	asks map[string]url.Values // by code: what the authorization request said
	hits map[string]int        // by path
	// spent is the code that was redeemed last.
	spent string

	document func(map[string]any)                  // changes the discovery document
	keys     func([]map[string]any) any            // changes the key set
	claims   func(map[string]any)                  // changes the ID token
	sign     func(map[string]any) string           // makes the ID token; nil = RS256 with kid
	answer   func(url.Values)                      // changes the authorization answer
	routes   map[string]http.HandlerFunc           // takes whole paths over
	token    func(out map[string]any) (status int) // changes the token answer
}

func newOP(t *testing.T) *op {
	t.Helper()
	p := &op{asks: map[string]url.Values{}, hits: map[string]int{}, routes: map[string]http.HandlerFunc{}}
	var err error
	if p.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	p.Server = httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(p.Close)
	return p
}

func (p *op) settings(name string) sso.Settings {
	return sso.Settings{Name: name, Kind: sso.KindOIDC, Issuer: p.URL, ClientID: "tollgate", ClientSecret: tollgate.NewSecret("a secret")}
}

func (p *op) serve(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.hits[r.URL.Path]++
	p.mu.Unlock()
	if h := p.routes[r.URL.Path]; h != nil {
		h(w, r)
		return
	}
	var out any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		doc := map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys"}
		change(p.document, doc)
		out = doc
	case "/keys":
		out = p.keySet()
	case "/token":
		p.serveToken(w, r)
		return
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
}

func (p *op) keySet() any {
	b64 := base64.RawURLEncoding.EncodeToString
	point, _ := p.ec.PublicKey.Bytes()
	keys := []map[string]any{
		{"kty": "RSA", "kid": "r1", "use": "sig", "alg": "RS256", "n": b64(p.rsa.N.Bytes()), "e": "AQAB"},
		{"kty": "EC", "kid": "e1", "use": "sig", "alg": "ES256", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])},
	}
	if p.keys != nil {
		return p.keys(keys)
	}
	return map[string]any{"keys": keys}
}

// serveToken redeems a code once, for the right secret and verifier.
func (p *op) serveToken(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	p.mu.Lock()
	ask, found := p.asks[r.Form.Get("code")]
	delete(p.asks, r.Form.Get("code"))
	p.spent = r.Form.Get("code")
	p.mu.Unlock()
	sum := sha256.Sum256([]byte(r.Form.Get("code_verifier")))
	id, secret, _ := r.BasicAuth()
	w.Header().Set("Content-Type", "application/json")
	if !found || id != "tollgate" || secret != "a+secret" || base64.RawURLEncoding.EncodeToString(sum[:]) != ask.Get("code_challenge") {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant"}`))
		return
	}
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": p.URL, "sub": "alice-1", "aud": "tollgate", "exp": now + 300, "iat": now, "nonce": ask.Get("nonce"),
		"email": "alice@example.com", "email_verified": true, "preferred_username": "alice", "groups": []string{"staff"},
	}
	change(p.claims, claims)
	out := map[string]any{"access_token": "at-secret", "token_type": "Bearer", "id_token": p.signed(claims)}
	if p.token != nil {
		w.WriteHeader(p.token(out))
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (p *op) signed(claims map[string]any) string {
	if p.sign != nil {
		return p.sign(claims)
	}
	return p.rs256("r1", claims)
}

// visit plays the browser at the provider: it consents, and brings the
// answer's query back.
func (p *op) visit(t *testing.T, start sso.Start) url.Values {
	t.Helper()
	u, err := url.Parse(start.URL)
	if err != nil {
		t.Fatal(err)
	}
	ask := u.Query()
	code := rand.Text()
	p.mu.Lock()
	p.asks[code] = ask
	p.mu.Unlock()
	answer := url.Values{"code": {code}, "state": {ask.Get("state")}}
	if p.answer != nil {
		p.answer(answer)
	}
	return answer
}

func (r rig) signIn(t *testing.T, p *op, name string) (sso.Identity, error) {
	t.Helper()
	start, err := r.Begin(t.Context(), name, sso.Intent{})
	if err != nil {
		return sso.Identity{}, err
	}
	id, _, err := r.Finish(t.Context(), name, p.visit(t, start), start.Cookie)
	return id, err
}

func change(fn func(map[string]any), m map[string]any) {
	if fn != nil {
		fn(m)
	}
}

func segment(v any) string {
	text, _ := json.Marshal(v)
	return base64.RawURLEncoding.EncodeToString(text)
}

func (p *op) rs256(kid string, claims map[string]any) string {
	return p.compact(map[string]any{"alg": "RS256", "kid": kid}, claims, func(sum []byte) []byte {
		sig, _ := rsa.SignPKCS1v15(rand.Reader, p.rsa, crypto.SHA256, sum)
		return sig
	})
}

func (p *op) es256(claims map[string]any) string {
	return p.compact(map[string]any{"alg": "ES256", "kid": "e1"}, claims, func(sum []byte) []byte {
		r, s, _ := ecdsa.Sign(rand.Reader, p.ec, sum)
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	})
}

// hs256 uses the published key as the shared secret.
func (p *op) hs256(header, claims map[string]any) string {
	public, _ := x509.MarshalPKIXPublicKey(&p.rsa.PublicKey)
	input := segment(header) + "." + segment(claims)
	mac := hmac.New(sha256.New, public)
	mac.Write([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (p *op) compact(header, claims map[string]any, sign func([]byte) []byte) string {
	if header["kid"] == "" {
		header = maps.Clone(header)
		delete(header, "kid")
	}
	input := segment(header) + "." + segment(claims)
	sum := sha256.Sum256([]byte(input))
	return input + "." + base64.RawURLEncoding.EncodeToString(sign(sum[:]))
}

// spoil changes a bit in the middle of the signature.
func spoil(token string) string {
	head, sig, _ := strings.Cut(token[strings.Index(token, ".")+1:], ".")
	b, _ := base64.RawURLEncoding.DecodeString(sig)
	b[len(b)/2] ^= 1
	return token[:strings.Index(token, ".")+1] + head + "." + base64.RawURLEncoding.EncodeToString(b)
}
