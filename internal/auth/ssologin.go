package auth

import (
	"cmp"
	"context"
	"slices"

	"tollgate"
	"tollgate/internal/auth/sso"
)

// LoginSSO signs in the user whose linked identity id is, under the settings p
// of the provider that vouches for it; [sso.Settings.Admit] has passed. Somebody
// unknown gets an account where p opens one or in.Invitation gives one, else
// CodeForbidden; an invitation that is not good (any more) is CodeNotFound, one
// that comes with a known identity CodeConflict. Groups give role and team anew
// each time. Disabled users stay out (SECURITY O-08):
// CodeForbidden. An account with a second factor shows it too, unless p is
// trusted with that: the error then holds a SecondFactor.
func (s *Sessions) LoginSSO(ctx context.Context, p sso.Settings, id sso.Identity, in SignIn) (LoginResult, error) {
	var result LoginResult
	var u tollgate.User
	var need error
	err := s.store.Update(ctx, func(tx tollgate.Tx) error {
		t := ticket{Method: methodSSO + p.Name, ProviderID: p.Row}
		if err := t.vouchedStill(ctx, tx); err != nil {
			return err
		}
		row, err := s.accounts.arrive(ctx, tx, p, id, in)
		if err != nil {
			return err
		}
		if u, err = tx.Users.Get(ctx, row.UserID); err != nil {
			return err
		}
		if !u.Enabled {
			return errDisabled()
		}
		if u, err = s.accounts.mapGroups(ctx, tx, u, p, id, in); err != nil {
			return err
		}
		h, err := factorsOf(ctx, tx, u.ID)
		if err != nil {
			return err
		}
		if h.protect() && !p.TrustsFactor {
			t.IdentityID = row.ID
			need = s.need(u, h, t)
			return nil
		}
		result, err = s.admit(ctx, tx, u, "", t.Method, in)
		return err
	})
	switch code := tollgate.ErrorCode(err); {
	case err == nil:
		return result, need
	case code == tollgate.CodeForbidden, !in.Invitation.Empty() && (code == tollgate.CodeNotFound || code == tollgate.CodeConflict):
		return result, s.refuse(ctx, u, in, methodSSO+p.Name, err)
	}
	return result, unavailable(err)
}

// vouchedStill checks that the identity and the provider of a sign-in that is
// under way have not been taken away meanwhile.
func (t ticket) vouchedStill(ctx context.Context, tx tollgate.Tx) error {
	if t.IdentityID != 0 {
		row, err := tx.Identities.Get(ctx, t.IdentityID)
		if tollgate.ErrorCode(err) == tollgate.CodeNotFound || err == nil && row.UserID != t.UserID {
			return errTicket()
		}
		if err != nil {
			return err
		}
	}
	if t.ProviderID == 0 {
		return nil
	}
	row, err := tx.SignInProviders.Get(ctx, t.ProviderID)
	if tollgate.ErrorCode(err) == tollgate.CodeNotFound || err == nil && !row.Enabled {
		return tollgate.Errorf(tollgate.CodeForbidden, "this sign-in provider is not enabled")
	}
	return err
}

// arrive returns the link of id, made now with a new account where p opens one
// or an invitation gives one. An invitation never leads to an account that is
// there: somebody who is known must not be led to somebody else's link.
func (a *Accounts) arrive(ctx context.Context, tx tollgate.Tx, p sso.Settings, id sso.Identity, in SignIn) (tollgate.Identity, error) {
	rows, _, err := tx.Identities.Query(ctx, tollgate.IdentityFilter{Provider: tollgate.Is(p.Name), Subject: tollgate.Is(id.Subject)}, tollgate.Page{Limit: 1})
	if err != nil {
		return tollgate.Identity{}, err
	}
	if len(rows) == 1 && !in.Invitation.Empty() {
		return tollgate.Identity{}, tollgate.Errorf(tollgate.CodeConflict,
			"this sign-in has an account here already, and an invitation gives a new one only; sign in without the invitation")
	}
	if len(rows) == 1 {
		row := rows[0]
		row.Email, row.LastUsedAt = id.Email, a.Now()
		return row, tx.Identities.Update(ctx, row)
	}
	up := SignUp{Provider: p.Name, Subject: id.Subject, Name: id.Name, IP: in.IP, RequestID: in.RequestID}
	if id.EmailVerified {
		up.Email = id.Email
	}
	u, err := a.newAccount(ctx, tx, p, id, up, in)
	if err != nil {
		return tollgate.Identity{}, err
	}
	row := tollgate.Identity{UserID: u.ID, Provider: p.Name, Subject: id.Subject, Email: id.Email, CreatedAt: a.Now(), LastUsedAt: a.Now()}
	return row, tx.Identities.Insert(ctx, &row)
}

// newAccount makes the account of a person who comes for the first time: as p
// opens one, or as the invitation says that they bring, which is used up.
func (a *Accounts) newAccount(ctx context.Context, tx tollgate.Tx, p sso.Settings, id sso.Identity, up SignUp, in SignIn) (tollgate.User, error) {
	if in.Invitation.Empty() {
		if err := p.AdmitNew(id); err != nil {
			return tollgate.User{}, err
		}
		return a.SignUp(ctx, tx, up)
	}
	l, err := a.invitation(ctx, tx, in.Invitation)
	if err != nil {
		return tollgate.User{}, err
	}
	up.Admin, up.TeamID, up.TeamRole, up.Email = l.Role == tollgate.RoleAdmin, l.TeamID, l.TeamRole, cmp.Or(l.Email, up.Email)
	u, err := a.SignUp(ctx, tx, up)
	if err != nil {
		return u, err
	}
	return u, a.useInvitation(ctx, tx, l, newcomer("sso", u, in))
}

// mapGroups gives u what id's groups give, and takes what they no longer do:
// the role where the mapping names admins, never the super admin's (SECURITY
// O-09), and a team among those that it names.
func (a *Accounts) mapGroups(ctx context.Context, tx tollgate.Tx, u tollgate.User, p sso.Settings, id sso.Identity, in SignIn) (tollgate.User, error) {
	was, rights := u, p.Rights(id)
	givesAdmin := slices.ContainsFunc(p.Roles, func(m sso.Mapping) bool { return m.Admin })
	if givesAdmin && u.Role != tollgate.RoleSuperAdmin {
		u.Role = tollgate.RoleUser
		if rights.Admin {
			u.Role = tollgate.RoleAdmin
		}
	}
	if err := mapTeam(ctx, tx, &u, p, rights); err != nil {
		return u, err
	}
	before, after := viewUser(was, false), viewUser(u, false)
	if before == after {
		return u, nil
	}
	if err := tx.Users.Update(ctx, u); err != nil {
		return u, err
	}
	if err := a.settleRole(ctx, tx, was.Role, u); err != nil {
		return u, err
	}
	if was.Role != u.Role {
		if err := endSessions(ctx, tx, u.ID); err != nil {
			return u, err
		}
	}
	who := newcomer("sso", u, in)
	if err := a.settleTeam(ctx, tx, who, u); err != nil {
		return u, err
	}
	return u, a.audit(ctx, tx, who, "user.map_groups", "user", u.ID, before, after)
}

// mapTeam makes u a member of the first team that rights give and that is
// there. Without one, u leaves a team that the mapping could have given; one
// that it knows nothing of stays.
func mapTeam(ctx context.Context, tx tollgate.Tx, u *tollgate.User, p sso.Settings, rights sso.Rights) error {
	var named []string
	for _, m := range p.Roles {
		if m.Team != "" {
			named = append(named, m.Team)
		}
	}
	if len(named) == 0 {
		return nil
	}
	teams, _, err := tx.Teams.Query(ctx, tollgate.TeamFilter{Name: tollgate.Is(named...)}, all())
	if err != nil {
		return err
	}
	to, leaves := int64(0), false
	for _, name := range slices.Backward(rights.Teams) {
		for _, t := range teams {
			if t.Name == name {
				to = t.ID
			}
		}
	}
	for _, t := range teams {
		leaves = leaves || t.ID == u.TeamID
	}
	switch {
	case to != 0 && to != u.TeamID:
		u.TeamID, u.TeamRole = to, "member"
	case to == 0 && leaves:
		u.TeamID, u.TeamRole = 0, ""
	}
	return nil
}

// Pending says again what the sign-in of a token waits for: for a page that the
// provider's redirect has opened. The error holds a SecondFactor, with a token
// that ends when the first does; CodeUnauthenticated without one when that is
// over. It changes nothing.
func (s *Sessions) Pending(ctx context.Context, token tollgate.Secret) error {
	t, err := s.read(forLogin, token)
	if err != nil {
		return err
	}
	var need error
	err = s.store.View(ctx, func(tx tollgate.Tx) error {
		u, err := tx.Users.Get(ctx, t.UserID)
		if err != nil {
			return gone(err)
		}
		h, err := factorsOf(ctx, tx, u.ID)
		if err == nil {
			need = s.need(u, h, t)
		}
		return err
	})
	if err != nil {
		return unavailable(err)
	}
	return need
}
