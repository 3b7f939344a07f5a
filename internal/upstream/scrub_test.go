package upstream_test

import (
	"bytes"
	"strings"
	"testing"

	"tollgate/internal/upstream"
)

func TestL03ScrubsKeysThatProvidersEcho(t *testing.T) {
	const ours = `k"9/<secret>`
	for in, want := range map[string]string{
		`{"error":"Incorrect API key provided: sk-proj-abcDEF0123456789_xyz. You can"}`: `{"error":"Incorrect API key provided: [redacted] You can"}`,
		`Incorrect API key provided: sk-12345*****************6789.`:                    `Incorrect API key provided: [redacted]`,
		`bad key AIzaSyA0123456789abcdefghijklmno`:                                      `bad key [redacted]`,
		`invalid x-api-key: sk-ant-api03-AAAA0000BBBB`:                                  `invalid x-api-key: [redacted]`,
		`Authorization: Bearer abcdefgh0123456789`:                                      `Authorization: Bearer [redacted]`,
		`Rate limit reached for organization org-Abc123Def456Ghi on tokens`:             `Rate limit reached for organization [redacted] on tokens`,
		`{"k":"k\"9/<secret>"}`:                                                         `{"k":"[redacted]"}`,
		`{"k":"k\"9/\u003csecret\u003e"}`:                                               `{"k":"[redacted]"}`,
		`{"k":"k\"9\/<secret>"}`:                                                        `{"k":"[redacted]"}`,
		`plain k"9/<secret> here`:                                                       `plain [redacted] here`,
		`?key=k%229%2F%3Csecret%3E`:                                                     `?key=[redacted]`,
		`The model sk-learn-extras does not exist, sk-short1`:                           `The model sk-learn-extras does not exist, sk-short1`,
		`risk-0123456789abcdef and task-0123456789abc stay`:                             `risk-0123456789abcdef and task-0123456789abc stay`,
		`token ghp_0123456789abcdefABCDEF and glpat-0123456789abcdef`:                   `token [redacted] and [redacted]`,
		`https://h/v1beta/models?alt=sse&key=abcdef0123456789&x=1`:                      `https://h/v1beta/models?alt=sse&key=[redacted]&x=1`,
		`{"c":"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----"}`:  `{"c":"-----BEGIN RSA PRIVATE KEY-----[redacted]-----END RSA PRIVATE KEY-----"}`,
		`{"c":"-----BEGIN PRIVATE KEY-----\nMIIE","d":1}`:                               `{"c":"-----BEGIN PRIVATE KEY-----[redacted]","d":1}`,
		`-----BEGIN CERTIFICATE-----MIIE-----END CERTIFICATE-----`:                      `-----BEGIN CERTIFICATE-----MIIE-----END CERTIFICATE-----`,
		`nothing to hide`: `nothing to hide`,
		``:                ``,
	} {
		if got := string(upstream.Scrub([]byte(in), ours, "", "abc")); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestEndpointScrubsItsOwnSecrets(t *testing.T) {
	e := newWorld(t).provider(t, "openai", "", "plainword", "second-secret-value")
	if got := string(e.Scrub([]byte("you sent plainword or second-secret-value"))); got != "you sent [redacted] or [redacted]" {
		t.Error(got)
	}
}

func FuzzScrub(f *testing.F) {
	f.Add([]byte("key sk-0123456789abc and Bearer 0123456789abcdef"), "secret")
	f.Add([]byte(`{"a":"sk-sk-sk-012345678"}`), `a"b`)
	f.Fuzz(func(t *testing.T, body []byte, secret string) {
		before := bytes.Clone(body)
		out := upstream.Scrub(body, secret)
		if !bytes.Equal(before, body) {
			t.Fatal("the input was changed")
		}
		if len(out) > 11*len(body)+11 {
			t.Fatalf("%d bytes became %d", len(body), len(out))
		}
		if len(secret) >= 4 && !strings.Contains("[redacted]", secret) && bytes.Contains(out, []byte(secret)) && !strings.ContainsAny(secret, "[]") {
			t.Fatalf("%q is left in %q", secret, out)
		}
	})
}
