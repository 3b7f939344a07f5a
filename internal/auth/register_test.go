package auth_test

import (
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/auth"
)

func (w *world) signUp(s auth.SignUp) (u tollgate.User, code tollgate.Code) {
	if s.Subject == "" {
		s.Subject = "12345"
	}
	if s.Provider == "" {
		s.Provider = "github"
	}
	code = w.try(func(tx tollgate.Tx) (err error) {
		u, err = w.accounts.SignUp(w.Context(), tx, s)
		return err
	})
	return u, code
}

func TestSignUpMakesAPlainAccountThatNobodyElseIs(t *testing.T) {
	w := newWorld(t)
	w.saveUser(host(), auth.UserWrite{Name: tollgate.Some("victim"), Email: tollgate.Some("victim@example.com")})
	u, code := w.signUp(auth.SignUp{Name: "victim", Email: "victim@example.com"})
	if code != "" || u.Name != "victim-2" || u.Email != "" || u.Role != tollgate.RoleUser || u.SSOProvider != "github" || u.SSOID != "12345" {
		t.Errorf("N-33: %+v %s", u, code)
	}
	third, _ := w.signUp(auth.SignUp{Name: "victim"})
	if third.Name != "victim-3" {
		t.Errorf("the third of that name is %q", third.Name)
	}
	entries := w.audited("user.register")
	if len(entries) != 2 || entries[0].ActorName != "victim-2" || entries[0].ActorID != u.ID || entries[0].Via != "sso" {
		t.Errorf("audit: %+v", entries)
	}
}

func TestSignUpNeverYieldsTheSuperAdmin(t *testing.T) {
	w := newWorld(t)
	u, code := w.signUp(auth.SignUp{Name: "mapped", Admin: true})
	if code != "" || u.Role != tollgate.RoleAdmin {
		t.Errorf("%+v %s", u, code)
	}
}

func TestSignUpFitsNames(t *testing.T) {
	w := newWorld(t)
	for wish, want := range map[string]string{
		"": "user", "  ": "user-2", "Zoë": "Zoë", "a\x00b\u2028c\n": "abc", "deleted user 7": "user-3", "DELETED USER 1": "user-4",
		"\u202egnp": "gnp", strings.Repeat("ü", 200): strings.Repeat("ü", 60), "x\xff": "x",
	} {
		u, code := w.signUp(auth.SignUp{Name: wish})
		if code != "" || u.Name != want && !strings.HasPrefix(u.Name, "user") {
			t.Errorf("%q became %q (%s), want %q", wish, u.Name, code, want)
		}
	}
	if u, code := w.signUp(auth.SignUp{Name: "n", Email: "not an address"}); code != "" || u.Email != "" {
		t.Errorf("an address that is none: %+v %s", u, code)
	}
}

func TestTombstoneNamesAreNobodys(t *testing.T) {
	w := newWorld(t)
	write := auth.UserWrite{Name: tollgate.Some("Deleted User 7")}
	if code := w.try(func(tx tollgate.Tx) error { _, err := w.accounts.SaveUser(t.Context(), tx, host(), write); return err }); code != tollgate.CodeInvalid {
		t.Errorf("a tombstone name: %s", code)
	}
}
