package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const clientSecret = "the client secret of the export"

const exportPassphrase = "a passphrase of the export"

// exportOf exports as the super admin, in a session, with secrets or without.
func exportOf(g *gateway, session string, secrets bool) string {
	g.t.Helper()
	in := map[string]any{}
	if secrets {
		in = map[string]any{"with_secrets": true, "passphrase": exportPassphrase}
	}
	var out struct{ TOML string }
	g.mustAs(session, "/admin/config/export-toml", in, &out)
	return out.TOML
}

// mustAs calls as somebody and decodes the answer.
func (g *gateway) mustAs(token, path string, in, out any) {
	g.t.Helper()
	status, body := g.adminAs(token, path, in)
	if status != http.StatusOK {
		g.t.Fatalf("POST %s: %d %.2000s", path, status, body)
	}
	if out != nil {
		if err := json.Unmarshal(body, out); err != nil {
			g.t.Fatalf("POST %s: %v in %s", path, err, body)
		}
	}
}

// planned is what a test needs of a plan.
type planned struct {
	Token    string
	Problems []string
	Changes  []struct{ Action, Kind, Name string }
}

func (p planned) lines() string {
	var b strings.Builder
	for _, c := range p.Changes {
		if c.Action != "extra" {
			b.WriteString(c.Action + " " + c.Kind + " " + c.Name + "\n")
		}
	}
	return b.String()
}

// applyTo plans and applies a document and returns the version.
func applyTo(g *gateway, session, toml string, more map[string]any) int64 {
	g.t.Helper()
	in := map[string]any{"toml": toml}
	maps.Copy(in, more)
	var p planned
	g.mustAs(session, "/admin/config/plan", in, &p)
	if len(p.Problems) > 0 {
		g.t.Fatalf("problems: %v", p.Problems)
	}
	in["token"] = p.Token
	var done struct{ ID int64 }
	g.mustAs(session, "/admin/config/apply", in, &done)
	return done.ID
}

// TestConfigExportAppliedElsewhereIsIdentical (Shown by 6): without secrets,
// and with secrets so that the keys work.
func TestConfigExportAppliedElsewhereIsIdentical(t *testing.T) {
	v := newVendor(t)
	from := prepare(t, v, "")
	from.env = []string{"DATABASE_SECRET_KEY=the master key of the first instance"}
	from.run()
	_, key, _ := from.newUser("mover")
	from.admin("/admin/user-rate-limits/upsert", map[string]any{"user_id": 2, "model_pattern": "demo-*", "rpm": 1000}, nil)
	from.admin("/admin/user-quotas/upsert", map[string]any{"user_id": 2, "quota": 25.5}, nil)
	from.admin("/admin/prices/upsert", map[string]any{"model_pattern": "demo-*", "prices": map[string]any{"price_input_tokens": 1, "price_output_tokens": 2}}, nil)
	var team struct{ ID int64 }
	from.admin("/admin/teams/upsert", map[string]any{"name": "research"}, &team)
	from.admin("/admin/teams/permissions/upsert", map[string]any{"team_id": team.ID, "model_pattern": "demo-*"}, nil)
	session := from.login("admin", adminPassword)
	from.mustAs(session, "/admin/sso-providers/upsert", map[string]any{
		"name": "corp", "kind": "oidc", "issuer": "https://id.example.com", "client_id": "tollgate", "client_secret": clientSecret,
		"roles": []map[string]any{{"group": "plat", "team": "research"}},
	}, nil)
	for name, secrets := range map[string]bool{"without secrets": false, "with secrets": true} {
		t.Run(name, func(t *testing.T) {
			to := prepare(t, nil, "")
			to.vendor = v
			_, port, _ := strings.Cut(v.Listener.Addr().String(), ":")
			to.env = []string{"DATABASE_SECRET_KEY=the master key of the other instance"}
			writeConfig(t, to, "[upstream]\nallow_private = [\"127.0.0.1/32:"+port+"\"]\n")
			to.run()
			there := to.login("admin", adminPassword)
			before := exportOf(from, session, secrets)
			applyTo(to, there, before, map[string]any{"passphrase": exportPassphrase})
			if secrets {
				there = to.login("admin", adminPassword) // a new password ends the sessions
			}
			was, is := exportOf(from, session, false), exportOf(to, there, false)
			if secrets && was != is {
				t.Errorf("the exports differ:\n%s\n---\n%s", was, is)
			}
			if !secrets && shapeOf(was) != shapeOf(is) {
				t.Errorf("the exports differ:\n%s\n---\n%s", shapeOf(was), shapeOf(is))
			}
			if strings.Contains(was, key) || strings.Contains(before, providerKey) || strings.Contains(before, key) || strings.Contains(was+before, clientSecret) {
				t.Error("an export holds a secret in clear")
			}
			var corp []struct{ Enabled bool }
			if to.mustAs(there, "/admin/sso-providers/query", map[string]any{}, &corp); len(corp) != 1 || corp[0].Enabled != secrets {
				t.Errorf("the sign-in provider elsewhere: %+v", corp)
			}
			status, _, body, err := to.post(t.Context(), "/oa/v1/chat/completions", key, chat(false, "hi"))
			if want := map[bool]int{false: http.StatusUnauthorized, true: http.StatusOK}[secrets]; err != nil || status != want {
				t.Errorf("the key elsewhere: %d %v %s, want %d", status, err, body, want)
			}
		})
	}
}

// shapeOf leaves out what a document without secrets cannot carry over: what is
// shown of a key, whether there was a password, and that it is enabled.
func shapeOf(toml string) string {
	var out []string
	section := ""
	for line := range strings.Lines(toml) {
		name, _, _ := strings.Cut(line, " ")
		if strings.HasPrefix(line, "[[") {
			section = strings.TrimSpace(line)
		}
		secret := section == "[[users.keys]]" || section == "[[providers.credentials]]" || section == "[[sso_providers]]"
		if name == "prefix" || name == "last4" || name == "has_password" || secret && name == "enabled" {
			continue
		}
		out = append(out, line)
	}
	return strings.Join(out, "")
}

// TestConfigApplyKilledIsOldOrNew kills the gateway while it applies a large
// change (Shown by 6): afterwards all of it is there, or none.
func TestConfigApplyKilledIsOldOrNew(t *testing.T) {
	g := start(t, nil, "")
	counts := map[bool]int{}
	var takes time.Duration // an apply that nobody disturbs
	n := rounds(40, 10)
	for round := range n + 1 {
		session := g.login("admin", adminPassword)
		before := exportOf(g, session, false)
		var doc strings.Builder
		for i := range 120 {
			n := strconv.Itoa(round) + "-" + strconv.Itoa(i)
			doc.WriteString("[[users]]\nname = \"u" + n + "\"\n[[permissions]]\nuser_name = \"u" + n + "\"\nmodel_pattern = \"m*\"\n")
		}
		in := map[string]any{"toml": doc.String()}
		var p planned
		g.mustAs(session, "/admin/config/plan", in, &p)
		in["token"] = p.Token
		body, _ := json.Marshal(in)
		done := make(chan bool, 1)
		began := time.Now()
		go func() {
			status, _, _, err := g.post(t.Context(), "/admin/config/apply", session, body)
			done <- err == nil && status == http.StatusOK
		}()
		var acknowledged bool
		if round == 0 {
			acknowledged = <-done
			takes = time.Since(began)
		} else {
			time.Sleep(takes * time.Duration(round) * 3 / time.Duration(2*n))
			g.kill()
			acknowledged = <-done
			g.run()
		}
		session = g.login("admin", adminPassword)
		after := exportOf(g, session, false)
		var again planned
		g.mustAs(session, "/admin/config/plan", map[string]any{"toml": doc.String()}, &again)
		applied := again.lines() == ""
		switch {
		case acknowledged && !applied:
			t.Fatalf("round %d: the change was acknowledged and is gone", round)
		case !applied && before != after:
			t.Fatalf("round %d: neither the old nor the new version:\n%s", round, again.lines())
		}
		counts[applied]++
		var history []struct{ Created int }
		g.mustAs(session, "/admin/config/history", map[string]any{}, &history)
		if len(history) != counts[true] {
			t.Fatalf("round %d: %d versions of %d changes", round, len(history), counts[true])
		}
	}
	if counts[true] < 2 || counts[false] == 0 {
		t.Errorf("of %d applies %d went through: they were not killed in the middle", n, counts[true])
	}
	t.Logf("%d killed applies left the old version, %d the new one", counts[false], counts[true])
}

// TestConfigIsPlannedAppliedAndRolledBack goes through the rules of plan,
// apply and rollback.
func TestConfigIsPlannedAppliedAndRolledBack(t *testing.T) {
	g := start(t, newVendor(t), "")
	g.newUser("alice")
	session := g.login("admin", adminPassword)
	refused := func(path string, in map[string]any, status int, text string) {
		t.Helper()
		got, body := g.adminAs(session, path, in)
		if got != status || !strings.Contains(string(body), text) {
			t.Errorf("%s %.200v: %d %s, want %d with %q", path, in, got, body, status, text)
		}
	}
	for doc, text := range map[string]string{
		"[server]\nport = 1\n":                                                        "process settings",
		"[[users]]\nname = \"x\"\npassword = \"env:HOME\"\n":                          "env:",
		"[[providers]]\nname=\"p\"\nkind=\"openai\"\nbase_url=\"file:/etc/passwd\"\n": "file:",
		"[[users]]\nnaem = \"x\"\n":                                                   "naem",
		"[sso.github]\nclient_id = \"x\"\n":                                           "process settings",
	} {
		refused("/admin/config/plan", map[string]any{"toml": doc}, http.StatusBadRequest, text)
		refused("/admin/config/apply", map[string]any{"toml": doc, "token": "x"}, http.StatusBadRequest, text)
	}
	doc := "[[teams]]\nname = \"research\"\n[[users]]\nname = \"alice\"\nemail = \"a@example.com\"\nteam = \"research\"\n[[users]]\nname = \"bob\"\n"
	in := map[string]any{"toml": doc}
	refused("/admin/config/apply", map[string]any{"toml": doc, "token": "x"}, http.StatusBadRequest, "token")
	refused("/admin/config/export-toml", map[string]any{"with_secrets": true, "passphrase": "short"}, http.StatusBadRequest, "12 characters")
	if status, body := g.adminAs(adminKey, "/admin/config/export-toml", map[string]any{"with_secrets": true, "passphrase": exportPassphrase}); status != http.StatusForbidden || !strings.Contains(string(body), "recent_sign_in") {
		t.Errorf("an export with secrets by key: %d %s", status, body)
	}
	if status, body := g.adminAs(adminKey, "/admin/config/apply", map[string]any{"toml": doc, "token": "x"}); status != http.StatusForbidden {
		t.Errorf("apply by key: %d %s", status, body)
	}
	var p planned
	g.mustAs(session, "/admin/config/plan", in, &p)
	if want := "create team research\nupdate user alice\ncreate user bob\n"; p.lines() != want {
		t.Errorf("plan:\n%s\nwant\n%s", p.lines(), want)
	}
	in["token"] = p.Token
	g.newUser("carol") // meanwhile
	refused("/admin/config/apply", in, http.StatusConflict, "changed since")
	before := exportOf(g, session, false)
	first := applyTo(g, session, doc, nil)
	second := applyTo(g, session, "[[users]]\nname = \"dave\"\n", nil)
	if first == 0 || second <= first {
		t.Errorf("versions %d and %d", first, second)
	}
	// A user who is disabled after a version stays disabled when it comes back.
	var bob []struct{ ID int64 }
	g.admin("/admin/users/query", map[string]any{"name": map[string]any{"eq": "bob"}}, &bob)
	g.admin("/admin/users/upsert", map[string]any{"id": bob[0].ID, "enabled": false}, nil)
	var dry struct {
		planned
		OK bool
	}
	g.mustAs(session, "/admin/config/rollback", map[string]any{"version": first, "dry_run": true}, &dry)
	if want := "delete user dave\n"; dry.lines() != want || !dry.OK {
		t.Errorf("going back would do\n%s\nwant\n%s", dry.lines(), want)
	}
	g.mustAs(session, "/admin/config/rollback", map[string]any{"version": first, "token": dry.Token}, nil)
	g.admin("/admin/users/query", map[string]any{"name": map[string]any{"in": []string{"bob", "dave"}}, "enabled": map[string]any{"eq": true}}, &bob)
	if len(bob) != 0 {
		t.Errorf("the rollback enabled or kept %v", bob)
	}
	g.mustAs(session, "/admin/config/rollback", map[string]any{"version": first, "before": true}, nil)
	if after := exportOf(g, session, false); after != before {
		t.Errorf("going back before the first version gives\n%s\nwant\n%s", after, before)
	}
	refused("/admin/config/rollback", map[string]any{"version": 987}, http.StatusNotFound, "987")
	var texts struct{ Before, After string }
	g.mustAs(session, "/admin/config/version", map[string]any{"id": first}, &texts)
	if texts.Before != before || !strings.Contains(texts.After, "research") {
		t.Error("the documents of the version are not those of then")
	}
}

func writeConfig(t *testing.T, g *gateway, toml string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(g.dir, "tollgate.toml"), []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
}
