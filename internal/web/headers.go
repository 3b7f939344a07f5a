package web

import (
	"net/http"
	"strings"
)

const (
	cspAPI  = "default-src 'none'; frame-ancestors 'none'"
	cspPage = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
		"form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)

// apiHeaders sets what every answer of console and admin API carries (SECURITY W-01, H-09).
func apiHeaders(h http.Header) {
	h.Set("Content-Security-Policy", cspAPI)
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("X-Content-Type-Options", "nosniff")
}

// PageHeaders replaces the content security policy of an API answer by that
// of a page with scripts and styles of our own, none inline.
func PageHeaders(h http.Header) { h.Set("Content-Security-Policy", cspPage) }

// PageHeadersWithNonce is PageHeaders for a page whose scripts make style
// elements: those that carry nonce are let in. A nonce is for one answer.
func PageHeadersWithNonce(h http.Header, nonce string) {
	h.Set("Content-Security-Policy", strings.Replace(cspPage, "style-src 'self'", "style-src 'self' 'nonce-"+nonce+"'", 1))
}
