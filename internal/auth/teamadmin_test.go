package auth_test

import (
	"errors"
	"testing"

	"tollgate"
	"tollgate/internal/auth"
)

// join makes a user and puts them into a team.
func (w *world) join(team tollgate.Team, name, role string, admin bool) tollgate.User {
	w.Helper()
	u := w.user(name, admin)
	if code := w.member(host(), team.ID, u.ID, role, auth.TeamJoin); code != "" {
		w.Fatal(code)
	}
	u.TeamID, u.TeamRole = team.ID, role
	return u
}

// teamKey makes a key of a team for one of its members, as its admin.
func (w *world) teamKey(by tollgate.Actor, k auth.KeyWrite) (saved tollgate.Key, plain string, code tollgate.Code) {
	w.Helper()
	code = w.try(func(tx tollgate.Tx) error {
		var secret tollgate.Secret
		var err error
		saved, secret, err = w.accounts.GenerateTeamKey(w.Context(), tx, by, k)
		plain = secret.Reveal()
		return err
	})
	return saved, plain, code
}

func TestKeysOfATeamUseWhatTheTeamMayAndNothingElse(t *testing.T) {
	w := newWorld(t)
	team, lab := w.team("research"), w.provider("lab")
	w.join(team, "lead", tollgate.TeamAdmin, false)
	ann := w.join(team, "ann", tollgate.TeamMember, false)
	w.teamMay(team.ID, lab.ID, "gpt-*")
	w.permit(ann.ID, lab.ID, "own-*")
	w.update(func(tx tollgate.Tx) error {
		return tx.FilePermissions.Insert(t.Context(), &tollgate.FilePermission{UserID: ann.ID})
	})
	k, plain, code := w.teamKey(w.as("lead"), auth.KeyWrite{
		UserID: ann.ID, Models: []string{"gpt-*", "own-*"}, Surfaces: []tollgate.Surface{tollgate.SurfaceUser}, TeamID: 99, Payloads: tollgate.PayloadsAll,
	})
	if code != "" || k.TeamID != team.ID || k.UserID != ann.ID || k.Payloads != "" {
		t.Fatalf("%+v %q", k, code)
	}
	p := w.principal(bearer(plain))
	if !w.directory.Allowed(p, lab.ID, "gpt-5") || w.directory.Allowed(p, lab.ID, "own-1") || w.directory.Allowed(p, lab.ID+1, "gpt-5") || w.directory.FilesAllowed(p, lab.ID) {
		t.Error("a key of the team draws on something else than the team's permissions")
	}
	_, own := w.key(auth.KeyWrite{UserID: ann.ID})
	if p := w.principal(bearer(own)); !w.directory.Allowed(p, lab.ID, "own-1") || !w.directory.Allowed(p, lab.ID, "gpt-5") || !w.directory.FilesAllowed(p, lab.ID) {
		t.Error("the member's own key lost something")
	}
	for surface, want := range map[tollgate.Surface]tollgate.Code{
		tollgate.SurfaceLLM: "", tollgate.SurfaceUser: tollgate.CodeForbidden, tollgate.SurfaceAdmin: tollgate.CodeForbidden,
	} {
		if code := tollgate.ErrorCode(w.directory.OnSurface(p, surface)); code != want {
			t.Errorf("on the %s surface: %q, want %q", surface, code, want)
		}
	}
	for _, by := range []tollgate.Actor{w.as("ann"), host()} { // no way to make more of it
		if code := w.try(func(tx tollgate.Tx) error {
			_, err := w.accounts.UpdateKey(t.Context(), tx, by, auth.KeyPatch{ID: k.ID, Surfaces: tollgate.Null[[]tollgate.Surface]()})
			return err
		}); code != tollgate.CodeInvalid {
			t.Errorf("its surfaces were widened: %q", code)
		}
	}
	member := w.as("ann")
	w.update(func(tx tollgate.Tx) error { // its owner rotates it; it stays the team's
		next, _, err := w.accounts.RotateKey(t.Context(), tx, member, k.ID, 0)
		if next.TeamID != team.ID {
			t.Errorf("the successor is of team %d", next.TeamID)
		}
		return err
	})
}

// TestKeysOfATeamEndWithTheMembership takes a member out in every way there is.
// The key ends before the change returns, calls included, and does not come
// back with the membership.
func TestKeysOfATeamEndWithTheMembership(t *testing.T) {
	for name, end := range map[string]func(w *world, lead tollgate.Actor, ann tollgate.User, other tollgate.Team) error{
		"by the team's admin": func(w *world, lead tollgate.Actor, ann tollgate.User, _ tollgate.Team) error {
			return w.store.Update(w.Context(), func(tx tollgate.Tx) error { return w.accounts.RemoveMember(w.Context(), tx, lead, ann.ID) })
		},
		"by an admin": func(w *world, _ tollgate.Actor, ann tollgate.User, _ tollgate.Team) error {
			return w.store.Update(w.Context(), func(tx tollgate.Tx) error {
				return w.accounts.SetMember(w.Context(), tx, host(), ann.TeamID, ann.ID, "", auth.TeamLeave)
			})
		},
		"into another team": func(w *world, _ tollgate.Actor, ann tollgate.User, other tollgate.Team) error {
			w.saveUser(host(), auth.UserWrite{ID: ann.ID, TeamID: tollgate.Some(other.ID)})
			return nil
		},
		"the team deleted": func(w *world, _ tollgate.Actor, ann tollgate.User, _ tollgate.Team) error {
			return w.store.Update(w.Context(), func(tx tollgate.Tx) error { return w.accounts.DeleteTeam(w.Context(), tx, host(), ann.TeamID) })
		},
		"a row that nobody settled": func(w *world, _ tollgate.Actor, ann tollgate.User, _ tollgate.Team) error {
			return w.store.Update(w.Context(), func(tx tollgate.Tx) error {
				u, err := tx.Users.Get(w.Context(), ann.ID)
				if err != nil {
					return err
				}
				u.TeamID, u.TeamRole = 0, ""
				return tx.Users.Update(w.Context(), u)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBothEngines(t, func(w *world) {
				t := w.T
				team, other, lab := w.team("research"), w.team("other"), w.provider("lab")
				w.join(team, "lead", tollgate.TeamAdmin, false)
				ann := w.join(team, "ann", tollgate.TeamMember, false)
				w.teamMay(team.ID, lab.ID, "*")
				lead := w.as("lead")
				k, plain, code := w.teamKey(lead, auth.KeyWrite{UserID: ann.ID})
				if code != "" {
					t.Fatal(code)
				}
				_, own := w.key(auth.KeyWrite{UserID: ann.ID})
				ended := false
				release, err := w.directory.Track(w.principal(bearer(plain)), lab.ID, "gpt-5", func(error) { ended = true })
				if err != nil {
					t.Fatal(err)
				}
				defer release()
				if err := end(w, lead, ann, other); err != nil {
					t.Fatal(err)
				}
				if err := w.authenticate(bearer(plain)); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated || !ended {
					t.Errorf("the key outlived the membership: %v, call ended: %v", err, ended)
				}
				if err := w.authenticate(bearer(own)); err != nil {
					t.Errorf("the member's own key ended too: %v", err)
				}
				if name == "a row that nobody settled" {
					return
				}
				if e := w.audited("key.delete"); len(e) != 1 || e[0].TargetID != k.ID {
					t.Errorf("audit: %+v", e)
				}
				if name == "the team deleted" {
					return
				}
				w.saveUser(host(), auth.UserWrite{ID: ann.ID, TeamID: tollgate.Some(team.ID)})
				if err := w.authenticate(bearer(plain)); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
					t.Errorf("the key came back with the membership: %v", err)
				}
			})
		})
	}
}

// TestZ01WhatATeamAdminMay sends every command as everybody against everybody.
func TestZ01WhatATeamAdminMay(t *testing.T) {
	w := newWorld(t)
	team, night := w.team("research"), w.team("night")
	users := map[string]tollgate.User{
		"lead": w.join(team, "lead", tollgate.TeamAdmin, false), "deputy": w.join(team, "deputy", tollgate.TeamAdmin, false),
		"ann": w.join(team, "ann", tollgate.TeamMember, false), "chief": w.join(team, "chief", tollgate.TeamMember, true),
		"rival": w.join(night, "rival", tollgate.TeamAdmin, false), "owl": w.join(night, "owl", tollgate.TeamMember, false),
		"stray": w.user("stray", false), "nobody": {ID: 987654},
	}
	keys := map[string]tollgate.Key{"nobody": {ID: 987654}}
	for name, u := range users {
		if name != "nobody" {
			keys[name], _ = w.key(auth.KeyWrite{UserID: u.ID})
		}
	}
	_, adminsKey := w.key(auth.KeyWrite{UserID: users["chief"].ID})
	actors := map[string]tollgate.Actor{"a key": w.asKey(adminsKey)}
	for _, name := range []string{"lead", "ann", "chief", "stray"} {
		actors[name] = w.as(name)
	}
	ofMembers := map[string]tollgate.Code{"ann": "", "lead": "forbidden", "deputy": "forbidden", "chief": "forbidden"}
	ofKeys := map[string]tollgate.Code{"ann": ""}
	for verb, c := range map[string]struct {
		do   func(tx tollgate.Tx, by tollgate.Actor, name string) error
		want map[string]tollgate.Code
	}{
		"remove": {func(tx tollgate.Tx, by tollgate.Actor, name string) error {
			return w.accounts.RemoveMember(t.Context(), tx, by, users[name].ID)
		}, ofMembers},
		"generate": {func(tx tollgate.Tx, by tollgate.Actor, name string) error {
			_, _, err := w.accounts.GenerateTeamKey(t.Context(), tx, by, auth.KeyWrite{UserID: users[name].ID})
			return err
		}, ofMembers},
		"disable": {func(tx tollgate.Tx, by tollgate.Actor, name string) error {
			return w.accounts.SetMemberKeyEnabled(t.Context(), tx, by, keys[name].ID, false)
		}, ofKeys},
		"enable": {func(tx tollgate.Tx, by tollgate.Actor, name string) error {
			return w.accounts.SetMemberKeyEnabled(t.Context(), tx, by, keys[name].ID, true)
		}, map[string]tollgate.Code{"ann": "forbidden"}}, // her own: not the team's to judge
		"delete": {func(tx tollgate.Tx, by tollgate.Actor, name string) error {
			return w.accounts.DeleteMemberKey(t.Context(), tx, by, keys[name].ID)
		}, ofKeys},
	} {
		for who, by := range actors {
			for name := range users {
				want := tollgate.CodeForbidden
				if who == "lead" {
					var listed bool
					if want, listed = c.want[name]; !listed {
						want = tollgate.CodeNotFound
					}
				}
				undo := errors.New("undo")
				err := w.store.Update(t.Context(), func(tx tollgate.Tx) error {
					if err := c.do(tx, by, name); err != nil {
						return err
					}
					return undo
				})
				got := tollgate.ErrorCode(err)
				if err == undo { //nolint:errorlint // this very error
					got = ""
				}
				if got != want {
					t.Errorf("%s: %s of %s: %q (%v), want %q", who, verb, name, got, err, want)
				}
			}
		}
	}
}

// TestZ08ATeamAdminOfAMomentAgoMayNothing demotes, moves and disables a team
// admin whose request was already let in.
func TestZ08ATeamAdminOfAMomentAgoMayNothing(t *testing.T) {
	for name, change := range map[string]auth.UserWrite{
		"demoted":            {TeamRole: tollgate.Some(tollgate.TeamMember)},
		"taken out":          {TeamID: tollgate.Null[int64]()},
		"a member elsewhere": {TeamID: tollgate.Some(int64(2)), TeamRole: tollgate.Some(tollgate.TeamMember)},
		"disabled":           {Enabled: tollgate.Some(false)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			team := w.team("research")
			w.team("other")
			leadUser, ann := w.join(team, "lead", tollgate.TeamAdmin, false), w.join(team, "ann", tollgate.TeamMember, false)
			lead := w.as("lead")
			k, plain, code := w.teamKey(lead, auth.KeyWrite{UserID: ann.ID})
			if code != "" {
				t.Fatal(code)
			}
			var token tollgate.Secret
			w.update(func(tx tollgate.Tx) (err error) {
				_, token, err = w.accounts.InviteMember(t.Context(), tx, lead, auth.InvitationWrite{})
				return err
			})
			change.ID = leadUser.ID
			w.saveUser(host(), change)
			for verb, do := range map[string]func(tx tollgate.Tx) error{
				"look":   func(tx tollgate.Tx) error { _, err := w.accounts.Led(t.Context(), tx, lead); return err },
				"remove": func(tx tollgate.Tx) error { return w.accounts.RemoveMember(t.Context(), tx, lead, ann.ID) },
				"key": func(tx tollgate.Tx) error {
					_, _, err := w.accounts.GenerateTeamKey(t.Context(), tx, lead, auth.KeyWrite{UserID: ann.ID})
					return err
				},
				"disable": func(tx tollgate.Tx) error { return w.accounts.SetMemberKeyEnabled(t.Context(), tx, lead, k.ID, false) },
				"delete":  func(tx tollgate.Tx) error { return w.accounts.DeleteMemberKey(t.Context(), tx, lead, k.ID) },
				"bound": func(tx tollgate.Tx) error {
					_, err := w.accounts.SaveQuota(t.Context(), tx, lead, auth.QuotaWrite{Scope: tollgate.ScopeKey, ScopeID: k.ID})
					return err
				},
				"invite": func(tx tollgate.Tx) error {
					_, _, err := w.accounts.InviteMember(t.Context(), tx, lead, auth.InvitationWrite{})
					return err
				},
				"revoke": func(tx tollgate.Tx) error { return w.accounts.RevokeInvitation(t.Context(), tx, lead, 1) },
			} {
				if code := w.try(do); code != tollgate.CodeForbidden && code != tollgate.CodeUnauthenticated && code != tollgate.CodeNotFound {
					t.Errorf("%s: %q", verb, code)
				}
			}
			if _, code := w.accept(token, "newcomer"); code != tollgate.CodeNotFound {
				t.Errorf("their invitation is still good: %q", code)
			}
			if err := w.authenticate(bearer(plain)); err != nil {
				t.Errorf("the member's key ended with somebody else's role: %v", err)
			}
		})
	}
}

func TestTeamAdminsInvitePlainMembersOfTheirTeam(t *testing.T) {
	w := newWorld(t)
	team, night := w.team("research"), w.team("night")
	w.join(team, "lead", tollgate.TeamAdmin, false)
	w.join(night, "rival", tollgate.TeamAdmin, false)
	w.user("boss", true)
	lead, rival := w.as("lead"), w.as("rival")
	invite := func(by tollgate.Actor, i auth.InvitationWrite) (l tollgate.Link, token tollgate.Secret) {
		w.update(func(tx tollgate.Tx) (err error) {
			l, token, err = w.accounts.InviteMember(t.Context(), tx, by, i)
			return err
		})
		return l, token
	}
	_, token := invite(lead, auth.InvitationWrite{Label: "for Cy", Email: "cy@example.com", IsAdmin: true, TeamID: night.ID, TeamRole: tollgate.TeamAdmin})
	u, code := w.accept(token, "cy")
	if code != "" || u.Role != tollgate.RoleUser || u.TeamID != team.ID || u.TeamRole != tollgate.TeamMember || u.Email != "cy@example.com" {
		t.Fatalf("%+v %q", u, code)
	}
	if _, _, code := w.invite(lead, auth.InvitationWrite{TeamID: team.ID}); code != tollgate.CodeForbidden {
		t.Errorf("the admins' command: %q", code)
	}
	mine, again := invite(lead, auth.InvitationWrite{})
	of, _, _ := w.invite(w.as("boss"), auth.InvitationWrite{TeamID: team.ID, TeamRole: tollgate.TeamAdmin})
	theirs, _ := invite(rival, auth.InvitationWrite{})
	for name, c := range map[string]struct {
		by   tollgate.Actor
		id   int64
		want tollgate.Code
	}{
		"another team's":      {lead, theirs.ID, tollgate.CodeNotFound},
		"a missing one":       {lead, 987654, tollgate.CodeNotFound},
		"one that gives more": {lead, of.ID, tollgate.CodeForbidden},
		"by another's admin":  {rival, mine.ID, tollgate.CodeNotFound},
		"the admins' command": {lead, 0, tollgate.CodeForbidden},
	} {
		if code := w.try(func(tx tollgate.Tx) error {
			if c.id == 0 {
				return w.accounts.DeleteInvitation(t.Context(), tx, c.by, mine.ID)
			}
			return w.accounts.RevokeInvitation(t.Context(), tx, c.by, c.id)
		}); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
	w.update(func(tx tollgate.Tx) error { return w.accounts.RevokeInvitation(t.Context(), tx, lead, mine.ID) })
	if _, code := w.accept(again, "dee"); code != tollgate.CodeNotFound {
		t.Errorf("one taken back: %q", code)
	}
}

// TestTeamAdminsBoundTheKeysOfTheTeam: budgets of those, of no others.
func TestTeamAdminsBoundTheKeysOfTheTeam(t *testing.T) {
	w := newWorld(t)
	team := w.team("research")
	w.join(team, "lead", tollgate.TeamAdmin, false)
	ann := w.join(team, "ann", tollgate.TeamMember, false)
	lead, limit := w.as("lead"), 2*tollgate.Dollar
	k, _, _ := w.teamKey(lead, auth.KeyWrite{UserID: ann.ID})
	own, _ := w.key(auth.KeyWrite{UserID: ann.ID})
	for name, c := range map[string]struct {
		q    auth.QuotaWrite
		want tollgate.Code
	}{
		"the team's key":      {auth.QuotaWrite{Scope: tollgate.ScopeKey, ScopeID: k.ID, Limit: tollgate.Some(limit)}, ""},
		"what it has spent":   {auth.QuotaWrite{Scope: tollgate.ScopeKey, ScopeID: k.ID, Spent: tollgate.Some(limit)}, tollgate.CodeForbidden},
		"the member's own":    {auth.QuotaWrite{Scope: tollgate.ScopeKey, ScopeID: own.ID, Limit: tollgate.Some(limit)}, tollgate.CodeForbidden},
		"the member's budget": {auth.QuotaWrite{Scope: tollgate.ScopeUser, ScopeID: ann.ID, Limit: tollgate.Some(limit)}, tollgate.CodeForbidden},
		"the team's budget":   {auth.QuotaWrite{Scope: tollgate.ScopeTeam, ScopeID: team.ID, Limit: tollgate.Some(limit)}, tollgate.CodeForbidden},
	} {
		if code := w.try(func(tx tollgate.Tx) error { _, err := w.accounts.SaveQuota(t.Context(), tx, lead, c.q); return err }); code != c.want {
			t.Errorf("%s: %q, want %q", name, code, c.want)
		}
	}
}
