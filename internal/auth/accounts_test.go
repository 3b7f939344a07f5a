package auth_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/auth"
)

// TestZ07RoleMatrix holds every kind of actor against every kind of target.
func TestZ07RoleMatrix(t *testing.T) {
	w := newWorld(t)
	ids := map[string]int64{"root": w.root.ID}
	for name, admin := range map[string]bool{"user": false, "user2": false, "admin": true, "admin2": true} {
		ids[name] = w.user(name, admin).ID
	}
	rollback := errors.New("undo")
	type act func(tx tollgate.Tx, by tollgate.Actor, id int64) error
	save := func(change func(*auth.UserWrite)) act {
		return func(tx tollgate.Tx, by tollgate.Actor, id int64) error {
			u := auth.UserWrite{ID: id}
			change(&u)
			if err := w.accounts.Prepare(t.Context(), &u); err != nil {
				return err
			}
			_, err := w.accounts.SaveUser(t.Context(), tx, by, u)
			return err
		}
	}
	disable := save(func(u *auth.UserWrite) { u.Enabled = tollgate.Some(false) })
	promote := save(func(u *auth.UserWrite) { u.IsAdmin = tollgate.Some(true) })
	demote := save(func(u *auth.UserWrite) { u.IsAdmin = tollgate.Some(false) })
	email := save(func(u *auth.UserWrite) { u.Email = tollgate.Some("new@example.test") })
	setPassword := save(func(u *auth.UserWrite) { u.Password = password("a new long secret") })
	remove := func(tx tollgate.Tx, by tollgate.Actor, id int64) error {
		return w.accounts.DeleteUser(t.Context(), tx, by, id)
	}
	generate := func(tx tollgate.Tx, by tollgate.Actor, id int64) error {
		_, _, err := w.accounts.GenerateKey(t.Context(), tx, by, auth.KeyWrite{UserID: id})
		return err
	}
	permission := func(tx tollgate.Tx, by tollgate.Actor, id int64) error {
		_, err := w.accounts.SavePermission(t.Context(), tx, by, tollgate.Permission{UserID: id, ModelPattern: "x"})
		return err
	}
	ownPassword := func(tx tollgate.Tx, by tollgate.Actor, id int64) error {
		u := auth.UserWrite{ID: id, Password: password("a new long secret")}
		if err := w.accounts.Prepare(t.Context(), &u); err != nil {
			return err
		}
		return w.accounts.SetPassword(t.Context(), tx, by, u)
	}
	endSessions := func(tx tollgate.Tx, by tollgate.Actor, id int64) error {
		return w.accounts.RemoveSessions(t.Context(), tx, by, id)
	}
	handOver := func(tx tollgate.Tx, by tollgate.Actor, id int64) error {
		return w.accounts.HandOver(t.Context(), tx, by, id)
	}
	const ok, no, hidden, conflict = tollgate.Code(""), tollgate.CodeForbidden, tollgate.CodeNotFound, tollgate.CodeConflict
	for _, c := range []struct {
		name string
		do   act
		// per actor: what it gets on user2 (or own), admin2, root, itself
		user, admin, root, host [4]tollgate.Code
	}{
		{"disable", disable, [4]tollgate.Code{no, no, no, no}, [4]tollgate.Code{ok, ok, no, no}, [4]tollgate.Code{ok, ok, no, no}, [4]tollgate.Code{ok, ok, no, no}},
		{"promote", promote, [4]tollgate.Code{no, no, no, no}, [4]tollgate.Code{ok, ok, ok, ok}, [4]tollgate.Code{ok, ok, ok, ok}, [4]tollgate.Code{ok, ok, ok, ok}},
		{"demote", demote, [4]tollgate.Code{no, no, no, no}, [4]tollgate.Code{ok, ok, no, no}, [4]tollgate.Code{ok, ok, no, no}, [4]tollgate.Code{ok, ok, no, no}},
		{"delete", remove, [4]tollgate.Code{no, no, no, no}, [4]tollgate.Code{ok, ok, no, no}, [4]tollgate.Code{ok, ok, no, no}, [4]tollgate.Code{ok, ok, no, no}},
		{"e-mail", email, [4]tollgate.Code{no, no, no, no}, [4]tollgate.Code{ok, no, no, ok}, [4]tollgate.Code{ok, ok, ok, ok}, [4]tollgate.Code{ok, ok, ok, ok}},
		{"password", setPassword, [4]tollgate.Code{no, no, no, no}, [4]tollgate.Code{ok, no, no, ok}, [4]tollgate.Code{ok, ok, ok, ok}, [4]tollgate.Code{ok, ok, ok, ok}},
		{"set password", ownPassword, [4]tollgate.Code{hidden, hidden, hidden, ok}, [4]tollgate.Code{ok, no, no, ok}, [4]tollgate.Code{ok, ok, ok, ok}, [4]tollgate.Code{ok, ok, ok, ok}},
		{"key", generate, [4]tollgate.Code{hidden, hidden, hidden, ok}, [4]tollgate.Code{ok, no, no, ok}, [4]tollgate.Code{ok, ok, ok, ok}, [4]tollgate.Code{ok, ok, ok, ok}},
		{"permission", permission, [4]tollgate.Code{no, no, no, no}, [4]tollgate.Code{ok, ok, no, ok}, [4]tollgate.Code{ok, ok, ok, ok}, [4]tollgate.Code{ok, ok, ok, ok}},
		{"sessions", endSessions, [4]tollgate.Code{hidden, hidden, hidden, ok}, [4]tollgate.Code{ok, ok, no, ok}, [4]tollgate.Code{ok, ok, ok, ok}, [4]tollgate.Code{ok, ok, ok, ok}},
		{"hand over", handOver, [4]tollgate.Code{no, no, no, no}, [4]tollgate.Code{no, no, no, no}, [4]tollgate.Code{conflict, ok, conflict, conflict}, [4]tollgate.Code{conflict, ok, conflict, conflict}},
	} {
		for actor, want := range map[string][4]tollgate.Code{"user": c.user, "admin": c.admin, "root": c.root, "host": c.host} {
			by, own := host(), "root"
			if actor != "host" {
				by, own = w.as(actor), actor
			}
			for i, target := range []string{"user2", "admin2", "root", own} {
				err := w.store.Update(t.Context(), func(tx tollgate.Tx) error {
					if err := c.do(tx, by, ids[target]); err != nil {
						return err
					}
					return rollback
				})
				got := tollgate.ErrorCode(err)
				if errors.Is(err, rollback) {
					got = ""
				}
				if got != want[i] {
					t.Errorf("%s by %s on %s: %q (%v), want %q", c.name, actor, target, got, err, want[i])
				}
			}
		}
	}
}

// TestZ03ForeignIsMissing compares what a plain user learns about another's
// records with what they learn about records that never were.
func TestZ03ForeignIsMissing(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	w.user("bob", false)
	k, _ := w.key(auth.KeyWrite{UserID: alice.ID})
	session := w.login("alice").Session
	bob := w.as("bob")
	for name, do := range map[string]func(tx tollgate.Tx, id int64) error{
		"disable key": func(tx tollgate.Tx, id int64) error {
			return w.accounts.SetKeyEnabled(t.Context(), tx, bob, id, false, false)
		},
		"delete key": func(tx tollgate.Tx, id int64) error { return w.accounts.DeleteKey(t.Context(), tx, bob, id, true) },
		"update key": func(tx tollgate.Tx, id int64) error {
			_, err := w.accounts.UpdateKey(t.Context(), tx, bob, auth.KeyPatch{ID: id})
			return err
		},
		"rotate key": func(tx tollgate.Tx, id int64) error {
			_, _, err := w.accounts.RotateKey(t.Context(), tx, bob, id, 0)
			return err
		},
		"end session": func(tx tollgate.Tx, id int64) error { return w.accounts.RemoveSession(t.Context(), tx, bob, id) },
	} {
		foreign := map[bool]int64{true: k.ID, false: session.ID}[name != "end session"]
		const missing = 987654
		get := func(id int64) string {
			err := w.store.Update(t.Context(), func(tx tollgate.Tx) error { return do(tx, id) })
			return fmt.Sprint(tollgate.ErrorCode(err), " ", strings.ReplaceAll(fmt.Sprint(err), strconv.FormatInt(id, 10), "N"))
		}
		if a, b := get(foreign), get(missing); a != b || !strings.HasPrefix(a, string(tollgate.CodeNotFound)) {
			t.Errorf("%s: another's gives %q, a missing one %q", name, a, b)
		}
	}
}

func TestAbsentNullAndValue(t *testing.T) {
	w := newWorld(t)
	var team tollgate.Team
	w.update(func(tx tollgate.Tx) (err error) {
		team, err = w.accounts.SaveTeam(t.Context(), tx, host(), tollgate.Team{Name: "blue"})
		return err
	})
	alice := w.saveUser(host(), auth.UserWrite{
		Name: tollgate.Some("alice"), Email: tollgate.Some("a@example.test"), Password: password("the own secret of alice"), TeamID: tollgate.Some(team.ID),
	})
	if !alice.Enabled || alice.Role != tollgate.RoleUser || alice.TeamRole != "member" || alice.Password == nil {
		t.Fatalf("defaults are %+v", alice)
	}
	if same := w.saveUser(host(), auth.UserWrite{ID: alice.ID, Password: password("")}); !cmp.Equal(same, alice) {
		t.Errorf("an empty change changed: %s", cmp.Diff(alice, same))
	}
	if n := len(w.audited("user.upsert")); n != 2 { // root and alice
		t.Errorf("%d audit entries, want none for a change that is none", n)
	}
	w.login("alice")
	gone := w.saveUser(host(), auth.UserWrite{
		ID: alice.ID, Email: tollgate.Null[string](), TeamID: tollgate.Null[int64](), Password: tollgate.Null[tollgate.Secret](),
	})
	if gone.Email != "" || gone.TeamID != 0 || gone.TeamRole != "" || gone.Password != nil || gone.Name != "alice" {
		t.Errorf("null left %+v", gone)
	}
	for name, u := range map[string]auth.UserWrite{
		"no name":           {},
		"bad e-mail":        {ID: alice.ID, Email: tollgate.Some("nobody")},
		"no such team role": {ID: alice.ID, TeamID: tollgate.Some(team.ID), TeamRole: tollgate.Some("owner")},
		"enabled null":      {ID: alice.ID, Enabled: tollgate.Null[bool]()},
		"name null":         {ID: alice.ID, Name: tollgate.Null[string]()},
	} {
		if got := w.try(func(tx tollgate.Tx) error { _, err := w.accounts.SaveUser(t.Context(), tx, host(), u); return err }); got != tollgate.CodeInvalid {
			t.Errorf("%s: %q, want CodeInvalid", name, got)
		}
	}
	for name, c := range map[string]struct {
		u    auth.UserWrite
		want tollgate.Code
	}{
		"unknown id":   {auth.UserWrite{ID: 999, Name: tollgate.Some("x")}, tollgate.CodeNotFound},
		"unknown team": {auth.UserWrite{ID: alice.ID, TeamID: tollgate.Some[int64](999)}, tollgate.CodeNotFound},
		"name taken":   {auth.UserWrite{ID: alice.ID, Name: tollgate.Some("root")}, tollgate.CodeConflict},
		"not prepared": {auth.UserWrite{ID: alice.ID, Password: password("a new long secret")}, tollgate.CodeInternal},
	} {
		if got := w.try(func(tx tollgate.Tx) error { _, err := w.accounts.SaveUser(t.Context(), tx, host(), c.u); return err }); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestPrepareTakesPlainTextAndPHC(t *testing.T) {
	w := newWorld(t)
	const phc = "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8"
	u := w.saveUser(host(), auth.UserWrite{Name: tollgate.Some("hashed"), Password: password(phc)})
	if got, err := w.accounts.RevealPassword(u); err != nil || got.Reveal() != phc {
		t.Errorf("a PHC string is stored as %q, %v", got.Reveal(), err)
	}
	for name, c := range map[string]struct {
		password string
		lenient  bool
		want     tollgate.Code
	}{
		"malformed": {"$argon2id$v=19$m=1", true, tollgate.CodeInvalid}, "too dear": {"$argon2id$v=19$m=999999,t=1,p=1$c29tZXNhbHQ$" + strings.Repeat("A", 43), true, tollgate.CodeInvalid},
		"short": {"short", false, tollgate.CodeInvalid}, "short import": {"short", true, ""}, "own name": {"somebody2026!", false, tollgate.CodeInvalid},
		"too long": {strings.Repeat("y", 1025), true, tollgate.CodeInvalid},
	} {
		u := auth.UserWrite{Name: tollgate.Some("somebody"), Password: password(c.password), ShortPassword: c.lenient}
		err := w.accounts.Prepare(t.Context(), &u)
		if tollgate.ErrorCode(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), c.password) {
			t.Errorf("%s: the error repeats the password", name)
		}
		if printed := fmt.Sprintf("%+v", u); strings.Contains(printed, c.password) || strings.Contains(printed, "argon2") {
			t.Errorf("%s: a write prints as %s", name, printed)
		}
	}
}

// TestB01ExactlyOneSuperAdmin lets 500 set-ups race.
func TestB01ExactlyOneSuperAdmin(t *testing.T) {
	w := newWorld(t)
	w.update(func(tx tollgate.Tx) error { return tx.Users.Delete(t.Context(), w.root.ID) })
	var wg sync.WaitGroup
	codes := make([]tollgate.Code, 500)
	for i := range codes {
		wg.Go(func() {
			codes[i] = tollgate.ErrorCode(w.store.Update(t.Context(), func(tx tollgate.Tx) error {
				_, err := w.accounts.SaveUser(t.Context(), tx, host(), auth.UserWrite{Name: tollgate.Some(fmt.Sprint("first-", i)), SuperAdmin: true})
				return err
			}))
		})
	}
	wg.Wait()
	count := make(map[tollgate.Code]int)
	for _, c := range codes {
		count[c]++
	}
	if count[""] != 1 || count[tollgate.CodeConflict] != 499 {
		t.Errorf("outcomes %v, want one success and 499 conflicts", count)
	}
	if n := w.count(tollgate.UserFilter{}); n != 1 {
		t.Errorf("%d accounts were made, want 1", n)
	}
	w.user("ada", true)
	ada := w.as("ada")
	code := w.try(func(tx tollgate.Tx) error {
		_, err := w.accounts.SaveUser(t.Context(), tx, ada, auth.UserWrite{Name: tollgate.Some("second"), SuperAdmin: true})
		return err
	})
	if code != tollgate.CodeForbidden {
		t.Errorf("an admin made a super admin: %q", code)
	}
}

func (w *world) count(f tollgate.UserFilter) (n int64) {
	w.Helper()
	err := w.store.View(w.Context(), func(tx tollgate.Tx) (err error) {
		n, err = tx.Users.Count(w.Context(), f)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// TestB04SomeAdminAlwaysRemains lets two admins demote each other, 1,000 times
// at once, each with the rights it had when its request came in.
func TestB04SomeAdminAlwaysRemains(t *testing.T) {
	w := newWorld(t)
	a, b := w.user("ada", true), w.user("bea", true)
	both := 0
	for range 1000 {
		asA, asB := w.freshSession(a), w.freshSession(b)
		var wg sync.WaitGroup
		var codes [2]tollgate.Code
		for i, pair := range []struct {
			by     tollgate.Actor
			target int64
		}{{asA, b.ID}, {asB, a.ID}} {
			wg.Go(func() {
				codes[i] = w.try(func(tx tollgate.Tx) error {
					_, err := w.accounts.SaveUser(t.Context(), tx, pair.by, auth.UserWrite{ID: pair.target, IsAdmin: tollgate.Some(false)})
					return err
				})
			})
		}
		wg.Wait()
		if codes[0] == "" && codes[1] == "" {
			both++
		}
		if codes[0] != "" && codes[1] != "" {
			t.Fatalf("neither could: %v", codes)
		}
		w.update(func(tx tollgate.Tx) error {
			for _, id := range []int64{a.ID, b.ID} {
				if _, err := w.accounts.SaveUser(t.Context(), tx, host(), auth.UserWrite{ID: id, IsAdmin: tollgate.Some(true)}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if both != 0 {
		t.Errorf("%d times each demoted the other: the second acted on rights that were gone", both)
	}
	if n := w.count(tollgate.UserFilter{Role: tollgate.Is(tollgate.RoleSuperAdmin), Enabled: tollgate.Is(true)}); n != 1 {
		t.Errorf("%d super admins", n)
	}
}

// freshSession inserts a session without the cost of a sign-in.
func (w *world) freshSession(u tollgate.User) tollgate.Actor {
	w.Helper()
	s := tollgate.Session{UserID: u.ID, Digest: []byte(newKey(w.T)), Method: "password", CreatedAt: w.clock.now(), ExpiresAt: w.clock.now().Add(auth.SessionLife)}
	w.update(func(tx tollgate.Tx) error { return tx.Sessions.Insert(w.Context(), &s) })
	return tollgate.Actor{Principal: tollgate.Principal{Kind: tollgate.PrincipalSession, User: &u, Session: &s}, Via: "session"}
}

func TestHandOver(t *testing.T) {
	w := newWorld(t)
	ada, idle := w.user("ada", true), w.user("idle", true)
	w.saveUser(host(), auth.UserWrite{ID: idle.ID, Enabled: tollgate.Some(false)})
	noWayIn := w.saveUser(host(), auth.UserWrite{Name: tollgate.Some("nowayin"), IsAdmin: tollgate.Some(true)})
	root := w.as("root")
	over := func(by tollgate.Actor, id int64) tollgate.Code {
		return w.try(func(tx tollgate.Tx) error { return w.accounts.HandOver(t.Context(), tx, by, id) })
	}
	if got := over(root, idle.ID); got != tollgate.CodeConflict {
		t.Errorf("to a disabled admin: %q", got)
	}
	if got := over(root, noWayIn.ID); got != tollgate.CodeConflict {
		t.Errorf("to one who cannot get in: %q", got)
	}
	if got := over(root, 999); got != tollgate.CodeNotFound {
		t.Errorf("to nobody: %q", got)
	}
	if got := over(root, ada.ID); got != "" {
		t.Fatalf("to ada: %q", got)
	}
	now, _ := w.directory.User(ada.ID)
	was, _ := w.directory.User(w.root.ID)
	if now.Role != tollgate.RoleSuperAdmin || was.Role != tollgate.RoleAdmin {
		t.Errorf("roles are %v and %v", now.Role, was.Role)
	}
	if got := over(root, ada.ID); got != tollgate.CodeUnauthenticated {
		t.Errorf("the old session after the hand-over: %q, want it ended", got)
	}
	if got := over(w.as("root"), idle.ID); got != tollgate.CodeForbidden {
		t.Errorf("the former holder: %q", got)
	}
	if got := over(host(), w.root.ID); got != "" {
		t.Errorf("back, by the host: %q", got)
	}
	if n := len(w.audited("user.hand_over")); n != 4 {
		t.Errorf("%d audit entries, want 4", n)
	}
}

func TestAutomaticPermissionComesAndGoesWithTheRole(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	rows := func() (list []tollgate.Permission) {
		err := w.store.View(t.Context(), func(tx tollgate.Tx) (err error) {
			list, _, err = tx.Permissions.Query(t.Context(), tollgate.PermissionFilter{UserID: tollgate.Is(alice.ID)}, tollgate.Page{All: true})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			list[i].ID, list[i].UserID = 0, 0
		}
		return list
	}
	role := func(admin bool) {
		w.saveUser(host(), auth.UserWrite{ID: alice.ID, IsAdmin: tollgate.Some(admin)})
	}
	expect := func(when string, want ...tollgate.Permission) {
		t.Helper()
		if got := rows(); !cmp.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", when, got, want)
		}
	}
	own := tollgate.Permission{ModelPattern: "gpt-*"}
	w.permit(alice.ID, 0, "gpt-*")
	role(true)
	expect("as admin", own, tollgate.Permission{ModelPattern: "*", Automatic: true})
	role(false)
	expect("demoted", own)
	role(true)
	w.permit(alice.ID, 0, "*")
	expect("granted by hand as well", own, tollgate.Permission{ModelPattern: "*"})
	role(false)
	expect("demoted, what was granted by hand stays", own, tollgate.Permission{ModelPattern: "*"})
	role(true)
	expect("promoted with it", own, tollgate.Permission{ModelPattern: "*"})
}

func TestSuperAdminKeepsAWayIn(t *testing.T) {
	w := newWorld(t)
	root := w.as("root")
	removePassword := func() tollgate.Code {
		return w.try(func(tx tollgate.Tx) error {
			_, err := w.accounts.SaveUser(t.Context(), tx, root, auth.UserWrite{ID: w.root.ID, Password: tollgate.Null[tollgate.Secret]()})
			return err
		})
	}
	if got := removePassword(); got != tollgate.CodeConflict {
		t.Errorf("removing the password without a key: %q", got)
	}
	_, _ = w.key(auth.KeyWrite{UserID: w.root.ID, Surfaces: []tollgate.Surface{tollgate.SurfaceLLM}})
	if got := removePassword(); got != tollgate.CodeConflict {
		t.Errorf("removing the password with a key that reaches no admin API: %q", got)
	}
	k, plain := w.key(auth.KeyWrite{UserID: w.root.ID})
	if got := removePassword(); got != "" {
		t.Fatalf("removing the password with a key: %q", got)
	}
	byKey := w.asKey(plain)
	for name, do := range map[string]func(tx tollgate.Tx) error{
		"disable": func(tx tollgate.Tx) error {
			return w.accounts.SetKeyEnabled(t.Context(), tx, byKey, k.ID, false, false)
		},
		"delete": func(tx tollgate.Tx) error { return w.accounts.DeleteKey(t.Context(), tx, byKey, k.ID, true) },
		"narrow": func(tx tollgate.Tx) error {
			_, err := w.accounts.UpdateKey(t.Context(), tx, byKey, auth.KeyPatch{ID: k.ID, Surfaces: tollgate.Some([]tollgate.Surface{tollgate.SurfaceLLM})})
			return err
		},
	} {
		if got := w.try(do); got != tollgate.CodeConflict {
			t.Errorf("%s the last key: %q", name, got)
		}
	}
	if got := w.try(func(tx tollgate.Tx) error {
		_, _, err := w.accounts.RotateKey(t.Context(), tx, byKey, k.ID, 0)
		return err
	}); got != "" {
		t.Errorf("rotating the last key: %q", got)
	}
}

// TestU01AuditIsPartOfTheChange fails every audit entry and looks for a change
// that stayed.
func TestU01AuditIsPartOfTheChange(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	k, _ := w.key(auth.KeyWrite{UserID: alice.ID})
	p := w.permit(alice.ID, 0, "x")
	limit, one := 5*tollgate.Dollar, int64(1)
	failed := errors.New("the audit table is full")
	for name, do := range map[string]func(tx tollgate.Tx) error{
		"save user": func(tx tollgate.Tx) error {
			_, err := w.accounts.SaveUser(t.Context(), tx, host(), auth.UserWrite{ID: alice.ID, Email: tollgate.Some("x@example.test")})
			return err
		},
		"insert user": func(tx tollgate.Tx) error {
			_, err := w.accounts.SaveUser(t.Context(), tx, host(), auth.UserWrite{Name: tollgate.Some("new")})
			return err
		},
		"delete user": func(tx tollgate.Tx) error { return w.accounts.DeleteUser(t.Context(), tx, host(), alice.ID) },
		"generate": func(tx tollgate.Tx) error {
			_, _, err := w.accounts.GenerateKey(t.Context(), tx, host(), auth.KeyWrite{UserID: alice.ID})
			return err
		},
		"disable": func(tx tollgate.Tx) error {
			return w.accounts.SetKeyEnabled(t.Context(), tx, host(), k.ID, false, true)
		},
		"rotate": func(tx tollgate.Tx) error {
			_, _, err := w.accounts.RotateKey(t.Context(), tx, host(), k.ID, 0)
			return err
		},
		"delete key": func(tx tollgate.Tx) error { return w.accounts.DeleteKey(t.Context(), tx, host(), k.ID, false) },
		"update key": func(tx tollgate.Tx) error {
			_, err := w.accounts.UpdateKey(t.Context(), tx, host(), auth.KeyPatch{ID: k.ID, Label: tollgate.Some("new")})
			return err
		},
		"permission": func(tx tollgate.Tx) error {
			_, err := w.accounts.SavePermission(t.Context(), tx, host(), tollgate.Permission{UserID: alice.ID, ModelPattern: "y"})
			return err
		},
		"no permission": func(tx tollgate.Tx) error { return w.accounts.DeletePermission(t.Context(), tx, host(), p.ID) },
		"file permission": func(tx tollgate.Tx) error {
			_, err := w.accounts.SaveFilePermission(t.Context(), tx, host(), tollgate.FilePermission{UserID: alice.ID})
			return err
		},
		"quota": func(tx tollgate.Tx) error {
			_, err := w.accounts.SaveQuota(t.Context(), tx, host(), auth.QuotaWrite{Scope: tollgate.ScopeUser, ScopeID: alice.ID, Limit: tollgate.Some(limit)})
			return err
		},
		"rate limit": func(tx tollgate.Tx) error {
			_, err := w.accounts.SaveRateLimit(t.Context(), tx, host(), tollgate.RateLimit{Scope: tollgate.ScopeInstance, ModelPattern: "*", RPM: &one})
			return err
		},
		"team": func(tx tollgate.Tx) error {
			_, err := w.accounts.SaveTeam(t.Context(), tx, host(), tollgate.Team{Name: "red"})
			return err
		},
		"sessions": func(tx tollgate.Tx) error { return w.accounts.RemoveSessions(t.Context(), tx, host(), alice.ID) },
	} {
		before := w.dump()
		err := w.store.Update(t.Context(), func(tx tollgate.Tx) error {
			tx.Audit = brokenAudit{err: failed}
			return do(tx)
		})
		if !errors.Is(err, failed) {
			t.Errorf("%s: %v, want the failure of the audit", name, err)
		}
		if diff := cmp.Diff(before, w.dump()); diff != "" {
			t.Errorf("%s stayed although its audit entry failed: %s", name, diff)
		}
	}
}

type brokenAudit struct {
	tollgate.Audit
	err error
}

func (a brokenAudit) Append(context.Context, *tollgate.AuditEntry) error { return a.err }

// dump is all identity rows as text.
func (w *world) dump() (all []string) {
	w.Helper()
	page := tollgate.Page{All: true}
	err := w.store.View(w.Context(), func(tx tollgate.Tx) error {
		users, _, err1 := tx.Users.Query(w.Context(), tollgate.UserFilter{}, page)
		keys, _, err2 := tx.Keys.Query(w.Context(), tollgate.KeyFilter{}, page)
		permissions, _, err3 := tx.Permissions.Query(w.Context(), tollgate.PermissionFilter{}, page)
		files, _, err4 := tx.FilePermissions.Query(w.Context(), tollgate.PermissionFilter{}, page)
		quotas, _, err5 := tx.Quotas.Query(w.Context(), tollgate.QuotaFilter{}, page)
		limits, _, err6 := tx.RateLimits.Query(w.Context(), tollgate.RateLimitFilter{}, page)
		teams, _, err7 := tx.Teams.Query(w.Context(), tollgate.TeamFilter{}, page)
		all = []string{
			fmt.Sprint(users), fmt.Sprint(keys), fmt.Sprint(permissions), fmt.Sprint(files), fmt.Sprint(quotas), fmt.Sprint(limits), fmt.Sprint(teams),
		}
		return errors.Join(err1, err2, err3, err4, err5, err6, err7)
	})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// TestU01AuditTellsWhoAndWhatButNoSecrets reads the audit of a busy day.
func TestU01AuditTellsWhoAndWhatButNoSecrets(t *testing.T) {
	w := newWorld(t)
	root := w.as("root")
	root.RequestID = 4711
	alice := w.saveUser(root, auth.UserWrite{Name: tollgate.Some("alice"), Password: password("the own secret of alice")})
	w.saveUser(root, auth.UserWrite{ID: alice.ID, Password: password("another secret of alice"), Email: tollgate.Some("a@example.test")})
	k, plain := w.key(auth.KeyWrite{UserID: alice.ID, Label: "ci"})
	const imported = "sk-user-alice-imported-1"
	var rotated tollgate.Secret
	w.update(func(tx tollgate.Tx) error {
		_, err := w.accounts.ImportKey(t.Context(), tx, root, auth.KeyWrite{UserID: alice.ID}, tollgate.NewSecret(imported))
		if err == nil {
			_, rotated, err = w.accounts.RotateKey(t.Context(), tx, root, k.ID, 0)
		}
		return err
	})
	updates := w.audited("user.upsert")
	last := updates[len(updates)-1]
	if last.ActorID != w.root.ID || last.ActorName != "root" || last.Via != "session" || last.RequestID != 4711 ||
		last.Target != "user" || last.TargetID != alice.ID || !last.At.Equal(w.clock.now()) {
		t.Errorf("entry is %+v", last)
	}
	var detail struct{ Before, After map[string]any }
	if err := json.Unmarshal(last.Detail, &detail); err != nil {
		t.Fatal(err)
	}
	if _, had := detail.Before["email"]; had || detail.After["email"] != "a@example.test" || detail.After["new_password"] != true {
		t.Errorf("detail is %s", last.Detail)
	}
	entries := 0
	for _, action := range []string{"user.upsert", "key.generate", "key.import", "key.rotate", "login"} {
		for _, e := range w.audited(action) {
			entries++
			for _, planted := range []string{
				"secret of alice", plain, plain[10:], imported, imported[3:20], rotated.Reveal(), "argon2", `"password"`, `"digest"`, `"sealed"`, "the root's own secret",
			} {
				if bytes.Contains(e.Detail, []byte(planted)) {
					t.Errorf("%s holds %q: %s", action, planted, e.Detail)
				}
			}
		}
	}
	if entries < 8 {
		t.Errorf("only %d entries were looked at", entries)
	}
}

// TestActorIsReadAnew acts with principals whose rights have ended since.
func TestActorIsReadAnew(t *testing.T) {
	w := newWorld(t)
	ada := w.user("ada", true)
	k, plain := w.key(auth.KeyWrite{UserID: ada.ID})
	alice := w.user("alice", false)
	_, aliceKey := w.key(auth.KeyWrite{UserID: alice.ID})
	act := func(by tollgate.Actor) tollgate.Code {
		return w.try(func(tx tollgate.Tx) error {
			_, _, err := w.accounts.GenerateKey(t.Context(), tx, by, auth.KeyWrite{UserID: alice.ID})
			return err
		})
	}
	byKey, bySession, bySession2 := w.asKey(plain), w.as("ada"), w.as("ada")
	for _, by := range []tollgate.Actor{byKey, bySession} {
		if got := act(by); got != "" {
			t.Fatalf("before: %q", got)
		}
	}
	if got := act(w.asKey(aliceKey)); got != tollgate.CodeForbidden {
		t.Errorf("a plain user's key changes accounts: %q", got)
	}
	w.update(func(tx tollgate.Tx) error {
		if err := w.accounts.SetKeyEnabled(t.Context(), tx, host(), k.ID, false, false); err != nil {
			return err
		}
		return w.accounts.RemoveSession(t.Context(), tx, host(), bySession.Principal.Session.ID)
	})
	if got := act(byKey); got != tollgate.CodeUnauthenticated {
		t.Errorf("with a disabled key: %q", got)
	}
	if got := act(bySession); got != tollgate.CodeUnauthenticated {
		t.Errorf("with an ended session: %q", got)
	}
	w.clock.advance(auth.SessionLifeAdmin)
	if got := act(bySession2); got != tollgate.CodeUnauthenticated {
		t.Errorf("with an expired session: %q", got)
	}
	for _, p := range []tollgate.Principal{{}, {Kind: tollgate.PrincipalSession}, {Kind: tollgate.PrincipalKey}, {Kind: tollgate.PrincipalService}} {
		if got := act(tollgate.Actor{Principal: p}); got != tollgate.CodeForbidden && got != tollgate.CodeUnauthenticated {
			t.Errorf("A-14: half a principal (%d) acts: %q", p.Kind, got)
		}
	}
}
