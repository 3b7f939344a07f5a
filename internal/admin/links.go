package admin

import (
	"context"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

// PageSetup is the page of the console that the set-up link opens; the token
// comes behind it.
const PageSetup = "/console/setup#"

// pageReset is the page that a reset link opens.
const pageReset = "/console/reset#"

type setupToken struct {
	Token string `json:"token" required:"true" doc:"What stands behind the # of the link."`
}

type setupBody struct {
	Token    string          `json:"token" required:"true" doc:"What stands behind the # of the link."`
	Username string          `json:"username" required:"true" maxLength:"128" doc:"The name of the account."`
	Password string          `json:"password" required:"true" doc:"At least 12 characters."`
	Email    api.Opt[string] `json:"email,omitzero"`
}

type passwordReset struct {
	Token    string `json:"token" required:"true" doc:"What stands behind the # of the link."`
	Password string `json:"password" required:"true" doc:"The new one, at least 12 characters."`
}

// onLink is an operation for the bearer of a link, who has not signed in.
func onLink(path, summary string, example any) api.Op {
	return api.Op{
		Path: path, Tag: "Sign-in", Summary: summary, Example: example,
		Policy: web.Policy{Access: web.AccessPublic, MaxBody: maxSignInBody, Mutates: true},
	}
}

func (s *Server) mountLinks() {
	api.Handle(s.API, onLink("/auth/reset", "Set a new password by a reset link; all sign-ins of the account end", map[string]any{"token": "…", "password": "…"}),
		func(ctx context.Context, in *passwordReset) (api.Done, error) {
			err := s.Sessions.Reset(ctx, tollgate.NewSecret(in.Token), tollgate.NewSecret(in.Password), signInOf(web.EventFrom(ctx)))
			return api.Done{OK: true}, err
		})
}

// mountSetup mounts how the first account is made (CONTRACT 4). Both routes
// answer 404 to everybody but the bearer of the set-up link, and to everybody
// once there is a super admin.
func (s *Server) mountSetup() {
	check := onLink("/auth/setup/check", "Show whether a set-up link is good", map[string]any{"token": "…"})
	check.Policy.Mutates = false
	api.Handle(s.API, check, func(ctx context.Context, in *setupToken) (api.Done, error) {
		return api.Done{OK: true}, s.Sessions.CheckSetup(ctx, tollgate.NewSecret(in.Token), signInOf(web.EventFrom(ctx)))
	})
	api.Handle(s.API, onLink("/auth/setup", "Make the first account, the super admin's, by the set-up link; then sign in", map[string]any{"token": "…", "username": "admin", "password": "…"}),
		func(ctx context.Context, in *setupBody) (api.Done, error) {
			w := auth.UserWrite{Name: tollgate.Some(in.Username), Email: in.Email.Opt, Password: tollgate.Some(tollgate.NewSecret(in.Password))}
			u, err := s.Sessions.SetUp(ctx, tollgate.NewSecret(in.Token), w, signInOf(web.EventFrom(ctx)))
			return api.Done{OK: true, ID: u.ID}, err
		})
}

func (s *Server) resetLink(ctx context.Context, in *api.ByID) (api.MadeLink, error) {
	return s.links().Make(ctx, pageReset, func(tx tollgate.Tx, by tollgate.Actor) (tollgate.Link, tollgate.Secret, error) {
		return s.Accounts.ResetLink(ctx, tx, by, in.ID)
	})
}

func (s *Server) links() api.LinkMaker { return api.LinkMaker{Store: s.Store, Origin: s.Origin} }
