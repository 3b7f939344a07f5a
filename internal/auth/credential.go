package auth

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"tollgate"
)

// Form says how a credential was sent; several may carry the same value.
type Form uint8

// The forms of CONTRACT 7.
const (
	FormBearer     Form = 1 << iota // Authorization: Bearer
	FormXAPIKey                     // x-api-key
	FormXGoogAPI                    // x-goog-api-key
	FormAPIKey                      // api-key
	FormQuery                       // ?key=, Gemini paths only
	FormXAccessKey                  // x-access-key
	FormCookie                      // the console's session cookie

	formsOfKeys    = FormBearer | FormXAPIKey | FormXGoogAPI | FormAPIKey | FormQuery
	formsOfAccess  = FormBearer | FormXAccessKey
	formsOfSession = FormBearer | FormCookie
)

// maxToken bounds a credential, in bytes; nothing that we issue is longer.
const maxToken = 4096

// Credential is what a caller sent to prove who they are. The zero value is
// none. It prints as "[redacted]".
type Credential struct {
	token tollgate.Secret
	forms Form
}

// Empty reports whether no credential was sent.
func (c Credential) Empty() bool { return c.token.Empty() }

// Reveal returns what was sent, to be looked for where it must not be.
func (c Credential) Reveal() string { return c.token.Reveal() }

// Forms returns how the credential was sent.
func (c Credential) Forms() Form { return c.forms }

// Format writes "[redacted]" whatever the verb: fmt would print the unexported
// token as it is.
func (Credential) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// SessionCredential is the session token of the console's cookie. It never
// matches a key, and no other form is read from a cookie.
func SessionCredential(token string) Credential {
	return Credential{token: tollgate.NewSecret(token), forms: FormCookie}
}

// Extract finds the credential in a request's headers and, when allowQueryKey
// is set, in its query. It is the one place that reads credentials (SECURITY
// K-07). The same value sent twice counts once; different values are
// CodeInvalid; an Authorization header that is not Bearer is
// CodeUnauthenticated. Nothing sent is an empty Credential and no error.
func Extract(h http.Header, query url.Values, allowQueryKey bool) (Credential, error) {
	var c Credential
	for _, v := range h["Authorization"] {
		token, ok := bearer(v)
		if !ok {
			return Credential{}, tollgate.Errorf(tollgate.CodeUnauthenticated, "the Authorization header must be of the form: Bearer <key>")
		}
		if err := add(&c, token, FormBearer); err != nil {
			return Credential{}, err
		}
	}
	for _, s := range [...]struct {
		header string
		form   Form
	}{
		{"X-Api-Key", FormXAPIKey}, {"X-Goog-Api-Key", FormXGoogAPI}, {"Api-Key", FormAPIKey}, {"X-Access-Key", FormXAccessKey},
	} {
		for _, v := range h[s.header] {
			if err := add(&c, strings.TrimSpace(v), s.form); err != nil {
				return Credential{}, err
			}
		}
	}
	if !allowQueryKey {
		return c, nil
	}
	for _, v := range query["key"] {
		if err := add(&c, v, FormQuery); err != nil {
			return Credential{}, err
		}
	}
	return c, nil
}

// add takes one value into c. An empty one counts as not sent: clients send empty
// headers for settings that are not filled in.
func add(c *Credential, token string, form Form) error {
	switch {
	case token == "":
		return nil
	case c.token.Empty():
		c.token = tollgate.NewSecret(token)
	case c.token.Reveal() != token:
		return tollgate.Errorf(tollgate.CodeInvalid, "the request carries different credentials; send one")
	}
	c.forms |= form
	return nil
}

// bearer returns the token of an Authorization header: scheme Bearer in any
// case, then blanks, then the token. An empty header is an empty token.
func bearer(v string) (string, bool) {
	v = strings.TrimSpace(v)
	if v == "" {
		return "", true
	}
	const scheme = "bearer"
	if len(v) < len(scheme) || !strings.EqualFold(v[:len(scheme)], scheme) {
		return "", false
	}
	rest := v[len(scheme):]
	if rest == "" {
		return "", true
	}
	token := strings.TrimLeft(rest, " \t")
	return token, len(token) < len(rest)
}
