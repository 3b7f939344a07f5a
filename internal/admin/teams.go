package admin

import (
	"cmp"
	"context"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web/api"
)

// team is the JSON of a team.
type team struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Members   int64     `json:"members" doc:"How many there are."`
	CreatedAt time.Time `json:"created_at"`
}

type teamQuery struct {
	ID   api.Scope[int64]  `json:"id,omitzero"`
	Name api.Scope[string] `json:"name,omitzero"`
	api.Page
}

type teamWrite struct {
	ID   int64  `json:"id,omitempty" minimum:"0" doc:"0 or absent = a new one."`
	Name string `json:"name" required:"true" maxLength:"128"`
}

type memberQuery struct {
	TeamID   api.Scope[int64]  `json:"team_id,omitzero" doc:"Absent = the members of all teams."`
	TeamRole api.Scope[string] `json:"team_role,omitzero"`
	api.Page
}

type memberWrite struct {
	TeamID   int64  `json:"team_id" required:"true" minimum:"1"`
	UserID   int64  `json:"id" required:"true" minimum:"1" doc:"The user's."`
	TeamRole string `json:"team_role,omitempty" enum:"member,admin" doc:"The default is member."`
}

type memberRemove struct {
	TeamID int64 `json:"team_id" required:"true" minimum:"1"`
	UserID int64 `json:"id" required:"true" minimum:"1" doc:"The user's."`
}

// teamPermission is the JSON of what the members of a team may call.
type teamPermission struct {
	ID           int64  `json:"id"`
	TeamID       int64  `json:"team_id"`
	ProviderID   *int64 `json:"provider_id" doc:"null = every provider"`
	ModelPattern string `json:"model_pattern" doc:"A glob over the model name as sent, less its provider part."`
}

type teamRightQuery struct {
	ID         api.Scope[int64] `json:"id,omitzero"`
	TeamID     api.Scope[int64] `json:"team_id,omitzero"`
	ProviderID api.Scope[int64] `json:"provider_id,omitzero"`
	api.Page
}

type teamRightWrite struct {
	ID           int64           `json:"id,omitempty" minimum:"0" doc:"0 or absent = a new one."`
	TeamID       api.Val[int64]  `json:"team_id,omitzero" minimum:"1" doc:"Of a new one; it stays."`
	ProviderID   api.Opt[int64]  `json:"provider_id,omitzero" minimum:"1" doc:"null = every provider"`
	ModelPattern api.Val[string] `json:"model_pattern,omitzero" maxLength:"256" doc:"The default is *."`
}

const tagTeams = "Teams"

func (s *Server) mountTeams() {
	const base = "/admin/teams"
	api.Listing[teamQuery, tollgate.Team, tollgate.TeamFilter, team]{
		Op:     reads(base+"/query", tagTeams, "Find teams"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Teams { return tx.Teams }),
		Filter: func(_ context.Context, q teamQuery) (tollgate.TeamFilter, error) {
			return tollgate.TeamFilter{ID: q.ID.Match, Name: q.Name.Match}, nil
		},
		Records: func(ctx context.Context, tx tollgate.Tx, rows []tollgate.Team) ([]team, error) {
			recs := make([]team, len(rows))
			for i, t := range rows {
				n, err := tx.Users.Count(ctx, tollgate.UserFilter{TeamID: tollgate.Is(t.ID)})
				if err != nil {
					return nil, err
				}
				recs[i] = team{t.ID, t.Name, n, t.CreatedAt.UTC()}
			}
			return recs, nil
		},
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, writes(base+"/upsert", tagTeams, "Create or rename a team", map[string]any{"name": "research"}),
		func(ctx context.Context, in *teamWrite) (api.Done, error) {
			return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
				t, err := s.Accounts.SaveTeam(ctx, tx, by, tollgate.Team{ID: in.ID, Name: in.Name})
				return t.ID, err
			})
		})
	s.mountDelete(writes(base+"/delete", tagTeams, "Delete a team with its budgets, limits and permissions; its members stay", nil), s.Accounts.DeleteTeam)
	s.mountMembers(base + "/members")
	s.mountTeamPermissions(base + "/permissions")
}

func (s *Server) mountMembers(base string) {
	api.Listing[memberQuery, tollgate.User, tollgate.UserFilter, api.User]{
		Op:     reads(base+"/query", tagTeams, "Find members of teams"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Users { return tx.Users }),
		Filter: func(_ context.Context, q memberQuery) (tollgate.UserFilter, error) {
			f := tollgate.UserFilter{TeamID: q.TeamID.Match, TeamRole: q.TeamRole.Match}
			if !f.TeamRole.Set {
				f.TeamRole = tollgate.Is(tollgate.TeamMember, tollgate.TeamAdmin)
			}
			return f, nil
		},
		Records: api.UserRecords,
	}.Mount(s.API, s.Store, s.Cursors)
	set := func(ctx context.Context, teamID, userID int64, role, action string) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
			return userID, s.Accounts.SetMember(ctx, tx, by, teamID, userID, role, action)
		})
	}
	example := map[string]any{"team_id": 1, "id": 7, "team_role": "member"}
	api.Handle(s.API, writes(base+"/add", tagTeams, "Put a user into a team", example), func(ctx context.Context, in *memberWrite) (api.Done, error) {
		return set(ctx, in.TeamID, in.UserID, cmp.Or(in.TeamRole, tollgate.TeamMember), auth.TeamJoin)
	})
	api.Handle(s.API, writes(base+"/set-role", tagTeams, "Change a member's role in the team", example), func(ctx context.Context, in *memberWrite) (api.Done, error) {
		return set(ctx, in.TeamID, in.UserID, cmp.Or(in.TeamRole, tollgate.TeamMember), auth.TeamRole)
	})
	api.Handle(s.API, writes(base+"/remove", tagTeams, "Take a user out of a team, in force when this returns", map[string]any{"team_id": 1, "id": 7}),
		func(ctx context.Context, in *memberRemove) (api.Done, error) {
			return set(ctx, in.TeamID, in.UserID, "", auth.TeamLeave)
		})
}

func (s *Server) mountTeamPermissions(base string) {
	api.Listing[teamRightQuery, tollgate.TeamPermission, tollgate.TeamPermissionFilter, teamPermission]{
		Op:     reads(base+"/query", tagTeams, "Find what teams may call"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.TeamPermissions { return tx.TeamPermissions }),
		Filter: func(_ context.Context, q teamRightQuery) (tollgate.TeamPermissionFilter, error) {
			return tollgate.TeamPermissionFilter{ID: q.ID.Match, TeamID: q.TeamID.Match, ProviderID: q.ProviderID.Match}, nil
		},
		Records: api.Each(func(p tollgate.TeamPermission) teamPermission {
			return teamPermission{p.ID, p.TeamID, api.OrNull(p.ProviderID), p.ModelPattern}
		}),
	}.Mount(s.API, s.Store, s.Cursors)
	example := map[string]any{"team_id": 1, "provider_id": nil, "model_pattern": "gpt-*"}
	api.Handle(s.API, writes(base+"/upsert", tagTeams, "Let the members of a team call models", example), func(ctx context.Context, in *teamRightWrite) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) { return s.saveTeamPermission(ctx, tx, by, *in) })
	})
	s.mountDelete(writes(base+"/delete", tagTeams, "Take a permission of a team away, in force when this returns", nil), s.Accounts.DeleteTeamPermission)
}

func (s *Server) saveTeamPermission(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, in teamRightWrite) (int64, error) {
	row := tollgate.TeamPermission{TeamID: in.TeamID.Value, ModelPattern: "*"}
	if in.ID != 0 {
		have, err := tx.TeamPermissions.Get(ctx, in.ID)
		if err != nil {
			return 0, missing(err, "team permission", in.ID)
		}
		row = have
	}
	row.ProviderID, row.ModelPattern = in.ProviderID.Or(row.ProviderID), in.ModelPattern.Or(row.ModelPattern)
	switch {
	case row.TeamID == 0:
		return 0, tollgate.Invalidf("team_id", "team_id is required")
	case in.TeamID.Or(row.TeamID) != row.TeamID:
		return 0, tollgate.Invalidf("team_id", "a permission stays with its team; make another one")
	}
	row, err := s.Accounts.SaveTeamPermission(ctx, tx, by, row)
	return row.ID, err
}
