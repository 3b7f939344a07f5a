package web

import (
	"net/http"
	"time"
)

// sessionCookie returns the name of the session cookie: over TLS with the
// prefix that ties it to host, path and TLS (SECURITY S-01).
func sessionCookie(secure bool) string {
	if secure {
		return "__Host-tollgate_session"
	}
	return "tollgate_session"
}

// SessionToken returns the session token in r's cookie; empty if there is none.
func SessionToken(r *http.Request) string {
	c, err := r.Cookie(sessionCookie(EventFrom(r.Context()).Secure))
	if err != nil {
		return ""
	}
	return c.Value
}

// SessionCookie returns the cookie that gives the browser of e a session token
// for life; a life that is not positive takes it away.
func SessionCookie(e *Event, token string, life time.Duration) *http.Cookie {
	maxAge := int(life / time.Second)
	if maxAge <= 0 {
		token, maxAge = "", -1
	}
	return &http.Cookie{ //nolint:gosec // Secure is set whenever there is TLS; plain HTTP has its own cookie name
		Name: sessionCookie(e.Secure), Value: token, Path: "/", MaxAge: maxAge,
		Secure: e.Secure, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}
