package tollgate

import (
	"encoding/json"
	"regexp"
	"slices"
	"time"
)

// Provider is an upstream that models are relayed to.
type Provider struct {
	ID      int64
	Name    string // unique, [a-z0-9][a-z0-9_-]{0,62}, not a reserved path segment
	Kind    string // "openai", "anthropic", "gemini", "openai-compatible", "demo"
	BaseURL string // empty = the kind's own
	// Settings is a JSON object; the kind defines its keys ("dialects", "version_path"…).
	Settings  json.RawMessage
	Enabled   bool
	CreatedAt time.Time
}

// ReservedProviderNames are first path segments that belong to the product (CONTRACT 9).
func ReservedProviderNames() []string {
	return []string{
		"admin", "user", "login", "logout", "auth", "setup", "console", "assets", "docs",
		"v1", "v1beta", "upload", "healthz", "readyz", "version", "metrics",
	}
}

// ValidProviderName checks a provider's name. Errors are CodeInvalid.
func ValidProviderName(name string) error {
	if ok, _ := regexp.MatchString(`^[a-z0-9][a-z0-9_-]{0,62}$`, name); !ok {
		return Invalidf("name", "a provider name is 1 to 63 of a-z, 0-9, _ and -, and begins with a letter or digit")
	}
	if slices.Contains(ReservedProviderNames(), name) {
		return Invalidf("name", "%q is a path of the gateway itself; choose another provider name", name)
	}
	return nil
}

// ProviderFilter selects providers; the zero value selects all.
type ProviderFilter struct {
	ID      Match[int64]
	Name    Match[string]
	Kind    Match[string]
	Enabled Match[bool]
}

// Credential is a secret of ours at a provider, used in turn with its siblings.
type Credential struct {
	ID         int64
	ProviderID int64
	Label      string
	// Sealed is the encrypted secret, bound to the provider's origin; nil = needs a secret.
	Sealed []byte
	// Origin is the scheme://host:port that Sealed is bound to.
	Origin string
	// Last4 and Fingerprint tell credentials apart; Fingerprint is 8 hex
	// digits of a keyed digest.
	Last4, Fingerprint string
	Enabled            bool
	CreatedAt          time.Time
}

// NeedsSecret reports whether the credential has no secret yet.
func (c Credential) NeedsSecret() bool { return len(c.Sealed) == 0 }

// CredentialFilter selects credentials; the zero value selects all.
type CredentialFilter struct {
	ID         Match[int64]
	ProviderID Match[int64]
	Enabled    Match[bool]
}
