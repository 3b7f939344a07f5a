package auth_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tollgate"
	"tollgate/internal/auth"
)

func from(ip string) auth.SignIn { return auth.SignIn{IP: netip.MustParseAddr(ip), UserAgent: "test"} }

func (w *world) sessionRows(userID int64) (list []tollgate.Session) {
	w.Helper()
	err := w.store.View(w.Context(), func(tx tollgate.Tx) (err error) {
		list, _, err = tx.Sessions.Query(w.Context(), tollgate.SessionFilter{UserID: tollgate.Is(userID)}, tollgate.Page{All: true})
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return list
}

func TestLogin(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	r := w.login("alice")
	if r.User.ID != alice.ID || r.ExpiresIn != auth.SessionLife || !r.User.LastLoginAt.Equal(w.clock.now()) {
		t.Errorf("result is %+v", r)
	}
	if got := w.login("root"); got.ExpiresIn != auth.SessionLifeAdmin {
		t.Errorf("an admin's session lives %v", got.ExpiresIn)
	}
	var claims map[string]any
	parts := strings.Split(r.Token.Reveal(), ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		t.Fatalf("token is %q", r.Token.Reveal())
	}
	id, err := base64.RawURLEncoding.DecodeString(claims["jti"].(string))
	if err != nil || len(id) != 16 {
		t.Errorf("S-01: the session id has %d bytes", len(id))
	}
	row := w.sessionRows(alice.ID)[0]
	if digest := sha256.Sum256(id); string(row.Digest) != string(digest[:]) {
		t.Error("S-01: the row does not hold the digest of the id alone")
	}
	if row.IP != "192.0.2.7" || row.UserAgent != "test" || row.Method != "password" || !row.SignedInAt.Equal(w.clock.now()) {
		t.Errorf("row is %+v", row)
	}
	for name, c := range map[string]auth.Credential{"bearer": bearer(r.Token.Reveal()), "cookie": auth.SessionCredential(r.Token.Reveal())} {
		if p := w.principal(c); p.Kind != tollgate.PrincipalSession || p.UserID() != alice.ID || p.Session.ID != row.ID {
			t.Errorf("as %s: %+v", name, p)
		}
	}
	if err := w.authenticate(header("x-api-key", r.Token.Reveal())); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
		t.Errorf("a session token as x-api-key: %v", err)
	}
	if e := w.audited("login"); len(e) != 2 || e[0].ActorID != alice.ID || e[0].IP != "192.0.2.7" {
		t.Errorf("audit is %+v", e)
	}
}

// TestA07RefusalsAreAlike holds every kind of failed sign-in against a wrong
// password, and shows that each of them hashes: with the hasher full, all wait
// and are told the same.
func TestA07RefusalsAreAlike(t *testing.T) {
	w := newWorld(t)
	w.user("alice", false)
	off := w.user("off", false)
	w.saveUser(host(), auth.UserWrite{ID: off.ID, Enabled: tollgate.Some(false)})
	w.saveUser(host(), auth.UserWrite{Name: tollgate.Some("keys-only")})
	attempts := map[string][2]string{
		"wrong password": {"alice", "not the secret of alice"}, "unknown": {"nobody", "not the secret of alice"}, "disabled": {"off", "wrong for off"},
		"no password": {"keys-only", "anything at all"}, "empty password": {"alice", ""}, "no password, empty": {"keys-only", ""}, "empty name": {"", ""},
		"too long": {"alice", strings.Repeat("x", 2000)}, "other case": {"ALICE", "the own secret of alice"}, "sql": {"' OR 1=1 --", "x"},
	}
	_, err := w.sessions.Login(t.Context(), "alice", tollgate.NewSecret("not the secret of alice"), from("192.0.2.7"))
	want := *tollgate.AsError(err)
	if want.Code != tollgate.CodeUnauthenticated || want.Message != "invalid username or password" {
		t.Fatalf("wrong password: %v", err)
	}
	before := len(w.audited("login.failed"))
	for name, a := range attempts {
		_, err := w.sessions.Login(t.Context(), a[0], tollgate.NewSecret(a[1]), from("192.0.2.7"))
		if got := *tollgate.AsError(err); got != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	failed := w.audited("login.failed")
	if len(failed)-before != len(attempts) {
		t.Errorf("%d failures are on record, want %d", len(failed)-before, len(attempts))
	}
	for _, e := range failed {
		if strings.Contains(string(e.Detail)+e.ActorName, "alice") || e.ActorID != 0 || e.ActorName != "anonymous" {
			t.Errorf("a failure is recorded as %+v", e)
		}
	}
	if _, err := w.sessions.Login(t.Context(), "off", tollgate.NewSecret("the own secret of off"), from("192.0.2.7")); tollgate.ErrorCode(err) != tollgate.CodeForbidden || tollgate.AsError(err).Message != "user is disabled" {
		t.Errorf("disabled with the right password: %v", err)
	}

	w.accounts.Hasher = auth.NewHasher(auth.HasherOptions{Slots: 1, Wait: time.Millisecond, Cost: auth.Cost{Memory: 64, Passes: 1, Lanes: 1}}, rand.Reader)
	release := w.accounts.Hasher.Occupy()
	defer release()
	for name, a := range attempts {
		_, err := w.sessions.Login(t.Context(), a[0], tollgate.NewSecret(a[1]), from("192.0.2.7"))
		if tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
			t.Errorf("%s does not hash: %v", name, err)
		}
	}
}

func TestS02ForgedTokensAreRefused(t *testing.T) {
	w := newWorld(t)
	w.user("alice", false)
	first, second := w.login("alice").Token.Reveal(), w.login("alice").Token.Reveal()
	if first == second {
		t.Fatal("two sign-ins give one token")
	}
	parts := strings.Split(first, ".")
	var claims jwt.MapClaims
	raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
	if err := json.Unmarshal(raw, &claims); err != nil {
		t.Fatal(err)
	}
	sign := func(m jwt.SigningMethod, key any, change func(jwt.MapClaims)) string {
		c := jwt.MapClaims{}
		for k, v := range claims {
			c[k] = v
		}
		change(c)
		s, err := jwt.NewWithClaims(m, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	same := func(jwt.MapClaims) {}
	right := w.keyring.Subkey("session-jwt")
	if err := w.authenticate(bearer(sign(jwt.SigningMethodHS256, right, same))); err != nil {
		t.Fatalf("the right key: %v", err)
	}
	for name, token := range map[string]string{
		"alg none":       sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, same),
		"other alg":      sign(jwt.SigningMethodHS512, right, same),
		"other key":      sign(jwt.SigningMethodHS256, []byte("not the key of the gateway......"), same),
		"other purpose":  sign(jwt.SigningMethodHS256, w.keyring.Subkey("client-key"), same),
		"expired":        sign(jwt.SigningMethodHS256, right, func(c jwt.MapClaims) { c["exp"] = w.clock.now().Unix() - 1 }),
		"no expiry":      sign(jwt.SigningMethodHS256, right, func(c jwt.MapClaims) { delete(c, "exp") }),
		"no id":          sign(jwt.SigningMethodHS256, right, func(c jwt.MapClaims) { delete(c, "jti") }),
		"unknown id":     sign(jwt.SigningMethodHS256, right, func(c jwt.MapClaims) { c["jti"] = "AAAAAAAAAAAAAAAAAAAAAA" }),
		"id of a row":    sign(jwt.SigningMethodHS256, right, func(c jwt.MapClaims) { c["jti"] = "1" }),
		"no signature":   parts[0] + "." + parts[1] + ".",
		"mixed":          parts[0] + "." + strings.Split(second, ".")[1] + "." + parts[2],
		"cut":            first[:len(first)-1],
		"more":           first + "A",
		"four parts":     first + ".x",
		"empty parts":    "..",
		"beyond the cap": sign(jwt.SigningMethodHS256, right, func(c jwt.MapClaims) { c["pad"] = strings.Repeat("x", 4096) }),
	} {
		for _, c := range []auth.Credential{bearer(token), auth.SessionCredential(token)} {
			if err := w.authenticate(c); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
				t.Errorf("%s (form %b): %v", name, c.Forms(), err)
			}
		}
	}
}

func TestS03IdleAndAbsoluteLimits(t *testing.T) {
	w := newWorld(t)
	w.user("alice", false)
	w.user("ada", true)
	idle := w.login("alice").Token.Reveal()
	w.clock.advance(auth.SessionIdle - time.Second)
	if err := w.authenticate(bearer(idle)); err != nil {
		t.Errorf("just before the idle limit: %v", err)
	}
	w.clock.advance(auth.SessionIdle - time.Second) // the use moved the limit
	if err := w.authenticate(bearer(idle)); err != nil {
		t.Errorf("just before the moved idle limit: %v", err)
	}
	// A reload of the sessions must not forget the use.
	if err := w.directory.Reload(t.Context(), w.store, tollgate.AreaSessions|tollgate.AreaIdentity); err != nil {
		t.Fatal(err)
	}
	if err := w.authenticate(bearer(idle)); err != nil {
		t.Errorf("after a reload: %v", err)
	}
	w.clock.advance(auth.SessionIdle)
	if err := w.authenticate(bearer(idle)); err == nil {
		t.Error("an idle session works")
	}
	for name, life := range map[string]time.Duration{"alice": auth.SessionLife, "ada": auth.SessionLifeAdmin} {
		token := w.login(name).Token.Reveal()
		var lived time.Duration
		for ; w.authenticate(bearer(token)) == nil; lived += time.Hour {
			w.clock.advance(time.Hour)
		}
		if lived != life {
			t.Errorf("a session of %s in steady use lives %v, want %v", name, lived, life)
		}
	}
}

func TestS04LogoutAndPrune(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	_, clear := w.key(auth.KeyWrite{UserID: alice.ID})
	one, two := w.login("alice"), w.login("alice")
	by := tollgate.Actor{Principal: w.principal(bearer(one.Token.Reveal())), Via: "session"}
	for range 2 { // the second time it has ended already
		if err := w.sessions.Logout(t.Context(), by); err != nil {
			t.Fatal(err)
		}
	}
	if w.authenticate(bearer(one.Token.Reveal())) == nil || w.authenticate(bearer(two.Token.Reveal())) != nil {
		t.Error("logout ended the wrong session")
	}
	if err := w.sessions.Logout(t.Context(), tollgate.Actor{Principal: w.principal(bearer(clear))}); tollgate.ErrorCode(err) != tollgate.CodeForbidden {
		t.Errorf("logout by key: %v", err)
	}
	if n := len(w.audited("logout")); n != 1 {
		t.Errorf("%d logouts on record", n)
	}
	w.clock.advance(auth.SessionIdle + 2*time.Hour)
	three := w.login("alice")
	if err := w.sessions.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if rows := w.sessionRows(alice.ID); len(rows) != 1 || rows[0].ID != three.Session.ID {
		t.Errorf("after pruning: %d rows", len(rows))
	}
	if err := w.sessions.Prune(t.Context()); err != nil {
		t.Error(err)
	}
	for range 120 {
		w.login("alice")
	}
	if n := len(w.sessionRows(alice.ID)); n != 100 {
		t.Errorf("%d sessions of one user are kept, want 100", n)
	}
}

func TestS02StepUpGivesANewID(t *testing.T) {
	w := newWorld(t)
	w.user("alice", false)
	r := w.login("alice")
	by := tollgate.Actor{Principal: w.principal(bearer(r.Token.Reveal())), Via: "session"}
	w.clock.advance(time.Hour)
	if _, err := w.sessions.StepUp(t.Context(), by, tollgate.NewSecret("wrong wrong wrong"), from("192.0.2.7")); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
		t.Errorf("with a wrong password: %v", err)
	}
	up, err := w.sessions.StepUp(t.Context(), by, tollgate.NewSecret("the own secret of alice"), from("192.0.2.7"))
	if err != nil {
		t.Fatal(err)
	}
	if !up.Session.SignedInAt.Equal(w.clock.now()) || !up.Session.ExpiresAt.Equal(r.Session.ExpiresAt) || up.ExpiresIn != auth.SessionLife-time.Hour {
		t.Errorf("stepped up to %+v", up.Session)
	}
	if w.authenticate(bearer(r.Token.Reveal())) == nil || w.authenticate(bearer(up.Token.Reveal())) != nil {
		t.Error("the old token works, or the new one does not")
	}
	if _, err := w.sessions.StepUp(t.Context(), by, tollgate.NewSecret("the own secret of alice"), from("192.0.2.7")); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
		t.Errorf("with the ended session: %v", err)
	}
	_, clear := w.key(auth.KeyWrite{UserID: up.User.ID})
	byKey := tollgate.Actor{Principal: w.principal(bearer(clear))}
	if _, err := w.sessions.StepUp(t.Context(), byKey, tollgate.NewSecret("the own secret of alice"), from("192.0.2.7")); tollgate.ErrorCode(err) != tollgate.CodeForbidden {
		t.Errorf("N-22: step-up by key: %v", err)
	}
}

func TestS04ChangePasswordEndsAllSessions(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	other, r := w.login("alice"), w.login("alice")
	by := tollgate.Actor{Principal: w.principal(bearer(r.Token.Reveal())), Via: "session"}
	current := tollgate.NewSecret("the own secret of alice")
	change := func(current, next string) (auth.LoginResult, error) {
		return w.sessions.ChangePassword(t.Context(), by, tollgate.NewSecret(current), tollgate.NewSecret(next), from("192.0.2.7"))
	}
	for name, c := range map[string]struct {
		current, next string
		want          tollgate.Code
	}{
		"wrong current": {"wrong", "the next secret of alice", tollgate.CodeUnauthenticated}, "short": {current.Reveal(), "short", tollgate.CodeInvalid},
		"empty": {current.Reveal(), "", tollgate.CodeInvalid}, "own name": {current.Reveal(), "alicealice2026", tollgate.CodeInvalid},
		"a hash": {current.Reveal(), "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", tollgate.CodeInvalid},
	} {
		if _, err := change(c.current, c.next); tollgate.ErrorCode(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	next, err := change(current.Reveal(), "the next secret of alice")
	if err != nil {
		t.Fatal(err)
	}
	for _, old := range []auth.LoginResult{other, r} {
		if w.authenticate(bearer(old.Token.Reveal())) == nil {
			t.Error("an old session works")
		}
	}
	if err := w.authenticate(bearer(next.Token.Reveal())); err != nil {
		t.Errorf("the new session: %v", err)
	}
	if n := len(w.sessionRows(alice.ID)); n != 1 {
		t.Errorf("%d sessions", n)
	}
	if _, err := w.sessions.Login(t.Context(), "alice", current, from("192.0.2.7")); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
		t.Errorf("the old password: %v", err)
	}
}

func TestA01LoginRenewsWeakHashes(t *testing.T) {
	w := newWorld(t)
	weak := w.user("alice", false)
	w.accounts.Hasher = auth.NewHasher(auth.HasherOptions{Cost: auth.Cost{Memory: 128, Passes: 2, Lanes: 1}}, rand.Reader)
	w.login("alice")
	now, _ := w.directory.User(weak.ID)
	phc, err := w.accounts.RevealPassword(*now)
	if err != nil || !strings.HasPrefix(phc.Reveal(), "$argon2id$v=19$m=128,t=2,p=1$") {
		t.Errorf("after the sign-in the hash is %q, %v", phc.Reveal(), err)
	}
	w.login("alice")
	again, _ := w.directory.User(weak.ID)
	if string(again.Password) != string(now.Password) {
		t.Error("a hash of policy was made anew")
	}
}

func TestC02PasswordsAreSealedInTheirRow(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.user("alice", false), w.user("bob", false)
	if strings.Contains(string(alice.Password), "argon2") {
		t.Error("the hash is stored in clear")
	}
	bob.Password = alice.Password // an intruder with write access copies a known hash
	w.update(func(tx tollgate.Tx) error { return tx.Users.Update(t.Context(), bob) })
	_, err := w.sessions.Login(t.Context(), "bob", tollgate.NewSecret("the own secret of alice"), from("192.0.2.7"))
	if err == nil {
		t.Fatal("bob signs in with alice's password")
	}
	if tollgate.ErrorCode(err) != tollgate.CodeInternal || tollgate.AsError(err).Message != "internal error" {
		t.Errorf("error is %v", err)
	}
}

func TestA05LoginIsThrottled(t *testing.T) {
	w := newWorld(t)
	w.user("alice", false)
	w.sessions = auth.NewSessions(w.store, w.accounts, w.keyring, auth.ThrottleLimits{Burst: 3, Free: 1000})
	attempt := func(password, ip string) tollgate.Code {
		_, err := w.sessions.Login(t.Context(), "alice", tollgate.NewSecret(password), from(ip))
		return tollgate.ErrorCode(err)
	}
	for range 10 { // successes cost nothing
		if got := attempt("the own secret of alice", "192.0.2.1"); got != "" {
			t.Fatal(got)
		}
	}
	for i := range 5 {
		want := tollgate.CodeUnauthenticated
		if i >= 3 {
			want = tollgate.CodeRateLimited
		}
		if got := attempt("wrong", "192.0.2.1"); got != want {
			t.Errorf("failure %d: %q, want %q", i+1, got, want)
		}
	}
	if got := attempt("the own secret of alice", "192.0.2.1"); got != tollgate.CodeRateLimited {
		t.Errorf("the right password from a spent address: %q", got)
	}
	if got := attempt("the own secret of alice", "192.0.2.2"); got != "" {
		t.Errorf("A-06: the owner from elsewhere: %q", got)
	}
	w.clock.advance(6 * time.Second)
	if got := attempt("the own secret of alice", "192.0.2.1"); got != "" {
		t.Errorf("later: %q", got)
	}
}
