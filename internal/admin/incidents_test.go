package admin_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/web"
)

// These tests are incidents of others (SECURITY section 2) that no other test
// of this package stands for; each is named by its number.

// presented sends a credential in one form.
func presented(form, credential string) func(*http.Request) {
	return func(q *http.Request) {
		switch form {
		case "cookie":
			q.Header["Cookie"] = []string{"tollgate_session=" + credential}
		case "Bearer", "Basic", "Token", "":
			q.Header["Authorization"] = []string{strings.TrimSpace(form + " " + credential)}
		default:
			q.Header[http.CanonicalHeaderKey(form)] = []string{credential}
		}
	}
}

func forms() []string {
	return []string{"Bearer", "Basic", "Token", "", "x-api-key", "api-key", "x-goog-api-key", "cookie"}
}

// deniedEverywhere sends credentials in every form to routes of every kind.
func (r *rig) deniedEverywhere(credentials map[string]string) {
	r.t.Helper()
	for name, credential := range credentials {
		for _, form := range forms() {
			for _, path := range []string{"/user/me", "/admin/users/query", "/user/keys/query"} {
				a := r.post("", path, "{}", presented(form, credential))
				if !slices.Contains([]int{http.StatusUnauthorized, http.StatusBadRequest, http.StatusRequestHeaderFieldsTooLarge}, a.status) {
					r.t.Errorf("%s as %q at %s: %d %.200s", name, form, path, a.status, a.body)
				}
				if len(credential) > 12 && strings.Contains(a.body, credential) {
					r.t.Errorf("%s as %q is quoted: %.200s", name, form, a.body)
				}
			}
		}
	}
}

// TestN01N78HostileCredentialsAreJustWrong: whatever a credential is made of, it
// is a wrong one, and no statement, parser or log makes anything of it.
func TestN01N78HostileCredentialsAreJustWrong(t *testing.T) {
	r := newRig(t)
	before := r.state()
	r.deniedEverywhere(map[string]string{
		"a quote": "sk-tg-' OR '1'='1' --", "statements": "x'; DROP TABLE users; --", "wildcards": "sk-tg-%", "more wildcards": "______",
		"a null byte": "sk-tg-\x00", "no UTF-8": "sk-tg-\xff\xfe", "nothing but dots": strings.Repeat(".", 7000), "a token of dots": "eyJhbGciOiJIUzI1NiJ9" + strings.Repeat(".e30", 1500),
		"a megabyte": strings.Repeat("A", 1<<20), "white space": " \t ", "an object": `{"$ne":null}`, "a template": "${jndi:ldap://evil}{{7*7}}", "a list": "a,b,c",
	})
	r.unchanged("hostile credentials", before)
	if log := r.log.String(); strings.Contains(log, "DROP TABLE users") || strings.Contains(log, "\\u0000") {
		t.Error("a credential is in the log")
	}
}

// TestN02TestingNeedsTheRightOfSaving: what tries settings needs at least what
// saving them needs.
func TestN02TestingNeedsTheRightOfSaving(t *testing.T) {
	r := newRig(t)
	policies, tried := map[string]web.Policy{}, 0
	for _, route := range r.router.Routes() {
		policies[route.Pattern] = route.Policy
	}
	for pattern, policy := range policies {
		for _, verb := range []string{"/test", "/preview", "/plan", "/pull"} {
			base, ok := strings.CutSuffix(pattern, verb)
			save, has := policies[base+"/upsert"]
			if !has {
				save, has = policies[base+"/apply"]
			}
			if !ok || !has {
				continue
			}
			tried++
			if policy.Access != save.Access {
				t.Errorf("%s is for %v, saving for %v", pattern, policy.Access, save.Access)
			}
		}
	}
	if tried < 3 {
		t.Errorf("only %d such routes were found", tried)
	}
}

// TestN03TheHostDecidesNoAccess: a Host that reads as a path or as another
// address opens nothing.
func TestN03TheHostDecidesNoAccess(t *testing.T) {
	r := newRig(t)
	for _, host := range []string{
		"127.0.0.1:8787/login?", "127.0.0.1:8787?x=/login", "127.0.0.1:8787#", "x/login?", "127.0.0.1:8787@evil.example", "evil.example", "[::1]/login", "127.0.0.1:8787\\login", "", ".", "localhost.evil.example",
	} {
		forge := func(q *http.Request) { q.Host = host }
		for who, path := range map[string]string{"": "/admin/users/query", "alice/session": "/admin/users/query", "alice/llm": "/user/me"} {
			if a := r.post(who, path, "{}", forge); a.status < 400 || a.status >= 500 {
				t.Errorf("%q at %s under Host %q: %d", who, path, host, a.status)
			}
		}
	}
}

// TestN08N52ATokenIsAllOfItself: tokens that begin alike are different people,
// and one that lacks a character or has one more is nobody's.
func TestN08N52ATokenIsAllOfItself(t *testing.T) {
	r := newRig(t)
	name := func(token string) string {
		a := r.post("", "/user/me", "{}", presented("Bearer", token))
		var me struct{ Name string }
		if a.status == http.StatusOK {
			r.must(json.Unmarshal([]byte(a.body), &me))
		}
		return me.Name
	}
	alice, bob := r.token["alice/session"], r.token["bob/session"]
	if alice[:20] != bob[:20] {
		t.Fatal("the tokens do not begin alike; this test proves nothing")
	}
	if name(alice) != "alice" || name(bob) != "bob" || name(alice) != "alice" {
		t.Error("tokens that begin alike are mixed up")
	}
	broken := map[string]string{}
	for _, who := range []string{"alice/session", "alice"} {
		token := r.token[who]
		half, others := len(token)/2, r.token[strings.Replace(who, "alice", "bob", 1)]
		end := max(strings.LastIndex(token, "."), half) // of a session the signature
		for what, made := range map[string]string{
			"one less": token[:len(token)-1], "the first cut": token[1:], "one more": token + "A", "half": token[:half], "twice": token + token,
			"other case": strings.ToUpper(token), "one in the middle changed": token[:half] + string(token[half]^1) + token[half+1:],
			"another's end": token[:end] + others[max(strings.LastIndex(others, "."), len(others)/2):],
		} {
			if made != token {
				broken[who+": "+what] = made
			}
		}
	}
	r.deniedEverywhere(broken)
}

// TestN09WhatIsStoredIsNoCredential: who reads the database has nothing to sign
// in with.
func TestN09WhatIsStoredIsNoCredential(t *testing.T) {
	r := newRig(t)
	stored := map[string]string{}
	keep := func(what string, b []byte) {
		stored[what] = string(b)
		stored[what+" in hex"], stored[what+" in base64"] = hex.EncodeToString(b), base64.StdEncoding.EncodeToString(b)
	}
	var phc string
	r.must(r.store.View(t.Context(), func(tx tollgate.Tx) error {
		u, err := tx.Users.Get(t.Context(), r.users["alice"])
		if err != nil {
			return err
		}
		keep("the sealed password", u.Password)
		plain, err := r.acc.Sealer.Open(tollgate.Label{Table: "users", Column: "password", Row: u.ID}, u.Password)
		if err != nil {
			return err
		}
		phc = string(plain)
		stored["the hash"] = phc
		k, err := tx.Keys.Get(t.Context(), r.keys["alice"])
		if err != nil {
			return err
		}
		keep("a key's digest", k.Digest)
		keep("a sealed key", k.Sealed)
		s, err := tx.Sessions.Get(t.Context(), r.id["alice/session"])
		keep("a session's digest", s.Digest)
		return err
	}))
	if !strings.HasPrefix(phc, "$argon2id$") {
		t.Fatalf("the hash is %.20q", phc)
	}
	for what, text := range stored {
		body, err := json.Marshal(map[string]string{"username": "alice", "password": strings.ToValidUTF8(text, "?")})
		r.must(err)
		if a := r.post("", "/login", string(body)); a.status < 400 || a.status >= 500 {
			t.Errorf("signed in with %s: %d", what, a.status)
		}
	}
	r.deniedEverywhere(stored)
}

// TestN20AShapeIsNoCredential: what merely looks like a key opens nothing.
func TestN20AShapeIsNoCredential(t *testing.T) {
	r := newRig(t)
	other := newRig(t)
	r.deniedEverywhere(map[string]string{
		"the prefix": "sk-tg-", "the shape": "sk-tg-" + strings.Repeat("a", 38), "a good key of another gateway": other.token["root"],
		"a session of another gateway": other.token["root/session"], "a name and password": base64.StdEncoding.EncodeToString([]byte("root:" + password)),
		"the password": password, "a name": "root",
	})
}

// TestN26EqualsAreOutOfReach: an admin touches the credentials of no other
// admin, and nobody but the super admin those of the super admin.
func TestN26EqualsAreOutOfReach(t *testing.T) {
	r := newRig(t)
	before := r.state()
	for _, target := range []string{"root", "boss2"} {
		id := r.users[target]
		for path, body := range map[string]string{
			"/admin/users/upsert":           fmt.Sprintf(`{"id":%d,"password":"another long password"}`, id),
			"/admin/users/reset-link":       fmt.Sprintf(`{"id":%d}`, id),
			"/admin/user-identities/upsert": fmt.Sprintf(`{"user_id":%d,"provider":"lab-sso","subject":"mine"}`, id),
			"/admin/user-factors/delete":    fmt.Sprintf(`{"id":%d}`, r.id[target+"/factor"]),
			"/admin/user-keys/rotate":       fmt.Sprintf(`{"id":%d}`, r.keys[target]),
			"/admin/user-keys/generate":     fmt.Sprintf(`{"user_id":%d}`, id),
		} {
			if a := r.post("boss/session", path, body); a.status != http.StatusForbidden && a.status != http.StatusNotFound || strings.Contains(a.body, "nothing at this path") {
				t.Errorf("boss at %s of %s: %d %s", path, target, a.status, a.body)
			}
		}
	}
	after := r.state()
	delete(before, "audit")
	delete(after, "audit") // refusals may be noted
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	var list []map[string]any
	r.must(json.Unmarshal([]byte(r.post("boss", "/admin/users/query", `{"limit":100}`).body), &list))
	for _, u := range list {
		for field := range u {
			if strings.Contains(field, "token") || strings.Contains(field, "hash") || field == "password" || field == "api_key" {
				t.Errorf("users are listed with %s", field)
			}
		}
	}
}

// TestN52IdsAreNotRecycled: who comes after somebody who was deleted is not
// them, neither by id nor by what was issued to them.
func TestN52IdsAreNotRecycled(t *testing.T) {
	r := newRig(t)
	gone := r.users["bob"]
	if a := r.post("root/session", "/admin/users/delete", fmt.Sprintf(`{"id":%d}`, gone)); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	var made struct{ ID int64 }
	a := r.post("root/session", "/admin/users/upsert", `{"name":"bob","password":"another long password","email":"bob@example.com"}`)
	if a.status != http.StatusOK || json.Unmarshal([]byte(a.body), &made) != nil || made.ID <= gone {
		t.Errorf("the new bob: %d %s, after %d", a.status, a.body, gone)
	}
	r.deniedEverywhere(map[string]string{"the old session": r.token["bob/session"], "the old key": r.token["bob"]})
}

// TestN53PublicRoutesAreAList: what is open to everybody is written down here,
// and is matched as a whole.
func TestN53PublicRoutesAreAList(t *testing.T) {
	r := newRig(t)
	var public []string
	for _, route := range r.router.Routes() {
		if route.Policy.Access == web.AccessPublic {
			public = append(public, route.Pattern)
		}
	}
	want := []string{
		"/", "/auth/invitation", "/auth/invitation/accept", "/auth/passkey/begin", "/auth/passkey/finish", "/auth/providers", "/auth/reset", "/auth/setup",
		"/auth/setup/check", "/auth/sso/", "/console", "/console/", "/docs/style.css", "/login", "/login/pending", "/login/second-factor",
	}
	if diff := cmp.Diff(want, slices.Compact(public)); diff != "" {
		t.Errorf("public routes (-want +got):\n%s", diff)
	}
	for _, path := range []string{
		"/admin/users/query?x=/login", "/admin/users/query#/login", "/admin/users/query;/login", "/login/../admin/users/query", "/auth/sso/../../admin/users/query",
		"/console/../admin/users/query", "/login%2f..%2fadmin%2fusers%2fquery", "/LOGIN/../admin/users/query", "//admin/users/query", "/auth/providers/../../user/me",
	} {
		if a := r.post("", path, "{}"); a.status < 400 || a.status >= 500 || strings.Contains(a.body, "alice") {
			t.Errorf("%s: %d %.200s", path, a.status, a.body)
		}
	}
}

// TestN56ProviderTokensStayHere: nothing that a provider issued leaves, to the
// browser that signed in, to an admin, or into the database.
func TestN56ProviderTokensStayHere(t *testing.T) {
	r, p := newRig(t), newOP(t)
	r.corp(p, "")
	r.linked("alice", "a-1")
	p.says(person("a-1"))
	b := r.browser()
	b.through("corp", "/console/")
	if b.whoami() != "alice" {
		t.Fatal("alice is not in")
	}
	var all strings.Builder
	fmt.Fprint(&all, r.state(), b.cookies, r.log.String())
	for _, path := range []string{"/user/me", "/user/sessions/query", "/user/identities/query", "/user/keys/query"} {
		all.WriteString(b.do(http.MethodPost, path, "{}").body)
	}
	for _, path := range []string{"/admin/users/query", "/admin/user-sessions/query", "/admin/user-identities/query", "/admin/audit/query", "/admin/sso-providers/query"} {
		all.WriteString(r.post("root/session", path, "{}").body)
	}
	held := all.String()
	for _, word := range []string{"canary-access-token", "canary-client-secret", "id_token", "access_token", "refresh_token"} {
		if strings.Contains(held, word) {
			t.Errorf("%q is somewhere outside", word)
		}
	}
}
