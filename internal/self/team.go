package self

import (
	"context"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

// tagTeam groups what an admin of a team may (CONTRACT 5). Which team it is
// comes from who asks, as the transaction sees them; other teams, and who is in
// none, do not exist here.
const tagTeam = "My team"

// team is the JSON of a team for an admin of it.
type team struct {
	ID          int64           `json:"id"`
	Name        string          `json:"name"`
	Members     int64           `json:"members" doc:"How many there are."`
	CreatedAt   time.Time       `json:"created_at"`
	Quotas      []api.Quota     `json:"quotas" nullable:"false" doc:"Shared by all members."`
	RateLimits  []api.RateLimit `json:"rate_limits" nullable:"false" doc:"Shared by all members."`
	Permissions []api.Right     `json:"permissions" nullable:"false" doc:"What every member may call, and keys of the team."`
}

// member is the JSON of a member for an admin of the team.
type member struct {
	ID          int64      `json:"id"`
	Name        string     `json:"name"`
	Enabled     bool       `json:"enabled"`
	TeamRole    string     `json:"team_role" enum:"member,admin"`
	Manageable  bool       `json:"manageable" doc:"Whether admins of the team may remove the member and manage the keys: of plain members, who are no admins."`
	LastLoginAt *time.Time `json:"last_login_at" doc:"null = never"`
}

type memberQuery struct {
	ID       api.Scope[int64]  `json:"id,omitzero"`
	Name     api.Scope[string] `json:"name,omitzero"`
	TeamRole api.Scope[string] `json:"team_role,omitzero"`
	api.Page
}

type teamInvitationQuery struct {
	ID api.Scope[int64] `json:"id,omitzero"`
	api.Page
}

type teamInvitation struct {
	Label         string `json:"label,omitempty" maxLength:"128" doc:"Who it is for."`
	Email         string `json:"email,omitempty" maxLength:"254" doc:"Of the new account. Nothing is sent there."`
	ExpiresInSecs int64  `json:"expires_in_secs,omitempty" minimum:"60" maximum:"2592000" doc:"The default is a week."`
}

func teamReads(path, summary string) api.Op {
	return api.Op{Path: path, Tag: tagTeam, Summary: summary, Policy: web.Policy{Access: web.AccessTeamAdmin, MaxBody: api.MaxBody}}
}

func teamWrites(path, summary string, example any) api.Op {
	op := teamReads(path, summary)
	op.Policy.Mutates, op.Example = true, example
	return op
}

func (s *Server) mountTeam() {
	api.Handle(s.API, teamReads("/user/team", "Show the team that the caller is an admin of"), s.team)
	s.mountMembers()
	s.mountTeamInvitations()
	s.mountTeamKeys()
	s.mountTeamUsage()
}

// ofTeam is a source of rows of the caller's team: force puts the team into the
// filter, in the transaction that reads.
func ofTeam[Row, F any](s *Server, source api.Source[Row, F], force func(ctx context.Context, tx tollgate.Tx, f *F, teamID int64) error) api.Source[Row, F] {
	return func(ctx context.Context, tx tollgate.Tx, f F, p tollgate.Page) ([]Row, *tollgate.Cursor, error) {
		t, err := s.Accounts.Led(ctx, tx, api.Actor(ctx))
		if err == nil {
			err = force(ctx, tx, &f, t.ID)
		}
		if err != nil {
			return nil, nil, err
		}
		return source(ctx, tx, f, p)
	}
}

// changeTeam runs fn in one transaction as the caller.
func (s *Server) changeTeam(ctx context.Context, id int64, fn func(tx tollgate.Tx, by tollgate.Actor) error) (api.Done, error) {
	by := api.Actor(ctx)
	return api.Done{OK: true, ID: id}, s.Store.Update(ctx, func(tx tollgate.Tx) error { return fn(tx, by) })
}

func (s *Server) team(ctx context.Context, _ *struct{}) (out team, err error) {
	by, now := api.Actor(ctx), s.Now()
	err = s.Store.View(ctx, func(tx tollgate.Tx) error {
		t, err := s.Accounts.Led(ctx, tx, by)
		if err != nil {
			return err
		}
		out = team{ID: t.ID, Name: t.Name, CreatedAt: t.CreatedAt.UTC(), Quotas: []api.Quota{}, RateLimits: []api.RateLimit{}}
		if out.Members, err = tx.Users.Count(ctx, tollgate.UserFilter{TeamID: tollgate.Is(t.ID)}); err != nil {
			return err
		}
		scope, id, all := tollgate.Is(tollgate.ScopeTeam), tollgate.Is(t.ID), tollgate.Page{All: true}
		quotas, _, err := tx.Quotas.Query(ctx, tollgate.QuotaFilter{Scope: scope, ScopeID: id}, all)
		if err != nil {
			return err
		}
		for _, q := range quotas {
			out.Quotas = append(out.Quotas, api.QuotaRecord(q, now, s.Zone, s.Held))
		}
		limits, _, err := tx.RateLimits.Query(ctx, tollgate.RateLimitFilter{Scope: scope, ScopeID: id}, all)
		if err != nil {
			return err
		}
		for _, l := range limits {
			out.RateLimits = append(out.RateLimits, api.RateLimitRecord(l))
		}
		out.Permissions, err = api.TeamRights(ctx, tx, t.ID)
		return err
	})
	return out, err
}

func (s *Server) mountMembers() {
	api.Listing[memberQuery, tollgate.User, tollgate.UserFilter, member]{
		Op: teamReads("/user/team/members/query", "Show the members of the team"),
		Source: ofTeam(s, api.Rows(func(tx tollgate.Tx) tollgate.Users { return tx.Users }),
			func(_ context.Context, _ tollgate.Tx, f *tollgate.UserFilter, teamID int64) error {
				f.TeamID = tollgate.Is(teamID)
				return nil
			}),
		Filter: func(_ context.Context, q memberQuery) (tollgate.UserFilter, error) {
			return tollgate.UserFilter{ID: q.ID.Match, Name: q.Name.Match, TeamRole: q.TeamRole.Match}, nil
		},
		Records: api.Each(func(u tollgate.User) member {
			return member{u.ID, u.Name, u.Enabled, u.TeamRole, auth.PlainMember(u), api.Stamp(u.LastLoginAt)}
		}),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, teamWrites("/user/team/members/remove", "Take a plain member out of the team; their keys of the team end before this returns", api.ByID{ID: 7}),
		func(ctx context.Context, in *api.ByID) (api.Done, error) {
			return s.changeTeam(ctx, in.ID, func(tx tollgate.Tx, by tollgate.Actor) error { return s.Accounts.RemoveMember(ctx, tx, by, in.ID) })
		})
}

func (s *Server) mountTeamInvitations() {
	api.Listing[teamInvitationQuery, tollgate.Link, tollgate.LinkFilter, api.Invitation]{
		Op: teamReads("/user/team/invitations/query", "Show invitations to the team, used ones too"),
		Source: ofTeam(s, api.Rows(func(tx tollgate.Tx) tollgate.Links { return tx.Links }),
			func(_ context.Context, _ tollgate.Tx, f *tollgate.LinkFilter, teamID int64) error {
				f.TeamID = tollgate.Is(teamID)
				return nil
			}),
		Filter: func(_ context.Context, q teamInvitationQuery) (tollgate.LinkFilter, error) {
			return tollgate.LinkFilter{ID: q.ID.Match, Purpose: tollgate.Is(tollgate.LinkInvitation)}, nil
		},
		Records: api.Each(func(l tollgate.Link) api.Invitation { return api.InvitationRecord(l, s.Now()) }),
	}.Mount(s.API, s.Store, s.Cursors)
	links := api.LinkMaker{Store: s.Store, Origin: s.Origin}
	api.Handle(s.API, teamWrites("/user/team/invitations/create", "Make a link that gives a new account in the team, once; nothing sends it", map[string]any{"label": "Bob, new in research"}),
		func(ctx context.Context, in *teamInvitation) (api.MadeLink, error) {
			return links.Make(ctx, api.PageInvitation, func(tx tollgate.Tx, by tollgate.Actor) (tollgate.Link, tollgate.Secret, error) {
				return s.Accounts.InviteMember(ctx, tx, by, auth.InvitationWrite{
					Label: in.Label, Email: in.Email, Life: time.Duration(in.ExpiresInSecs) * time.Second,
				})
			})
		})
	api.Handle(s.API, teamWrites("/user/team/invitations/delete", "Take an invitation back", api.ByID{ID: 7}),
		func(ctx context.Context, in *api.ByID) (api.Done, error) {
			return s.changeTeam(ctx, in.ID, func(tx tollgate.Tx, by tollgate.Actor) error { return s.Accounts.RevokeInvitation(ctx, tx, by, in.ID) })
		})
}
