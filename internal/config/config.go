// Package config reads the settings of the process and the seed of the
// database from flags, the environment and one TOML file (CONTRACT 2, 4, 10).
//
// A flag wins over a variable, a variable over the file, the file over the
// default. Everything is checked before anything starts: unknown keys, wrong
// types, bad ranges, unreadable files and contradictions are collected and
// returned together as Problems, each with the place it came from.
package config

import (
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"time"

	"tollgate"
)

// Config is what the process was told to do. It is read only; a reload makes
// a new one.
type Config struct {
	// Host and Port are the listen address. Port 0 lets the system choose.
	Host string
	Port int
	// DataDir is the absolute path of the folder for the database, the key
	// file and the control socket.
	DataDir string
	// DSN names the database: sqlite://PATH or postgres://… . It is never
	// empty and may hold a password.
	DSN tollgate.Secret
	// ConfigPath is the TOML file that was read; empty = none.
	ConfigPath string
	// Admin is the bootstrap admin of CONTRACT 4.
	Admin Admin
	// MasterKey is DATABASE_SECRET_KEY; empty = not given, use the key file.
	MasterKey tollgate.Secret
	// PreviousMasterKey is DATABASE_SECRET_KEY_PREVIOUS; empty = not given.
	PreviousMasterKey tollgate.Secret
	// PublicURL is the external origin (scheme://host[:port]); empty = not known.
	PublicURL string
	// TLSCert and TLSKey are PEM files; both or neither.
	TLSCert, TLSKey string
	// AllowHTTP permits plain HTTP on addresses other than loopback.
	AllowHTTP bool
	// TrustedProxies are the networks whose forwarding headers count.
	TrustedProxies []netip.Prefix
	// AllowedHosts are the host names the console answers to, in lower case;
	// empty = any on loopback.
	AllowedHosts []string
	// CORSOrigins are the origins that browsers may call LLM routes from;
	// "*" stands for all.
	CORSOrigins []string
	// MetricsAddr is the host:port of a separate listener for /metrics; empty = none.
	MetricsAddr string
	// LogLevel is the least severe level that is logged.
	LogLevel slog.Level
	// LogFormat is "text", "json", or "auto": text on a terminal, else json.
	LogFormat string
	// DrainTimeout is how long live requests may run on after SIGTERM.
	DrainTimeout time.Duration
	// Proxy is the URL of the outbound proxy to providers; empty = none. It
	// may hold a password.
	Proxy tollgate.Secret
	// Demo adds the simulated provider.
	Demo bool
	// Server holds the settings of [server] that have no variable.
	Server Server
	// Upstream holds [upstream].
	Upstream Upstream
	// Logging holds what [logging] says of requests.
	Logging Logging
	// Ledger holds [ledger].
	Ledger Ledger
	// SSO are the sign-in providers of [sso.github], [sso.google] and
	// [sso.oidc.NAME], by name.
	SSO []SignInProvider
	// Seed is the part of the file that belongs into the database.
	Seed Seed
	// Origins are the places that values come from, by variable, else by section
	// and key; what is not here is the default.
	Origins map[string]Place
	// Warnings are remarks that do not stop the start.
	Warnings Problems
}

// SignInProvider is a provider that users sign in through, as the file sets it
// up. What it says is checked by whoever speaks to it.
type SignInProvider struct {
	At         Place
	Name, Kind string // of the section
	SignInSettings
}

// SignInSettings are what one sets of a sign-in provider.
type SignInSettings struct {
	Label          string          `toml:"display_name"`
	ClientID       string          `toml:"client_id"`
	ClientSecret   tollgate.Secret `toml:"client_secret"`
	Issuer         string          `toml:"issuer"`
	Scopes         []string        `toml:"scopes"`
	AllowedOrgs    []string        `toml:"allowed_orgs"`
	AllowedDomains []string        `toml:"allowed_domains"`
	SignUp         bool            `toml:"sign_up"`
	TrustsFactor   bool            `toml:"trusts_second_factor"`
	GroupsClaim    string          `toml:"groups_claim"`
	Roles          []GroupMapping  `toml:"roles"`
}

// GroupMapping is what a group of a sign-in provider gives.
type GroupMapping struct {
	Group string `toml:"group"`
	Admin bool   `toml:"is_admin"`
	Team  string `toml:"team"`
}

// Admin is the bootstrap admin. An empty Password or APIKey was not given.
type Admin struct {
	User string
	// UserGiven says that User is more than the default.
	UserGiven bool
	Password  tollgate.Secret
	APIKey    tollgate.Secret
	// Register makes no admin where no value was given: the first account is
	// made through a set-up link ([server] bootstrap = "register").
	Register bool
}

// Given reports whether any TOLLGATE_ADMIN_ value was given.
func (a Admin) Given() bool { return a.UserGiven || !a.Password.Empty() || !a.APIKey.Empty() }

// Server is what [server] says beyond what has a variable.
type Server struct {
	// AccessKey is the service-to-service key; empty = none.
	AccessKey tollgate.Secret
	// AccessPermissions limit what the access key may call; never empty when
	// there is an AccessKey.
	AccessPermissions []AccessPermission
	// MaxBodyBytes bounds the body of an LLM request, in bytes.
	MaxBodyBytes int64
	// Strict refuses translated calls that would lose something of the request.
	Strict bool
	// SyncFolder is the directory below which the configuration may be kept in
	// folders (config-sync); empty = none.
	SyncFolder string
	// KeepAlive is the silence of a provider after which a streaming client is
	// sent a sign of life; 0 = never.
	KeepAlive time.Duration
	// ResponseLife is how long stored answers of the Responses API are kept.
	ResponseLife time.Duration
	// ConversationBytes bounds one conversation that is kept, in bytes.
	ConversationBytes int64
	// ResponseUserBytes bounds what one user's stored answers take, in bytes.
	ResponseUserBytes int64
}

// AccessPermission lets the service call models that match ModelPattern at
// a provider; an empty ProviderName stands for every provider.
type AccessPermission struct {
	ProviderName string `toml:"provider_name"`
	ModelPattern string `toml:"model_pattern"`
}

// Upstream is [upstream].
type Upstream struct {
	// AllowPrivate are the private networks that providers may be reached on.
	AllowPrivate []PrivateNetwork
	// DialTimeout bounds a connection attempt.
	DialTimeout time.Duration
	// FirstByteTimeout bounds the wait for the head of an answer.
	FirstByteTimeout time.Duration
	// IdleTimeout bounds the silence between two chunks of an answer.
	IdleTimeout time.Duration
	// FetchRemote lets the gateway fetch the files that a request refers to by
	// https, for providers that cannot.
	FetchRemote bool
}

// PrivateNetwork is an entry of allow_private: a network and, unless Port is
// 0, the one port that may be used in it.
type PrivateNetwork struct {
	Prefix netip.Prefix
	Port   uint16
}

// String returns the entry as it is written in the file.
func (n PrivateNetwork) String() string {
	switch {
	case n.Port == 0:
		return n.Prefix.String()
	case n.Prefix.Addr().Is6():
		return "[" + n.Prefix.String() + "]:" + strconv.Itoa(int(n.Port))
	default:
		return n.Prefix.String() + ":" + strconv.Itoa(int(n.Port))
	}
}

// Ledger is [ledger].
type Ledger struct {
	// Durability is "process" (rows survive kill -9) or "power" (also a power cut).
	Durability string
	// Location is the time zone of quota windows.
	Location *time.Location
	// Wait is how long a request waits for money that others hold.
	Wait time.Duration
	// Slice is how many output tokens a stream holds at a time; Floor is what
	// the output cap of an answer is clamped to at least.
	Slice, Floor int64
	// Unpriced is what happens to calls of models without a price:
	// "refuse-under-quota", "serve" or "refuse".
	Unpriced string
	// AlarmAt are the percentages of a quota at which there is an alarm, rising.
	AlarmAt []int
	// AlarmWebhook is the URL that alarms are sent to; empty = none. AlarmSecret
	// signs them.
	AlarmWebhook, AlarmSecret tollgate.Secret
}

// Addr returns the listen address as host:port.
func (c Config) Addr() string { return net.JoinHostPort(c.Host, strconv.Itoa(c.Port)) }

// Loopback reports whether the listen address can be reached from this host only.
func (c Config) Loopback() bool {
	if c.Host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(c.Host)
	return err == nil && a.Unmap().IsLoopback()
}

// SQLite reports whether the database is embedded.
func (c Config) SQLite() bool { return hasScheme(c.DSN.Reveal(), "sqlite") }
