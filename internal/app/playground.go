package app

import (
	"net/http"
	"net/url"
	"strings"

	"tollgate"
	"tollgate/internal/web"
)

// playgroundPrefix stands before the data plane's paths where a console's
// session, cookie and all, may call them.
const playgroundPrefix = "/user/playground"

// mountPlayground serves the data plane to people who have signed in
// (CONTRACT 8). The router has found the session, and refuses requests that
// another site's page makes; the data plane then judges the call by the same
// session's token, as it does every other. API keys are refused: they have the
// data plane itself.
func (a *App) mountPlayground(r *web.Router, plane http.Handler) {
	call := func(w http.ResponseWriter, r *http.Request) error {
		if r.Header.Get("Upgrade") != "" {
			return tollgate.Errorf(tollgate.CodeUnsupported, "the playground serves no WebSocket; use an API key at /v1/responses")
		}
		plane.ServeHTTP(w, fromPlayground(r))
		return nil
	}
	for _, subtree := range []string{playgroundPrefix + "/v1/", playgroundPrefix + "/v1beta/"} {
		r.Handle(http.MethodGet, subtree, web.Policy{Access: web.AccessSelf}, call)
		r.Handle(http.MethodPost, subtree, web.Policy{Access: web.AccessSelf, MaxBody: 32 << 20, Mutates: true}, call)
	}
}

// fromPlayground is r as a client of the data plane would have sent it: with
// the session's token in place of the cookie, which the data plane never reads.
func fromPlayground(r *http.Request) *http.Request {
	out := r.WithContext(r.Context())
	out.Header = r.Header.Clone()
	if web.EventFrom(r.Context()).ViaCookie {
		out.Header.Set("Authorization", "Bearer "+web.SessionToken(r))
	}
	out.Header.Del("Cookie")
	out.URL = &url.URL{Path: strings.TrimPrefix(r.URL.Path, playgroundPrefix), RawQuery: r.URL.RawQuery}
	return out
}
