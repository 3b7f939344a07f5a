package tollgate

import (
	"encoding/json"
	"time"
)

// Identity links an account at a sign-in provider to a user. Provider and
// Subject together are unique; the e-mail address is what the provider last
// said and identifies nobody.
type Identity struct {
	ID       int64
	UserID   int64
	Provider string // name of the provider
	Subject  string // the provider's own id of the account
	Email    string
	// CreatedAt is when it was linked, LastUsedAt the last sign-in through it;
	// zero = never.
	CreatedAt, LastUsedAt time.Time
}

// IdentityFilter selects identities; the zero value selects all.
type IdentityFilter struct {
	ID       Match[int64]
	UserID   Match[int64]
	Provider Match[string]
	Subject  Match[string]
}

// SignInProvider is a provider that users sign in through, as an admin set it
// up. Those of the configuration file are no rows.
type SignInProvider struct {
	ID      int64
	Name    string // unique; part of the callback address and of identities
	Kind    string // "github", "google", "oidc"
	Enabled bool
	// Settings are those of the kind, without the secret.
	Settings json.RawMessage
	// Secret is the client secret, sealed.
	Secret    []byte
	CreatedAt time.Time
}

// SignInProviderFilter selects sign-in providers; the zero value selects all.
type SignInProviderFilter struct {
	ID   Match[int64]
	Name Match[string]
}
