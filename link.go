package tollgate

import "time"

// LinkPurpose is what a link is good for; one of a purpose is worth nothing as
// another.
type LinkPurpose string

// The purposes of links.
const (
	LinkReset      LinkPurpose = "reset"      // a new password for an account
	LinkInvitation LinkPurpose = "invitation" // a new account
)

// Link is something that an admin gives to a person, who uses it once before
// it expires. Its token is known to its bearer alone.
type Link struct {
	ID      int64
	Purpose LinkPurpose
	// Digest finds the link: the keyed digest of purpose and token, in hex; unique.
	Digest string
	// UserID is whose password a reset link sets; 0 for an invitation.
	UserID int64
	// Role, TeamID, TeamRole and Email are those of the account that an
	// invitation gives.
	Role     Role
	TeamID   int64 // 0 = none
	TeamRole string
	Email    string
	// Label says who the link is for.
	Label     string
	CreatedBy int64 // user id; 0 = the host
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // zero = not yet
	UsedBy    int64     // user id; 0 = nobody
}

// Open reports whether the link may be used at now.
func (l Link) Open(now time.Time) bool { return l.UsedAt.IsZero() && now.Before(l.ExpiresAt) }

// LinkFilter selects links; the zero value selects all.
type LinkFilter struct {
	ID      Match[int64]
	Purpose Match[LinkPurpose]
	Digest  Match[string]
	UserID  Match[int64]
	TeamID  Match[int64]
}
