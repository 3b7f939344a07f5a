package tollgate

import (
	"crypto/subtle"
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a string that no formatter prints: String, %v, %+v, %#v, %q, %x,
// MarshalJSON, MarshalText and slog all give "[redacted]" (SECURITY C-06). In
// an unexported field, whose methods fmt cannot call, it prints as an address.
// The zero value is the empty secret; Equal compares, == does not compile.
type Secret struct {
	_     [0]func() // no ==
	value *string
}

// NewSecret wraps value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the value. Every call is a place to review.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty reports whether there is no value.
func (s Secret) Empty() bool { return s.Reveal() == "" }

// Equal reports whether both hold the same value, in time that depends on
// their lengths alone.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(other.Reveal())) == 1
}

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
