package config

import (
	"encoding/json"
	"net/netip"
	"time"

	"tollgate"
)

// Seed is the part of the file that belongs into the database: read on the
// first start and by `tollgate import`. Export writes the same format.
// References are by name; whether they exist is judged on import.
type Seed struct {
	Users           []SeedUser           `toml:"users"`
	Teams           []SeedTeam           `toml:"teams"`
	Providers       []SeedProvider       `toml:"providers"`
	Models          []SeedModel          `toml:"models"`
	Prices          []SeedPrice          `toml:"prices"`
	Aliases         []SeedAlias          `toml:"model_aliases"`
	Permissions     []SeedPermission     `toml:"permissions"`
	FilePermissions []SeedFilePermission `toml:"file_permissions"`
	RateLimits      []SeedRateLimit      `toml:"rate_limits"`
	Quotas          []SeedQuota          `toml:"quotas"`
	SignInProviders []SeedSignInProvider `toml:"sso_providers"`
	// Notes say what was read differently from how it was written: keys of a
	// GPROXY file that mean nothing here, channels that were mapped.
	Notes Problems
}

// Empty reports whether the seed holds no record.
func (s Seed) Empty() bool {
	return len(s.Users)+len(s.Teams)+len(s.Providers)+len(s.Models)+len(s.Prices)+len(s.Aliases)+len(s.Permissions)+
		len(s.FilePermissions)+len(s.RateLimits)+len(s.Quotas)+len(s.SignInProviders) == 0
}

// SeedUser is a [[users]] entry. A nil pointer was not said.
type SeedUser struct {
	At       Place
	Name     string          `toml:"name" alias:"username"`
	Password tollgate.Secret `toml:"password"` // plain or PHC; empty = none said
	// HasPassword marks, in an export without secrets, a user who had one.
	HasPassword bool    `toml:"has_password"`
	Email       *string `toml:"email"`
	Enabled     bool    `toml:"enabled" alias:"is_active" default:"true"`
	IsAdmin     *bool   `toml:"is_admin"`
	// IsSuperAdmin marks the super admin in an export. It is a fact for the
	// reader, not a request: on a first start the first admin becomes it.
	IsSuperAdmin bool      `toml:"is_super_admin"`
	Team         *string   `toml:"team"`
	TeamRole     *string   `toml:"team_role"`
	Keys         []SeedKey `toml:"keys"`
}

// SeedKey is a [[users.keys]] entry. One without an APIKey has NeedsSecret
// and makes a disabled key.
type SeedKey struct {
	At          Place
	APIKey      tollgate.Secret    `toml:"api_key"`
	NeedsSecret bool               `toml:"needs_secret"`
	Label       string             `toml:"label"`
	Enabled     bool               `toml:"enabled" default:"true"`
	ExpiresAt   time.Time          `toml:"expires_at"`
	Surfaces    []tollgate.Surface `toml:"surfaces"`
	Models      []string           `toml:"models"`
	IPAllow     []netip.Prefix     `toml:"ip_allow"`
	// TeamKey makes it a key of the user's team: it ends with the membership.
	TeamKey bool `toml:"team_key"`
	// OnLeave is cancel or drain; empty = cancel.
	OnLeave tollgate.LeavePolicy `toml:"on_leave"`
	// Payloads is off, errors or all; empty = off.
	Payloads tollgate.PayloadMode `toml:"payloads"`
	// Prefix and Last4 tell a key without APIKey apart.
	Prefix string `toml:"prefix"`
	Last4  string `toml:"last4"`
}

// SeedTeam is a [[teams]] entry.
type SeedTeam struct {
	At   Place
	Name string `toml:"name"`
}

// SeedProvider is a [[providers]] entry. Channel is what a GPROXY file said;
// Kind is set in any case.
type SeedProvider struct {
	At          Place
	Name        string           `toml:"name"`
	Kind        string           `toml:"kind"`
	Channel     string           `toml:"channel"`
	BaseURL     string           `toml:"base_url"`
	Settings    json.RawMessage  `toml:"settings"` // a JSON object or nil
	Enabled     bool             `toml:"enabled" default:"true"`
	Credentials []SeedCredential `toml:"credentials"`
}

// SeedCredential is a [[providers.credentials]] entry. One without an APIKey
// has NeedsSecret and makes a disabled credential.
type SeedCredential struct {
	At          Place
	Label       string          `toml:"label"`
	APIKey      tollgate.Secret `toml:"api_key"`
	NeedsSecret bool            `toml:"needs_secret"`
	Enabled     bool            `toml:"enabled" default:"true"`
}

// SeedModel is a [[models]] entry.
type SeedModel struct {
	At            Place
	ProviderName  string `toml:"provider_name"`
	ModelID       string `toml:"model_id"`
	DisplayName   string `toml:"display_name"`
	Enabled       bool   `toml:"enabled" default:"true"`
	ContextTokens int64  `toml:"context_tokens"`
	OutputTokens  int64  `toml:"output_tokens"`
	Prices
}

// SeedPrice is a [[prices]] entry: the price of a provider's models by name or
// pattern.
type SeedPrice struct {
	At           Place
	ProviderName string    `toml:"provider_name"` // empty = every provider
	ModelPattern string    `toml:"model_pattern" alias:"model_id"`
	ValidFrom    time.Time `toml:"valid_from"` // zero = now
	Prices
}

// SeedAlias is a [[model_aliases]] entry.
type SeedAlias struct {
	At           Place
	Alias        string `toml:"alias"`
	ProviderName string `toml:"provider_name"` // empty = as the target resolves
	ModelID      string `toml:"model_id" alias:"target"`
	Enabled      bool   `toml:"enabled" default:"true"`
}

// SeedPermission is a [[permissions]] entry: of a user, or of all members of a
// team.
type SeedPermission struct {
	At           Place
	UserName     string `toml:"user_name"`
	TeamName     string `toml:"team_name"`
	ProviderName string `toml:"provider_name"` // empty = every provider
	ModelPattern string `toml:"model_pattern"`
}

// SeedFilePermission is a [[file_permissions]] entry.
type SeedFilePermission struct {
	At           Place
	UserName     string `toml:"user_name"`
	ProviderName string `toml:"provider_name"` // empty = every provider
}

// SeedScope says whose limit or quota an entry is: a user's, a team's, or
// with Scope "instance" or "service" everybody's or the access key's. After
// loading, Scope is always set.
type SeedScope struct {
	UserName string         `toml:"user_name"`
	TeamName string         `toml:"team_name"`
	Scope    tollgate.Scope `toml:"scope"`
}

// SeedRateLimit is a [[rate_limits]] entry. Nil fields do not limit.
type SeedRateLimit struct {
	At Place
	SeedScope
	ModelPattern string `toml:"model_pattern"`
	RPM          *int64 `toml:"rpm"`
	RPD          *int64 `toml:"rpd"`
	TotalTokens  *int64 `toml:"total_tokens"`
	Concurrency  *int64 `toml:"concurrency"`
}

// SeedQuota is a [[quotas]] entry.
type SeedQuota struct {
	At Place
	SeedScope
	Window tollgate.Window `toml:"window"` // after loading never empty
	// Limit is the budget; nil = unlimited.
	Limit *tollgate.Money `toml:"quota"`
	// Spent is what was spent before; nil = not said.
	Spent *tollgate.Money `toml:"cost_used"`
}

// SeedSignInProvider is a [[sso_providers]] entry: a provider that users sign
// in through, of those that the database holds. The entry is the whole of it:
// what it does not say is empty. One without a client secret has NeedsSecret
// and makes a disabled provider.
type SeedSignInProvider struct {
	At          Place
	Name        string `toml:"name"`
	Kind        string `toml:"kind"`
	Enabled     bool   `toml:"enabled" default:"true"`
	NeedsSecret bool   `toml:"needs_secret"`
	SignInSettings
}
