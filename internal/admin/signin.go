package admin

import (
	"context"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

// maxSignInBody bounds bodies that hold a password, in bytes (SECURITY D-03).
const maxSignInBody = 4 << 10

// maxPasskeyBody bounds bodies that hold a passkey's answer and a token.
const maxPasskeyBody = 32 << 10

type loginBody struct {
	Username string `json:"username" required:"true" doc:"The account's name."`
	Password string `json:"password" required:"true"`
	Code     string `json:"code,omitempty" doc:"Of a second factor, for accounts that have one."`
}

type loginAnswer struct {
	UserID        int64  `json:"user_id"`
	SessionToken  string `json:"session_token" doc:"For API clients, as Bearer. Browsers hold it as a cookie."`
	ExpiresInSecs int64  `json:"expires_in_secs"`
	IsAdmin       bool   `json:"is_admin"`
	IsSuperAdmin  bool   `json:"is_super_admin"`
	EnrolOnly     bool   `json:"enrol_only,omitempty" doc:"This session may only enrol a second factor, which the account needs and lacks."`
}

type loginOutput struct {
	Cookie string `header:"Set-Cookie"`
	Body   loginAnswer
}

type logoutOutput struct {
	Cookie string `header:"Set-Cookie"`
	Clear  string `header:"Clear-Site-Data"`
	Body   api.Done
}

func (s *Server) mountSignIn() {
	api.HandleFull(s.API, api.Op{
		Path: "/login", Tag: "Sign-in", Summary: "Sign in with name and password",
		Notes:   "Sets the session cookie and answers the session token.",
		Policy:  web.Policy{Access: web.AccessPublic, MaxBody: maxSignInBody, Mutates: true},
		Example: map[string]any{"username": "admin", "password": "…"},
	}, s.login)
	s.mountSecondFactor()
	api.HandleFull(s.API, api.Op{
		Path: "/logout", Tag: "Sign-in", Summary: "End this session",
		Policy: web.Policy{Access: web.AccessSelf, MaxBody: maxSignInBody, Mutates: true, Enrols: true},
	}, s.logout)
}

func (s *Server) login(ctx context.Context, in *loginBody) (*loginOutput, error) {
	e := web.EventFrom(ctx)
	from := signInOf(e)
	from.Proof.Code = tollgate.NewSecret(in.Code)
	return signedIn(e)(s.Sessions.Login(ctx, in.Username, tollgate.NewSecret(in.Password), from))
}

// signedIn answers with the session of a sign-in.
func signedIn(e *web.Event) func(auth.LoginResult, error) (*loginOutput, error) {
	return func(res auth.LoginResult, err error) (*loginOutput, error) {
		if err != nil {
			return nil, err
		}
		return answerOf(e, res), nil
	}
}

func answerOf(e *web.Event, res auth.LoginResult) *loginOutput {
	return &loginOutput{
		Cookie: web.SessionCookie(e, res.Token.Reveal(), res.ExpiresIn).String(),
		Body: loginAnswer{
			UserID: res.User.ID, SessionToken: res.Token.Reveal(), ExpiresInSecs: int64(res.ExpiresIn / time.Second),
			IsAdmin: res.User.Role.IsAdmin(), IsSuperAdmin: res.User.Role == tollgate.RoleSuperAdmin,
			EnrolOnly: res.Session.EnrolOnly,
		},
	}
}

func (s *Server) logout(ctx context.Context, _ *struct{}) (*logoutOutput, error) {
	e := web.EventFrom(ctx)
	if err := s.Sessions.Logout(ctx, e.Actor()); err != nil {
		return nil, err
	}
	gone := web.SessionCookie(e, "", -time.Second)
	return &logoutOutput{Cookie: gone.String(), Clear: `"cache", "storage"`, Body: api.Done{OK: true}}, nil
}

func signInOf(e *web.Event) auth.SignIn {
	return auth.SignIn{IP: e.ClientIP, UserAgent: e.UserAgent, RequestID: e.ID}
}
