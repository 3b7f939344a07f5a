package proxy_test

import (
	"net/http"
	"testing"
)

// TestFurtherModelsOfABodyNeedPermissionToo: a fallback or a tool that runs a
// model would otherwise be a way around the permissions.
func TestFurtherModelsOfABodyNeedPermissionToo(t *testing.T) {
	g := start(t, options{})
	user, key, _ := g.addUser("narrow")
	g.permit(user.ID, 0, "demo-small")
	const body = `{"model":"demo-small","max_tokens":16,"messages":[{"role":"user","content":"hi"}]`
	for name, c := range map[string]struct {
		extra string
		want  int
	}{
		"none":              {``, http.StatusOK},
		"permitted":         {`,"fallbacks":[{"model":"demo-small"}]`, http.StatusOK},
		"another fallback":  {`,"fallbacks":[{"model":"demo-large"}]`, http.StatusForbidden},
		"a tool with model": {`,"tools":[{"type":"advisor_20260301","name":"advisor","model":"demo-large"}]`, http.StatusForbidden},
	} {
		sent := g.Vendor.Dispatches()
		a := g.send(http.MethodPost, "/an/v1/messages", body+c.extra+"}", "X-Api-Key", key)
		if a.Status != c.want {
			t.Errorf("%s: %d %s", name, a.Status, a.Body)
		}
		if reached := g.Vendor.Dispatches() > sent; reached != (c.want == http.StatusOK) {
			t.Errorf("%s: reached the provider: %v", name, reached)
		}
	}
}
