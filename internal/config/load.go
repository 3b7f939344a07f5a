package config

import (
	"strings"
)

// Sources is everything that Load reads. The zero value reads no variables,
// no flags, and files from the disk.
type Sources struct {
	// Flags are the command line's values.
	Flags Flags
	// Environ is the environment as os.Environ gives it.
	Environ []string
}

// hasScheme reports whether a DSN or URL has the scheme.
func hasScheme(s, scheme string) bool {
	return len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) && s[len(scheme)] == ':'
}
