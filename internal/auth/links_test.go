package auth_test

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
)

const fresh = "a brand new secret"

func (w *world) resetLink(by tollgate.Actor, id int64) (token tollgate.Secret, code tollgate.Code) {
	code = w.try(func(tx tollgate.Tx) (err error) {
		_, token, err = w.accounts.ResetLink(w.Context(), tx, by, id)
		return err
	})
	return token, code
}

func here() auth.SignIn { return auth.SignIn{IP: netip.MustParseAddr("192.0.2.9")} }

func (w *world) reset(token tollgate.Secret, next string) tollgate.Code {
	return tollgate.ErrorCode(w.sessions.Reset(w.Context(), token, tollgate.NewSecret(next), here()))
}

func TestResetLinkSetsThePasswordOnceAndEndsSignIns(t *testing.T) {
	w := newWorld(t)
	u := w.user("alice", false)
	old := w.login("alice")
	token, code := w.resetLink(w.as("root"), u.ID)
	if code != "" {
		t.Fatal(code)
	}
	if code := w.reset(token, "short"); code != tollgate.CodeInvalid {
		t.Errorf("a short password: %q", code)
	}
	if code := w.reset(token, fresh); code != "" {
		t.Fatal(code)
	}
	if w.authenticate(bearer(old.Token.Reveal())) == nil {
		t.Error("a sign-in outlived the reset")
	}
	if _, err := w.sessions.Login(t.Context(), "alice", tollgate.NewSecret(fresh), here()); err != nil {
		t.Error(err)
	}
	if code := w.reset(token, "another new secret"); code != tollgate.CodeNotFound {
		t.Errorf("A-08: used again: %q", code)
	}
	entries := w.audited("user.reset")
	if len(entries) != 1 || entries[0].ActorID != u.ID || entries[0].Via != "reset_link" {
		t.Errorf("audit: %+v", entries)
	}
}

// TestA08ResetLinksEnd lists what ends a reset link.
func TestA08ResetLinksEnd(t *testing.T) {
	save := func(u auth.UserWrite) func(*world, int64) {
		return func(w *world, id int64) { u.ID = id; w.saveUser(host(), u) }
	}
	for name, change := range map[string]func(w *world, id int64){
		"time":         func(w *world, _ int64) { w.clock.advance(time.Hour) },
		"password":     save(auth.UserWrite{Password: password("chosen by an admin")}),
		"e-mail":       save(auth.UserWrite{Email: tollgate.Some("new@example.com")}),
		"deactivation": save(auth.UserWrite{Enabled: tollgate.Some(false)}),
		"promotion":    save(auth.UserWrite{IsAdmin: tollgate.Some(true)}),
		"a new link": func(w *world, id int64) {
			if _, code := w.resetLink(host(), id); code != "" {
				w.Fatal(code)
			}
		},
		"deletion": func(w *world, id int64) {
			w.update(func(tx tollgate.Tx) error { return w.accounts.DeleteUser(w.Context(), tx, host(), id) })
		},
		"demotion of its maker": func(w *world, _ int64) {
			boss, err := w.find("boss")
			if err != nil {
				w.Fatal(err)
			}
			w.saveUser(host(), auth.UserWrite{ID: boss.ID, IsAdmin: tollgate.Some(false)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			u := w.user("alice", false)
			w.user("boss", true)
			token, code := w.resetLink(w.as("boss"), u.ID)
			if code != "" {
				t.Fatal(code)
			}
			change(w, u.ID)
			if code := w.reset(token, fresh); code != tollgate.CodeNotFound {
				t.Errorf("the link still works: %q", code)
			}
		})
	}
}

func (w *world) find(name string) (u tollgate.User, err error) {
	err = w.store.View(w.Context(), func(tx tollgate.Tx) error {
		rows, _, err := tx.Users.Query(w.Context(), tollgate.UserFilter{Name: tollgate.Is(name)}, tollgate.Page{})
		if err == nil && len(rows) == 1 {
			u = rows[0]
		}
		return err
	})
	return u, err
}

func TestResetLinksAreForThoseWhoseCredentialsOneHolds(t *testing.T) {
	w := newWorld(t)
	alice, boss, other := w.user("alice", false), w.user("boss", true), w.user("other", true)
	for _, c := range []struct {
		by   string
		of   int64
		want tollgate.Code
	}{
		{"boss", alice.ID, ""},
		{"boss", other.ID, tollgate.CodeForbidden},
		{"boss", w.root.ID, tollgate.CodeForbidden},
		{"boss", boss.ID, tollgate.CodeForbidden},
		{"root", boss.ID, ""},
		{"root", w.root.ID, tollgate.CodeForbidden},
		{"alice", boss.ID, tollgate.CodeNotFound},
		{"alice", alice.ID, tollgate.CodeForbidden},
		{"boss", 9999, tollgate.CodeNotFound},
	} {
		if _, code := w.resetLink(w.as(c.by), c.of); code != c.want {
			t.Errorf("%s for %d: %q, want %q", c.by, c.of, code, c.want)
		}
	}
}

func TestA08ResetLinkRacedIsUsedOnce(t *testing.T) {
	w := newWorld(t)
	u := w.user("alice", false)
	token, _ := w.resetLink(host(), u.ID)
	if n := racing(50, func(int) bool { return w.reset(token, fresh) == "" }); n != 1 {
		t.Errorf("%d of 50 succeeded", n)
	}
}

// racing runs try n times at once and counts what succeeds.
func racing(n int, try func(i int) bool) int64 {
	var wg sync.WaitGroup
	var ok atomic.Int64
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			if try(i) {
				ok.Add(1)
			}
		})
	}
	close(start)
	wg.Wait()
	return ok.Load()
}
