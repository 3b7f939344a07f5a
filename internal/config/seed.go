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
	Users           []SeedUser
	Teams           []SeedTeam
	Providers       []SeedProvider
	Models          []SeedModel
	Aliases         []SeedAlias
	Permissions     []SeedPermission
	FilePermissions []SeedFilePermission
	RateLimits      []SeedRateLimit
	Quotas          []SeedQuota
	// Notes say what was read differently from how it was written: keys of a
	// GPROXY file that mean nothing here, channels that were mapped.
	Notes Problems
}

// Empty reports whether the seed holds no record.
func (s Seed) Empty() bool {
	return len(s.Users)+len(s.Teams)+len(s.Providers)+len(s.Models)+len(s.Aliases)+len(s.Permissions)+
		len(s.FilePermissions)+len(s.RateLimits)+len(s.Quotas) == 0
}

// SeedUser is a [[users]] entry. A nil pointer was not said.
type SeedUser struct {
	At       Place
	Name     string
	Password tollgate.Secret // plain or PHC; empty = none said
	Email    *string
	Enabled  bool // default true
	IsAdmin  *bool
	// SuperAdmin marks the super admin in an export; it is a fact for the
	// reader, not a request: the first admin becomes the super admin.
	SuperAdmin bool
	Team       *string
	TeamRole   *string
	Keys       []SeedKey
}

// SeedKey is a [[users.keys]] entry. An empty APIKey (an export without
// secrets) makes a disabled key that needs a secret.
type SeedKey struct {
	At        Place
	APIKey    tollgate.Secret
	Label     string
	Enabled   bool // default true
	ExpiresAt time.Time
	Surfaces  []tollgate.Surface
	Models    []string
	IPAllow   []netip.Prefix
	// Prefix and Last4 tell a key without APIKey apart.
	Prefix, Last4 string
}

// SeedTeam is a [[teams]] entry.
type SeedTeam struct {
	At   Place
	Name string
}

// SeedProvider is a [[providers]] entry. Kind is one of ours; Channel is what
// a GPROXY file said, if it did.
type SeedProvider struct {
	At          Place
	Name        string
	Kind        string
	Channel     string
	BaseURL     string
	Settings    json.RawMessage // a JSON object or nil
	Enabled     bool            // default true; false for a channel that this version does not know
	Credentials []SeedCredential
}

// SeedCredential is a [[providers.credentials]] entry. An empty APIKey makes
// a disabled credential that needs a secret.
type SeedCredential struct {
	At      Place
	Label   string
	APIKey  tollgate.Secret
	Enabled bool // default true
	// Fingerprint tells a credential without APIKey apart.
	Fingerprint string
}

// SeedModel is a [[models]] entry.
type SeedModel struct {
	At            Place
	ProviderName  string
	ModelID       string
	DisplayName   string
	Enabled       bool // default true
	ContextTokens int64
	OutputTokens  int64
	Prices        json.RawMessage // a JSON object of price keys, or nil
}

// SeedAlias is a [[model_aliases]] entry.
type SeedAlias struct {
	At           Place
	Alias        string
	ProviderName string // empty = as the target resolves
	ModelID      string
	Enabled      bool // default true
}

// SeedPermission is a [[permissions]] entry.
type SeedPermission struct {
	At           Place
	UserName     string
	ProviderName string // empty = every provider
	ModelPattern string
}

// SeedFilePermission is a [[file_permissions]] entry.
type SeedFilePermission struct {
	At           Place
	UserName     string
	ProviderName string // empty = every provider
}

// SeedScope says whose limit or quota an entry is: exactly one is set.
type SeedScope struct {
	UserName string
	TeamName string
	Scope    tollgate.Scope // user, team, instance or service
}

// SeedRateLimit is a [[rate_limits]] entry. Nil fields do not limit.
type SeedRateLimit struct {
	At Place
	SeedScope
	ModelPattern string
	RPM, RPD     *int64
	TotalTokens  *int64
	Concurrency  *int64
}

// SeedQuota is a [[quotas]] entry.
type SeedQuota struct {
	At Place
	SeedScope
	Window tollgate.Window
	Limit  *tollgate.Money // nil = unlimited
	// Spent is what was spent before; nil = not said.
	Spent *tollgate.Money
}
