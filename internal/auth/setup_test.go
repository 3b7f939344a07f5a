package auth_test

import (
	"fmt"
	"strconv"
	"testing"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/store/sqlstore"
)

func (w *world) openSetup() (token tollgate.Secret, code tollgate.Code) {
	code = w.try(func(tx tollgate.Tx) (err error) {
		token, err = w.accounts.OpenSetup(w.Context(), tx)
		return err
	})
	return token, code
}

func (w *world) setUp(token tollgate.Secret, name string) tollgate.Code {
	_, err := w.sessions.SetUp(w.Context(), token, auth.UserWrite{Name: tollgate.Some(name), Password: password("the own secret of " + name)}, here())
	return tollgate.ErrorCode(err)
}

func TestSetUpLinkGivesTheSuperAdminOnceAndIsGone(t *testing.T) {
	w := newEmptyWorld(t, sqlstore.Options{Dir: t.TempDir()})
	older, _ := w.openSetup()
	token, code := w.openSetup()
	if code != "" {
		t.Fatal(code)
	}
	if code := w.setUp(older, "first"); code != tollgate.CodeNotFound {
		t.Errorf("a replaced link: %q", code)
	}
	if _, err := w.sessions.SetUp(t.Context(), token, auth.UserWrite{Name: tollgate.Some("first"), Password: password("short")}, here()); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
		t.Errorf("a short password: %v", err)
	}
	if code := w.setUp(token, "first"); code != "" {
		t.Fatal(code)
	}
	u := w.onlySuperAdmin()
	if u.Name != "first" || !w.directory.Allowed(w.as("first").Principal, 1, "m") {
		t.Errorf("%+v", u)
	}
	if e := w.audited("user.register"); len(e) != 1 || e[0].Via != "setup" || e[0].ActorID != u.ID {
		t.Errorf("audit: %+v", e)
	}
	if code := w.setUp(token, "second"); code != tollgate.CodeNotFound {
		t.Errorf("used again: %q", code)
	}
	if _, code := w.openSetup(); code != tollgate.CodeConflict {
		t.Errorf("opened again: %q", code)
	}
	// Not even when nobody is left: the route does not come back.
	w.update(func(tx tollgate.Tx) error { return tx.Users.Delete(t.Context(), u.ID) })
	if code := w.setUp(token, "third"); code != tollgate.CodeNotFound {
		t.Errorf("with no account: %q", code)
	}
}

// TestB01N39FiveHundredFirstAccounts sends 500 attempts over every path at once:
// the set-up link, the host, single sign-on, an invitation. There is one super admin, and the set-up is gone.
func TestB01N39FiveHundredFirstAccounts(t *testing.T) {
	onBothEnginesEmpty(t, func(w *world) {
		token, _ := w.openSetup()
		_, invitation, _ := w.invite(host(), auth.InvitationWrite{IsAdmin: true})
		super := func(i int) error {
			u := auth.UserWrite{Name: tollgate.Some(fmt.Sprint("host", i)), IsAdmin: tollgate.Some(true), SuperAdmin: true}
			return w.store.Update(w.Context(), func(tx tollgate.Tx) error { _, err := w.accounts.SaveUser(w.Context(), tx, host(), u); return err })
		}
		made := racing(500, func(i int) bool {
			switch i % 4 {
			case 0, 1:
				return w.setUp(token, fmt.Sprint("link", i)) == ""
			case 2:
				return super(i) == nil
			}
			if i%8 == 3 {
				_, _ = w.accept(invitation, fmt.Sprint("guest", i))
			} else {
				_, _ = w.signUp(auth.SignUp{Subject: strconv.Itoa(i), Name: fmt.Sprint("sso", i), Admin: true})
			}
			return false
		})
		if made != 1 {
			w.Errorf("%d attempts say that they made the super admin", made)
		}
		w.onlySuperAdmin()
		if code := w.setUp(token, "late"); code != tollgate.CodeNotFound {
			w.Errorf("the set-up is still there: %q", code)
		}
	})
}
