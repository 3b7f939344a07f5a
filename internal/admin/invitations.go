package admin

import (
	"context"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

type invitationQuery struct {
	ID     api.Scope[int64] `json:"id,omitzero"`
	TeamID api.Scope[int64] `json:"team_id,omitzero"`
	api.Page
}

type invitationWrite struct {
	Label         string `json:"label,omitempty" maxLength:"128" doc:"Who it is for."`
	Email         string `json:"email,omitempty" maxLength:"254" doc:"Of the new account. Nothing is sent there."`
	IsAdmin       bool   `json:"is_admin,omitempty"`
	TeamID        int64  `json:"team_id,omitempty" minimum:"1"`
	TeamRole      string `json:"team_role,omitempty" enum:"member,admin" doc:"The default is member."`
	ExpiresInSecs int64  `json:"expires_in_secs,omitempty" minimum:"60" maximum:"2592000" doc:"The default is a week."`
}

type invitationToken struct {
	Token string `json:"token" required:"true" doc:"What stands behind the # of the link."`
}

type invitationShown struct {
	Label     string    `json:"label"`
	Email     *string   `json:"email"`
	IsAdmin   bool      `json:"is_admin"`
	Team      *string   `json:"team" doc:"The team's name; null = none"`
	TeamRole  *string   `json:"team_role"`
	SSOOnly   bool      `json:"sso_only" doc:"Whether a sign-in provider is the only way; else name and password may be chosen."`
	ExpiresAt time.Time `json:"expires_at"`
}

type invitationAccept struct {
	Token    string `json:"token" required:"true"`
	Username string `json:"username" required:"true" maxLength:"128" doc:"The name of the new account."`
	Password string `json:"password" required:"true" doc:"At least 12 characters."`
}

func (s *Server) mountInvitations() {
	const tag = "Invitations"
	api.Listing[invitationQuery, tollgate.Link, tollgate.LinkFilter, api.Invitation]{
		Op:     reads("/admin/invitations/query", tag, "Show invitations, used ones too"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Links { return tx.Links }),
		Filter: func(_ context.Context, q invitationQuery) (tollgate.LinkFilter, error) {
			return tollgate.LinkFilter{ID: q.ID.Match, TeamID: q.TeamID.Match, Purpose: tollgate.Is(tollgate.LinkInvitation)}, nil
		},
		Records: api.Each(func(l tollgate.Link) api.Invitation { return api.InvitationRecord(l, s.Now()) }),
	}.Mount(s.API, s.Store, s.Cursors)
	create := writes("/admin/invitations/create", tag, "Make a link that gives a new account, once; nothing sends it",
		map[string]any{"label": "Bob, new in research", "team_id": 1, "team_role": "member"})
	api.Handle(s.API, create, func(ctx context.Context, in *invitationWrite) (api.MadeLink, error) {
		return s.links().Make(ctx, api.PageInvitation, func(tx tollgate.Tx, by tollgate.Actor) (tollgate.Link, tollgate.Secret, error) {
			return s.Accounts.Invite(ctx, tx, by, auth.InvitationWrite{
				Label: in.Label, Email: in.Email, IsAdmin: in.IsAdmin, TeamID: in.TeamID, TeamRole: in.TeamRole,
				Life: time.Duration(in.ExpiresInSecs) * time.Second,
			})
		})
	})
	s.mountDelete(writes("/admin/invitations/delete", tag, "Take an invitation back", nil), s.Accounts.DeleteInvitation)
	show := onLink("/auth/invitation", "Show what a link invites to", map[string]any{"token": "…"})
	show.Policy.Mutates = false
	api.Handle(s.API, show, func(ctx context.Context, in *invitationToken) (invitationShown, error) {
		i, err := s.Sessions.Invitation(ctx, tollgate.NewSecret(in.Token), signInOf(web.EventFrom(ctx)))
		return invitationShown{
			Label: i.Label, Email: api.TextOrNull(i.Email), IsAdmin: i.Role.IsAdmin(), Team: api.TextOrNull(i.Team), TeamRole: api.TextOrNull(i.TeamRole),
			SSOOnly: i.SSOOnly, ExpiresAt: i.ExpiresAt.UTC(),
		}, err
	})
	api.Handle(s.API, onLink("/auth/invitation/accept", "Make the account that a link gives; then sign in", map[string]any{"token": "…", "username": "bob", "password": "…"}),
		func(ctx context.Context, in *invitationAccept) (api.Done, error) {
			u, err := s.Sessions.Accept(ctx, tollgate.NewSecret(in.Token), in.Username, tollgate.NewSecret(in.Password), signInOf(web.EventFrom(ctx)))
			return api.Done{OK: true, ID: u.ID}, err
		})
}
