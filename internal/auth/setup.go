package auth

import (
	"context"
	"crypto/subtle"

	"tollgate"
)

// metaSetup keeps the digest of the set-up link, from a first start that made
// no admin until there is a super admin, whichever way they come.
const metaSetup = "setup.link"

// purposeSetup keeps its tokens apart from those of other links.
const purposeSetup tollgate.LinkPurpose = "setup"

// OpenSetup makes the link by which its bearer makes the first account, the
// super admin's, in place of an earlier one. CodeConflict once there is one.
func (a *Accounts) OpenSetup(ctx context.Context, tx tollgate.Tx) (tollgate.Secret, error) {
	n, err := tx.Users.Count(ctx, tollgate.UserFilter{Role: tollgate.Is(tollgate.RoleSuperAdmin)})
	switch {
	case err != nil:
		return tollgate.Secret{}, err
	case n > 0:
		return tollgate.Secret{}, errHaveSuperAdmin()
	}
	token, err := newLinkToken(a.Rand)
	if err != nil {
		return token, err
	}
	return token, tx.Meta.Put(ctx, metaSetup, []byte(a.linkDigest(purposeSetup, token)))
}

// SetupOpen reports whether the first account waits for the bearer of the
// set-up link.
func (*Accounts) SetupOpen(ctx context.Context, tx tollgate.Tx) (bool, error) {
	_, err := tx.Meta.Get(ctx, metaSetup)
	if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
		return false, nil
	}
	return err == nil, err
}

// checkSetup is nil for the token of the set-up link. Once there is no link any
// more there is nothing here: CodeNotFound, as for a wrong token.
func (a *Accounts) checkSetup(ctx context.Context, tx tollgate.Tx, token tollgate.Secret) error {
	want, err := tx.Meta.Get(ctx, metaSetup)
	switch {
	case tollgate.ErrorCode(err) == tollgate.CodeNotFound:
		return errSetup()
	case err != nil:
		return err
	case subtle.ConstantTimeCompare(want, []byte(a.linkDigest(purposeSetup, token))) != 1:
		return errSetup()
	}
	return nil
}

// CheckSetup reports whether a token makes the first account, without using it.
// Errors as those of SetUp.
func (s *Sessions) CheckSetup(ctx context.Context, token tollgate.Secret, in SignIn) error {
	return s.byLink(ctx, in, func() error { return s.canSetUp(ctx, token) })
}

func (s *Sessions) canSetUp(ctx context.Context, token tollgate.Secret) error {
	return s.store.View(ctx, func(tx tollgate.Tx) error { return s.accounts.checkSetup(ctx, tx, token) })
}

// SetUp makes the first account, the super admin's, for the bearer of the
// set-up link, which ends with it. A password or name that is refused ends
// nothing. The person then signs in as everybody does. Too many wrong tokens
// from an address are CodeRateLimited.
func (s *Sessions) SetUp(ctx context.Context, token tollgate.Secret, w UserWrite, in SignIn) (u tollgate.User, err error) {
	err = s.byLink(ctx, in, func() (err error) {
		u, err = s.setUp(ctx, token, w, in)
		return err
	})
	return u, err
}

func (s *Sessions) setUp(ctx context.Context, token tollgate.Secret, w UserWrite, in SignIn) (u tollgate.User, err error) {
	a := s.accounts
	if err := s.canSetUp(ctx, token); err != nil {
		return u, err
	}
	first := UserWrite{Name: w.Name, Email: w.Email, Password: w.Password, IsAdmin: tollgate.Some(true), SuperAdmin: true}
	if err := a.preparePlain(ctx, &first); err != nil {
		return u, err
	}
	err = s.store.Update(ctx, func(tx tollgate.Tx) error {
		if err := a.checkSetup(ctx, tx, token); err != nil {
			return err
		}
		who := actor{by: tollgate.Actor{Via: "setup", IP: in.IP, RequestID: in.RequestID}}
		u, err = a.register(ctx, tx, who, first, arrival{action: "user.register", newcomer: true})
		return err
	})
	return u, err
}

func errSetup() error {
	return tollgate.Errorf(tollgate.CodeNotFound, "there is no set-up here; a gateway that waits for its first account prints the link when it starts")
}

func errHaveSuperAdmin() error {
	return tollgate.Errorf(tollgate.CodeConflict, "there is a super admin already; the role can be handed over")
}
