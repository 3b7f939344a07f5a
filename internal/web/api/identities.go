package api

import (
	"time"

	"tollgate"
)

// LinkedIdentity is the JSON of an account at a sign-in provider that is
// linked to a user.
type LinkedIdentity struct {
	ID         int64      `json:"id"`
	UserID     int64      `json:"user_id"`
	Provider   string     `json:"provider" doc:"The sign-in provider's name."`
	Subject    string     `json:"subject" doc:"The provider's own id of the account; for GitHub the number."`
	Email      *string    `json:"email" doc:"What the provider last said; it identifies nobody."`
	CreatedAt  time.Time  `json:"created_at"`
	LastUsedAt *time.Time `json:"last_used_at" doc:"null = never"`
}

// IdentityRecord returns the JSON of an identity.
func IdentityRecord(row tollgate.Identity) LinkedIdentity {
	rec := LinkedIdentity{
		ID: row.ID, UserID: row.UserID, Provider: row.Provider, Subject: row.Subject,
		CreatedAt: row.CreatedAt.UTC(), LastUsedAt: Stamp(row.LastUsedAt),
	}
	if row.Email != "" {
		rec.Email = &row.Email
	}
	return rec
}
