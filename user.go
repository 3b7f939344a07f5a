package tollgate

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Role orders what an account may do (CONTRACT 5). The zero value is nobody
// and is denied by every policy.
type Role uint8

// The roles, in rising order.
const (
	RoleNone Role = iota
	RoleUser
	RoleAdmin
	RoleSuperAdmin
)

// IsAdmin reports whether r may use the admin API.
func (r Role) IsAdmin() bool { return r == RoleAdmin || r == RoleSuperAdmin }

// User is an account.
type User struct {
	ID      int64
	Name    string // unique
	Email   string // unique when not empty
	Enabled bool
	Role    Role // exactly one user is RoleSuperAdmin, by a unique index
	// Password is the sealed Argon2id PHC string; nil = the account has none.
	Password []byte
	// SSOProvider and SSOID name the provider that created the account.
	SSOProvider, SSOID string
	TeamID             int64 // 0 = none
	TeamRole           string
	CreatedAt          time.Time
	LastLoginAt        time.Time // zero = never
}

// Administers returns the team that u is an admin of, 0 if none.
func (u User) Administers() int64 {
	if u.TeamRole != TeamAdmin {
		return 0
	}
	return u.TeamID
}

// Limits of user input.
const (
	MaxNameLength  = 128
	MaxLabelLength = 128
)

// Validate checks what the row itself can tell. Errors are CodeInvalid.
func (u User) Validate() error {
	if err := ValidName("name", u.Name); err != nil {
		return err
	}
	if IsTombstone(u.Name) {
		return Invalidf("name", "names that begin with %q are kept for deleted accounts", strings.TrimSpace(tombstone))
	}
	if err := ValidEmail(u.Email); u.Email != "" && err != nil {
		return err
	}
	if u.Role < RoleUser || u.Role > RoleSuperAdmin {
		return Invalidf("role", "a user needs a role")
	}
	return nil
}

// ValidEmail checks an e-mail address: one @ with something on both sides, at
// most 254 bytes, nothing that ends an address in a header.
func ValidEmail(s string) error {
	if len(s) > 254 || strings.Count(s, "@") != 1 || strings.ContainsAny(s, " \t\r\n<>,;") || strings.HasPrefix(s, "@") || strings.HasSuffix(s, "@") {
		return Invalidf("email", "email is not an address of the form name@host")
	}
	return nil
}

// tombstone begins the names that stand for deleted accounts.
const tombstone = "deleted user "

// TombstoneName is what a deleted account is called where its usage is shown.
func TombstoneName(id int64) string { return tombstone + strconv.FormatInt(id, 10) }

// IsTombstone reports whether name is kept for deleted accounts, in any
// spelling: no living account may be taken for one.
func IsTombstone(name string) bool {
	return len(name) >= len(tombstone) && strings.EqualFold(name[:len(tombstone)], tombstone)
}

// ValidName checks a unique display name: 1–128 bytes of UTF-8 without
// control characters and without white space at the ends.
func ValidName(field, s string) error {
	switch {
	case s == "":
		return Invalidf(field, "%s must not be empty", field)
	case len(s) > MaxNameLength:
		return Invalidf(field, "%s is longer than %d bytes", field, MaxNameLength)
	}
	return validText(field, s)
}

// ValidLabel checks an optional label: up to 128 bytes, same characters as a name.
func ValidLabel(field, s string) error {
	if len(s) > MaxLabelLength {
		return Invalidf(field, "%s is longer than %d bytes", field, MaxLabelLength)
	}
	return validText(field, s)
}

func validText(field, s string) error {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f || r == 0x2028 || r == 0x2029 }) {
		return Invalidf(field, "%s holds control characters or is not UTF-8", field)
	}
	if strings.TrimSpace(s) != s {
		return Invalidf(field, "%s begins or ends with white space", field)
	}
	return nil
}

// UserFilter selects users; the zero value selects all.
type UserFilter struct {
	ID      Match[int64]
	Name    Match[string]
	Email   Match[string]
	Enabled Match[bool]
	Role    Match[Role]
	TeamID  Match[int64]
	// TeamRole selects members, or admins, of teams.
	TeamRole Match[string]
}
