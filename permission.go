package tollgate

// Permission lets a user send models that match ModelPattern to a provider.
// The default is deny.
type Permission struct {
	ID     int64
	UserID int64
	// ProviderID is the provider; 0 = every provider.
	ProviderID int64
	// ModelPattern is a glob over the model name as sent, less its provider
	// part: * (also over /) and ?.
	ModelPattern string
	// Automatic marks the wildcard that comes with the admin role and goes with it.
	Automatic bool
}

// PermissionFilter selects permissions; the zero value selects all.
type PermissionFilter struct {
	ID         Match[int64]
	UserID     Match[int64]
	ProviderID Match[int64]
}

// FilePermission lets a user use the file operations of a provider.
type FilePermission struct {
	ID         int64
	UserID     int64
	ProviderID int64 // 0 = every provider
}

// MaxPatternLength bounds a glob, in bytes.
const MaxPatternLength = 256

// ValidPattern checks a model glob. Errors are CodeInvalid.
func ValidPattern(field, p string) error {
	switch {
	case p == "":
		return Invalidf(field, "%s must not be empty; use * for every model", field)
	case len(p) > MaxPatternLength:
		return Invalidf(field, "%s is longer than %d bytes", field, MaxPatternLength)
	}
	return validText(field, p)
}

// MatchGlob reports whether name matches pattern: * stands for any run of
// characters (also over /), ? for one character. Linear in name × stars.
func MatchGlob(pattern, name string) bool {
	p, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark, p = p, n, p+1
		case p < len(pattern) && pattern[p] == '?':
			p, n = p+1, n+runeLen(name[n:])
		case p < len(pattern) && pattern[p] == name[n]:
			p, n = p+1, n+1
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func runeLen(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}
