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
