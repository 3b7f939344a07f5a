package sso_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/auth/sso"
)

func TestOpenIDSignIn(t *testing.T) {
	p := newOP(t)
	for name, arrange := range map[string]func(){
		"RS256": func() {},
		"ES256": func() { p.sign = p.es256 },
		"one key without id": func() {
			p.sign = func(c map[string]any) string { return p.rs256("", c) }
			p.keys = func(k []map[string]any) any { return map[string]any{"keys": k[:1]} }
		},
		"unknown key types beside": func() {
			p.keys = func(k []map[string]any) any {
				return map[string]any{"keys": append(k, map[string]any{"kty": "future"}, map[string]any{"kty": "oct", "k": "AAAA", "kid": "r1"})}
			}
		},
		"clock a minute behind": func() { p.claims = func(c map[string]any) { c["exp"] = time.Now().Unix() - 50 } },
		"clock a minute ahead":  func() { p.claims = func(c map[string]any) { c["iat"] = time.Now().Unix() + 50 } },
		"several audiences, azp": func() {
			p.claims = func(c map[string]any) { c["aud"], c["azp"] = []string{"tollgate", "b"}, "tollgate" }
		},
		"iss in the answer":        func() { p.answer = func(q url.Values) { q.Set("iss", p.URL) } },
		"address verified as text": func() { p.claims = func(c map[string]any) { c["email_verified"] = "true" } },
	} {
		t.Run(name, func(t *testing.T) {
			p.sign, p.keys, p.claims, p.answer = nil, nil, nil, nil
			arrange()
			got, err := newRig(t, newSealer(t), p.settings("corp")).signIn(t, p, "corp")
			if err != nil {
				t.Fatal(err)
			}
			want := sso.Identity{Provider: "corp", Subject: "alice-1", Email: "alice@example.com", EmailVerified: true, Name: "alice", Groups: []string{"staff"}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestO02N40N51HostileProvider are the negative cases of the OpenID suite for
// relying parties, and some of our own. Each begins as a sign-in that works.
func TestO02N40N51HostileProvider(t *testing.T) {
	t.Parallel()
	claim := func(name string, value any) func(*op) {
		return func(p *op) { p.claims = func(c map[string]any) { c[name] = value } }
	}
	without := func(name string) func(*op) {
		return func(p *op) { p.claims = func(c map[string]any) { delete(c, name) } }
	}
	signed := func(sign func(p *op, c map[string]any) string) func(*op) {
		return func(p *op) { p.sign = func(c map[string]any) string { return sign(p, c) } }
	}
	now := time.Now().Unix()
	for name, arrange := range map[string]func(*op){
		"wrong signature RS256": signed(func(p *op, c map[string]any) string { return spoil(p.rs256("r1", c)) }),
		"wrong signature ES256": signed(func(p *op, c map[string]any) string { return spoil(p.es256(c)) }),
		"HS256 with the public key": signed(func(p *op, c map[string]any) string {
			return p.hs256(map[string]any{"alg": "HS256", "kid": "r1"}, c)
		}),
		"RS256 in name, HMAC in fact": signed(func(p *op, c map[string]any) string {
			return p.hs256(map[string]any{"alg": "RS256", "kid": "r1"}, c)
		}),
		"alg none": signed(func(_ *op, c map[string]any) string {
			return segment(map[string]any{"alg": "none"}) + "." + segment(c) + "."
		}),
		"alg None": signed(func(_ *op, c map[string]any) string {
			return segment(map[string]any{"alg": "None", "kid": "r1"}) + "." + segment(c) + "."
		}),
		"no signature": signed(func(p *op, c map[string]any) string { s := p.rs256("r1", c); return s[:strings.LastIndex(s, ".")+1] }),
		"key id missing, several keys": func(p *op) {
			p.sign = func(c map[string]any) string { return p.rs256("", c) }
			p.keys = func(k []map[string]any) any {
				other := map[string]any{"kty": "RSA", "kid": "r2", "use": "sig", "n": k[0]["n"], "e": "AQAB"}
				return map[string]any{"keys": append(k, other)}
			}
		},
		"key id unknown":      signed(func(p *op, c map[string]any) string { return p.rs256("r9", c) }),
		"key of another type": signed(func(p *op, c map[string]any) string { return p.rs256("e1", c) }),
		"encryption key": func(p *op) {
			p.keys = func(k []map[string]any) any { k[0]["use"] = "enc"; return map[string]any{"keys": k} }
		},
		"no keys": func(p *op) { p.keys = func([]map[string]any) any { return map[string]any{"keys": []any{}} } },
		"keys of 2 MiB": func(p *op) {
			p.keys = func(k []map[string]any) any { return map[string]any{"keys": k, "x": strings.Repeat("x", 2<<20)} }
		},
		"keys behind redirect": func(p *op) {
			p.routes["/keys"] = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }
		},
		"wrong issuer":         claim("iss", "https://accounts.example.net"),
		"issuer with a slash":  func(p *op) { p.claims = func(c map[string]any) { c["iss"] = p.URL + "/" } },
		"no issuer":            without("iss"),
		"wrong audience":       claim("aud", "other"),
		"no audience":          without("aud"),
		"audience by prefix":   claim("aud", "tollgate2"),
		"several audiences":    claim("aud", []string{"tollgate", "other"}),
		"azp of another":       claim("azp", "other"),
		"wrong nonce":          claim("nonce", "guess"),
		"no nonce":             without("nonce"),
		"no subject":           without("sub"),
		"subject too long":     claim("sub", strings.Repeat("s", 256)),
		"expired":              claim("exp", now-61),
		"no expiry":            without("exp"),
		"expiry as text":       claim("exp", "tomorrow"),
		"no issue time":        without("iat"),
		"issued in the future": claim("iat", now+120),
		"not yet valid":        claim("nbf", now+120),
		"wrong at_hash":        claim("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"),
		"no ID token":          func(p *op) { p.token = func(out map[string]any) int { delete(out, "id_token"); return 200 } },
		"ID token of a hundred thousand dots (N-78)": signed(func(*op, map[string]any) string { return strings.Repeat(".", 100_000) }),
		"ID token of 2 MiB":                          signed(func(*op, map[string]any) string { return strings.Repeat("e", 2<<20) }),
		"answer with a code that was redeemed before": func(p *op) {
			spent := p.spent
			p.answer = func(q url.Values) { q.Set("code", spent) }
		},
		"ID token is no JWT": signed(func(*op, map[string]any) string { return "a.b" }),
		"error of the token endpoint": func(p *op) {
			p.token = func(out map[string]any) int { out["error"] = "server_error"; return http.StatusInternalServerError }
		},
		"answer with an error":       func(p *op) { p.answer = func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") } },
		"answer with error and code": func(p *op) { p.answer = func(q url.Values) { q.Set("error", "access_denied") } },
		"answer without a code":      func(p *op) { p.answer = func(q url.Values) { q.Del("code") } },
		"answer with a made-up code": func(p *op) { p.answer = func(q url.Values) { q.Set("code", "guess") } },
		"answer with two codes":      func(p *op) { p.answer = func(q url.Values) { q.Add("code", "other") } },
		"answer of another issuer":   func(p *op) { p.answer = func(q url.Values) { q.Set("iss", "https://accounts.example.net") } },
		"iss announced and missing": func(p *op) {
			p.document = func(d map[string]any) { d["authorization_response_iss_parameter_supported"] = true }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newOP(t)
			r := newRig(t, newSealer(t), p.settings("corp"))
			if _, err := r.signIn(t, p, "corp"); err != nil {
				t.Fatalf("before anything is wrong: %v", err)
			}
			arrange(p)
			id, err := newRig(t, newSealer(t), p.settings("corp")).signIn(t, p, "corp")
			if err == nil {
				t.Fatalf("signed in as %+v", id)
			}
			if code := tollgate.ErrorCode(err); code != tollgate.CodeUnauthenticated && code != tollgate.CodeUpstream {
				t.Errorf("%s: %v", code, err)
			}
			if strings.Contains(err.Error(), "at-secret") {
				t.Errorf("the error quotes the access token: %v", err)
			}
		})
	}
}

func TestO10HostileDiscovery(t *testing.T) {
	for name, arrange := range map[string]func(*op){
		"another issuer":    func(p *op) { p.document = func(d map[string]any) { d["issuer"] = "https://accounts.example.net" } },
		"issuer by a slash": func(p *op) { p.document = func(d map[string]any) { d["issuer"] = p.URL + "/" } },
		"token over http":   func(p *op) { p.document = func(d map[string]any) { d["token_endpoint"] = "http://example.net/token" } },
		"keys from a file":  func(p *op) { p.document = func(d map[string]any) { d["jwks_uri"] = "file:///etc/passwd" } },
		"login by javascript": func(p *op) {
			p.document = func(d map[string]any) { d["authorization_endpoint"] = "javascript:alert(1)" }
		},
		"no endpoints": func(p *op) { p.document = func(d map[string]any) { delete(d, "token_endpoint") } },
		"2 MiB":        func(p *op) { p.document = func(d map[string]any) { d["x"] = strings.Repeat("x", 2<<20) } },
		"redirect": func(p *op) {
			p.routes["/.well-known/openid-configuration"] = func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
			}
		},
		"error": func(p *op) {
			p.routes["/.well-known/openid-configuration"] = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newOP(t)
			arrange(p)
			r := newRig(t, newSealer(t), p.settings("corp"))
			if _, err := r.Begin(t.Context(), "corp", sso.Intent{}); tollgate.ErrorCode(err) != tollgate.CodeUpstream {
				t.Errorf("Begin: %v", err)
			}
			findings := r.Test(t.Context(), p.settings("corp"))
			if last := findings[len(findings)-1]; last.OK || (last.What != "discovery" && last.What != "issuer") {
				t.Errorf("Test: %+v", findings)
			}
		})
	}
}

func TestKeysRotateAndAreCached(t *testing.T) {
	p := newOP(t)
	r := newRig(t, newSealer(t), p.settings("corp"))
	for range 3 {
		if _, err := r.signIn(t, p, "corp"); err != nil {
			t.Fatal(err)
		}
	}
	if p.hits["/keys"] != 1 || p.hits["/.well-known/openid-configuration"] != 1 {
		t.Errorf("three sign-ins fetched %v", p.hits)
	}
	rotated := newOP(t)
	p.rsa = rotated.rsa
	p.keys = func(k []map[string]any) any { k[0]["kid"] = "r2"; return map[string]any{"keys": k} }
	p.sign = func(c map[string]any) string { return p.rs256("r2", c) }
	*r.now = r.now.Add(11 * time.Second)
	if _, err := r.signIn(t, p, "corp"); err != nil {
		t.Errorf("after a rotation: %v", err)
	}
	p.sign = func(c map[string]any) string { return p.rs256("made-up", c) }
	for range 20 {
		if _, err := r.signIn(t, p, "corp"); err == nil {
			t.Fatal("an unknown key signed in")
		}
	}
	if p.hits["/keys"] != 2 {
		t.Errorf("made-up key ids fetched keys %d times", p.hits["/keys"])
	}
}

// TestO03MixUp: an attacker's provider answers a sign-in that was begun at the
// honest one, and the other way round.
func TestO03MixUp(t *testing.T) {
	honest, evil := newOP(t), newOP(t)
	r := newRig(t, newSealer(t), honest.settings("honest"), evil.settings("evil"))
	begun := func(name string) sso.Start {
		s, err := r.Begin(t.Context(), name, sso.Intent{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	start := begun("honest")
	if _, _, err := r.Finish(t.Context(), "evil", honest.visit(t, start), start.Cookie); err == nil {
		t.Error("the honest provider's answer was redeemed at the other")
	}
	if evil.hits["/token"] != 0 {
		t.Error("the honest provider's code was sent to the other")
	}
	start = begun("evil")
	answer := evil.visit(t, start)
	answer.Set("iss", honest.URL)
	if _, _, err := r.Finish(t.Context(), "evil", answer, start.Cookie); err == nil {
		t.Error("an answer that names another issuer was taken")
	}
}

// TestO05AttackersProvider: what two providers say about one address are two
// identities, and an address that changes hands is not the old one.
func TestO05AttackersProvider(t *testing.T) {
	honest, evil := newOP(t), newOP(t)
	r := newRig(t, newSealer(t), honest.settings("honest"), evil.settings("evil"))
	key := func(p *op, name string) [2]string {
		id, err := r.signIn(t, p, name)
		if err != nil {
			t.Fatal(err)
		}
		return [2]string{id.Provider, id.Subject}
	}
	victim := key(honest, "honest")
	if got := key(evil, "evil"); got == victim {
		t.Errorf("the same subject and address at another provider is the key %v", got)
	}
	honest.claims = func(c map[string]any) { c["email"] = "married@example.com" }
	if got := key(honest, "honest"); got != victim {
		t.Errorf("after a change of address the key is %v", got)
	}
	honest.claims = func(c map[string]any) { c["sub"] = "bob-2" }
	if got := key(honest, "honest"); got == victim {
		t.Error("who got the address later has the victim's key")
	}
}
