package auth_test

import (
	"strings"
	"testing"

	"tollgate"
)

// link links subject at corp to a user, as by.
func (w *world) link(by tollgate.Actor, userID int64, subject string) (row tollgate.Identity, code tollgate.Code) {
	w.Helper()
	code = w.try(func(tx tollgate.Tx) (err error) {
		row, err = w.accounts.Link(w.Context(), tx, by, tollgate.Identity{UserID: userID, Provider: "corp", Subject: subject, Email: "alice@example.com"})
		return err
	})
	return row, code
}

func (w *world) unlink(by tollgate.Actor, id int64) tollgate.Code {
	w.Helper()
	return w.try(func(tx tollgate.Tx) error { return w.accounts.Unlink(w.Context(), tx, by, id) })
}

// loginThrough returns the token of a session that counts as one through a provider.
func (w *world) loginThrough(name, provider string) string {
	w.Helper()
	r := w.login(name)
	r.Session.Method = "sso:" + provider
	w.update(func(tx tollgate.Tx) error { return tx.Sessions.Update(w.Context(), r.Session) })
	return r.Token.Reveal()
}

func TestWhoMayLinkAndUnlink(t *testing.T) {
	w := newWorld(t)
	alice, bob, ada, eve := w.user("alice", false), w.user("bob", false), w.user("ada", true), w.user("eve", true)
	actors := map[string]tollgate.Actor{"host": host(), "root": w.as("root"), "ada": w.as("ada"), "alice": w.as("alice")}
	const ok, missing, forbidden = "", tollgate.CodeNotFound, tollgate.CodeForbidden
	for _, c := range []struct {
		by   string
		of   tollgate.User
		want tollgate.Code
	}{
		{"alice", alice, ok},
		{"alice", bob, missing},
		{"alice", ada, missing},
		{"ada", alice, ok},
		{"ada", ada, ok},
		{"ada", eve, forbidden},
		{"ada", w.root, forbidden},
		{"root", eve, ok},
		{"root", w.root, ok},
		{"host", eve, ok},
	} {
		if _, got := w.link(actors[c.by], c.of.ID, "new "+c.by+c.of.Name); got != c.want {
			t.Errorf("%s links to %s: %q, want %q", c.by, c.of.Name, got, c.want)
		}
		row, code := w.link(host(), c.of.ID, "old "+c.by+c.of.Name)
		if code != ok {
			t.Fatal(code)
		}
		if got := w.unlink(actors[c.by], row.ID); got != c.want {
			t.Errorf("%s unlinks from %s: %q, want %q", c.by, c.of.Name, got, c.want)
		}
	}
	if got := w.unlink(actors["alice"], 1<<40); got != missing {
		t.Errorf("an identity that is not there: %q", got)
	}
	if links, unlinks := len(w.audited("identity.link")), len(w.audited("identity.unlink")); links != 16 || unlinks != 6 {
		t.Errorf("%d links and %d unlinks are on record, want 16 and 6", links, unlinks)
	}
}

func TestO04AnIdentityIsOneUsers(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.user("alice", false), w.user("bob", false)
	if _, code := w.link(host(), alice.ID, "1"); code != "" {
		t.Fatal(code)
	}
	for _, u := range []tollgate.User{alice, bob} {
		if _, code := w.link(host(), u.ID, "1"); code != tollgate.CodeConflict {
			t.Errorf("linked again to %s: %q", u.Name, code)
		}
	}
	if _, code := w.link(host(), bob.ID, "2"); code != "" { // the same address at the same provider
		t.Errorf("another account with the same address: %q", code)
	}
	for _, subject := range []string{"", strings.Repeat("s", 256)} {
		if _, code := w.link(host(), bob.ID, subject); code != tollgate.CodeInvalid {
			t.Errorf("a subject of %d bytes: %q", len(subject), code)
		}
	}
	if _, code := w.link(host(), 1<<40, "3"); code != tollgate.CodeNotFound {
		t.Errorf("a user that is not there: %q", code)
	}
}

func TestTheLastWayInStays(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	first, _ := w.link(host(), alice.ID, "1")
	second, _ := w.link(host(), alice.ID, "2")
	w.update(func(tx tollgate.Tx) error {
		u, err := tx.Users.Get(t.Context(), alice.ID)
		if err != nil {
			return err
		}
		u.Password = nil
		return tx.Users.Update(t.Context(), u)
	})
	if code := w.unlink(host(), first.ID); code != "" {
		t.Errorf("one of two: %q", code)
	}
	if code := w.unlink(host(), second.ID); code != tollgate.CodeConflict {
		t.Errorf("the last: %q", code)
	}
}

// TestS04UnlinkEndsItsSessions: when Unlink has returned, what was signed in
// through the provider is refused, and nothing else is.
func TestS04UnlinkEndsItsSessions(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	by, other := w.login("alice").Token.Reveal(), w.loginThrough("alice", "other")
	me := tollgate.Actor{Principal: w.principal(bearer(by)), Via: "session"}
	for round := range 1000 {
		row, code := w.link(me, alice.ID, "1")
		if code != "" {
			t.Fatal(code)
		}
		token := w.loginThrough("alice", "corp")
		if err := w.authenticate(bearer(token)); err != nil {
			t.Fatalf("round %d, before: %v", round, err)
		}
		if code := w.unlink(me, row.ID); code != "" {
			t.Fatal(code)
		}
		if w.authenticate(bearer(token)) == nil {
			t.Fatalf("round %d: the session outlived the identity", round)
		}
	}
	for _, token := range []string{by, other} {
		if err := w.authenticate(bearer(token)); err != nil {
			t.Errorf("a session that has nothing to do with it ended: %v", err)
		}
	}
}
