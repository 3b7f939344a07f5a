package proxy

import (
	"net/http"

	"tollgate/internal/payload"
	"tollgate/internal/upstream"
)

// kept is what is kept of a call's bodies; nil log = nothing is.
type kept struct {
	log *payload.Capture
	// presented and asked are whose secrets must not be kept.
	presented string
	asked     []*upstream.Endpoint
}

// keepBodies begins to keep the call's bodies, where the settings or the key ask
// for that. Nobody else pays for it.
func (c *call) keepBodies() {
	if c.p.Payloads == nil {
		return
	}
	if c.kept.log = c.p.Payloads.Begin(c.principal.Key); c.kept.log != nil {
		c.w = &tee{c.w, c.kept.log}
	}
}

// keepRequest keeps the body as it came.
func (c *call) keepRequest() {
	if c.kept.log != nil {
		c.kept.log.Request(c.r.Header.Get("Content-Type"), c.body.data)
	}
}

// keepSent notes who is asked, and keeps what of another dialect goes there.
func (c *call) keepSent(t *target, body []byte) {
	if c.kept.log == nil {
		return
	}
	c.kept.asked = append(c.kept.asked, t.endpoint)
	if t.translated {
		c.kept.log.Sent(body)
	}
}

// finishBodies hands over what was kept.
func (c *call) finishBodies() {
	if c.kept.log == nil {
		return
	}
	failed := c.row.ErrorClass != "" || c.row.Status >= http.StatusBadRequest && c.row.Status != leftEarly
	c.kept.log.Finish(payload.Outcome{ID: c.id, UserID: c.row.UserID, Failed: failed, Scrub: c.kept.scrub})
}

// scrub takes out what looks like a key, and the secrets of both sides of the call.
func (k kept) scrub(body []byte) []byte {
	if len(k.asked) == 0 {
		return upstream.Scrub(body, k.presented)
	}
	for _, e := range k.asked {
		body = e.Scrub(body, k.presented)
	}
	return body
}

// tee keeps what is written.
type tee struct {
	http.ResponseWriter

	log *payload.Capture
}

// Write implements http.ResponseWriter.
func (t *tee) Write(b []byte) (int, error) {
	t.log.Answer(t.Header().Get("Content-Type"), b)
	return t.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }
