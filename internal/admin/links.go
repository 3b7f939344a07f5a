package admin

import (
	"context"
	"time"

	"tollgate"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

// The pages of the console that links open. A token stands behind the #, which
// browsers send to nobody: it is in no log and no Referer.
const (
	pageReset      = "/console/reset#"
	pageInvitation = "/console/invitation#"
)

// madeLink is the answer that shows a link, once.
type madeLink struct {
	OK        bool      `json:"ok"`
	ID        int64     `json:"id"`
	URL       string    `json:"url" doc:"To hand on. It is shown only here; whoever has it can use it, once."`
	ExpiresAt time.Time `json:"expires_at"`
}

type resetBody struct {
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
		func(ctx context.Context, in *resetBody) (api.Done, error) {
			err := s.Sessions.Reset(ctx, tollgate.NewSecret(in.Token), tollgate.NewSecret(in.Password), signInOf(web.EventFrom(ctx)))
			return api.Done{OK: true}, err
		})
}

func (s *Server) resetLink(ctx context.Context, in *api.ByID) (madeLink, error) {
	return s.makeLink(ctx, pageReset, func(tx tollgate.Tx, by tollgate.Actor) (tollgate.Link, tollgate.Secret, error) {
		return s.Accounts.ResetLink(ctx, tx, by, in.ID)
	})
}

// makeLink makes a link and answers its address.
func (s *Server) makeLink(ctx context.Context, page string, issue func(tollgate.Tx, tollgate.Actor) (tollgate.Link, tollgate.Secret, error)) (made madeLink, err error) {
	origin, err := s.Origin()
	if err != nil {
		return made, err
	}
	err = s.change(ctx, func(tx tollgate.Tx, by tollgate.Actor) error {
		l, token, err := issue(tx, by)
		made = madeLink{OK: true, ID: l.ID, URL: origin + page + token.Reveal(), ExpiresAt: l.ExpiresAt.UTC()}
		return err
	})
	return made, err
}
