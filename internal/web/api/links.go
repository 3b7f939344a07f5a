package api

import (
	"context"
	"time"

	"tollgate"
)

// PageInvitation is the page of the console that an invitation opens. The token
// stands behind the #, which browsers send to nobody: it is in no log and no
// Referer.
const PageInvitation = "/console/invitation#"

// MadeLink is the answer that shows a link, once.
type MadeLink struct {
	OK        bool      `json:"ok"`
	ID        int64     `json:"id"`
	URL       string    `json:"url" doc:"To hand on. It is shown only here; whoever has it can use it, once."`
	ExpiresAt time.Time `json:"expires_at"`
}

// LinkMaker makes links that people hand on.
type LinkMaker struct {
	Store tollgate.Store
	// Origin is where people open the console (scheme://host[:port]); an error
	// when that is not known.
	Origin func() (string, error)
}

// Make makes a link to a page in one transaction and answers its address.
func (m LinkMaker) Make(ctx context.Context, page string, issue func(tollgate.Tx, tollgate.Actor) (tollgate.Link, tollgate.Secret, error)) (made MadeLink, err error) {
	origin, err := m.Origin()
	if err != nil {
		return made, err
	}
	by := Actor(ctx)
	err = m.Store.Update(ctx, func(tx tollgate.Tx) error {
		l, token, err := issue(tx, by)
		made = MadeLink{OK: true, ID: l.ID, URL: origin + page + token.Reveal(), ExpiresAt: l.ExpiresAt.UTC()}
		return err
	})
	return made, err
}
