package proxy

import "net/http"

// isProbe reports whether the request is one of those that Claude Code sends
// to its base URL before the first call: HEAD / and HEAD /api/hello. They come
// without a credential and are no calls: no row is kept of them.
func (c *call) isProbe() bool {
	return c.r.Method == http.MethodHead && (c.r.URL.Path == "/" || c.r.URL.Path == "/api/hello")
}

// answerProbe says that somebody is here.
func (c *call) answerProbe() error {
	c.probe, c.recorded = true, true
	c.event.Pattern, c.event.Quiet = c.r.URL.Path, true
	c.w.WriteHeader(http.StatusOK)
	return nil
}
