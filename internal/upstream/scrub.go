package upstream

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

const scrubbed = "[redacted]"

// Scrub returns the body with the endpoint's own secrets, more ones, and
// whatever looks like a key, replaced by "[redacted]".
func (e *Endpoint) Scrub(body []byte, more ...string) []byte {
	return Scrub(body, append(slices.Clip(e.secrets), more...)...)
}

// Scrub returns body with the given secrets (also as JSON and URLs spell them)
// and everything that looks like a provider's key or organisation id replaced
// by "[redacted]": providers echo keys in their errors ("Incorrect API key
// provided: sk-…", SECURITY L-03). body is returned as it is when there is
// nothing to hide. It costs a pass per secret and is meant for error bodies.
func Scrub(body []byte, secrets ...string) []byte {
	for _, s := range secrets {
		if len(s) < 4 {
			continue // would tear words apart, and hides nothing
		}
		for _, form := range spellings(s) {
			body = replace(body, []byte(form))
		}
	}
	return scrubPEM(scrubPatterns(body))
}

// scrubPEM replaces private keys in PEM, up to the line that ends them or the
// end of the JSON string that they stand in.
func scrubPEM(body []byte) []byte {
	const begin, end, dashes = "-----BEGIN ", "PRIVATE KEY-----", "-----"
	for from := 0; ; {
		i := bytes.Index(body[from:], []byte(begin))
		if i < 0 {
			return body
		}
		from += i + len(begin)
		label, _, ok := bytes.Cut(body[from:], []byte(dashes))
		if !ok || len(label) > 64 || !bytes.HasSuffix(append(slices.Clip(label), dashes...), []byte(end)) {
			continue
		}
		from += len(label) + len(dashes)
		rest := body[from:]
		past := bytes.IndexByte(rest, '"')
		if past < 0 {
			past = len(rest)
		}
		if n := bytes.Index(rest[:past], []byte("-----END ")); n >= 0 {
			past = n
		}
		body = slices.Concat(body[:from], []byte(scrubbed), rest[past:])
		from += len(scrubbed)
	}
}

// spellings returns s as it may appear in JSON, with and without HTML
// escapes, and in a URL.
func spellings(s string) []string {
	out := []string{s}
	add := func(form string) {
		if !slices.Contains(out, form) {
			out = append(out, form)
		}
	}
	if j, err := json.Marshal(s); err == nil {
		add(string(j[1 : len(j)-1]))
	}
	add(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s))
	add(strings.NewReplacer(`\`, `\\`, `"`, `\"`, `/`, `\/`).Replace(s))
	add(url.QueryEscape(s))
	return out
}

func replace(body, secret []byte) []byte {
	if !bytes.Contains(body, secret) {
		return body
	}
	return bytes.ReplaceAll(body, secret, []byte(scrubbed))
}

// keyPattern is how keys of one vendor begin, and how many more characters
// make it one.
type keyPattern struct {
	prefix string
	more   int
}

// keyPatterns cover the vendors' key forms, masked ones included
// ("sk-abc***xyz"), and account ids.
func keyPatterns() []keyPattern {
	return []keyPattern{
		{"sk-", 8},
		{"sk_", 12},
		{"AIza", 16},
		{"AQ.", 20},
		{"ya29.", 16},
		{"gsk_", 12},
		{"xai-", 12},
		{"nvapi-", 12},
		{"hf_", 12},
		{"pplx-", 12},
		{"r8_", 12},
		{"csk-", 12},
		{"org-", 12},
		{"proj_", 12},
		{"ghp_", 16},
		{"gho_", 16},
		{"ghs_", 16},
		{"ghu_", 16},
		{"github_pat_", 16},
		{"glpat-", 12},
		{"AKIA", 16},
		{"ASIA", 16},
		{"xoxb-", 12},
		{"xoxp-", 12},
		{"eyJhbGciOi", 40}, // a JWT: the header's "alg" comes first
		{"key=", 8},
		{"Bearer ", 12},
		{"bearer ", 12},
	}
}

// scrubPatterns replaces what matches keyPatterns at the beginning of a word.
func scrubPatterns(body []byte) []byte {
	patterns := keyPatterns()
	var out []byte
	done := 0
	for i := 0; i < len(body); i++ {
		if i > 0 && keyByte(body[i-1]) {
			continue
		}
		n, keep := keyAt(body[i:], patterns)
		if n == 0 {
			continue
		}
		out = append(append(append(out, body[done:i]...), body[i:i+keep]...), scrubbed...)
		done = i + n
		i = done - 1
	}
	if out == nil {
		return body
	}
	return append(out, body[done:]...)
}

// keyAt returns the length of the key that b begins with, 0 if none, and how
// much of it may stay ("Bearer ").
func keyAt(b []byte, patterns []keyPattern) (n, keep int) {
	for _, p := range patterns {
		if len(b) < len(p.prefix) || string(b[:len(p.prefix)]) != p.prefix {
			continue
		}
		end, digits := len(p.prefix), false
		for end < len(b) && keyByte(b[end]) {
			digits = digits || b[end] >= '0' && b[end] <= '9' || b[end] == '*'
			end++
		}
		// A word such as "sk-learn-extras" has neither digits nor stars.
		if end-len(p.prefix) >= p.more && digits {
			if last := p.prefix[len(p.prefix)-1]; last == ' ' || last == '=' {
				keep = len(p.prefix)
			}
			return end, keep
		}
	}
	return 0, 0
}

// keyByte reports whether c occurs inside keys and their masked forms.
func keyByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '*' || c == '.' || c == '+' || c == '='
}
