package admin

import (
	"context"

	"tollgate"
	"tollgate/internal/web/api"
)

type identityQuery struct {
	ID       api.Scope[int64]  `json:"id,omitzero"`
	UserID   api.Scope[int64]  `json:"user_id,omitzero"`
	Provider api.Scope[string] `json:"provider,omitzero"`
	Subject  api.Scope[string] `json:"subject,omitzero"`
	api.Page
}

type identityWrite struct {
	UserID   int64  `json:"user_id" required:"true" minimum:"1"`
	Provider string `json:"provider" required:"true" maxLength:"32" doc:"The sign-in provider's name."`
	Subject  string `json:"subject" required:"true" maxLength:"255" doc:"The provider's own id of the account, never its e-mail address; for GitHub the number."`
}

func (s *Server) mountIdentities() {
	const base, tag = "/admin/user-identities", "Identities"
	api.Listing[identityQuery, tollgate.Identity, tollgate.IdentityFilter, api.LinkedIdentity]{
		Op:     reads(base+"/query", tag, "Find accounts at sign-in providers that are linked to users"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Identities { return tx.Identities }),
		Filter: func(_ context.Context, q identityQuery) (tollgate.IdentityFilter, error) {
			return tollgate.IdentityFilter{ID: q.ID.Match, UserID: q.UserID.Match, Provider: q.Provider.Match, Subject: q.Subject.Match}, nil
		},
		Records: api.Each(api.IdentityRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	link := writes(base+"/upsert", tag, "Link an account at a sign-in provider to a user; one that is linked is a conflict",
		identityWrite{UserID: 7, Provider: "github", Subject: "583231"})
	link.Policy.RecentSignIn = true
	api.Handle(s.API, link, func(ctx context.Context, in *identityWrite) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
			row, err := s.Accounts.Link(ctx, tx, by, tollgate.Identity{UserID: in.UserID, Provider: in.Provider, Subject: in.Subject})
			return row.ID, err
		})
	})
	unlink := writes(base+"/delete", tag, "Unlink; ends the sign-ins that came through the provider before this returns", nil)
	unlink.Policy.RecentSignIn = true
	s.mountDelete(unlink, s.Accounts.Unlink)
}
