package admin

import (
	"context"

	"tollgate"
	"tollgate/internal/web/api"
)

type factorQuery struct {
	ID     api.Scope[int64] `json:"id,omitzero"`
	UserID api.Scope[int64] `json:"user_id,omitzero"`
	api.Page
}

type sessionQuery struct {
	ID     api.Scope[int64] `json:"id,omitzero"`
	UserID api.Scope[int64] `json:"user_id,omitzero"`
	api.Page
}

type sessionDelete struct {
	ID     int64 `json:"id,omitempty" minimum:"0" doc:"The sign-in to end."`
	UserID int64 `json:"user_id,omitempty" minimum:"0" doc:"Ends all sign-ins of this user."`
}

// mountSignIns mounts what an admin may do to other people's factors and sessions.
func (s *Server) mountSignIns() {
	const tag = "Users"
	api.Listing[factorQuery, tollgate.Factor, tollgate.FactorFilter, api.Factor]{
		Op:     reads("/admin/user-factors/query", tag, "Show users' second factors; secrets are never shown"),
		Source: api.FactorRows,
		Filter: func(_ context.Context, q factorQuery) (tollgate.FactorFilter, error) {
			return tollgate.FactorFilter{ID: q.ID.Match, UserID: q.UserID.Match, Kind: api.SecondFactors()}, nil
		},
		Records: api.Each(api.FactorRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	remove := writes("/admin/user-factors/delete", tag, "Remove a user's second factor; ends all their sign-ins", nil)
	remove.Policy.RecentSignIn = true
	s.mountDelete(remove, s.Accounts.RemoveFactor)
	api.Listing[sessionQuery, tollgate.Session, tollgate.SessionFilter, api.Session]{
		Op:     reads("/admin/user-sessions/query", tag, "Show users' sign-ins"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Sessions { return tx.Sessions }),
		Filter: func(_ context.Context, q sessionQuery) (tollgate.SessionFilter, error) {
			return tollgate.SessionFilter{ID: q.ID.Match, UserID: q.UserID.Match}, nil
		},
		Records: api.SessionRecords,
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, writes("/admin/user-sessions/delete", tag, "End a sign-in, or all of a user", api.ByID{ID: 7}), s.endSessions)
}

func (s *Server) endSessions(ctx context.Context, in *sessionDelete) (api.Done, error) {
	if (in.ID == 0) == (in.UserID == 0) {
		return api.Done{}, tollgate.Invalidf("id", "give either id or user_id")
	}
	return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
		if in.ID != 0 {
			return in.ID, s.Accounts.RemoveSession(ctx, tx, by, in.ID)
		}
		return in.UserID, s.Accounts.RemoveSessions(ctx, tx, by, in.UserID)
	})
}
