package admin

import (
	"net/http"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web"
)

// Authenticator finds out who sends a request to console, admin API and
// self-service: by API key or session token in the headers, else by the
// session cookie.
type Authenticator struct {
	Directory *auth.Directory
	Now       func() time.Time
	// Touch, if set, notes the last use of a key or session; it must not block.
	Touch func(keyID, sessionID int64, at time.Time)
}

var _ web.Authenticator = (*Authenticator)(nil)

// Authenticate implements web.Authenticator.
func (a *Authenticator) Authenticate(r *http.Request) (tollgate.Principal, bool, error) {
	c, err := auth.Extract(r.Header, nil, false)
	if err != nil {
		return tollgate.Principal{}, false, err
	}
	viaCookie := c.Empty()
	if viaCookie {
		token := web.SessionToken(r)
		if token == "" {
			return tollgate.Principal{}, false, nil
		}
		c = auth.SessionCredential(token)
	}
	p, err := a.Directory.Authenticate(c, web.EventFrom(r.Context()).ClientIP)
	if err != nil {
		return tollgate.Principal{}, viaCookie, err
	}
	if a.Touch != nil {
		var sessionID int64
		if p.Session != nil {
			sessionID = p.Session.ID
		}
		a.Touch(p.KeyID(), sessionID, a.Now())
	}
	return p, viaCookie, nil
}
