package admin_test

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/audit"
	"tollgate/internal/auth"
	"tollgate/internal/ledger"
)

// counts are how many rows there are of what a reset removes.
type counts struct{ Users, Dispatches, Requests int64 }

func (r *rig) counts() (c counts) {
	r.t.Helper()
	ctx := r.t.Context()
	r.must(r.store.View(ctx, func(tx tollgate.Tx) (err error) {
		if c.Users, err = tx.Users.Count(ctx, tollgate.UserFilter{}); err != nil {
			return err
		}
		if c.Dispatches, err = tx.Usage.CountDispatches(ctx, tollgate.UsageFilter{}); err != nil {
			return err
		}
		c.Requests, err = tx.Usage.CountRequests(ctx, tollgate.RequestFilter{})
		return err
	}))
	return c
}

func TestResetRemovesWhatIsAskedForAndNothingElse(t *testing.T) {
	r := newRig(t)
	r.requests()
	before := r.counts()
	if before.Users != 10 || before.Dispatches != 12 || before.Requests != 6 {
		t.Fatalf("the rig has %+v", before)
	}
	for _, c := range []struct {
		who, body string
		status    int
		after     counts
	}{
		{"root/session", `{"what":["users"],"confirm":"reset"}`, http.StatusUnprocessableEntity, before},
		{"root/session", `{"what":["users"]}`, http.StatusUnprocessableEntity, before},
		{"root/session", `{"what":[],"confirm":"RESET"}`, http.StatusUnprocessableEntity, before},
		{"root/session", `{"what":["audit"],"confirm":"RESET"}`, http.StatusUnprocessableEntity, before},
		{"root", `{"what":["users"],"confirm":"RESET"}`, http.StatusForbidden, before}, // a key has not signed in
		{"boss/session", `{"what":["users"],"confirm":"RESET"}`, http.StatusForbidden, before},
		{"root/session", `{"what":["logs"],"confirm":"RESET"}`, http.StatusOK, counts{10, 12, 0}},
		{"root/session", `{"what":["statistics"],"confirm":"RESET"}`, http.StatusOK, counts{10, 0, 0}},
		{"root/session", `{"what":["users","logs","statistics","users"],"confirm":"RESET"}`, http.StatusUnprocessableEntity, counts{10, 0, 0}},
		{"root/session", `{"what":["users"],"confirm":"RESET"}`, http.StatusOK, counts{1, 0, 0}},
	} {
		a := r.post(c.who, "/admin/system/reset", c.body)
		if a.status != c.status && (a.status != http.StatusBadRequest || c.status != http.StatusUnprocessableEntity) || r.counts() != c.after {
			t.Errorf("%s %s: %d %s, then %+v, want %+v", c.who, c.body, a.status, a.body, r.counts(), c.after)
		}
	}
	for who, want := range map[string]int{"root/session": 200, "root": 200, "boss/session": 401, "alice": 401} {
		if a := r.post(who, "/user/quota", "{}"); a.status != want {
			t.Errorf("%s afterwards: %d, want %d", who, a.status, want)
		}
	}
	ledgerOK, err := ledger.Verify(t.Context(), r.store, time.UTC)
	if err != nil || !ledgerOK.OK() {
		t.Errorf("verify: %+v, %v", ledgerOK, err)
	}
	chain, err := audit.Verify(t.Context(), r.store, nil)
	if err != nil || !chain.OK() {
		t.Errorf("audit: %+v, %v", chain, err)
	}
	a := r.post("root/session", "/admin/audit/query", `{"action":{"in":["system.*","user.delete"]}}`)
	var entries []audit.Record
	r.must(json.Unmarshal([]byte(a.body), &entries))
	if len(entries) != 12 || !strings.Contains(string(entries[11].Detail), `"users":9`) || entries[11].ActorName != "root" || entries[11].IP == "" {
		t.Errorf("%d entries, the last is %+v %s", len(entries), entries[len(entries)-1], entries[len(entries)-1].Detail)
	}
}

// TestResetEndsWhatTheRemovedAreDoing looks that the calls of removed users have
// ended when the answer is there, and those of who stays have not.
func TestResetEndsWhatTheRemovedAreDoing(t *testing.T) {
	r := newRig(t)
	var ended atomic.Int32
	for _, name := range []string{"alice", "boss", "root"} {
		c, err := auth.Extract(http.Header{"Authorization": {"Bearer " + r.token[name]}}, nil, false)
		r.must(err)
		p, err := r.dir.Authenticate(c, netip.MustParseAddr("192.0.2.7"))
		r.must(err)
		release, err := r.dir.Track(p, r.id["provider"], "m1", func(error) { ended.Add(1) })
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer release()
	}
	if a := r.post("root/session", "/admin/system/reset", `{"what":["users"],"confirm":"RESET"}`); a.status != http.StatusOK || ended.Load() != 2 {
		t.Errorf("%d %s, %d calls have ended, want 2", a.status, a.body, ended.Load())
	}
}

func TestAboutAndProcessSettings(t *testing.T) {
	r := newRig(t)
	a := r.post("boss", "/admin/about", `{}`)
	for _, part := range []string{`"version":"test"`, `"database":"sqlite"`, `"schema_version":13`, `"prices_date":"20`, `"path":"modernc.org/sqlite"`, `"licence":"BSD-3-Clause"`} {
		if !strings.Contains(a.body, part) {
			t.Errorf("about lacks %s", part)
		}
	}
	a = r.post("boss", "/admin/settings/process", `{}`)
	if !strings.Contains(a.body, `{"name":"database_secret_key","variable":"DATABASE_SECRET_KEY","value":"[redacted]","source":"default","at":""}`) {
		t.Errorf("process settings: %s", a.body)
	}
}

func TestAuditExportIsWhatTheQueryShows(t *testing.T) {
	r := newRig(t)
	a := r.post("boss/session", "/admin/audit/export", `{}`)
	lines := strings.Split(strings.TrimSuffix(a.body, "\n"), "\n")
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/x-ndjson" || len(lines) < 30 {
		t.Fatalf("%d %v, %d lines", a.status, a.header, len(lines))
	}
	head, err := audit.ReadHead([]byte(a.body))
	r.must(err)
	report, err := audit.Verify(t.Context(), r.store, &head)
	if err != nil || !report.OK() || int64(len(lines)) != head.Entries+1 {
		t.Errorf("%+v, %v; %d lines", report, err, len(lines))
	}
	for _, body := range []string{
		`{"action":{"eq":"login*"}}`, `{"text":"ALICE"}`, `{"ip":{"eq":"192.0.2.*"},"target":{"eq":"provider"}}`, `{"actor_id":{"eq":1},"target_id":{"eq":1}}`,
		`{"request_id":{"eq":"` + r.firstRequestID() + `"}}`, `{"until":"2020-01-01T00:00:00Z"}`,
	} {
		var shown []audit.Record
		r.must(json.Unmarshal([]byte(r.post("boss/session", "/admin/audit/query", body).body), &shown))
		exported := strings.Count(r.post("boss/session", "/admin/audit/export", body).body, "\n") - 1
		if exported != len(shown) || len(shown) == 0 != strings.Contains(body, "2020") {
			t.Errorf("%s: %d shown, %d exported", body, len(shown), exported)
		}
	}
	if a := r.post("boss/session", "/admin/audit/export", `{"request_id":{"eq":"x"}}`); a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest {
		t.Errorf("a bad request id: %d", a.status)
	}
}

// firstRequestID is the id of a request that is in the audit.
func (r *rig) firstRequestID() string {
	var entries []audit.Record
	r.must(json.Unmarshal([]byte(r.post("root/session", "/admin/audit/query", `{"target":{"eq":"provider"}}`).body), &entries))
	return entries[0].RequestID
}
