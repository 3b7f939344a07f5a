package tollgate

import (
	"bytes"
	"encoding/json"
	"strings"
)

// SecretName reports whether a field, setting or header of that name is likely
// to hold a secret.
func SecretName(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "-", "_")
	for _, word := range []string{"password", "passphrase", "secret", "api_key", "apikey", "access_key", "private_key", "token", "authorization", "cookie", "credential_json"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// Redact replaces texts of the entry's detail that stand under the name of a
// secret. Whoever writes an entry leaves secrets out; this is for what a
// document of free form may hold. A detail without any stays as it is.
func (e *AuditEntry) Redact() {
	d := json.NewDecoder(bytes.NewReader(e.Detail))
	d.UseNumber()
	var v any
	if e.Detail == nil || d.Decode(&v) != nil {
		return // the store refuses what is no JSON
	}
	v, found := redact(v)
	if !found {
		return
	}
	if b, err := json.Marshal(v); err == nil {
		e.Detail = b
	}
}

// redact replaces texts under the names of secrets, however deep.
func redact(v any) (_ any, found bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if text, ok := inner.(string); ok && text != "" && SecretName(name) {
				v[name], found = redacted, true
				continue
			}
			out, hit := redact(inner)
			v[name], found = out, found || hit
		}
	case []any:
		for i := range v {
			out, hit := redact(v[i])
			v[i], found = out, found || hit
		}
	}
	return v, found
}
