package tollgate

import "time"

// ConfigOrigin says what made a version of the configuration.
type ConfigOrigin string

// The origins of versions.
const (
	ConfigApplied    ConfigOrigin = "apply"    // config/apply
	ConfigRolledBack ConfigOrigin = "rollback" // config/rollback
	ConfigImported   ConfigOrigin = "import"   // the command line
)

// ConfigVersion is one change of the configuration as a whole: who made it,
// what it did, and how the records were before and after. It is never altered.
type ConfigVersion struct {
	ID        int64
	At        time.Time
	ActorID   int64 // user id; 0 = the host
	ActorName string
	Via       string
	Origin    ConfigOrigin
	// RolledBackTo is the version whose state a rollback brought back, else 0.
	RolledBackTo int64
	// Created, Updated and Deleted are numbers of records.
	Created, Updated, Deleted int
	// BeforeID and AfterID are the texts of the records then.
	BeforeID, AfterID int64
}

// ConfigVersionFilter selects versions; the zero value selects all.
type ConfigVersionFilter struct {
	ID      Match[int64]
	ActorID Match[int64]
	Origin  Match[ConfigOrigin]
}

// ConfigText is a configuration as TOML, without secrets. Texts are shared by
// the versions that look alike.
type ConfigText struct {
	ID     int64
	Digest string // SHA-256 of Text in hex; unique
	Text   []byte
}

// ConfigTextFilter selects texts; the zero value selects all.
type ConfigTextFilter struct {
	ID     Match[int64]
	Digest Match[string]
}

// SyncKind is a kind of place that a configuration is kept at.
type SyncKind string

// The kinds of places.
const (
	SyncFolder SyncKind = "folder" // below [server] sync_folder, for Git
	SyncWebDAV SyncKind = "webdav"
	SyncGist   SyncKind = "gist" // of GitHub
)

// SyncTarget is a place outside that a configuration is pushed to and pulled
// from.
type SyncTarget struct {
	ID   int64
	Name string // unique
	Kind SyncKind
	// Location is a path below the folder, the file's URL, or the gist's id.
	Location string
	// File is the name of the file in a gist.
	File string
	// Username and Password sign in to WebDAV; the Password of a gist is a
	// token. Passphrase is what a push with secrets is encrypted to. Both are
	// sealed; nil = none.
	Username             string
	Password, Passphrase []byte
	// WithSecrets pushes secrets too, encrypted.
	WithSecrets bool
	// Seen is the version of the remote file that was last pushed or pulled,
	// as the place names it; empty = never.
	Seen                          string
	PushedAt, PulledAt, CreatedAt time.Time
}

// SyncTargetFilter selects targets; the zero value selects all.
type SyncTargetFilter struct {
	ID   Match[int64]
	Name Match[string]
	Kind Match[SyncKind]
}
