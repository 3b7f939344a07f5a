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

// SetSession gives the browser a session token for life.
func SetSession(w http.ResponseWriter, r *http.Request, token string, life time.Duration) {
	http.SetCookie(w, newSessionCookie(r, token, int(life/time.Second)))
}

// ClearSession takes the session token away.
func ClearSession(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, newSessionCookie(r, "", -1))
}

func newSessionCookie(r *http.Request, value string, maxAge int) *http.Cookie {
	secure := EventFrom(r.Context()).Secure
	return &http.Cookie{ //nolint:gosec // Secure is set whenever there is TLS; plain HTTP has its own cookie name
		Name: sessionCookie(secure), Value: value, Path: "/", MaxAge: maxAge,
		Secure: secure, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}
