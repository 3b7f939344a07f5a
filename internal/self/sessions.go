package self

import (
	"context"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

type passwordBody struct {
	CurrentPassword string `json:"current_password" required:"true"`
	NewPassword     string `json:"new_password" required:"true" doc:"At least 12 characters."`
}

// freshSession is the answer of what replaces the caller's session.
type freshSession struct {
	OK            bool   `json:"ok"`
	SessionToken  string `json:"session_token" doc:"Replaces the one that asked. Browsers hold it as a cookie."`
	ExpiresInSecs int64  `json:"expires_in_secs"`
}

type freshOutput struct {
	Cookie string `header:"Set-Cookie"`
	Body   freshSession
}

type sessionQuery struct {
	ID api.Scope[int64] `json:"id,omitzero"`
	api.Page
}

type sessionDelete struct {
	ID  int64 `json:"id,omitempty" minimum:"0" doc:"The sign-in to end."`
	All bool  `json:"all,omitempty" doc:"Ends all of them, this one too."`
}

func (s *Server) mountSessions() {
	password := writes("/user/password", "Change the own password; ends all other sign-ins", map[string]any{"current_password": "…", "new_password": "…"})
	password.Policy.MaxBody = maxPasswordBody
	api.HandleFull(s.API, password, func(ctx context.Context, in *passwordBody) (*freshOutput, error) {
		e := web.EventFrom(ctx)
		return fresh(e)(s.Sessions.ChangePassword(ctx, e.Actor(), tollgate.NewSecret(in.CurrentPassword), tollgate.NewSecret(in.NewPassword), signIn(e)))
	})
	s.mountStepUp()
	api.Listing[sessionQuery, tollgate.Session, tollgate.SessionFilter, api.Session]{
		Op:     reads("/user/sessions/query", "Show the own sign-ins"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Sessions { return tx.Sessions }),
		Filter: func(ctx context.Context, q sessionQuery) (tollgate.SessionFilter, error) {
			return tollgate.SessionFilter{ID: q.ID.Match, UserID: own(ctx)}, nil
		},
		Records: api.SessionRecords,
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, writes("/user/sessions/delete", "End a sign-in, or all", api.ByID{ID: 7}), s.endSession)
}

func signIn(e *web.Event) auth.SignIn {
	return auth.SignIn{IP: e.ClientIP, UserAgent: e.UserAgent, RequestID: e.ID}
}

// fresh answers with the session that replaces the caller's.
func fresh(e *web.Event) func(auth.LoginResult, error) (*freshOutput, error) {
	return func(res auth.LoginResult, err error) (*freshOutput, error) {
		if err != nil {
			return nil, err
		}
		return &freshOutput{
			Cookie: web.SessionCookie(e, res.Token.Reveal(), res.ExpiresIn).String(),
			Body:   freshSession{OK: true, SessionToken: res.Token.Reveal(), ExpiresInSecs: int64(res.ExpiresIn / time.Second)},
		}, nil
	}
}

func (s *Server) endSession(ctx context.Context, in *sessionDelete) (api.Done, error) {
	if in.All == (in.ID != 0) {
		return api.Done{}, tollgate.Invalidf("id", "give either id or all")
	}
	by := api.Actor(ctx)
	return api.Done{OK: true, ID: in.ID}, s.Store.Update(ctx, func(tx tollgate.Tx) error {
		if in.All {
			return s.Accounts.RemoveSessions(ctx, tx, by, caller(ctx))
		}
		row, err := tx.Sessions.Get(ctx, in.ID)
		if tollgate.ErrorCode(err) == tollgate.CodeNotFound || err == nil && row.UserID != caller(ctx) {
			return missing("session", in.ID)
		}
		if err != nil {
			return err
		}
		return s.Accounts.RemoveSession(ctx, tx, by, in.ID)
	})
}
