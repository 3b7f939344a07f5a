package tollgate_test

import (
	"encoding/json"
	"testing"

	"tollgate"
)

func TestDetailsShowNoSecrets(t *testing.T) {
	for in, want := range map[string]string{
		`{"after":{"name":"a","password":"x"}}`:             `{"after":{"name":"a","password":"[redacted]"}}`,
		`{"settings":{"headers":[{"X-Api-Key":"x"}]}}`:      `{"settings":{"headers":[{"X-Api-Key":"[redacted]"}]}}`,
		`{"client_secret":"x","n":12345678901234567890}`:    `{"client_secret":"[redacted]","n":12345678901234567890}`,
		`{"z":1,"has_password":true,"needs_secret":false }`: `{"z":1,"has_password":true,"needs_secret":false }`,
		`{"total_tokens":5,"password":""}`:                  `{"total_tokens":5,"password":""}`,
		`[`:                                                 `[`,
		`"text"`:                                            `"text"`,
	} {
		e := tollgate.AuditEntry{Detail: json.RawMessage(in)}
		e.Redact()
		if string(e.Detail) != want {
			t.Errorf("%s is redacted to %s, want %s", in, e.Detail, want)
		}
	}
	var none tollgate.AuditEntry
	if none.Redact(); none.Detail != nil {
		t.Errorf("nothing became %s", none.Detail)
	}
}
