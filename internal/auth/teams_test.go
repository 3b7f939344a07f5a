package auth_test

import (
	"testing"

	"tollgate"
	"tollgate/internal/auth"
)

func (w *world) member(by tollgate.Actor, teamID, userID int64, role, action string) tollgate.Code {
	return w.try(func(tx tollgate.Tx) error {
		return w.accounts.SetMember(w.Context(), tx, by, teamID, userID, role, action)
	})
}

func (w *world) teamMay(teamID, providerID int64, pattern string) (saved tollgate.TeamPermission) {
	w.Helper()
	w.update(func(tx tollgate.Tx) (err error) {
		saved, err = w.accounts.SaveTeamPermission(w.Context(), tx, host(), tollgate.TeamPermission{TeamID: teamID, ProviderID: providerID, ModelPattern: pattern})
		return err
	})
	return saved
}

// TestTeamPermissionsHoldForMembersOnlyAndEndAtOnce takes what a team gives
// away in every way there is; each is in force when the call returns.
func TestTeamPermissionsHoldForMembersOnlyAndEndAtOnce(t *testing.T) {
	for name, end := range map[string]func(w *world, team tollgate.Team, u tollgate.User, p tollgate.TeamPermission) error{
		"removal": func(w *world, team tollgate.Team, u tollgate.User, _ tollgate.TeamPermission) error {
			return w.store.Update(w.Context(), func(tx tollgate.Tx) error {
				return w.accounts.SetMember(w.Context(), tx, host(), team.ID, u.ID, "", auth.TeamLeave)
			})
		},
		"the permission": func(w *world, _ tollgate.Team, _ tollgate.User, p tollgate.TeamPermission) error {
			return w.store.Update(w.Context(), func(tx tollgate.Tx) error { return w.accounts.DeleteTeamPermission(w.Context(), tx, host(), p.ID) })
		},
		"the team": func(w *world, team tollgate.Team, _ tollgate.User, _ tollgate.TeamPermission) error {
			return w.store.Update(w.Context(), func(tx tollgate.Tx) error { return w.accounts.DeleteTeam(w.Context(), tx, host(), team.ID) })
		},
		"the provider": func(w *world, _ tollgate.Team, _ tollgate.User, p tollgate.TeamPermission) error {
			return w.store.Update(w.Context(), func(tx tollgate.Tx) error { return tx.Providers.Delete(w.Context(), p.ProviderID) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			u, outsider, team, lab := w.user("alice", false), w.user("bob", false), w.team("research"), w.provider("lab")
			permission := w.teamMay(team.ID, lab.ID, "gpt-*")
			if code := w.member(host(), team.ID, u.ID, tollgate.TeamMember, auth.TeamJoin); code != "" {
				t.Fatal(code)
			}
			_, plain := w.key(auth.KeyWrite{UserID: u.ID})
			_, others := w.key(auth.KeyWrite{UserID: outsider.ID})
			p, foreign := w.principal(bearer(plain)), w.principal(bearer(others))
			if !w.directory.Allowed(p, lab.ID, "gpt-5") || w.directory.Allowed(p, lab.ID, "other") || w.directory.Allowed(p, lab.ID+1, "gpt-5") || w.directory.Allowed(foreign, lab.ID, "gpt-5") {
				t.Fatal("the team's permission is not what it says")
			}
			ended := false
			release, err := w.directory.Track(p, lab.ID, "gpt-5", func(error) { ended = true })
			if err != nil {
				t.Fatal(err)
			}
			defer release()
			if err := end(w, team, u, permission); err != nil {
				t.Fatal(err)
			}
			if w.directory.Allowed(p, lab.ID, "gpt-5") {
				t.Error("what the team gave outlived its end")
			}
			if !ended {
				t.Error("a live call outlived the end of what the team gave")
			}
		})
	}
}

func TestMembersAreChangedByAdminsAndBelongToOneTeam(t *testing.T) {
	w := newWorld(t)
	u, boss, one, two := w.user("alice", false), w.user("boss", true), w.team("one"), w.team("two")
	for _, c := range []struct {
		by           string
		team, user   int64
		role, action string
		want         tollgate.Code
	}{
		{"alice", one.ID, u.ID, "member", auth.TeamJoin, tollgate.CodeForbidden},
		{"boss", one.ID, u.ID, "owner", auth.TeamJoin, tollgate.CodeInvalid},
		{"boss", 99, u.ID, "member", auth.TeamJoin, tollgate.CodeNotFound},
		{"boss", one.ID, 99, "member", auth.TeamJoin, tollgate.CodeNotFound},
		{"boss", one.ID, w.root.ID, "member", auth.TeamJoin, tollgate.CodeForbidden},
		{"boss", one.ID, u.ID, "admin", auth.TeamRole, tollgate.CodeNotFound},
		{"boss", one.ID, u.ID, "", auth.TeamLeave, tollgate.CodeNotFound},
		{"boss", one.ID, u.ID, "member", auth.TeamJoin, ""},
		{"boss", two.ID, u.ID, "member", auth.TeamJoin, tollgate.CodeConflict},
		{"boss", two.ID, u.ID, "", auth.TeamLeave, tollgate.CodeNotFound},
		{"boss", one.ID, u.ID, "admin", auth.TeamRole, ""},
		{"alice", one.ID, boss.ID, "member", auth.TeamJoin, tollgate.CodeForbidden},
		{"boss", one.ID, boss.ID, "member", auth.TeamJoin, ""},
		{"boss", one.ID, u.ID, "", auth.TeamLeave, ""},
	} {
		if code := w.member(w.as(c.by), c.team, c.user, c.role, c.action); code != c.want {
			t.Errorf("%s: %s of %d in %d as %q: %q, want %q", c.by, c.action, c.user, c.team, c.role, code, c.want)
		}
	}
	if n := len(w.audited("team.add_member")) + len(w.audited("team.set_role")) + len(w.audited("team.remove_member")); n != 4 {
		t.Errorf("%d audit entries, want 4", n)
	}
}
