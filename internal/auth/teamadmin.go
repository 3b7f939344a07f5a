package auth

import (
	"context"

	"tollgate"
)

// What an admin of a team may (CONTRACT 5): take plain members out, invite new
// ones, and make, switch and delete their keys. Nothing here reaches an account
// that is not a plain member's: a user's who is no admin of the team. Whoever is
// in another team, or in none, does not exist here (SECURITY Z-03).

// teamSurfaces are those of a key of a team.
func teamSurfaces() []tollgate.Surface { return []tollgate.Surface{tollgate.SurfaceLLM} }

// leads reports whether the actor is an admin of that team.
func (a actor) leads(teamID int64) bool { return a.team != 0 && a.team == teamID }

// madeFor reports whether k is a key of the team that the actor is an admin of.
func (a actor) madeFor(k tollgate.Key) bool { return a.leads(k.TeamID) }

// PlainMember reports whether an admin of u's team manages u.
func PlainMember(u tollgate.User) bool {
	return u.TeamID != 0 && u.TeamRole == tollgate.TeamMember && u.Role == tollgate.RoleUser
}

// leader is actor for an admin of a team, who must be signed in.
func (a *Accounts) leader(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) (actor, error) {
	who, err := a.actor(ctx, tx, by)
	if err == nil && (who.team == 0 || by.Principal.Kind != tollgate.PrincipalSession) {
		err = tollgate.Errorf(tollgate.CodeForbidden, "this needs an admin of a team")
	}
	return who, err
}

// Led returns the team that by is an admin of, as the transaction sees them.
// CodeForbidden for everybody else.
func (a *Accounts) Led(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) (tollgate.Team, error) {
	who, err := a.leader(ctx, tx, by)
	if err != nil {
		return tollgate.Team{}, err
	}
	return tx.Teams.Get(ctx, who.team)
}

// managed returns the plain member of the actor's team with that id.
// CodeForbidden for another member.
func (a *Accounts) managed(ctx context.Context, tx tollgate.Tx, who actor, id int64) (tollgate.User, error) {
	u, err := tx.Users.Get(ctx, id)
	if err == nil && !who.leads(u.TeamID) {
		err = errMissing("member", id)
	}
	if err != nil {
		return u, missing(err, "member", id)
	}
	if !PlainMember(u) {
		return u, tollgate.Errorf(tollgate.CodeForbidden, "admins, of the team or of everything, are an administrator's to manage")
	}
	return u, nil
}

// RemoveMember takes a plain member out of the team of whoever acts. What they
// had through the team ends, with the keys that were made for them in it.
func (a *Accounts) RemoveMember(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	who, err := a.leader(ctx, tx, by)
	if err != nil {
		return err
	}
	u, err := a.managed(ctx, tx, who, id)
	if err != nil {
		return err
	}
	return a.setMember(ctx, tx, who, u, who.team, "", TeamLeave)
}

// InviteMember makes a link that gives a new account, once, as a plain member
// of the team of whoever acts. Of w only Label, Email and Life count.
func (a *Accounts) InviteMember(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w InvitationWrite) (tollgate.Link, tollgate.Secret, error) {
	who, err := a.leader(ctx, tx, by)
	if err != nil {
		return tollgate.Link{}, tollgate.Secret{}, err
	}
	return a.invite(ctx, tx, who, tollgate.Link{
		Purpose: tollgate.LinkInvitation, Label: w.Label, Email: w.Email,
		Role: tollgate.RoleUser, TeamID: who.team, TeamRole: tollgate.TeamMember,
	}, w.Life)
}

// RevokeInvitation takes an invitation to the team of whoever acts back, if it
// is one that they could have made.
func (a *Accounts) RevokeInvitation(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	who, err := a.leader(ctx, tx, by)
	if err != nil {
		return err
	}
	l, err := a.invitationRow(ctx, tx, id)
	if err == nil && !who.leads(l.TeamID) {
		err = errMissing("invitation", id)
	}
	if err == nil {
		err = who.invites(l, tollgate.Errorf(tollgate.CodeForbidden, "this invitation gives more than a plain member; an administrator can take it back"))
	}
	if err != nil {
		return err
	}
	return a.dropInvitation(ctx, tx, who, l)
}

// GenerateTeamKey makes a key of the team for a plain member and returns it in
// clear, this once. It serves model calls alone, draws on what the team may and
// nothing of its owner's own, and ends with the membership.
func (a *Accounts) GenerateTeamKey(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w KeyWrite) (tollgate.Key, tollgate.Secret, error) {
	none := tollgate.Secret{}
	who, err := a.leader(ctx, tx, by)
	if err != nil {
		return tollgate.Key{}, none, err
	}
	owner, err := a.managed(ctx, tx, who, w.UserID)
	if err != nil {
		return tollgate.Key{}, none, err
	}
	secret, err := NewKey(a.Rand)
	if err != nil {
		return tollgate.Key{}, none, err
	}
	w.TeamID, w.Surfaces, w.Payloads = who.team, teamSurfaces(), ""
	k, err := a.makeKey(ctx, tx, who, owner, w, secret, "key.generate")
	return k, secret, err
}

// managedKey returns a key of a plain member. Others' are not there.
func (a *Accounts) managedKey(ctx context.Context, tx tollgate.Tx, who actor, id int64) (tollgate.Key, error) {
	k, err := tx.Keys.Get(ctx, id)
	if err != nil {
		return k, missing(err, "key", id)
	}
	_, err = a.managed(ctx, tx, who, k.UserID)
	if code := tollgate.ErrorCode(err); code == tollgate.CodeNotFound || code == tollgate.CodeForbidden {
		err = errMissing("key", id)
	}
	return k, err
}

// SetMemberKeyEnabled disables any key of a plain member. It enables those of
// the team only: who disabled a member's own key may have had a reason that is
// not the team's to judge.
func (a *Accounts) SetMemberKeyEnabled(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64, enabled bool) error {
	who, err := a.leader(ctx, tx, by)
	if err != nil {
		return err
	}
	k, err := a.managedKey(ctx, tx, who, id)
	if err != nil {
		return err
	}
	if enabled && !who.madeFor(k) {
		return tollgate.Errorf(tollgate.CodeForbidden, "only a key of the team is enabled here; this one is its owner's own")
	}
	return a.setKeysEnabled(ctx, tx, who, []tollgate.Key{k}, enabled)
}

// DeleteMemberKey deletes a key of a plain member.
func (a *Accounts) DeleteMemberKey(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	who, err := a.leader(ctx, tx, by)
	if err != nil {
		return err
	}
	k, err := a.managedKey(ctx, tx, who, id)
	if err != nil {
		return err
	}
	return a.dropKey(ctx, tx, who, k)
}
