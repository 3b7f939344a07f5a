package auth

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"io"
	"time"

	"tollgate"
)

// How long links are good for.
const (
	// ResetLife is how long a reset link is good for (SECURITY A-08).
	ResetLife = time.Hour
	// InvitationLife is how long an invitation is good for where nothing else
	// is said, MaxInvitationLife how long at most.
	InvitationLife    = 7 * 24 * time.Hour
	MaxInvitationLife = 30 * 24 * time.Hour
)

// linksKept is how long links are kept after they were used or expired, for who
// asks what became of them; the audit keeps them for good.
const linksKept = 30 * 24 * time.Hour

// linkTokenLength is that of 256 random bits in base64url (RFC 4648 section 5).
const linkTokenLength = 43

func newLinkToken(random io.Reader) (tollgate.Secret, error) {
	var raw [32]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return tollgate.Secret{}, tollgate.WrapError(tollgate.CodeInternal, err, "make a link")
	}
	return tollgate.NewSecret(base64.RawURLEncoding.EncodeToString(raw[:])), nil
}

// linkDigest is what a link is found by; one purpose's token is worth nothing
// for another.
func (a *Accounts) linkDigest(purpose tollgate.LinkPurpose, token tollgate.Secret) string {
	mac := a.Keys.MAC("link:"+string(purpose), []byte(token.Reveal()))
	return hex.EncodeToString(mac[:])
}

// issueLink stores l with a new token, which is known this once.
func (a *Accounts) issueLink(ctx context.Context, tx tollgate.Tx, who actor, l *tollgate.Link, life time.Duration) (tollgate.Secret, error) {
	token, err := newLinkToken(a.Rand)
	if err != nil {
		return token, err
	}
	l.Digest, l.CreatedBy, l.CreatedAt = a.linkDigest(l.Purpose, token), who.id, a.Now()
	l.ExpiresAt = l.CreatedAt.Add(life)
	return token, tx.Links.Insert(ctx, l)
}

// openLink returns the link of a token, if it may be used now. A link that is
// unknown, used or expired is the same CodeNotFound (SECURITY A-08).
func (a *Accounts) openLink(ctx context.Context, tx tollgate.Tx, purpose tollgate.LinkPurpose, token tollgate.Secret) (tollgate.Link, error) {
	if len(token.Reveal()) != linkTokenLength {
		return tollgate.Link{}, errLink()
	}
	rows, _, err := tx.Links.Query(ctx, tollgate.LinkFilter{
		Purpose: tollgate.Is(purpose), Digest: tollgate.Is(a.linkDigest(purpose, token)),
	}, tollgate.Page{Limit: 1})
	switch {
	case err != nil:
		return tollgate.Link{}, err
	case len(rows) == 0 || !rows[0].Open(a.Now()):
		return tollgate.Link{}, errLink()
	}
	return rows[0], nil
}

// pruneLinks removes what has been over for linksKept.
func pruneLinks(ctx context.Context, tx tollgate.Tx, now time.Time) error {
	rows, _, err := tx.Links.Query(ctx, tollgate.LinkFilter{}, all())
	if err != nil {
		return err
	}
	for _, l := range rows {
		over := l.ExpiresAt
		if !l.UsedAt.IsZero() {
			over = l.UsedAt
		}
		if now.Sub(over) < linksKept {
			continue
		}
		if err := tx.Links.Delete(ctx, l.ID); err != nil {
			return err
		}
	}
	return nil
}

// giver is who made a link, as they are now: a link is worth no more than the
// admin who gave it (SECURITY Z-08).
func (a *Accounts) giver(ctx context.Context, tx tollgate.Tx, l tollgate.Link) (actor, error) {
	if l.CreatedBy == 0 {
		return actor{role: tollgate.RoleSuperAdmin, host: true}, nil
	}
	u, err := tx.Users.Get(ctx, l.CreatedBy)
	switch {
	case tollgate.ErrorCode(err) == tollgate.CodeNotFound:
		return actor{}, errLink()
	case err != nil:
		return actor{}, err
	case !u.Enabled:
		return actor{}, errLink()
	}
	return actor{id: u.ID, role: u.Role, team: u.Administers()}, nil
}

// ResetLink makes a link by which its bearer sets the password of another's
// account, once, within ResetLife; earlier ones end. A plain user's may be made
// by any admin, an admin's by the super admin, everybody's by the host.
func (a *Accounts) ResetLink(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, userID int64) (tollgate.Link, tollgate.Secret, error) {
	l, none := tollgate.Link{Purpose: tollgate.LinkReset, UserID: userID}, tollgate.Secret{}
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return l, none, err
	}
	u, err := tx.Users.Get(ctx, userID)
	if err == nil {
		err = who.holds(u, errMissing("user", userID))
	}
	switch {
	case err != nil:
		return l, none, missing(err, "user", userID)
	case who.self(userID):
		return l, none, tollgate.Errorf(tollgate.CodeForbidden, "nobody makes a reset link for their own account; change the password instead")
	case !u.Enabled:
		return l, none, tollgate.Errorf(tollgate.CodeConflict, "this account is deactivated; activate it first")
	}
	if err := dropResetLinks(ctx, tx, userID); err != nil {
		return l, none, err
	}
	token, err := a.issueLink(ctx, tx, who, &l, ResetLife)
	if err != nil {
		return l, none, err
	}
	return l, token, a.audit(ctx, tx, who, "user.reset_link", "user", userID, nil, viewLink(l))
}

// dropResetLinks ends the reset links of an account: a change of its password
// or e-mail address does, and a new link.
func dropResetLinks(ctx context.Context, tx tollgate.Tx, userID int64) error {
	rows, _, err := tx.Links.Query(ctx, tollgate.LinkFilter{Purpose: tollgate.Is(tollgate.LinkReset), UserID: tollgate.Is(userID)}, all())
	if err != nil {
		return err
	}
	for _, l := range rows {
		if err := tx.Links.Delete(ctx, l.ID); err != nil {
			return err
		}
	}
	return nil
}

// resettable returns the account whose password a reset link sets, if whoever
// made it may still do that.
func (a *Accounts) resettable(ctx context.Context, tx tollgate.Tx, token tollgate.Secret) (u tollgate.User, err error) {
	l, err := a.openLink(ctx, tx, tollgate.LinkReset, token)
	if err != nil {
		return u, err
	}
	if u, err = tx.Users.Get(ctx, l.UserID); err != nil {
		return u, err
	}
	by, err := a.giver(ctx, tx, l)
	if err == nil && (!u.Enabled || by.holds(u, errLink()) != nil) {
		err = errLink()
	}
	return u, err
}

// byLink runs what the bearer of a token asks for. Tokens that are not good cost
// their address as failed sign-ins do, whatever they are for: then
// CodeRateLimited, before the token is looked at.
func (s *Sessions) byLink(ctx context.Context, in SignIn, use func() error) error {
	if err := s.throttle.enterLink(ctx, in.IP); err != nil {
		return err
	}
	err := use()
	if tollgate.ErrorCode(err) != tollgate.CodeNotFound {
		s.throttle.linkJudged(in.IP)
	}
	return unavailable(err)
}

// Reset sets the password of the account that a reset link is for. All its
// sign-ins end; its second factors stay. A link that is not good (any more) is
// CodeNotFound, a password that is refused CodeInvalid and uses no link up; too
// many links that are not good are CodeRateLimited.
func (s *Sessions) Reset(ctx context.Context, token, next tollgate.Secret, in SignIn) error {
	return s.byLink(ctx, in, func() error { return s.reset(ctx, token, next, in) })
}

func (s *Sessions) reset(ctx context.Context, token, next tollgate.Secret, in SignIn) error {
	a := s.accounts
	var u tollgate.User
	err := s.store.View(ctx, func(tx tollgate.Tx) (err error) {
		u, err = a.resettable(ctx, tx, token)
		return err
	})
	if err != nil {
		return err
	}
	w := UserWrite{ID: u.ID, Name: tollgate.Some(u.Name), Password: tollgate.Some(next)}
	if err := a.preparePlain(ctx, &w); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx tollgate.Tx) error {
		u, err := a.resettable(ctx, tx, token)
		if err != nil {
			return err
		}
		before := viewUser(u, false)
		if u.Password, err = a.sealPassword(u.ID, *w.hashed); err != nil {
			return err
		}
		if err := a.replacePassword(ctx, tx, u); err != nil {
			return err
		}
		return a.audit(ctx, tx, newcomer("reset_link", u, in), "user.reset", "user", u.ID, before, viewUser(u, true))
	})
}

// replacePassword writes u with its new password: what knew the old one ends.
func (a *Accounts) replacePassword(ctx context.Context, tx tollgate.Tx, u tollgate.User) error {
	if err := tx.Users.Update(ctx, u); err != nil {
		return err
	}
	if err := dropResetLinks(ctx, tx, u.ID); err != nil {
		return err
	}
	return endSessions(ctx, tx, u.ID)
}

// preparePlain prepares a password that a person chose: plain text only.
func (a *Accounts) preparePlain(ctx context.Context, w *UserWrite) error {
	switch {
	case IsPHC(w.Password.Value.Reveal()):
		return tollgate.Invalidf("password", "a password in plain text is needed here")
	case w.Password.Value.Empty():
		return tollgate.Invalidf("password", "a password needs at least %d characters", MinPasswordLength)
	}
	return a.Prepare(ctx, w)
}

// newcomer is the bearer of a link, who acts as the account that it is about.
func newcomer(via string, u tollgate.User, in SignIn) actor {
	return actor{id: u.ID, role: u.Role, by: tollgate.Actor{
		Principal: tollgate.Principal{User: &u}, Via: via, IP: in.IP, RequestID: in.RequestID,
	}}
}

func errLink() error {
	return tollgate.Errorf(tollgate.CodeNotFound, "this link is not valid any more; ask for a new one")
}

// linkView is a link as the audit shows it.
type linkView struct {
	ID        int64     `json:"id"`
	Label     string    `json:"label,omitempty"`
	Email     string    `json:"email,omitempty"`
	IsAdmin   bool      `json:"is_admin,omitempty"`
	TeamID    int64     `json:"team_id,omitempty"`
	TeamRole  string    `json:"team_role,omitempty"`
	ExpiresAt time.Time `json:"expires_at"`
}

func viewLink(l tollgate.Link) linkView {
	return linkView{
		ID: l.ID, Label: l.Label, Email: l.Email, IsAdmin: l.Role.IsAdmin(), TeamID: l.TeamID, TeamRole: l.TeamRole, ExpiresAt: l.ExpiresAt.UTC(),
	}
}
