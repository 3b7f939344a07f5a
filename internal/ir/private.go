package ir

import (
	"encoding/base64"
	"strings"
)

// Vendor names whose seal a Private is.
type Vendor string

// The vendors that seal.
const (
	VendorOpenAI    Vendor = "openai"
	VendorAnthropic Vendor = "anthropic"
	VendorGemini    Vendor = "gemini"
	// VendorChat is a provider behind OpenAI's chat completions that is none of
	// the others: its reasoning_details (OpenRouter) or a call's extra_content
	// (Google's compatible endpoint), whole as JSON.
	VendorChat Vendor = "chat"
)

// Private is something that a vendor sealed and verifies when it comes back.
// It is never made up and never shown to another vendor.
type Private struct {
	Vendor Vendor
	// Data is the sealed text as the vendor sent it.
	Data string
}

// carrier begins every sealed text that travels through a client of another
// vendor's protocol, in that protocol's own field for sealed texts. A client
// gives it back unchanged, and Open finds the vendor's own text in it.
const carrier = "tg1-"

// Carry returns p in a form that fits into another protocol's sealed field and
// into the alphabet of call ids ([a-zA-Z0-9_-]).
func Carry(p Private) string {
	return carrier + string(p.Vendor) + "-" + base64.RawURLEncoding.EncodeToString([]byte(p.Data))
}

// Open returns what Carry carried. A text that it did not make is the vendor's
// own, as the caller knows it.
func Open(s string, own Vendor) Private {
	if rest, ok := strings.CutPrefix(s, carrier); ok {
		vendor, data, _ := strings.Cut(rest, "-")
		plain, err := base64.RawURLEncoding.DecodeString(data)
		if v := Vendor(vendor); err == nil && (v == VendorOpenAI || v == VendorAnthropic || v == VendorGemini || v == VendorChat) {
			return Private{Vendor: v, Data: string(plain)}
		}
	}
	return Private{Vendor: own, Data: s}
}

// idMark stands between a call's id and what it carries.
const idMark = "__" + carrier

// CarryID returns a call id that brings p along; id itself when p is nil.
// Clients give call ids back with the result, so nothing has to be kept here.
func CarryID(id string, p *Private) string {
	if p == nil {
		return id
	}
	return id + "__" + Carry(*p)
}

// OpenID splits what CarryID joined. A seal without an id before it is an id of
// the client's own.
func OpenID(s string) (id string, p *Private) {
	i := strings.LastIndex(s, idMark)
	if i <= 0 {
		return s, nil
	}
	if found := Open(s[i+2:], ""); found.Vendor != "" {
		return s[:i], &found
	}
	return s, nil
}
