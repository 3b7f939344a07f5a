package auth

import (
	"context"

	"tollgate"
)

// SaveTeam inserts (ID 0) or renames a team.
func (a *Accounts) SaveTeam(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, t tollgate.Team) (tollgate.Team, error) {
	who, err := a.scoped(ctx, tx, by, tollgate.ScopeInstance, 0)
	if err != nil {
		return t, err
	}
	if err := tollgate.ValidName("name", t.Name); err != nil {
		return t, err
	}
	var before any
	if t.ID == 0 {
		t.CreatedAt = a.Now()
		err = tx.Teams.Insert(ctx, &t)
	} else {
		var old tollgate.Team
		if old, err = tx.Teams.Get(ctx, t.ID); err != nil {
			return t, missing(err, "team", t.ID)
		}
		t.CreatedAt, before = old.CreatedAt, teamView{old.ID, old.Name}
		err = tx.Teams.Update(ctx, t)
	}
	if err != nil {
		return t, err
	}
	return t, a.audit(ctx, tx, who, "team.upsert", "team", t.ID, before, teamView{t.ID, t.Name})
}

// DeleteTeam removes a team; its members stay, without one.
func (a *Accounts) DeleteTeam(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	who, err := a.scoped(ctx, tx, by, tollgate.ScopeInstance, 0)
	if err != nil {
		return err
	}
	t, err := tx.Teams.Get(ctx, id)
	if err != nil {
		return missing(err, "team", id)
	}
	members, _, err := tx.Users.Query(ctx, tollgate.UserFilter{TeamID: tollgate.Is(id)}, all())
	if err != nil {
		return err
	}
	for _, u := range members {
		u.TeamID, u.TeamRole = 0, ""
		if err := tx.Users.Update(ctx, u); err != nil {
			return err
		}
		if err := a.settleTeam(ctx, tx, who, u); err != nil {
			return err
		}
	}
	if err := tx.Teams.Delete(ctx, id); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "team.delete", "team", id, teamView{t.ID, t.Name}, nil)
}

// teamView is a team as the audit shows it.
type teamView struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// SetMember puts a user into a team (role member or admin), changes their role
// in it, or takes them out of it (role ""). What they had through the team ends
// at once. A user of another team is CodeConflict, one who is in none and is to
// leave or change is CodeNotFound.
func (a *Accounts) SetMember(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, teamID, userID int64, role, action string) error {
	if role != "" && role != tollgate.TeamMember && role != tollgate.TeamAdmin {
		return tollgate.Invalidf("team_role", "team_role is member or admin")
	}
	who, err := a.scoped(ctx, tx, by, tollgate.ScopeTeam, teamID)
	if err != nil {
		return err
	}
	u, err := tx.Users.Get(ctx, userID)
	switch {
	case err != nil:
		return missing(err, "user", userID)
	case who.administers(u) != nil:
		return who.administers(u)
	case action == TeamJoin && u.TeamID != 0 && u.TeamID != teamID:
		return tollgate.Errorf(tollgate.CodeConflict, "this user is in another team; remove them there first")
	case action != TeamJoin && u.TeamID != teamID:
		return tollgate.Errorf(tollgate.CodeNotFound, "there is no member with id %d in this team", userID)
	}
	return a.setMember(ctx, tx, who, u, teamID, role, action)
}

// The actions of SetMember, as the audit names them.
const (
	TeamJoin  = "team.add_member"
	TeamRole  = "team.set_role"
	TeamLeave = "team.remove_member"
)

func (a *Accounts) setMember(ctx context.Context, tx tollgate.Tx, who actor, u tollgate.User, teamID int64, role, action string) error {
	before := viewUser(u, false)
	if u.TeamID, u.TeamRole = teamID, role; role == "" {
		u.TeamID = 0
	}
	if viewUser(u, false) == before {
		return nil
	}
	if err := tx.Users.Update(ctx, u); err != nil {
		return err
	}
	if err := a.settleTeam(ctx, tx, who, u); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, action, "user", u.ID, before, viewUser(u, false))
}

// settleTeam deletes the keys of teams that u is no member of (any more). The
// directory refuses them as it is; they must not come back with the membership.
func (a *Accounts) settleTeam(ctx context.Context, tx tollgate.Tx, who actor, u tollgate.User) error {
	keys, _, err := tx.Keys.Query(ctx, tollgate.KeyFilter{UserID: tollgate.Is(u.ID)}, all())
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.TeamID == 0 || k.TeamID == u.TeamID {
			continue
		}
		if err := a.dropKey(ctx, tx, who, k); err != nil {
			return err
		}
	}
	return nil
}

// SaveTeamPermission inserts (ID 0) or changes what the members of a team may
// call. Inserting one that the team has already returns it.
func (a *Accounts) SaveTeamPermission(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, p tollgate.TeamPermission) (tollgate.TeamPermission, error) {
	who, err := a.scoped(ctx, tx, by, tollgate.ScopeTeam, p.TeamID)
	if err == nil {
		err = provider(ctx, tx, p.ProviderID)
	}
	if err == nil {
		err = tollgate.ValidPattern("model_pattern", p.ModelPattern)
	}
	if err != nil {
		return p, err
	}
	var before any
	if p.ID == 0 {
		same, _, err := tx.TeamPermissions.Query(ctx, tollgate.TeamPermissionFilter{TeamID: tollgate.Is(p.TeamID), ProviderID: tollgate.Is(p.ProviderID)}, all())
		if err != nil {
			return p, err
		}
		for _, old := range same {
			if old.ModelPattern == p.ModelPattern {
				return old, nil
			}
		}
		err = tx.TeamPermissions.Insert(ctx, &p)
		if err != nil {
			return p, err
		}
	} else {
		old, err := tx.TeamPermissions.Get(ctx, p.ID)
		if err != nil {
			return p, missing(err, "team permission", p.ID)
		}
		before = viewTeamPermission(old)
		if err := tx.TeamPermissions.Update(ctx, p); err != nil {
			return p, err
		}
	}
	return p, a.audit(ctx, tx, who, "team_permission.upsert", "team_permission", p.ID, before, viewTeamPermission(p))
}

// DeleteTeamPermission takes from the members of a team what they may call.
func (a *Accounts) DeleteTeamPermission(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	p, err := tx.TeamPermissions.Get(ctx, id)
	if err != nil {
		return a.refuseFirst(ctx, tx, by, missing(err, "team permission", id))
	}
	who, err := a.scoped(ctx, tx, by, tollgate.ScopeTeam, p.TeamID)
	if err != nil {
		return err
	}
	if err := tx.TeamPermissions.Delete(ctx, id); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "team_permission.delete", "team_permission", id, viewTeamPermission(p), nil)
}

// teamPermissionView is a team permission as the audit shows it.
type teamPermissionView struct {
	ID           int64  `json:"id"`
	TeamID       int64  `json:"team_id"`
	ProviderID   *int64 `json:"provider_id"` // null = every provider
	ModelPattern string `json:"model_pattern"`
}

func viewTeamPermission(p tollgate.TeamPermission) teamPermissionView {
	return teamPermissionView{ID: p.ID, TeamID: p.TeamID, ProviderID: orNull(p.ProviderID), ModelPattern: p.ModelPattern}
}
