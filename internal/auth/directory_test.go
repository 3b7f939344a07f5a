package auth_test

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tollgate"
	"tollgate/internal/auth"
)

func TestAllKeyFormsAuthenticate(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	k, plain := w.key(auth.KeyWrite{UserID: alice.ID})
	for _, c := range []auth.Credential{
		bearer(plain), header("x-api-key", plain), header("x-goog-api-key", plain), header("api-key", plain),
	} {
		p := w.principal(c)
		if p.Kind != tollgate.PrincipalKey || p.UserID() != alice.ID || p.KeyID() != k.ID || p.Role() != tollgate.RoleUser {
			t.Errorf("form %b gives %+v", c.Forms(), p)
		}
	}
	for name, c := range map[string]auth.Credential{
		"cookie": auth.SessionCredential(plain), "x-access-key": header("x-access-key", plain),
	} {
		if err := w.authenticate(c); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
			t.Errorf("a user's key as %s: %v", name, err)
		}
	}
}

// TestK02RefusalsAreUniform holds every way of not getting in against the
// answer to an unknown key.
func TestK02RefusalsAreUniform(t *testing.T) {
	w := newWorld(t)
	alice, bob, carol := w.user("alice", false), w.user("bob", false), w.user("carol", false)
	_, good := w.key(auth.KeyWrite{UserID: alice.ID})
	_, disabled := w.key(auth.KeyWrite{UserID: alice.ID, Enabled: tollgate.Some(false)})
	_, expired := w.key(auth.KeyWrite{UserID: alice.ID, ExpiresAt: w.clock.now().Add(time.Second)})
	_, ofDisabled := w.key(auth.KeyWrite{UserID: bob.ID})
	deletedKey, deleted := w.key(auth.KeyWrite{UserID: alice.ID})
	_, ofDeleted := w.key(auth.KeyWrite{UserID: carol.ID})
	session := w.login("bob").Token.Reveal()
	w.update(func(tx tollgate.Tx) error {
		if err := w.accounts.DeleteKey(t.Context(), tx, host(), deletedKey.ID, false); err != nil {
			return err
		}
		if err := w.accounts.DeleteUser(t.Context(), tx, host(), carol.ID); err != nil {
			return err
		}
		_, err := w.accounts.SaveUser(t.Context(), tx, host(), auth.UserWrite{ID: bob.ID, Enabled: tollgate.Some(false)})
		return err
	})
	w.clock.advance(time.Second)
	if err := w.authenticate(bearer(good)); err != nil {
		t.Fatalf("the good key: %v", err)
	}
	swap := func(s string) string { // change the case of one letter
		i := strings.LastIndexFunc(s, func(r rune) bool { return r >= 'a' && r <= 'z' })
		return s[:i] + strings.ToUpper(s[i:i+1]) + s[i+1:]
	}
	unknown := w.authenticate(bearer(newKey(t)))
	want := *tollgate.AsError(unknown)
	if want.Code != tollgate.CodeUnauthenticated {
		t.Fatalf("unknown key: %v", unknown)
	}
	for name, token := range map[string]string{
		"disabled": disabled, "expired": expired, "of a disabled user": ofDisabled, "deleted": deleted, "of a deleted user": ofDeleted,
		"session of a disabled user": session, "truncated": good[:len(good)-1], "extended": good + "x", "case changed": swap(good),
		"prefix alone": "sk-tg-", "imported form": "sk-user-alice-1", "one character": "x", "sql": "' OR 1=1 --'", "dots": "a.b.c",
		"many dots": strings.Repeat(".", 5000), "a megabyte": strings.Repeat("x", 1<<20), "nul": "sk-\x00abcdefgh", "not utf-8": "sk-\xff\xfeabcdefgh",
		"blank in it": "sk-user alice-1",
	} {
		got := tollgate.AsError(w.authenticate(bearer(token)))
		if *got != want {
			t.Errorf("%s: %+v, want %+v as for an unknown key", name, got, want)
		}
	}
}

func TestK01NoDigestForBrokenChecksums(t *testing.T) {
	store := &fakeStore{}
	d := auth.NewDirectory(newKeyring(t), time.Now, slog.New(slog.DiscardHandler))
	if err := d.Reload(t.Context(), store, tollgate.AreaIdentity); err != nil {
		t.Fatal(err)
	}
	views, good := store.views, newKey(t)
	for i := range 100_000 {
		token := good[:43] + string("0123456789"[i%10])
		if token == good {
			continue
		}
		if _, err := d.Authenticate(bearer(token), netip.Addr{}); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
			t.Fatal(err)
		}
	}
	if store.views != views {
		t.Errorf("%d reads of the store for broken keys", store.views-views)
	}
}

func TestC07AccessKey(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	_, plain := w.key(auth.KeyWrite{UserID: alice.ID})
	const service = "the-service-key-of-24-chars"
	p := w.provider("lab")
	for name, bad := range map[string]string{"short": "too-short-for-a-service", "blank": "twenty-four bytes, blank", "of a user": plain} {
		if err := w.directory.SetAccess(auth.Access{Key: tollgate.NewSecret(bad)}); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("access key %s: %v, want CodeInvalid", name, err)
		}
	}
	if err := w.authenticate(bearer(service)); err == nil {
		t.Fatal("a service key that was never set works")
	}
	if err := w.directory.SetAccess(auth.Access{Key: tollgate.NewSecret(service)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []auth.Credential{bearer(service), header("x-access-key", service)} {
		got := w.principal(c)
		if got.Kind != tollgate.PrincipalService || got.Role() != tollgate.RoleNone || got.UserID() != 0 {
			t.Errorf("form %b gives %+v", c.Forms(), got)
		}
	}
	for _, c := range []auth.Credential{header("x-api-key", service), header("x-goog-api-key", service), auth.SessionCredential(service)} {
		if err := w.authenticate(c); err == nil {
			t.Errorf("form %b carries the service key", c.Forms())
		}
	}
	svc := w.principal(bearer(service))
	if !w.directory.Allowed(svc, p.ID, "any/model") {
		t.Error("the service may not use everything by default")
	}
	for surface, want := range map[tollgate.Surface]tollgate.Code{
		tollgate.SurfaceLLM: "", tollgate.SurfaceUser: tollgate.CodeForbidden, tollgate.SurfaceAdmin: tollgate.CodeForbidden,
	} {
		if got := tollgate.ErrorCode(w.directory.OnSurface(svc, surface)); got != want {
			t.Errorf("service on %s: %q, want %q", surface, got, want)
		}
	}
	code := w.try(func(tx tollgate.Tx) error {
		_, err := w.accounts.ImportKey(t.Context(), tx, host(), auth.KeyWrite{UserID: alice.ID}, tollgate.NewSecret(service))
		return err
	})
	if code != tollgate.CodeInvalid {
		t.Errorf("importing the service key for a user: %q", code)
	}
	code = w.try(func(tx tollgate.Tx) error {
		_, err := w.accounts.SaveUser(t.Context(), tx, tollgate.Actor{Principal: svc}, auth.UserWrite{Name: tollgate.Some("mallory")})
		return err
	})
	if code != tollgate.CodeForbidden {
		t.Errorf("the service changed an account: %q", code)
	}

	var revoked error
	if _, err := w.directory.Track(svc, p.ID, "m", func(err error) { revoked = err }); err != nil {
		t.Fatal(err)
	}
	err := w.directory.SetAccess(auth.Access{
		Key: tollgate.NewSecret(service), Permissions: []tollgate.Permission{{ProviderID: p.ID, ModelPattern: "small-*"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if tollgate.ErrorCode(revoked) != tollgate.CodeForbidden {
		t.Errorf("the service's call on a model it lost: %v", revoked)
	}
	if !w.directory.Allowed(svc, p.ID, "small-1") || w.directory.Allowed(svc, p.ID, "large-1") || w.directory.Allowed(svc, p.ID+1, "small-1") {
		t.Error("the service's permissions are not kept")
	}
	if err := w.directory.SetAccess(auth.Access{}); err != nil {
		t.Fatal(err)
	}
	if err := w.authenticate(bearer(service)); err == nil {
		t.Error("the service key works after it was turned off")
	}
}

func TestK09AddressesOfAKey(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	_, plain := w.key(auth.KeyWrite{UserID: alice.ID, IPAllow: []netip.Prefix{
		netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("::ffff:203.0.113.9/128"),
	}})
	for ip, want := range map[string]tollgate.Code{
		"198.51.100.7": "", "::ffff:198.51.100.7": "", "2001:db8::1": "", "203.0.113.9": "",
		"192.0.2.1": tollgate.CodeForbidden, "2001:db9::1": tollgate.CodeForbidden, "203.0.113.8": tollgate.CodeForbidden, "": tollgate.CodeForbidden,
	} {
		addr, _ := netip.ParseAddr(ip)
		_, err := w.directory.Authenticate(bearer(plain), addr)
		if tollgate.ErrorCode(err) != want {
			t.Errorf("from %q: %v, want %q", ip, err, want)
		}
	}
}

func TestPermissionsAndModelsOfAKey(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	one, two := w.provider("one"), w.provider("two")
	_, plain := w.key(auth.KeyWrite{UserID: alice.ID})
	_, narrow := w.key(auth.KeyWrite{UserID: alice.ID, Models: []string{"gpt-*", "claude-?"}})
	all, some := w.principal(bearer(plain)), w.principal(bearer(narrow))
	session := w.principal(bearer(w.login("alice").Token.Reveal()))
	check := func(name string, p tollgate.Principal, provider int64, model string, want bool) {
		t.Helper()
		if got := w.directory.Allowed(p, provider, model); got != want {
			t.Errorf("%s: %s at provider %d allowed = %v, want %v", name, model, provider, got, want)
		}
	}
	check("default deny", all, one.ID, "gpt-5", false)
	w.permit(alice.ID, one.ID, "gpt-*")
	check("granted", all, one.ID, "gpt-5", true)
	check("granted over a slash", all, one.ID, "gpt-5/x", true)
	check("granted to the session", session, one.ID, "gpt-5", true)
	check("other provider", all, two.ID, "gpt-5", false)
	check("other model", all, one.ID, "claude-5", false)
	everywhere := w.permit(alice.ID, 0, "*")
	check("every provider", all, two.ID, "claude-55", true)
	check("key's models", some, two.ID, "claude-5", true)
	check("beyond key's models", some, two.ID, "claude-55", false)
	check("nobody", tollgate.Principal{}, one.ID, "gpt-5", false)
	check("host", tollgate.Principal{Kind: tollgate.PrincipalHost}, one.ID, "gpt-5", false)
	check("half a principal", tollgate.Principal{Kind: tollgate.PrincipalKey}, one.ID, "gpt-5", false)
	check("key without its row", tollgate.Principal{Kind: tollgate.PrincipalKey, User: all.User}, one.ID, "gpt-5", false)
	w.update(func(tx tollgate.Tx) error { return w.accounts.DeletePermission(t.Context(), tx, host(), everywhere.ID) })
	check("taken away, same principal", all, two.ID, "claude-5", false)
	check("the other one stays", all, one.ID, "gpt-5", true)
}

func TestK09SurfacesAndRoles(t *testing.T) {
	w := newWorld(t)
	alice, ada := w.user("alice", false), w.user("ada", true)
	_, userKey := w.key(auth.KeyWrite{UserID: alice.ID})
	_, llmKey := w.key(auth.KeyWrite{UserID: ada.ID, Surfaces: []tollgate.Surface{tollgate.SurfaceLLM}})
	_, adminKey := w.key(auth.KeyWrite{UserID: ada.ID, Surfaces: []tollgate.Surface{tollgate.SurfaceAdmin, tollgate.SurfaceUser}})
	_, fullKey := w.key(auth.KeyWrite{UserID: ada.ID})
	no := tollgate.CodeForbidden
	for _, c := range []struct {
		name             string
		p                tollgate.Principal
		llm, user, admin tollgate.Code
	}{
		{"user's key", w.principal(bearer(userKey)), "", "", no},
		{"admin's llm key", w.principal(bearer(llmKey)), "", no, no},
		{"admin's admin key", w.principal(bearer(adminKey)), no, "", ""},
		{"admin's full key", w.principal(bearer(fullKey)), "", "", ""},
		{"user's session", w.as("alice").Principal, "", "", no},
		{"admin's session", w.as("ada").Principal, "", "", ""},
		{"host", tollgate.Principal{Kind: tollgate.PrincipalHost}, "", "", ""},
		{
			"nobody",
			tollgate.Principal{},
			tollgate.CodeUnauthenticated, tollgate.CodeUnauthenticated, tollgate.CodeUnauthenticated,
		},
	} {
		for surface, want := range map[tollgate.Surface]tollgate.Code{
			tollgate.SurfaceLLM: c.llm, tollgate.SurfaceUser: c.user, tollgate.SurfaceAdmin: c.admin,
		} {
			if got := tollgate.ErrorCode(w.directory.OnSurface(c.p, surface)); got != want {
				t.Errorf("%s on %s: %q, want %q", c.name, surface, got, want)
			}
		}
	}
}

// TestZ08N04ChildrenReachNoFurtherThanTheirMaker follows a key that was made by
// another of the same owner.
func TestZ08N04ChildrenReachNoFurtherThanTheirMaker(t *testing.T) {
	w := newWorld(t)
	ada, alice := w.user("ada", true), w.user("alice", false)
	maker, plain := w.key(auth.KeyWrite{UserID: ada.ID, Models: []string{"gpt-*"}})
	by := w.asKey(plain)
	var child, forAlice tollgate.Secret
	w.update(func(tx tollgate.Tx) (err error) {
		if _, child, err = w.accounts.GenerateKey(t.Context(), tx, by, auth.KeyWrite{UserID: ada.ID, Models: []string{"*"}}); err != nil {
			return err
		}
		_, forAlice, err = w.accounts.GenerateKey(t.Context(), tx, by, auth.KeyWrite{UserID: alice.ID})
		return err
	})
	w.permit(alice.ID, 0, "*")
	p := w.principal(bearer(child.Reveal()))
	if !w.directory.Allowed(p, 1, "gpt-5") || w.directory.Allowed(p, 1, "claude-5") {
		t.Error("a child may use another model than its maker")
	}
	if !w.directory.Allowed(w.principal(bearer(forAlice.Reveal())), 1, "claude-5") {
		t.Error("an admin's key bounds the key it made for a user, whose rights are the user's own")
	}
	patch := func(k auth.KeyPatch) {
		t.Helper()
		k.ID = maker.ID
		w.update(func(tx tollgate.Tx) error {
			_, err := w.accounts.UpdateKey(t.Context(), tx, host(), k)
			return err
		})
	}
	patch(auth.KeyPatch{Models: tollgate.Some([]string{"claude-*"})})
	if w.directory.Allowed(p, 1, "gpt-5") || !w.directory.Allowed(p, 1, "claude-5") {
		t.Error("the maker's new models do not bound the child at once")
	}
	patch(auth.KeyPatch{Surfaces: tollgate.Some([]tollgate.Surface{tollgate.SurfaceAdmin})})
	if w.directory.OnSurface(p, tollgate.SurfaceLLM) == nil || w.directory.OnSurface(p, tollgate.SurfaceAdmin) != nil {
		t.Error("the maker's new surfaces do not bound the child at once")
	}
	code := w.try(func(tx tollgate.Tx) error {
		_, _, err := w.accounts.GenerateKey(t.Context(), tx, by, auth.KeyWrite{UserID: ada.ID, Surfaces: []tollgate.Surface{tollgate.SurfaceLLM}})
		return err
	})
	if code != tollgate.CodeForbidden {
		t.Errorf("a key made one that reaches further: %q", code)
	}
	patch(auth.KeyPatch{IPAllow: tollgate.Some([]netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")})})
	if err := w.authenticate(bearer(child.Reveal())); tollgate.ErrorCode(err) != tollgate.CodeForbidden {
		t.Errorf("the maker's networks do not bound the child: %v", err)
	}
	if u, ok := w.directory.User(ada.ID); !ok || u.Role != tollgate.RoleAdmin {
		t.Fatal("ada is no admin")
	}
	w.update(func(tx tollgate.Tx) error {
		_, err := w.accounts.SaveUser(t.Context(), tx, host(), auth.UserWrite{ID: ada.ID, IsAdmin: tollgate.Some(false)})
		return err
	})
	if w.directory.OnSurface(p, tollgate.SurfaceAdmin) == nil {
		t.Error("demoting the owner leaves the child an admin's key")
	}
}

// TestN64StaleDirectoryLetsNobodyIn breaks the store's reads and mends them.
func TestN64StaleDirectoryLetsNobodyIn(t *testing.T) {
	keyring := newKeyring(t)
	alice := tollgate.User{ID: 1, Name: "alice", Enabled: true, Role: tollgate.RoleUser}
	plain := newKey(t)
	k := tollgate.Key{ID: 2, UserID: 1, Enabled: true, Digest: auth.KeyDigest(keyring, tollgate.NewSecret(plain))}
	store := &fakeStore{users: []tollgate.User{alice}, keys: []tollgate.Key{k}, permissions: []tollgate.Permission{{UserID: 1, ModelPattern: "*"}}}
	synctest.Test(t, func(t *testing.T) {
		d := auth.NewDirectory(keyring, time.Now, slog.New(slog.DiscardHandler))
		expect := func(when string, want tollgate.Code) {
			t.Helper()
			p, err := d.Authenticate(bearer(plain), netip.Addr{})
			if tollgate.ErrorCode(err) != want {
				t.Errorf("%s: %v, want %q", when, err, want)
			}
			if err == nil && p.KeyID() != k.ID {
				t.Errorf("%s: principal %+v", when, p)
			}
			if want == tollgate.CodeUnavailable && tollgate.AsError(err).RetryAfter <= 0 {
				t.Errorf("%s: no time to retry", when)
			}
			if tollgate.ErrorCode(d.Ready()) != want {
				t.Errorf("%s: Ready = %v", when, d.Ready())
			}
		}
		expect("before the first read", tollgate.CodeUnavailable)
		if err := d.Reload(t.Context(), store, tollgate.AreaIdentity); err != nil {
			t.Fatal(err)
		}
		expect("after it", "")
		p, _ := d.Authenticate(bearer(plain), netip.Addr{})
		release, err := d.Track(p, 1, "m", func(err error) { t.Errorf("an open call was ended: %v", err) })
		if err != nil {
			t.Fatal(err)
		}
		defer release()

		store.failWith(errors.New("the disk is gone"))
		if err := d.Reload(t.Context(), store, tollgate.AreaCatalogue|tollgate.AreaMoney); err != nil {
			t.Errorf("areas that the directory does not hold: %v", err)
		}
		expect("after a change elsewhere", "")
		if err := d.Reload(t.Context(), store, tollgate.AreaIdentity); tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
			t.Errorf("Reload = %v, want CodeUnavailable", err)
		}
		expect("after a failed read", tollgate.CodeUnavailable)
		if _, err := d.Track(p, 1, "m", func(error) {}); tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
			t.Errorf("Track = %v, want CodeUnavailable", err)
		}

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go d.Run(ctx)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		expect("while it keeps failing", tollgate.CodeUnavailable)
		store.failWith(nil)
		time.Sleep(time.Second)
		synctest.Wait()
		expect("a second after the store is back", "")
		if d.Live() != 1 {
			t.Errorf("%d live calls, want the one that was open all the time", d.Live())
		}
	})
}
