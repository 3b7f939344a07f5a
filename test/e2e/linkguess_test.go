package e2e

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestA05AStormOfGuessedLinks guesses at every route that a link opens: all
// guesses share the budget of their address, with one answer for all of them,
// and the data plane does not notice.
func TestA05AStormOfGuessedLinks(t *testing.T) {
	v := newVendor(t)
	g := start(t, v, "")
	_, key, _ := g.newUser("caller")
	bodies := map[string]string{
		"/auth/reset":             `{"token":%q,"password":"another long password"}`,
		"/auth/invitation":        `{"token":%q}`,
		"/auth/invitation/accept": `{"token":%q,"username":"guess","password":"another long password"}`,
		"/auth/setup/check":       `{"token":%q}`,
		"/auth/setup":             `{"token":%q,"username":"guess","password":"another long password"}`,
	}
	seen, answers := map[int]int{}, map[string]bool{}
	for range 20 {
		for path, body := range bodies {
			token := (rand.Text() + rand.Text())[:43]
			status, header, answer, err := g.post(t.Context(), path, "", fmt.Appendf(nil, body, token))
			if err != nil {
				t.Fatal(err)
			}
			seen[status]++
			if status == http.StatusTooManyRequests && header.Get("Retry-After") == "" {
				t.Errorf("%s: 429 without Retry-After", path)
			}
			var p struct{ Detail string }
			if json.Unmarshal(answer, &p) != nil || strings.Contains(string(answer), token) {
				t.Errorf("%s: %s", path, answer)
			}
			answers[fmt.Sprint(status, p.Detail)] = true
		}
	}
	if seen[http.StatusNotFound] < 20 || seen[http.StatusNotFound] > 25 || seen[http.StatusNotFound]+seen[http.StatusTooManyRequests] != 100 {
		t.Errorf("100 guesses: %v", seen)
	}
	if len(answers) > 3 { // a link, a set-up, too many
		t.Errorf("answers differ: %v", answers)
	}
	if status, _, body, err := g.post(t.Context(), "/oa/v1/chat/completions", key, chat(false, "hi")); err != nil || status != http.StatusOK {
		t.Errorf("a call meanwhile: %d %s %v", status, body, err)
	}
}
