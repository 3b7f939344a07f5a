package self

import (
	"context"

	"tollgate"
	"tollgate/internal/web/api"
)

type identityQuery struct {
	ID api.Scope[int64] `json:"id,omitzero"`
	api.Page
}

func (s *Server) mountIdentities() {
	api.Listing[identityQuery, tollgate.Identity, tollgate.IdentityFilter, api.LinkedIdentity]{
		Op:     reads("/user/identities/query", "Show the own accounts at sign-in providers"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Identities { return tx.Identities }),
		Filter: func(ctx context.Context, q identityQuery) (tollgate.IdentityFilter, error) {
			return tollgate.IdentityFilter{ID: q.ID.Match, UserID: own(ctx)}, nil
		},
		Records: api.Each(api.IdentityRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	unlink := writes("/user/identities/unlink", "Unlink an account; ends the sign-ins that came through its provider", api.ByID{ID: 7})
	unlink.Policy.RecentSignIn = true
	api.Handle(s.API, unlink, s.unlink)
}

func (s *Server) unlink(ctx context.Context, in *api.ByID) (api.Done, error) {
	by := api.Actor(ctx)
	return api.Done{OK: true, ID: in.ID}, s.Store.Update(ctx, func(tx tollgate.Tx) error {
		row, err := tx.Identities.Get(ctx, in.ID)
		if tollgate.ErrorCode(err) == tollgate.CodeNotFound || err == nil && row.UserID != caller(ctx) {
			return missing("identity", in.ID)
		}
		if err != nil {
			return err
		}
		return s.Accounts.Unlink(ctx, tx, by, in.ID)
	})
}
