package api

import (
	"context"
	"time"

	"tollgate"
)

// RateLimit is the JSON of a rate limit. Whose it is stands in one of the ids;
// the instance has none.
type RateLimit struct {
	ID           int64  `json:"id"`
	Scope        string `json:"scope" enum:"user,key,team,instance,service"`
	UserID       int64  `json:"user_id,omitzero"`
	KeyID        int64  `json:"key_id,omitzero"`
	TeamID       int64  `json:"team_id,omitzero"`
	ModelPattern string `json:"model_pattern"`
	RPM          *int64 `json:"rpm" doc:"Requests per minute; null = no limit, here and below."`
	RPD          *int64 `json:"rpd" doc:"Requests per day."`
	TotalTokens  *int64 `json:"total_tokens" doc:"Tokens in a rolling minute."`
	Concurrency  *int64 `json:"concurrency" doc:"Requests at once."`
}

// RateLimitRecord returns the JSON of l.
func RateLimitRecord(l tollgate.RateLimit) RateLimit {
	rec := RateLimit{
		ID: l.ID, Scope: string(l.Scope), ModelPattern: l.ModelPattern, RPM: l.RPM, RPD: l.RPD, TotalTokens: l.TotalTokens, Concurrency: l.Concurrency,
	}
	switch l.Scope {
	case tollgate.ScopeUser:
		rec.UserID = l.ScopeID
	case tollgate.ScopeKey:
		rec.KeyID = l.ScopeID
	case tollgate.ScopeTeam:
		rec.TeamID = l.ScopeID
	case tollgate.ScopeInstance, tollgate.ScopeService:
	}
	return rec
}

// Rights is what a user may, each right with where it comes from. Permissions
// add up; of quotas and limits every one holds.
type Rights struct {
	UserID          int64       `json:"user_id"`
	Name            string      `json:"name"`
	Role            string      `json:"role" enum:"user,admin,super_admin"`
	Enabled         bool        `json:"enabled"`
	TeamID          *int64      `json:"team_id"`
	Team            *string     `json:"team" doc:"The team's name."`
	TeamRole        *string     `json:"team_role"`
	Permissions     []Right     `json:"permissions" nullable:"false"`
	FilePermissions []Right     `json:"file_permissions" nullable:"false"`
	Quotas          []Quota     `json:"quotas" nullable:"false" doc:"Of the user, of each key, of the team, and to admins of the instance."`
	RateLimits      []RateLimit `json:"rate_limits" nullable:"false" doc:"Of the user, of each key, of the team and of the instance."`
	Keys            []KeyBound  `json:"keys" nullable:"false" doc:"Keys that may use less than their owner."`
}

// Right is one permission.
type Right struct {
	ProviderID   *int64 `json:"provider_id" doc:"null = every provider"`
	Provider     string `json:"provider" doc:"Its name; * = every provider."`
	ModelPattern string `json:"model_pattern,omitempty"`
	Source       string `json:"source" enum:"admin_role,permission,team" doc:"admin_role = comes and goes with the role; team = with the team."`
	SourceID     int64  `json:"source_id" doc:"The permission's id, or that of the team's."`
}

// KeyBound is how a key narrows what its owner may use.
type KeyBound struct {
	KeyID    int64    `json:"key_id"`
	Label    string   `json:"label"`
	Models   []string `json:"models" nullable:"false" doc:"Empty = all."`
	Surfaces []string `json:"surfaces" nullable:"false" doc:"Empty = all that the owner may."`
	IPAllow  []string `json:"ip_allow" nullable:"false" doc:"Empty = everywhere."`
}

// QuotaView is how quotas are looked at.
type QuotaView struct {
	Now  time.Time
	Zone *time.Location
	Held Held
	// Instance shows the instance's budget too, and so what everybody spends.
	Instance bool
}

// RightsOf reads what u may, and where each right comes from.
func RightsOf(ctx context.Context, tx tollgate.Tx, u tollgate.User, v QuotaView) (Rights, error) {
	r := Rights{
		UserID: u.ID, Name: u.Name, Role: roleName(u.Role), Enabled: u.Enabled, TeamID: OrNull(u.TeamID), TeamRole: TextOrNull(u.TeamRole),
		Permissions: []Right{}, FilePermissions: []Right{}, Quotas: []Quota{}, RateLimits: []RateLimit{}, Keys: []KeyBound{},
	}
	if u.TeamID != 0 {
		t, err := tx.Teams.Get(ctx, u.TeamID)
		if err != nil {
			return r, err
		}
		r.Team = &t.Name
	}
	if err := r.readPermissions(ctx, tx, u); err != nil {
		return r, err
	}
	keys, _, err := tx.Keys.Query(ctx, tollgate.KeyFilter{UserID: tollgate.Is(u.ID)}, tollgate.Page{All: true})
	if err != nil {
		return r, err
	}
	keyIDs := tollgate.Match[int64]{Set: true}
	for _, k := range keys {
		keyIDs.Values = append(keyIDs.Values, k.ID)
		if rec := keyRecord(k); len(k.Models)+len(k.Surfaces)+len(k.IPAllow) > 0 {
			r.Keys = append(r.Keys, KeyBound{k.ID, k.Label, rec.Models, rec.Surfaces, rec.IPAllow})
		}
	}
	return r, r.readBounds(ctx, tx, u, keyIDs, v)
}

// providerNames are the names of providers by id; of every one: *.
func providerNames(ctx context.Context, tx tollgate.Tx) (map[int64]string, error) {
	names := map[int64]string{0: "*"}
	providers, _, err := tx.Providers.Query(ctx, tollgate.ProviderFilter{}, tollgate.Page{All: true})
	for _, p := range providers {
		names[p.ID] = p.Name
	}
	return names, err
}

// TeamRights reads what the members of a team may.
func TeamRights(ctx context.Context, tx tollgate.Tx, teamID int64) ([]Right, error) {
	names, err := providerNames(ctx, tx)
	if err != nil {
		return nil, err
	}
	return teamRights(ctx, tx, teamID, names)
}

func teamRights(ctx context.Context, tx tollgate.Tx, teamID int64, names map[int64]string) ([]Right, error) {
	rights := []Right{}
	shared, _, err := tx.TeamPermissions.Query(ctx, tollgate.TeamPermissionFilter{TeamID: tollgate.Is(teamID)}, tollgate.Page{All: true})
	for _, p := range shared {
		rights = append(rights, Right{OrNull(p.ProviderID), names[p.ProviderID], p.ModelPattern, "team", p.ID})
	}
	return rights, err
}

func (r *Rights) readPermissions(ctx context.Context, tx tollgate.Tx, u tollgate.User) error {
	all := tollgate.Page{All: true}
	names, err := providerNames(ctx, tx)
	if err != nil {
		return err
	}
	mine := tollgate.PermissionFilter{UserID: tollgate.Is(u.ID)}
	perms, _, err := tx.Permissions.Query(ctx, mine, all)
	if err != nil {
		return err
	}
	for _, p := range perms {
		source := "permission"
		if p.Automatic {
			source = "admin_role"
		}
		r.Permissions = append(r.Permissions, Right{OrNull(p.ProviderID), names[p.ProviderID], p.ModelPattern, source, p.ID})
	}
	if u.TeamID != 0 {
		shared, err := teamRights(ctx, tx, u.TeamID, names)
		if err != nil {
			return err
		}
		r.Permissions = append(r.Permissions, shared...)
	}
	files, _, err := tx.FilePermissions.Query(ctx, mine, all)
	for _, p := range files {
		r.FilePermissions = append(r.FilePermissions, Right{OrNull(p.ProviderID), names[p.ProviderID], "", "permission", p.ID})
	}
	return err
}

// readBounds reads the quotas and limits that hold for u.
func (r *Rights) readBounds(ctx context.Context, tx tollgate.Tx, u tollgate.User, keyIDs tollgate.Match[int64], v QuotaView) error {
	scopes := []struct {
		scope tollgate.Scope
		ids   tollgate.Match[int64]
	}{{tollgate.ScopeUser, tollgate.Is(u.ID)}, {tollgate.ScopeKey, keyIDs}, {tollgate.ScopeInstance, tollgate.Is[int64](0)}}
	if u.TeamID != 0 {
		scopes = append(scopes, scopes[2])
		scopes[2].scope, scopes[2].ids = tollgate.ScopeTeam, tollgate.Is(u.TeamID)
	}
	for _, s := range scopes {
		limits, _, err := tx.RateLimits.Query(ctx, tollgate.RateLimitFilter{Scope: tollgate.Is(s.scope), ScopeID: s.ids}, tollgate.Page{All: true})
		if err != nil {
			return err
		}
		for _, l := range limits {
			r.RateLimits = append(r.RateLimits, RateLimitRecord(l))
		}
		if s.scope == tollgate.ScopeInstance && !v.Instance {
			continue
		}
		quotas, _, err := tx.Quotas.Query(ctx, tollgate.QuotaFilter{Scope: tollgate.Is(s.scope), ScopeID: s.ids}, tollgate.Page{All: true})
		if err != nil {
			return err
		}
		for _, q := range quotas {
			r.Quotas = append(r.Quotas, QuotaRecord(q, v.Now, v.Zone, v.Held))
		}
	}
	return nil
}

func roleName(r tollgate.Role) string {
	switch r {
	case tollgate.RoleSuperAdmin:
		return "super_admin"
	case tollgate.RoleAdmin:
		return "admin"
	case tollgate.RoleUser, tollgate.RoleNone:
	}
	return "user"
}
