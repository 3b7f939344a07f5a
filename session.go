package tollgate

import "time"

// Session is a sign-in. The token the client holds names it; this row decides.
type Session struct {
	ID     int64
	UserID int64
	// Digest is the SHA-256 of the 128-bit random session id inside the token; unique.
	Digest []byte
	// Method is how the user signed in: "password", "passkey", "sso:NAME"; with
	// a second factor, "+" and its kind behind it.
	Method string
	// EnrolOnly marks the session of an admin who must have a second factor and
	// has none: it may enrol one and nothing else.
	EnrolOnly bool
	CreatedAt time.Time
	// SignedInAt is the last full authentication, for step-up checks.
	SignedInAt time.Time
	LastSeenAt time.Time // at most a minute old
	ExpiresAt  time.Time // absolute limit
	IP         string
	UserAgent  string
}

// SessionFilter selects sessions; the zero value selects all.
type SessionFilter struct {
	ID     Match[int64]
	UserID Match[int64]
	// ExpiredBefore selects sessions whose absolute limit is before it; zero = all.
	ExpiredBefore time.Time
}
