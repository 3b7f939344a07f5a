package auth_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tollgate"
	"tollgate/internal/auth"
)

// TestK04N48RevocationHasNoGap revokes a key in every way there is, 1,000 times,
// while callers authenticate and register calls all the time. Once the change
// has returned, nobody who starts gets in, and every call that was open has
// been told.
func TestK04N48RevocationHasNoGap(t *testing.T) {
	w := newWorld(t)
	r := &race{world: w, provider: w.provider("lab")}
	r.alice = w.user("alice", false)
	r.restore(0)
	// The key has an expiry, so that the directory asks for the time in the
	// middle of every check; a slow answer there makes any gap a wide one.
	w.clock.pause = func() {
		if rand.N(4) == 0 {
			time.Sleep(50 * time.Microsecond)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var workers sync.WaitGroup
	for i := range 4 {
		workers.Go(func() { r.call(ctx, i) })
	}
	for round := range 1000 {
		before := r.served.Load()
		for r.served.Load() == before && !t.Failed() {
			time.Sleep(20 * time.Microsecond)
		}
		r.revoke(round)
		r.epoch.Add(1) // odd: revoked, and the change has returned
		r.holders.Range(func(_, v any) bool {
			if h, ok := v.(*holder); !ok || h.key == r.plain.Load() && !h.cancelled.Load() {
				t.Errorf("round %d: a call was open and not told when the change returned", round)
			}
			return true
		})
		refused := r.refused.Load()
		for r.refused.Load() < refused+2 && !t.Failed() {
			time.Sleep(20 * time.Microsecond)
		}
		r.epoch.Add(1) // even: from here on it may work again
		r.restore(round)
		if t.Failed() {
			break
		}
	}
	stop()
	workers.Wait()
	if n := w.directory.Live(); n != 0 {
		t.Errorf("%d calls are registered after all have ended", n)
	}
	t.Logf("%d calls served, %d refused, %d cut", r.served.Load(), r.refused.Load(), r.cut.Load())
	if r.cut.Load() == 0 {
		t.Error("no open call was ever cut: the test did not test")
	}
}

type race struct {
	*world
	provider   tollgate.Provider
	alice      tollgate.User
	key        tollgate.Key
	permission tollgate.Permission
	plain      atomic.Pointer[string]

	epoch                atomic.Int64
	served, refused, cut atomic.Int64
	holders              sync.Map
}

type holder struct {
	key       *string
	cancelled atomic.Bool
}

// restore undoes what revoke(round) did; the first time it makes the key.
func (r *race) restore(round int) {
	r.Helper()
	if r.permission.ID == 0 {
		r.permission = r.permit(r.alice.ID, r.provider.ID, "demo-*")
	}
	r.update(func(tx tollgate.Tx) error {
		_, err := r.accounts.SaveUser(r.Context(), tx, host(), auth.UserWrite{
			ID: r.alice.ID, Enabled: tollgate.Some(true), IsAdmin: tollgate.Some(false),
		})
		if err != nil || round%5 != 1 {
			return err
		}
		return r.accounts.SetKeyEnabled(r.Context(), tx, host(), r.key.ID, true, false)
	})
	if r.key.ID == 0 {
		var plain string
		r.key, plain = r.world.key(auth.KeyWrite{UserID: r.alice.ID, ExpiresAt: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)})
		r.plain.Store(&plain)
	}
}

func (r *race) revoke(round int) {
	r.Helper()
	r.update(func(tx tollgate.Tx) (err error) {
		switch round % 5 {
		case 0:
			_, err = r.accounts.SaveUser(r.Context(), tx, host(), auth.UserWrite{ID: r.alice.ID, Enabled: tollgate.Some(false)})
		case 1:
			err = r.accounts.SetKeyEnabled(r.Context(), tx, host(), r.key.ID, false, false)
		case 2:
			err = r.accounts.DeletePermission(r.Context(), tx, host(), r.permission.ID)
			r.permission.ID = 0
		case 3:
			err = r.accounts.DeleteKey(r.Context(), tx, host(), r.key.ID, false)
			r.key.ID = 0
		case 4:
			_, err = r.accounts.UpdateKey(r.Context(), tx, host(), auth.KeyPatch{ID: r.key.ID, Models: tollgate.Some([]string{"other-*"})})
			if err == nil {
				r.key.ID = 0 // a new one next round
			}
		}
		return err
	})
}

// call makes calls until ctx ends: those of every other worker stay open until
// they are told to end.
func (r *race) call(ctx context.Context, worker int) {
	for ctx.Err() == nil {
		plain := r.plain.Load()
		epoch := r.epoch.Load()
		h, told := &holder{key: plain}, make(chan struct{})
		p, err := r.directory.Authenticate(bearer(*plain), netip.Addr{})
		var release func()
		if err == nil {
			release, err = r.directory.Track(p, r.provider.ID, "demo-small", func(error) {
				h.cancelled.Store(true)
				close(told)
			})
		}
		if err != nil {
			r.refused.Add(1)
			time.Sleep(20 * time.Microsecond) // leave the writer some of the machine
			continue
		}
		if epoch%2 == 1 && r.epoch.Load() == epoch {
			r.Errorf("a call that started after the change had returned was let in")
		}
		r.served.Add(1)
		if worker%2 == 0 {
			r.holders.Store(h, h)
			select {
			case <-told:
				r.cut.Add(1)
			case <-ctx.Done():
			case <-time.After(20 * time.Second):
				r.Errorf("an open call was never told")
			}
			r.holders.Delete(h)
		} else {
			time.Sleep(20 * time.Microsecond)
		}
		release()
		release() // twice is allowed
	}
}

func TestS04EndingASessionEndsItsCalls(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	w.permit(alice.ID, 0, "*")
	_, plain := w.key(auth.KeyWrite{UserID: alice.ID})
	for name, end := range map[string]func(tx tollgate.Tx, by tollgate.Actor) error{
		"logout by admin": func(tx tollgate.Tx, by tollgate.Actor) error {
			return w.accounts.RemoveSession(t.Context(), tx, host(), by.Principal.Session.ID)
		},
		"all sessions": func(tx tollgate.Tx, _ tollgate.Actor) error {
			return w.accounts.RemoveSessions(t.Context(), tx, host(), alice.ID)
		},
		"new password": func(tx tollgate.Tx, by tollgate.Actor) error {
			u := auth.UserWrite{ID: alice.ID, Password: password("the own secret of alice")}
			if err := w.accounts.Prepare(t.Context(), &u); err != nil {
				return err
			}
			return w.accounts.SetPassword(t.Context(), tx, by, u)
		},
		"promotion": func(tx tollgate.Tx, _ tollgate.Actor) error {
			_, err := w.accounts.SaveUser(t.Context(), tx, host(), auth.UserWrite{ID: alice.ID, IsAdmin: tollgate.Some(true)})
			return err
		},
		"demotion": func(tx tollgate.Tx, _ tollgate.Actor) error {
			_, err := w.accounts.SaveUser(t.Context(), tx, host(), auth.UserWrite{ID: alice.ID, IsAdmin: tollgate.Some(false)})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "demotion" {
				w.update(func(tx tollgate.Tx) error {
					_, err := w.accounts.SaveUser(t.Context(), tx, host(), auth.UserWrite{ID: alice.ID, IsAdmin: tollgate.Some(true)})
					return err
				})
			}
			by := w.as("alice")
			byKey := w.principal(bearer(plain))
			var ofSession, ofKey error
			for into, p := range map[*error]tollgate.Principal{&ofSession: by.Principal, &ofKey: byKey} {
				release, err := w.directory.Track(p, 1, "m", func(err error) { *into = err })
				if err != nil {
					t.Fatal(err)
				}
				defer release()
			}
			w.update(func(tx tollgate.Tx) error { return end(tx, by) })
			if e := tollgate.AsError(ofSession); ofSession == nil || e.Code != tollgate.CodeUnauthenticated || e.Reason != "revoked" {
				t.Errorf("the session's call was told %v", ofSession)
			}
			roleChange := name == "promotion" || name == "demotion"
			if roleChange != (ofKey != nil) {
				t.Errorf("the key's call was told %v, want it ended by a change of role alone", ofKey)
			}
			if _, err := w.directory.Track(by.Principal, 1, "m", func(error) {}); err == nil {
				t.Error("the ended session registers another call")
			}
		})
	}
}

// TestK05ExpiryEndsOpenCalls lets a key and a session expire while their calls run.
func TestK05ExpiryEndsOpenCalls(t *testing.T) {
	keyring, plain := newKeyring(t), newKey(t)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		user := tollgate.User{ID: 1, Name: "alice", Enabled: true, Role: tollgate.RoleUser}
		session := tollgate.Session{ID: 3, UserID: 1, Digest: make([]byte, 32), CreatedAt: start, LastSeenAt: start, ExpiresAt: start.Add(8 * time.Second)}
		store := &fakeStore{
			users: []tollgate.User{user}, permissions: []tollgate.Permission{{UserID: 1, ModelPattern: "*"}},
			keys: []tollgate.Key{{
				ID: 2, UserID: 1, Enabled: true, ExpiresAt: start.Add(5 * time.Second), Digest: auth.KeyDigest(keyring, tollgate.NewSecret(plain)),
			}},
			sessions: []tollgate.Session{session},
		}
		d := auth.NewDirectory(keyring, time.Now, slog.New(slog.DiscardHandler))
		if err := d.Reload(t.Context(), store, tollgate.AreaIdentity|tollgate.AreaSessions); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go d.Run(ctx)
		p, err := d.Authenticate(bearer(plain), netip.Addr{})
		if err != nil {
			t.Fatal(err)
		}
		var ended [2]time.Duration
		for i, who := range []tollgate.Principal{p, {Kind: tollgate.PrincipalSession, User: p.User, Session: &session}} {
			_, err := d.Track(who, 1, "m", func(error) { ended[i] = time.Since(start) })
			if err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(20 * time.Second)
		synctest.Wait()
		for i, limit := range []time.Duration{5 * time.Second, 8 * time.Second} {
			if ended[i] < limit || ended[i] > limit+time.Second {
				t.Errorf("call %d ended after %v, want within a second after %v", i, ended[i], limit)
			}
		}
		if _, err := d.Authenticate(bearer(plain), netip.Addr{}); err == nil {
			t.Error("the expired key works")
		}
		if d.Live() != 0 {
			t.Errorf("%d calls are still registered", d.Live())
		}
	})
}

// bigDirectory knows 100,000 keys of 1,000 users with a few permissions each.
func bigDirectory(b *testing.B) (*auth.Directory, *fakeStore, []string) {
	b.Helper()
	keyring := newKeyring(b)
	store := &fakeStore{}
	for i := range int64(1000) {
		store.users = append(store.users, tollgate.User{ID: i + 1, Name: fmt.Sprint("user-", i), Enabled: true, Role: tollgate.RoleUser})
		for j, pattern := range []string{"gpt-4*", "claude-*", "demo-small"} {
			store.permissions = append(store.permissions, tollgate.Permission{ID: i*3 + int64(j) + 1, UserID: i + 1, ProviderID: int64(j + 1), ModelPattern: pattern})
		}
	}
	plain := make([]string, 100_000)
	for i := range plain {
		plain[i] = newKey(b)
		store.keys = append(store.keys, tollgate.Key{
			ID: int64(i + 1), UserID: int64(i%1000 + 1), Enabled: true, Digest: auth.KeyDigest(keyring, tollgate.NewSecret(plain[i])),
		})
	}
	d := auth.NewDirectory(keyring, time.Now, slog.New(slog.DiscardHandler))
	if err := d.Reload(b.Context(), store, tollgate.AreaIdentity|tollgate.AreaSessions); err != nil {
		b.Fatal(err)
	}
	return d, store, plain
}

func BenchmarkAuthenticate(b *testing.B) {
	d, _, plain := bigDirectory(b)
	credentials := make([]auth.Credential, len(plain))
	for i, c := range plain {
		credentials[i] = bearer(c)
	}
	b.Run("known", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if _, err := d.Authenticate(credentials[i%len(credentials)], netip.Addr{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("known, parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				if _, err := d.Authenticate(credentials[i%len(credentials)], netip.Addr{}); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("broken checksum", func(b *testing.B) {
		b.ReportAllocs()
		c := bearer(plain[0][:43] + "!")
		for b.Loop() {
			if _, err := d.Authenticate(c, netip.Addr{}); err == nil {
				b.Fatal("let in")
			}
		}
	})
}

func BenchmarkAllowed(b *testing.B) {
	d, _, plain := bigDirectory(b)
	p, err := d.Authenticate(bearer(plain[500]), netip.Addr{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if !d.Allowed(p, 3, "demo-small") {
			b.Fatal("refused")
		}
	}
}

func BenchmarkTrack(b *testing.B) {
	d, _, plain := bigDirectory(b)
	p, err := d.Authenticate(bearer(plain[500]), netip.Addr{})
	if err != nil {
		b.Fatal(err)
	}
	cancel := func(error) {}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			release, err := d.Track(p, 3, "demo-small", cancel)
			if err != nil {
				b.Fatal(err)
			}
			release()
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				release, err := d.Track(p, 3, "demo-small", cancel)
				if err != nil {
					b.Error(err)
					return
				}
				release()
			}
		})
	})
}

// BenchmarkReload reads 100,000 keys again and sweeps 2,000 live calls; the
// store's own share is not in it.
func BenchmarkReload(b *testing.B) {
	d, store, plain := bigDirectory(b)
	for i := range 2000 {
		p, err := d.Authenticate(bearer(plain[i]), netip.Addr{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := d.Track(p, 3, "demo-small", func(error) {}); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if err := d.Reload(b.Context(), store, tollgate.AreaIdentity); err != nil {
			b.Fatal(err)
		}
	}
}
