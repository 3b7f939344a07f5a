package auth

import (
	"cmp"
	"context"
	"time"

	"tollgate"
)

// InvitationWrite is a new invitation: what the account that it gives is like.
type InvitationWrite struct {
	// Label says who it is for.
	Label string
	// Email is the account's address; empty = none.
	Email    string
	IsAdmin  bool
	TeamID   int64 // 0 = none
	TeamRole string
	Life     time.Duration // 0 = InvitationLife
}

// Invite makes a link by which its bearer makes a new account, once. What role
// and team it gets is settled here; a link is worth no more than whoever made
// it may do when it is used.
func (a *Accounts) Invite(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w InvitationWrite) (tollgate.Link, tollgate.Secret, error) {
	l := tollgate.Link{
		Purpose: tollgate.LinkInvitation, Label: w.Label, Email: w.Email, Role: tollgate.RoleUser, TeamID: w.TeamID, TeamRole: w.TeamRole,
	}
	if w.IsAdmin {
		l.Role = tollgate.RoleAdmin
	}
	who, err := a.actor(ctx, tx, by)
	if err == nil && !who.role.IsAdmin() {
		err = errNotAdmin()
	}
	if err != nil {
		return l, tollgate.Secret{}, err
	}
	return a.invite(ctx, tx, who, l, w.Life)
}

// invite makes the link of an invitation that the actor may give.
func (a *Accounts) invite(ctx context.Context, tx tollgate.Tx, who actor, l tollgate.Link, life time.Duration) (tollgate.Link, tollgate.Secret, error) {
	if err := a.checkInvitation(ctx, tx, &l, life); err != nil {
		return l, tollgate.Secret{}, err
	}
	token, err := a.issueLink(ctx, tx, who, &l, cmp.Or(life, InvitationLife))
	if err != nil {
		return l, token, err
	}
	return l, token, a.audit(ctx, tx, who, "invitation.create", "invitation", l.ID, nil, viewLink(l))
}

// invites checks that the actor may give an account like l's: an admin any, an
// admin of a team a plain member of it; what else is returned as refusal.
func (a actor) invites(l tollgate.Link, refusal error) error {
	plain := l.Role == tollgate.RoleUser && l.TeamRole == tollgate.TeamMember
	if a.role.IsAdmin() || a.leads(l.TeamID) && plain {
		return nil
	}
	return refusal
}

func (a *Accounts) checkInvitation(ctx context.Context, tx tollgate.Tx, l *tollgate.Link, life time.Duration) error {
	if err := tollgate.ValidLabel("label", l.Label); err != nil {
		return err
	}
	if life != 0 && (life < time.Minute || life > MaxInvitationLife) {
		return tollgate.Invalidf("expires_in_secs", "an invitation is good for %d to %d seconds", int64(time.Minute/time.Second), int64(MaxInvitationLife/time.Second))
	}
	// The account that it gives must be one that could be made now.
	u, err := a.apply(ctx, tx, tollgate.User{Name: "new", Enabled: true, Role: tollgate.RoleUser}, invited("new", *l))
	if err != nil {
		return err
	}
	l.TeamRole = u.TeamRole
	if l.Email == "" {
		return nil
	}
	n, err := tx.Users.Count(ctx, tollgate.UserFilter{Email: tollgate.Is(l.Email)})
	if err == nil && n > 0 {
		err = &tollgate.Error{Code: tollgate.CodeConflict, Field: "email", Message: "somebody has this e-mail address already"}
	}
	return err
}

// invited is the account that an invitation gives.
func invited(name string, l tollgate.Link) UserWrite {
	w := UserWrite{Name: tollgate.Some(name), IsAdmin: tollgate.Some(l.Role == tollgate.RoleAdmin)}
	if l.Email != "" {
		w.Email = tollgate.Some(l.Email)
	}
	if l.TeamID != 0 {
		w.TeamID, w.TeamRole = tollgate.Some(l.TeamID), tollgate.Some(l.TeamRole)
	}
	return w
}

// DeleteInvitation takes an invitation back; an account that it gave stays.
func (a *Accounts) DeleteInvitation(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return err
	}
	if !who.role.IsAdmin() {
		return errNotAdmin()
	}
	l, err := a.invitationRow(ctx, tx, id)
	if err != nil {
		return err
	}
	return a.dropInvitation(ctx, tx, who, l)
}

// invitationRow returns the invitation of that id.
func (a *Accounts) invitationRow(ctx context.Context, tx tollgate.Tx, id int64) (tollgate.Link, error) {
	l, err := tx.Links.Get(ctx, id)
	if err == nil && l.Purpose != tollgate.LinkInvitation {
		err = errMissing("invitation", id)
	}
	return l, missing(err, "invitation", id)
}

func (a *Accounts) dropInvitation(ctx context.Context, tx tollgate.Tx, who actor, l tollgate.Link) error {
	if err := tx.Links.Delete(ctx, l.ID); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "invitation.delete", "invitation", l.ID, viewLink(l), nil)
}

// invitation returns the invitation of a token, if it may be used and whoever
// made it may still give what it gives.
func (a *Accounts) invitation(ctx context.Context, tx tollgate.Tx, token tollgate.Secret) (tollgate.Link, error) {
	l, err := a.openLink(ctx, tx, tollgate.LinkInvitation, token)
	if err != nil {
		return l, err
	}
	by, err := a.giver(ctx, tx, l)
	if err == nil {
		err = by.invites(l, errLink())
	}
	return l, err
}

// Invitation is what the bearer of an invitation sees of it.
type Invitation struct {
	tollgate.Link
	Team string // the team's name; empty = none
	// SSOOnly reports whether a sign-in provider is the only way; else its
	// bearer may choose a password.
	SSOOnly bool
}

// Invitation shows what a token invites to, without using it up. CodeNotFound
// when it is not good (any more), CodeRateLimited after too many of those.
func (s *Sessions) Invitation(ctx context.Context, token tollgate.Secret, from SignIn) (in Invitation, err error) {
	err = s.byLink(ctx, from, func() error {
		return s.store.View(ctx, func(tx tollgate.Tx) (err error) {
			if in.Link, err = s.accounts.invitation(ctx, tx, token); err != nil {
				return err
			}
			p, err := readPolicy(ctx, tx)
			if in.SSOOnly = p.ssoOnly; err != nil || in.TeamID == 0 {
				return err
			}
			t, err := tx.Teams.Get(ctx, in.TeamID)
			in.Team = t.Name
			return err
		})
	})
	return in, err
}

// Accept makes the account that an invitation gives, with the name and password
// that its bearer chose, and uses the invitation up. A name that is taken, or a
// password that is refused, uses nothing up. The person then signs in as
// everybody does; CodeForbidden where nobody does with a password. Too many
// tokens that are not good are CodeRateLimited.
func (s *Sessions) Accept(ctx context.Context, token tollgate.Secret, name string, password tollgate.Secret, in SignIn) (u tollgate.User, err error) {
	err = s.byLink(ctx, in, func() (err error) {
		u, err = s.accept(ctx, token, name, password, in)
		return err
	})
	return u, err
}

func (s *Sessions) accept(ctx context.Context, token tollgate.Secret, name string, password tollgate.Secret, in SignIn) (u tollgate.User, err error) {
	a := s.accounts
	if err := s.store.View(ctx, func(tx tollgate.Tx) error { _, err := a.acceptable(ctx, tx, token); return err }); err != nil {
		return u, err
	}
	prepared := UserWrite{Name: tollgate.Some(name), Password: tollgate.Some(password)}
	if err := a.preparePlain(ctx, &prepared); err != nil {
		return u, err
	}
	err = s.store.Update(ctx, func(tx tollgate.Tx) error {
		l, err := a.acceptable(ctx, tx, token)
		if err != nil {
			return err
		}
		w := invited(name, l)
		w.Password, w.hashed = prepared.Password, prepared.hashed
		who := actor{by: tollgate.Actor{Via: "invitation", IP: in.IP, RequestID: in.RequestID}}
		u, err = a.register(ctx, tx, who, w, arrival{action: "user.register", newcomer: true})
		if err != nil {
			return err
		}
		return a.useInvitation(ctx, tx, l, newcomer("invitation", u, in))
	})
	return u, err
}

// acceptable is invitation for somebody who means to sign in with a password.
func (a *Accounts) acceptable(ctx context.Context, tx tollgate.Tx, token tollgate.Secret) (tollgate.Link, error) {
	l, err := a.invitation(ctx, tx, token)
	if err == nil {
		err = open(ctx, tx, tollgate.User{Role: l.Role}, "password")
	}
	return l, err
}

// useInvitation marks an invitation as used by the account that it gave, once.
func (a *Accounts) useInvitation(ctx context.Context, tx tollgate.Tx, l tollgate.Link, who actor) error {
	l.UsedAt, l.UsedBy = a.Now(), who.id
	if err := tx.Links.Update(ctx, l); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "invitation.accept", "invitation", l.ID, nil, viewLink(l))
}
