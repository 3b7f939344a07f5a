package tollgate

import (
	"net/netip"
	"time"
)

// PrincipalKind says what authenticated a caller. The zero value is nobody.
type PrincipalKind uint8

// The kinds of callers.
const (
	PrincipalNone    PrincipalKind = iota
	PrincipalKey                   // a user's API key
	PrincipalSession               // a signed-in user
	PrincipalService               // the access key of [server]
	PrincipalHost                  // the operator at the host: command line, bootstrap
)

// Principal is an authenticated caller. User, Key and Session point into an
// immutable snapshot and must not be changed. The zero value is denied by
// every policy (SECURITY A-14).
type Principal struct {
	Kind    PrincipalKind
	User    *User    // nil for service and host
	Key     *Key     // PrincipalKey; of the service key its Digest alone
	Session *Session // PrincipalSession only
	// From is the address that a key was used from: while it is in use, it must
	// stay allowed from there.
	From netip.Addr
}

// Role returns the caller's role: its user's; RoleSuperAdmin for the host;
// RoleNone for the service and for nobody.
func (p Principal) Role() Role {
	switch {
	case p.Kind == PrincipalHost:
		return RoleSuperAdmin
	case p.User != nil && p.User.Enabled && (p.Kind == PrincipalKey || p.Kind == PrincipalSession):
		return p.User.Role
	default:
		return RoleNone
	}
}

// UserID returns the caller's user id, 0 if it is not a user.
func (p Principal) UserID() int64 {
	if p.User == nil {
		return 0
	}
	return p.User.ID
}

// KeyID returns the caller's key id, 0 if no key was used.
func (p Principal) KeyID() int64 {
	if p.Key == nil {
		return 0
	}
	return p.Key.ID
}

// Actor is who a change is made by, as the audit records it.
type Actor struct {
	Principal Principal
	Via       string // session, api_key, cli, bootstrap, import, sso, reset_link, invitation, setup
	IP        netip.Addr
	RequestID RequestID
	// Verified says that the credential was found to stand in the transaction
	// at hand: what that transaction ends itself, it outlives. Set by
	// auth.Accounts.Verified alone.
	Verified bool
}

// HostActor is the operator at the host, acting through via.
func HostActor(via string) Actor { return Actor{Principal: Principal{Kind: PrincipalHost}, Via: via} }

// Entry starts the audit entry of a change by a at now.
func (a Actor) Entry(now time.Time, action, target string, id int64) AuditEntry {
	e := AuditEntry{
		At: now, ActorID: a.Principal.UserID(), ActorName: "host", Via: a.Via, KeyID: a.Principal.KeyID(),
		RequestID: a.RequestID, Action: action, Target: target, TargetID: id,
	}
	if a.Principal.User != nil {
		e.ActorName = a.Principal.User.Name
	}
	if a.IP.IsValid() {
		e.IP = a.IP.String()
	}
	return e
}
