package gemini

import (
	"encoding/base64"
	"strings"

	"tollgate/internal/ir"
)

// sentinel stands for the signature of a call that no Gemini model made; models
// that verify take it instead of one. The field is bytes, so that there are two
// readings: this text, which is itself valid base64url, or the base64 of it.
// It is written as it stands: Google's own CLI and most clients send it so to the
// JSON API. Both are understood when they come in.
const sentinel = "skip_thought_signature_validator"

// bare marks, behind a carried seal, a thought that its vendor does not show.
const bare = ".redacted"

// openSeal reads a thoughtSignature: Gemini's own, or what another vendor
// sealed and carrySeal carried; that of a call may bring thoughts along. The
// sentinel is none.
func openSeal(signature string) (p *ir.Private, redacted bool, thoughts []keptThought) {
	if signature == "" || signature == sentinel {
		return nil, false, nil
	}
	whole := &ir.Private{Vendor: ir.VendorGemini, Data: signature}
	if !strings.HasPrefix(signature, "dGcxL") && !strings.HasPrefix(signature, "c2tpcF90") { // "tg1-", "skip_t"
		return whole, false, nil
	}
	plain, ok := decodeBase64(signature)
	if !ok {
		return whole, false, nil
	}
	text := string(plain)
	if text == sentinel {
		return nil, false, nil
	}
	if p, thoughts, ok = openThoughts(text); ok {
		return p, false, thoughts
	}
	text, redacted = strings.CutSuffix(text, bare)
	if found := ir.Open(text, ""); found.Vendor != "" {
		return &found, redacted, nil
	}
	return whole, false, nil
}

// carrySeal returns p as a thoughtSignature for a client: Gemini's own as it
// is, another vendor's in base64, since clients check that it is.
func carrySeal(p *ir.Private, redacted bool) string {
	switch {
	case p == nil:
		return ""
	case p.Vendor == ir.VendorGemini && !redacted:
		return p.Data
	}
	text := ir.Carry(*p)
	if redacted {
		text += bare
	}
	return base64.StdEncoding.EncodeToString([]byte(text))
}

// decodeBase64 reads bytes as protobuf's JSON form writes them: the standard
// or the URL alphabet, with or without padding.
func decodeBase64(s string) ([]byte, bool) {
	s = strings.TrimRight(s, "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(s, "-_") {
		encoding = base64.RawURLEncoding
	}
	b, err := encoding.DecodeString(s)
	return b, err == nil
}

// standardBase64 returns s in the standard alphabet with padding; ok says that
// s is base64 at all.
func standardBase64(s string) (_ string, ok bool) {
	if len(s)%4 == 0 && !strings.ContainsAny(s, "-_") && plainBase64(s) {
		return s, true
	}
	b, ok := decodeBase64(s)
	if !ok {
		return "", false
	}
	return base64.StdEncoding.EncodeToString(b), true
}

// plainBase64 checks the alphabet alone; it costs a tenth of decoding.
func plainBase64(s string) bool {
	body := strings.TrimRight(s, "=")
	if len(s)-len(body) > 2 {
		return false
	}
	for i := range len(body) {
		if c := body[i]; (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '+' && c != '/' {
			return false
		}
	}
	return true
}
