package admin_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/web/api"
)

// audited is how many entries of an action there are, and the last detail.
func (r *rig) audited(action string) (n int, detail string) {
	r.t.Helper()
	r.must(r.store.View(r.t.Context(), func(tx tollgate.Tx) error {
		rows, _, err := tx.Audit.Query(r.t.Context(), tollgate.AuditFilter{Action: tollgate.Is(action)}, tollgate.Page{All: true})
		for _, e := range rows {
			n, detail = n+1, string(e.Detail)
		}
		return err
	}))
	return n, detail
}

func (r *rig) byRequest(name string) string { return `{"id":"` + r.request[name].String() + `"}` }

// TestU03BodiesAreShownToTheirOwnerAndAudited shows bodies to admins, who leave
// a trace, and to who sent them, who does not; to others they do not exist.
func TestU03BodiesAreShownToTheirOwnerAndAudited(t *testing.T) {
	r := newRig(t)
	r.requests()
	for who, path := range map[string]string{"boss": "/admin/requests/payload", "alice/session": "/user/requests/payload"} {
		var got api.Payload
		a := r.post(who, path, r.byRequest("alice"))
		if a.status != 200 || json.Unmarshal([]byte(a.body), &got) != nil {
			t.Fatalf("%s: %d %s", who, a.status, a.body)
		}
		if b := got.Request; got.UserID == nil || *got.UserID != r.users["alice"] || b == nil || !b.Truncated || b.Encoding != "utf-8" ||
			!strings.HasPrefix(b.Text, `{"said":"éé`) || got.Response != nil {
			t.Errorf("%s sees %+v", who, got.Request)
		}
	}
	if n, detail := r.audited("payload.view"); n != 1 || !strings.Contains(detail, r.request["alice"].String()) {
		t.Errorf("%d views are audited, the last as %s", n, detail)
	}
	missing := `{"id":"` + tollgate.RequestID(1<<40).String() + `"}`
	foreign, none := r.post("bob/session", "/user/requests/payload", r.byRequest("alice")), r.post("bob/session", "/user/requests/payload", missing)
	if foreign.status != 404 || withoutID(foreign.body) != withoutID(none.body) {
		t.Errorf("foreign %d %s, missing %d %s", foreign.status, foreign.body, none.status, none.body)
	}
	if a := r.post("alice", "/user/requests/payload", r.byRequest("alice")); a.status != 403 {
		t.Errorf("a key reads what was said with it: %d %s", a.status, a.body)
	}
	for path, want := range map[string]string{"/admin/requests/query": "truncated", "/admin/requests/get": "truncated"} {
		body := fmt.Sprintf(`{"user_id":{"eq":%d}}`, r.users["alice"])
		if strings.HasSuffix(path, "get") {
			body = r.byRequest("alice")
		}
		if a := r.post("boss", path, body); !strings.Contains(a.body, `"payload":"`+want+`"`) {
			t.Errorf("%s: %s", path, a.body)
		}
	}
}

func TestClearingTakesBodiesAloneAndIsAudited(t *testing.T) {
	r := newRig(t)
	r.requests()
	for i, body := range []string{
		`{}`, `{"all":true}`, `{"all":true,"confirm":"clear"}`, `{"all":true,"confirm":"CLEAR","user_id":{"eq":1}}`, `{"ids":["nonsense"]}`, `{"before":"yesterday"}`,
	} {
		if a := r.post("boss", "/admin/requests/clear", body); a.status != 400 && a.status != 422 {
			t.Errorf("%d: %s: %d %s", i, body, a.status, a.body)
		}
	}
	if n, _ := r.audited("payload.clear"); n != 0 {
		t.Errorf("%d refused removals are audited", n)
	}
	for _, c := range []struct {
		body string
		want int
	}{
		{fmt.Sprintf(`{"ids":["%s"],"user_id":{"eq":%d}}`, r.request["bob"], r.users["alice"]), 0},
		{fmt.Sprintf(`{"ids":["%s"]}`, r.request["bob"]), 1},
		{fmt.Sprintf(`{"user_id":{"eq":%d}}`, r.users["alice"]), 1},
		{`{"before":"2020-01-01T00:00:00Z"}`, 0},
		{`{"all":true,"confirm":"CLEAR"}`, 4},
	} {
		if a := r.post("boss", "/admin/requests/clear", c.body); a.body != fmt.Sprintf("{\"ok\":true,\"removed\":%d}\n", c.want) {
			t.Errorf("%s: %d %s", c.body, a.status, a.body)
		}
	}
	if n, detail := r.audited("payload.clear"); n != 5 || detail != `{"all":true}` {
		t.Errorf("%d removals are audited, the last as %s", n, detail)
	}
	if a := r.post("boss", "/admin/requests/payload", r.byRequest("bob")); a.status != 404 {
		t.Errorf("it is still there: %d %s", a.status, a.body)
	}
	rows := r.list("boss", "/admin/requests/query", `{}`)
	if len(rows) != 6 || rows[0]["payload"] != "none" {
		t.Errorf("%d rows are left, the first with payload %v", len(rows), rows[0]["payload"])
	}
}

// TestKeysSayWhatIsKeptOfTheirCalls is for admins to set, and for users to see.
func TestKeysSayWhatIsKeptOfTheirCalls(t *testing.T) {
	r := newRig(t)
	mode := func() any {
		return r.list("alice/session", "/user/keys/query", fmt.Sprintf(`{"id":{"eq":%d}}`, r.keys["alice"]))[0]["payloads"]
	}
	if got := mode(); got != "off" {
		t.Errorf("by default %v", got)
	}
	set := func(value string, want int) {
		t.Helper()
		if a := r.post("boss", "/admin/user-keys/update", fmt.Sprintf(`{"id":%d,"payloads":%s}`, r.keys["alice"], value)); a.status != want {
			t.Errorf("payloads %s: %d %s", value, a.status, a.body)
		}
	}
	set(`"errors"`, 200)
	set(`"some"`, 400)
	if got := mode(); got != "errors" {
		t.Errorf("then %v", got)
	}
	set(`null`, 200)
	if got := mode(); got != "off" {
		t.Errorf("cleared, it is %v", got)
	}
	if a := r.post("alice/session", "/user/keys/generate", `{"label":"x","payloads":"all"}`); a.status != 400 && a.status != 422 {
		t.Errorf("a user chooses what takes the operator's room: %d %s", a.status, a.body)
	}
}

// TestAResetOfTheLogTakesBodies leaves nothing of them, and later ones can be read.
func TestAResetOfTheLogTakesBodies(t *testing.T) {
	r := newRig(t)
	r.requests()
	old := r.byRequest("alice")
	if a := r.post("root/session", "/admin/system/reset", `{"what":["logs"],"confirm":"RESET"}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := r.post("boss", "/admin/requests/payload", old); a.status != 404 || r.bodies.Stats().Bytes != 0 {
		t.Errorf("after the reset: %d %s, %d bytes", a.status, a.body, r.bodies.Stats().Bytes)
	}
	r.requests() // says the same as before
	if a := r.post("boss", "/admin/requests/payload", r.byRequest("alice")); a.status != 200 {
		t.Errorf("a later one: %d %s", a.status, a.body)
	}
}
