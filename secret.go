package tollgate

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a string that no formatter prints: String, %v, %+v, %#v, %q, %x,
// MarshalJSON, MarshalText and slog all give "[redacted]" (SECURITY C-06).
type Secret struct{ value string }

// NewSecret wraps value.
func NewSecret(value string) Secret { return Secret{value} }

// Reveal returns the value. Every call is a place to review.
func (s Secret) Reveal() string { return s.value }

// Empty reports whether there is no value.
func (s Secret) Empty() bool { return s.value == "" }

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// Format writes "[redacted]" whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText returns "[redacted]".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// Label names the place of a sealed value. It is the associated data of its
// envelope: a value that is moved to another row, column or origin does not open.
type Label struct {
	// Table and Column of the record.
	Table, Column string
	// Row is the id of the record.
	Row int64
	// Origin is the scheme://host:port that a provider credential is bound
	// to; empty elsewhere (SECURITY C-02).
	Origin string
}

// Sealer encrypts data at rest.
type Sealer interface {
	// Seal encrypts plain for one place. The output carries version and key id.
	Seal(at Label, plain []byte) ([]byte, error)
	// Open decrypts what Seal made for the same place; any other place, key
	// or bit fails.
	Open(at Label, sealed []byte) ([]byte, error)
}
