package tollgate

import "time"

// Team groups users for quotas, permissions and limits.
type Team struct {
	ID        int64
	Name      string // unique
	CreatedAt time.Time
}

// TeamFilter selects teams; the zero value selects all.
type TeamFilter struct {
	ID   Match[int64]
	Name Match[string]
}

// The roles in a team.
const (
	TeamMember = "member"
	TeamAdmin  = "admin" // manages members and their keys, and sees the team's usage
)

// TeamPermission lets all members of a team send models that match
// ModelPattern to a provider.
type TeamPermission struct {
	ID     int64
	TeamID int64
	// ProviderID is the provider; 0 = every provider.
	ProviderID int64
	// ModelPattern is a glob as in Permission.
	ModelPattern string
}

// TeamPermissionFilter selects team permissions; the zero value selects all.
type TeamPermissionFilter struct {
	ID         Match[int64]
	TeamID     Match[int64]
	ProviderID Match[int64]
}
