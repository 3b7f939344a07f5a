package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestN18AFreshStartIsClosed starts the gateway with nothing configured: without
// the key that it printed, every route of administration and self-service is
// closed, to nobody and to made-up credentials alike.
func TestN18AFreshStartIsClosed(t *testing.T) {
	g := prepare(t, nil, "")
	_ = os.Remove(g.dir + "/tollgate.toml")
	g.bare = true
	g.run()
	key := regexp.MustCompile(`sk-tg-[0-9A-Za-z]{38}`).FindString(g.output())
	if key == "" {
		t.Fatalf("no key was printed:\n%s", g.output())
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+"/openapi.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := g.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Paths map[string]any }
	err = json.NewDecoder(resp.Body).Decode(&doc)
	_ = resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for path := range doc.Paths {
		if !strings.HasPrefix(path, "/admin/") && !strings.HasPrefix(path, "/user/") {
			continue
		}
		for _, credential := range []string{"", "sk-tg-", "sk-tg-" + strings.Repeat("0", 38), "admin", "eyJhbGciOiJub25lIn0.e30."} {
			status, _, body, err := g.post(t.Context(), path, credential, []byte("{}"))
			if err != nil {
				t.Fatal(err)
			}
			tried++
			if !slices.Contains([]int{http.StatusUnauthorized, http.StatusMethodNotAllowed}, status) {
				t.Errorf("%s with %q: %d %.200s", path, credential, status, body)
			}
		}
	}
	if tried < 300 {
		t.Errorf("only %d requests were tried", tried)
	}
}
