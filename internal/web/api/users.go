package api

import (
	"context"
	"time"

	"tollgate"
)

// User is the JSON of a user (CONTRACT 6), in both spellings where there are two.
type User struct {
	ID           int64      `json:"id"`
	Name         string     `json:"name"`
	Username     string     `json:"username" doc:"The same as name."`
	Email        *string    `json:"email"`
	Enabled      bool       `json:"enabled"`
	IsActive     bool       `json:"is_active" doc:"The same as enabled."`
	IsAdmin      bool       `json:"is_admin"`
	IsSuperAdmin bool       `json:"is_super_admin"`
	SSOProvider  string     `json:"sso_provider" doc:"The provider that created the account; empty for a local one."`
	SSOID        string     `json:"sso_id"`
	Identities   []Identity `json:"identities" doc:"Every linked sign-in provider." nullable:"false"`
	TeamID       *int64     `json:"team_id"`
	TeamRole     *string    `json:"team_role"`
	HasPassword  bool       `json:"has_password"`
	CreatedAt    time.Time  `json:"created_at"`
	LastLoginAt  *time.Time `json:"last_login_at" doc:"null = never"`
}

// Identity is one linked sign-in provider.
type Identity struct {
	Provider string `json:"provider"`
	ID       string `json:"id"`
}

// UserRecords returns the JSON of users, with what is linked to each.
func UserRecords(ctx context.Context, tx tollgate.Tx, users []tollgate.User) ([]User, error) {
	recs, at := make([]User, len(users)), make(map[int64]int, len(users))
	ids := make([]int64, len(users))
	for i, u := range users {
		recs[i], at[u.ID], ids[i] = userRecord(u), i, u.ID
	}
	rows, _, err := tx.Identities.Query(ctx, tollgate.IdentityFilter{UserID: tollgate.Is(ids...)}, tollgate.Page{All: true})
	for _, row := range rows {
		rec := &recs[at[row.UserID]]
		rec.Identities = append(rec.Identities, Identity{row.Provider, row.Subject})
	}
	return recs, err
}

// userRecord returns the JSON of a user, without what is linked.
func userRecord(u tollgate.User) User {
	return User{
		ID: u.ID, Name: u.Name, Username: u.Name, Enabled: u.Enabled, IsActive: u.Enabled,
		IsAdmin: u.Role.IsAdmin(), IsSuperAdmin: u.Role == tollgate.RoleSuperAdmin,
		SSOProvider: u.SSOProvider, SSOID: u.SSOID, Identities: []Identity{}, TeamID: OrNull(u.TeamID),
		Email: TextOrNull(u.Email), TeamRole: TextOrNull(u.TeamRole),
		HasPassword: len(u.Password) > 0, CreatedAt: u.CreatedAt.UTC(), LastLoginAt: Stamp(u.LastLoginAt),
	}
}

// Session is the JSON of a sign-in.
type Session struct {
	ID         int64      `json:"id"`
	UserID     int64      `json:"user_id"`
	Current    bool       `json:"current" doc:"The one that asks."`
	Method     string     `json:"method"`
	CreatedAt  time.Time  `json:"created_at"`
	SignedInAt time.Time  `json:"signed_in_at" doc:"The last full sign-in."`
	LastSeenAt *time.Time `json:"last_seen_at" doc:"At most a minute old."`
	ExpiresAt  time.Time  `json:"expires_at"`
	IP         string     `json:"ip"`
	UserAgent  string     `json:"user_agent"`
	Device     string     `json:"device" doc:"Browser and system, as far as user_agent tells."`
	EnrolOnly  bool       `json:"enrol_only" doc:"It may only enrol a second factor, which its user needs and lacks."`
}

// SessionRecord returns the JSON of a session; current is the one that asks.
func SessionRecord(s tollgate.Session, current int64) Session {
	return Session{
		ID: s.ID, UserID: s.UserID, Current: s.ID == current, Method: s.Method, CreatedAt: s.CreatedAt.UTC(), SignedInAt: s.SignedInAt.UTC(),
		LastSeenAt: Stamp(s.LastSeenAt), ExpiresAt: s.ExpiresAt.UTC(), IP: s.IP, UserAgent: s.UserAgent,
		Device: device(s.UserAgent), EnrolOnly: s.EnrolOnly,
	}
}
