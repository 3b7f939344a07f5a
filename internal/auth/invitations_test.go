package auth_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/auth/sso"
)

func (w *world) invite(by tollgate.Actor, i auth.InvitationWrite) (l tollgate.Link, token tollgate.Secret, code tollgate.Code) {
	code = w.try(func(tx tollgate.Tx) (err error) {
		l, token, err = w.accounts.Invite(w.Context(), tx, by, i)
		return err
	})
	return l, token, code
}

func (w *world) accept(token tollgate.Secret, name string) (tollgate.User, tollgate.Code) {
	u, err := w.sessions.Accept(w.Context(), token, name, tollgate.NewSecret("the own secret of "+name), here())
	return u, tollgate.ErrorCode(err)
}

func (w *world) team(name string) (t tollgate.Team) {
	w.Helper()
	w.update(func(tx tollgate.Tx) (err error) {
		t, err = w.accounts.SaveTeam(w.Context(), tx, host(), tollgate.Team{Name: name})
		return err
	})
	return t
}

func TestInvitationGivesOneAccountWithRoleAndTeam(t *testing.T) {
	w := newWorld(t)
	w.user("boss", true)
	team := w.team("research")
	_, token, code := w.invite(w.as("boss"), auth.InvitationWrite{Label: "for Ann", Email: "ann@example.com", TeamID: team.ID, TeamRole: "admin"})
	if code != "" {
		t.Fatal(code)
	}
	if i, err := w.sessions.Invitation(t.Context(), token, here()); err != nil || i.Team != "research" || i.Email != "ann@example.com" {
		t.Errorf("shown: %+v %v", i, err)
	}
	if _, code := w.accept(token, "boss"); code != tollgate.CodeConflict {
		t.Errorf("a taken name: %q", code)
	}
	if _, err := w.sessions.Accept(t.Context(), token, "ann", tollgate.NewSecret("short"), here()); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
		t.Errorf("a short password: %v", err)
	}
	u, code := w.accept(token, "ann")
	if code != "" || u.Role != tollgate.RoleUser || u.TeamID != team.ID || u.TeamRole != "admin" || u.Email != "ann@example.com" {
		t.Fatalf("%+v %q", u, code)
	}
	w.login("ann")
	if _, code := w.accept(token, "ann2"); code != tollgate.CodeNotFound {
		t.Errorf("A-08: used again: %q", code)
	}
	if _, err := w.sessions.Invitation(t.Context(), token, here()); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
		t.Errorf("a used one is shown: %v", err)
	}
	if e := w.audited("user.register"); len(e) != 1 || e[0].Via != "invitation" || e[0].ActorID != u.ID {
		t.Errorf("audit: %+v", e)
	}
}

// TestA08InvitationsEnd lists what ends an invitation.
func TestA08InvitationsEnd(t *testing.T) {
	maker := func(u auth.UserWrite) func(*world, tollgate.Link) {
		return func(w *world, l tollgate.Link) { u.ID = l.CreatedBy; w.saveUser(host(), u) }
	}
	for name, change := range map[string]func(*world, tollgate.Link){
		"time": func(w *world, _ tollgate.Link) { w.clock.advance(auth.InvitationLife) },
		"taken back": func(w *world, l tollgate.Link) {
			w.update(func(tx tollgate.Tx) error { return w.accounts.DeleteInvitation(w.Context(), tx, host(), l.ID) })
		},
		"team gone": func(w *world, l tollgate.Link) {
			w.update(func(tx tollgate.Tx) error { return w.accounts.DeleteTeam(w.Context(), tx, host(), l.TeamID) })
		},
		"Z-08 maker demoted":     maker(auth.UserWrite{IsAdmin: tollgate.Some(false)}),
		"Z-08 maker deactivated": maker(auth.UserWrite{Enabled: tollgate.Some(false)}),
		"Z-08 maker deleted": func(w *world, l tollgate.Link) {
			w.update(func(tx tollgate.Tx) error { return w.accounts.DeleteUser(w.Context(), tx, host(), l.CreatedBy) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.user("boss", true)
			l, token, code := w.invite(w.as("boss"), auth.InvitationWrite{IsAdmin: true, TeamID: w.team("research").ID})
			if code != "" {
				t.Fatal(code)
			}
			change(w, l)
			if u, code := w.accept(token, "ann"); code != tollgate.CodeNotFound {
				t.Errorf("it still gave %+v: %q", u, code)
			}
		})
	}
}

func TestInvitationsAreForAdminsToMake(t *testing.T) {
	w := newWorld(t)
	w.user("alice", false)
	if _, _, code := w.invite(w.as("alice"), auth.InvitationWrite{}); code != tollgate.CodeForbidden {
		t.Errorf("a user invites: %q", code)
	}
	w.saveUser(host(), auth.UserWrite{Name: tollgate.Some("x"), Email: tollgate.Some("x@example.com")})
	for name, i := range map[string]struct {
		auth.InvitationWrite
		want tollgate.Code
	}{
		"a taken address": {auth.InvitationWrite{Email: "x@example.com"}, tollgate.CodeConflict},
		"no address":      {auth.InvitationWrite{Email: "x"}, tollgate.CodeInvalid},
		"no team":         {auth.InvitationWrite{TeamID: 99}, tollgate.CodeNotFound},
		"no role":         {auth.InvitationWrite{TeamID: w.team("t").ID, TeamRole: "owner"}, tollgate.CodeInvalid},
		"too long":        {auth.InvitationWrite{Life: auth.MaxInvitationLife + time.Second}, tollgate.CodeInvalid},
	} {
		if _, _, code := w.invite(host(), i.InvitationWrite); code != i.want {
			t.Errorf("%s: %q, want %q", name, code, i.want)
		}
	}
}

func TestA08PurposesAndTokensAreNotInterchangeable(t *testing.T) {
	w := newWorld(t)
	u := w.user("alice", false)
	_, invitation, _ := w.invite(host(), auth.InvitationWrite{})
	reset, _ := w.resetLink(host(), u.ID)
	if code := w.reset(invitation, fresh); code != tollgate.CodeNotFound {
		t.Errorf("an invitation resets: %q", code)
	}
	if _, code := w.accept(reset, "ann"); code != tollgate.CodeNotFound {
		t.Errorf("a reset link invites: %q", code)
	}
	plain := invitation.Reveal()
	for _, bad := range []string{"", plain[1:], plain + "A", "A" + plain[1:], plain[:42] + "_"} {
		if bad == plain {
			continue
		}
		if _, code := w.accept(tollgate.NewSecret(bad), "ann"); code != tollgate.CodeNotFound {
			t.Errorf("%q is good: %q", bad, code)
		}
	}
}

func TestA08InvitationRacedGivesOneAccount(t *testing.T) {
	onBothEngines(t, func(w *world) {
		_, token, _ := w.invite(host(), auth.InvitationWrite{})
		n := racing(50, func(i int) bool { _, code := w.accept(token, fmt.Sprint("ann", i)); return code == "" })
		if n != 1 {
			w.Errorf("%d of 50 succeeded", n)
		}
	})
}

// TestAnInvitationThroughAProviderIsUsedOnce takes one invitation up by fifty
// people at once.
func TestAnInvitationThroughAProviderIsUsedOnce(t *testing.T) {
	onBothEngines(t, func(w *world) {
		t := w.T
		team := w.team("research")
		_, token, _ := w.invite(host(), auth.InvitationWrite{TeamID: team.ID})
		p := sso.Settings{Name: "corp", Kind: sso.KindOIDC}
		var in, out atomic.Int32
		var everybody sync.WaitGroup
		for i := range 50 {
			everybody.Go(func() {
				from := here()
				from.Invitation = token
				id := sso.Identity{Provider: "corp", Subject: fmt.Sprint("p-", i), Name: "newcomer"}
				res, err := w.sessions.LoginSSO(t.Context(), p, id, from)
				if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
					out.Add(1)
					return
				}
				in.Add(1)
				if err != nil || res.User.TeamID != team.ID || res.User.Role != tollgate.RoleUser {
					t.Errorf("%+v, %v", res.User, err)
				}
			})
		}
		everybody.Wait()
		if in.Load() != 1 || out.Load() != 49 {
			t.Errorf("%d came in, %d were refused", in.Load(), out.Load())
		}
		if n := len(w.audited("user.register")); n != 1 {
			t.Errorf("%d accounts were made", n)
		}
	})
}
