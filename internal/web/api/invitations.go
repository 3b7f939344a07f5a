package api

import (
	"time"

	"tollgate"
)

// Invitation is the JSON of an invitation. There is no field for its token.
type Invitation struct {
	ID        int64      `json:"id"`
	Label     string     `json:"label"`
	Email     *string    `json:"email"`
	IsAdmin   bool       `json:"is_admin"`
	TeamID    *int64     `json:"team_id"`
	TeamRole  *string    `json:"team_role"`
	CreatedBy *int64     `json:"created_by" doc:"null = the host"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt time.Time  `json:"expires_at"`
	State     string     `json:"state" enum:"open,used,expired"`
	UsedAt    *time.Time `json:"used_at"`
	UsedBy    *int64     `json:"used_by" doc:"The account that it gave."`
}

// InvitationRecord returns the JSON of l as it stands at now.
func InvitationRecord(l tollgate.Link, now time.Time) Invitation {
	state := "open"
	switch {
	case !l.UsedAt.IsZero():
		state = "used"
	case !l.Open(now):
		state = "expired"
	}
	return Invitation{
		ID: l.ID, Label: l.Label, Email: TextOrNull(l.Email), IsAdmin: l.Role.IsAdmin(), TeamID: OrNull(l.TeamID), TeamRole: TextOrNull(l.TeamRole),
		CreatedBy: OrNull(l.CreatedBy), CreatedAt: l.CreatedAt.UTC(), ExpiresAt: l.ExpiresAt.UTC(), State: state,
		UsedAt: Stamp(l.UsedAt), UsedBy: OrNull(l.UsedBy),
	}
}

// TextOrNull returns s for JSON: null for "".
func TextOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
