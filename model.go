package tollgate

import "encoding/json"

// Model is a model that a provider serves.
type Model struct {
	ID         int64
	ProviderID int64
	ModelID    string // the provider's name for it; unique per provider
	Enabled    bool
	// DisplayName is what model lists show; empty = ModelID.
	DisplayName string
	// ContextTokens and OutputTokens are the model's limits, in tokens; 0 = unknown.
	ContextTokens, OutputTokens int64
	// Prices is the JSON object of price keys as given (CONTRACT 10), the
	// model's own price; nil = it has none, and the price book may know one.
	// It is the latest Price of the model row.
	Prices json.RawMessage
}

// ModelFilter selects models; the zero value selects all.
type ModelFilter struct {
	ID         Match[int64]
	ProviderID Match[int64]
	ModelID    Match[string]
	Enabled    Match[bool]
}

// ModelAlias is another name for a model.
type ModelAlias struct {
	ID    int64
	Alias string // unique
	// ProviderID limits the target to one provider; 0 = as the target name resolves.
	ProviderID int64
	// Target is the model name that the alias stands for.
	Target  string
	Enabled bool
}

// AliasFilter selects aliases; the zero value selects all.
type AliasFilter struct {
	ID    Match[int64]
	Alias Match[string]
}

// MaxModelNameLength bounds a model name, in bytes.
const MaxModelNameLength = 256

// ValidModelName checks a model id or alias. Errors are CodeInvalid.
func ValidModelName(field, s string) error {
	switch {
	case s == "":
		return Invalidf(field, "%s must not be empty", field)
	case len(s) > MaxModelNameLength:
		return Invalidf(field, "%s is longer than %d bytes", field, MaxModelNameLength)
	}
	return validText(field, s)
}
