package web

import (
	"net/http"
	"slices"
	"strings"
)

// CORS lets pages of other origins call the LLM routes: by key, never with
// cookies (SECURITY H-08). Console and admin API are never under it.
type CORS struct {
	// Origins are the allowed origins ("https://app.example"); "*" = all; empty = none.
	Origins []string
}

// Wrap returns next with CORS answers; next itself if no origin is allowed.
func (c CORS) Wrap(next http.Handler) http.Handler {
	if len(c.Origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		origin := r.Header.Get("Origin")
		if origin == "" {
			next.ServeHTTP(w, r)
			return
		}
		h := w.Header()
		h.Add("Vary", "Origin")
		allowed := slices.Contains(c.Origins, origin) || slices.Contains(c.Origins, "*")
		if allowed {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Expose-Headers", "X-Tollgate-Request-Id, X-Tollgate-Loss, Request-Id, X-Request-Id, Retry-After, X-Should-Retry")
		}
		if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
			next.ServeHTTP(w, r)
			return
		}
		EventFrom(r.Context()).Pattern = "preflight"
		if !allowed {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		h.Add("Vary", "Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
		if ask := r.Header.Get("Access-Control-Request-Headers"); ask != "" && headerList(ask) {
			h.Set("Access-Control-Allow-Headers", ask)
		}
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	})
}

// headerList reports whether s is a list of header names and nothing else,
// none of them a cookie.
func headerList(s string) bool {
	for name := range strings.SplitSeq(s, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if name == "" || name == "cookie" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}
