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
