package tollgate

import (
	"net/netip"
	"slices"
	"time"
)

// Surface is a part of the product that a key may reach.
type Surface string

// The surfaces of CONTRACT 6.
const (
	SurfaceLLM   Surface = "llm"
	SurfaceUser  Surface = "user"
	SurfaceAdmin Surface = "admin"
)

// Key is an API key of a user. The key itself is never stored in clear.
type Key struct {
	ID      int64
	UserID  int64
	Label   string
	Enabled bool
	// Digest is the HMAC-SHA-256 of the whole key under a sub-key of the
	// root data key; unique.
	Digest []byte
	// Sealed is the encrypted key, only when DATABASE_SECRET_KEY was given.
	Sealed []byte
	// Prefix and Last4 are shown to tell keys apart.
	Prefix, Last4 string
	ExpiresAt     time.Time // zero = never
	LastUsedAt    time.Time // zero = never; at most a minute old
	CreatedAt     time.Time
	// CreatedByKeyID is the key that made this one; 0 = none.
	CreatedByKeyID int64
	// TeamID is the team that an admin of it made the key for; 0 = none. Such a
	// key reaches the LLM surface alone, uses what the team may and nothing of
	// its owner's own, and ends when its owner is no member of the team.
	TeamID int64
	// Surfaces limits where the key works; empty = all that its owner may.
	Surfaces []Surface
	// Models are globs a model name must match one of; empty = all.
	Models []string
	// IPAllow are the client networks the key works from; empty = all.
	IPAllow []netip.Prefix
	// OnLeave says what becomes of an answer whose client has left; "" = cancel.
	OnLeave LeavePolicy
	// Payloads says of which requests bodies are kept, if that is more than
	// [logging] says; "" = off.
	Payloads PayloadMode
	// NeedsSecret marks a key created from an export without secrets: it is
	// disabled until it is rotated.
	NeedsSecret bool
}

// Reaches reports whether the key itself works on a surface.
func (k Key) Reaches(s Surface) bool {
	if k.TeamID != 0 && s != SurfaceLLM {
		return false
	}
	return len(k.Surfaces) == 0 || slices.Contains(k.Surfaces, s)
}

// LeavePolicy says what becomes of an answer whose client has left.
type LeavePolicy string

// The policies.
const (
	// LeaveCancel ends the call to the provider; what was made so far is
	// estimated where the provider has not said it.
	LeaveCancel LeavePolicy = "cancel"
	// LeaveDrain reads the answer to its end, within a bound of time, so that
	// the provider's own numbers are what is charged.
	LeaveDrain LeavePolicy = "drain"
)

// Valid reports whether p is a policy, or empty.
func (p LeavePolicy) Valid() bool { return p == "" || p == LeaveCancel || p == LeaveDrain }

// Expired reports whether the key is past its expiry; grace is 0 (SECURITY K-05).
func (k Key) Expired(now time.Time) bool { return !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt) }

// KeyFilter selects keys; the zero value selects all.
type KeyFilter struct {
	ID             Match[int64]
	UserID         Match[int64]
	Enabled        Match[bool]
	Label          Match[string]
	CreatedByKeyID Match[int64]
	TeamID         Match[int64]
}
