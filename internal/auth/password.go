package auth

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"tollgate"
)

// Bounds of a password (CONTRACT 6, SECURITY A-04).
const (
	MinPasswordLength = 12   // characters
	MaxPasswordLength = 1024 // bytes
)

// CheckPassword checks a new password in plain text for the user of that
// name: 12 characters or more, at most 1,024 bytes, and not one of those that
// everybody tries first. No rule asks for kinds of characters. Errors are
// CodeInvalid and do not repeat the password.
func CheckPassword(field string, password tollgate.Secret, user string) error {
	s := password.Reveal()
	switch {
	case !utf8.ValidString(s):
		return tollgate.Invalidf(field, "a password must be UTF-8")
	case utf8.RuneCountInString(s) < MinPasswordLength:
		return tollgate.Invalidf(field, "a password needs at least %d characters", MinPasswordLength)
	case guessable(s, user):
		return tollgate.Invalidf(field, "this password is one of the first that anyone would try; choose another")
	}
	return checkPasswordSize(field, s)
}

func checkPasswordSize(field, s string) error {
	if len(s) > MaxPasswordLength {
		return tollgate.Invalidf(field, "a password may have at most %d bytes", MaxPasswordLength)
	}
	return nil
}

// guessable reports whether s is a well-known word or the user's own name,
// however often repeated, with nothing but digits and marks around it, or a
// run of neighbouring characters.
func guessable(s, user string) bool {
	s = strings.ToLower(s)
	core := strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) })
	for _, word := range append(commonWords(), strings.ToLower(user)) {
		if word != "" && core != "" && strings.ReplaceAll(core, word, "") == "" {
			return true
		}
	}
	return sequence(s)
}

// commonWords are the stems of the passwords that lists of leaks begin with,
// and this product's own name. An empty core, digits and marks alone, is not
// a word here: a long number may be random.
func commonWords() []string {
	return []string{
		"password", "passwort", "passw0rd", "p@ssword", "p@ssw0rd", "administrator", "admin", "adminadmin", "tollgate",
		"letmein", "welcome", "iloveyou", "princess", "football", "baseball", "sunshine", "superman", "trustno",
		"qwerty", "qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "qwertyuiopasdfghjkl", "changeme", "change-me",
		"secret", "test", "testtest", "master", "monkey", "dragon", "correcthorsebatterystaple", "llmgateway", "gateway",
	}
}

// sequence reports whether all characters are equal to, or one beside, the one before.
func sequence(s string) bool {
	var last rune
	for i, r := range s {
		if d := r - last; i > 0 && (d < -1 || d > 1) && (last != '9' || r != '0') {
			return false
		}
		last = r
	}
	return true
}
