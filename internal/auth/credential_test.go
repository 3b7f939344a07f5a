package auth_test

import (
	"bufio"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/auth"
)

func TestK07N41OneExtractorForAllForms(t *testing.T) {
	for name, c := range map[string]struct {
		raw   string // headers
		query string
		allow bool
		forms auth.Form // 0 = none
		code  tollgate.Code
	}{
		"nothing":                       {},
		"bearer":                        {raw: "authorization: Bearer k", forms: auth.FormBearer},
		"bearer in capitals":            {raw: "Authorization: BEARER k", forms: auth.FormBearer},
		"bearer with blanks":            {raw: "Authorization:   bearer \t k  ", forms: auth.FormBearer},
		"x-api-key":                     {raw: "x-api-key: k", forms: auth.FormXAPIKey},
		"x-goog-api-key":                {raw: "x-goog-api-key: k", forms: auth.FormXGoogAPI},
		"api-key":                       {raw: "api-key: k", forms: auth.FormAPIKey},
		"x-access-key":                  {raw: "x-access-key: k", forms: auth.FormXAccessKey},
		"query":                         {query: "key=k", allow: true, forms: auth.FormQuery},
		"query where it does not count": {query: "key=k"},
		"same value twice":              {raw: "x-api-key: k\r\nauthorization: Bearer k", forms: auth.FormBearer | auth.FormXAPIKey},
		"same header twice":             {raw: "x-api-key: k\r\nx-api-key: k", forms: auth.FormXAPIKey},
		"same in query":                 {raw: "x-goog-api-key: k", query: "key=k", allow: true, forms: auth.FormXGoogAPI | auth.FormQuery},
		"empty beside a value":          {raw: "x-api-key:\r\nauthorization: Bearer k", forms: auth.FormBearer},
		"empty bearer beside a value":   {raw: "x-api-key: k\r\nauthorization: Bearer ", forms: auth.FormXAPIKey},
		"empty authorization":           {raw: "authorization:"},
		"two values":                    {raw: "x-api-key: k\r\nauthorization: Bearer other", code: tollgate.CodeInvalid},
		"two values of one header":      {raw: "x-api-key: k\r\nx-api-key: other", code: tollgate.CodeInvalid},
		"two bearers":                   {raw: "authorization: Bearer k\r\nauthorization: Bearer other", code: tollgate.CodeInvalid},
		"header and query differ":       {raw: "x-goog-api-key: k", query: "key=other", allow: true, code: tollgate.CodeInvalid},
		"two queries":                   {query: "key=k&key=other", allow: true, code: tollgate.CodeInvalid},
		"access key and another":        {raw: "x-access-key: k\r\nx-api-key: other", code: tollgate.CodeInvalid},
		"differ in case":                {raw: "x-api-key: k\r\nauthorization: Bearer K", code: tollgate.CodeInvalid},
		"basic":                         {raw: "authorization: Basic azpr", code: tollgate.CodeUnauthenticated},
		"no scheme":                     {raw: "authorization: k", code: tollgate.CodeUnauthenticated},
		"scheme glued to the key":       {raw: "authorization: Bearerk", code: tollgate.CodeUnauthenticated},
		"underscore spelling":           {raw: "x_api_key: k"},
		"cookie":                        {raw: "cookie: tollgate_session=k"},
	} {
		t.Run(name, func(t *testing.T) {
			query, err := url.ParseQuery(c.query)
			if err != nil {
				t.Fatal(err)
			}
			got, err := auth.Extract(parseHeader(t, c.raw), query, c.allow)
			if tollgate.ErrorCode(err) != c.code {
				t.Fatalf("error = %v, want code %q", err, c.code)
			}
			if got.Forms() != c.forms || got.Empty() != (c.forms == 0) {
				t.Errorf("forms = %b, empty %v, want forms %b", got.Forms(), got.Empty(), c.forms)
			}
		})
	}
}

func parseHeader(tb testing.TB, raw string) http.Header {
	tb.Helper()
	h, err := textproto.NewReader(bufio.NewReader(strings.NewReader(raw + "\r\n\r\n"))).ReadMIMEHeader()
	if err != nil {
		tb.Fatal(err)
	}
	return http.Header(h)
}

func TestCredentialPrintsNothing(t *testing.T) {
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if got := fmt.Sprintf(verb, bearer("a-secret-key")); strings.Contains(got, "a-secret-key") || strings.Contains(got, fmt.Sprintf("%x", "a-secret")) {
			t.Errorf("%s prints %s", verb, got)
		}
	}
}

// FuzzExtract feeds raw header blocks and a query: an accepted credential is
// one that was sent, and any two different ones are refused.
func FuzzExtract(f *testing.F) {
	f.Add("Authorization: Bearer k", "")
	f.Add("x-api-key: k\r\nAuthorization: Bearer k", "key=k")
	f.Add("x-api-key: a\r\nx-goog-api-key: b", "key=c")
	f.Add("Authorization: Basic dTpw", "key=%00")
	f.Add("api-key: '; DROP TABLE keys;--\r\nX-Access-Key: \xff\xfe", "key=a&key=")
	f.Fuzz(func(t *testing.T, raw, rawQuery string) {
		parsed, err := textproto.NewReader(bufio.NewReader(strings.NewReader(raw + "\r\n\r\n"))).ReadMIMEHeader()
		if err != nil {
			return
		}
		h := http.Header(parsed)
		query, err := url.ParseQuery(rawQuery)
		if err != nil {
			return
		}
		got, err := auth.Extract(h, query, true)
		sent := map[string]bool{}
		for _, name := range []string{"X-Api-Key", "X-Goog-Api-Key", "Api-Key", "X-Access-Key"} {
			for _, v := range h[name] {
				sent[strings.TrimSpace(v)] = true
			}
		}
		for _, v := range query["key"] {
			sent[v] = true
		}
		delete(sent, "")
		code := tollgate.ErrorCode(err)
		switch {
		case err == nil:
			if len(sent) > 1 {
				t.Fatalf("accepted with different values %q", slices.Collect(maps.Keys(sent)))
			}
			if got.Empty() && len(sent) > 0 {
				t.Fatalf("%q was sent and not seen", slices.Collect(maps.Keys(sent)))
			}
			if got.Empty() != (got.Forms() == 0) {
				t.Fatal("a credential without a form, or the other way about")
			}
			if got.Forms() & ^auth.FormBearer == 0 && !got.Empty() && len(sent) > 0 {
				t.Fatal("a value was sent in a form that is not told")
			}
		case code == tollgate.CodeInvalid:
			if len(sent) == 0 && len(h["Authorization"]) < 2 {
				t.Fatal("refused as different although at most one was sent")
			}
		case code == tollgate.CodeUnauthenticated:
			if len(h["Authorization"]) == 0 {
				t.Fatal("an Authorization header was refused that was not sent")
			}
		default:
			t.Fatalf("code %s: %v", code, err)
		}
		if err != nil && !got.Empty() {
			t.Fatal("an error came with a credential")
		}
	})
}
