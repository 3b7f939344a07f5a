package admin_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/web"
)

// needed is the answer to a password where a second factor is missing.
type needed struct {
	Error      string   `json:"error"`
	Factors    []string `json:"factors"`
	LoginToken string   `json:"login_token"`
}

func (r *rig) needFactor(name string) needed {
	r.t.Helper()
	a := r.post("", "/login", `{"username":"`+name+`","password":"`+password+`"}`)
	var n needed
	if err := json.Unmarshal([]byte(a.body), &n); err != nil || a.status != 401 || n.Error != "second factor required" || n.LoginToken == "" {
		r.t.Fatalf("the password alone: %d %s", a.status, a.body)
	}
	if a.header.Get("Set-Cookie") != "" {
		r.t.Fatal("the password alone sets a cookie")
	}
	return n
}

func TestN59LoginNeedsTheSecondFactorOnce(t *testing.T) {
	r := newRig(t)
	r.makeFactorIn("alice")
	n := r.needFactor("alice")
	if fmt.Sprint(n.Factors) != "[totp]" {
		t.Errorf("factors are %v", n.Factors)
	}
	second := func(token, code string) answer {
		return r.post("", "/login/second-factor", `{"login_token":"`+token+`","code":"`+code+`"}`)
	}
	if a := second(n.LoginToken, "000000"); a.status != 401 || strings.Contains(a.body, "session_token") {
		t.Errorf("a wrong code: %v", a)
	}
	code := totpCode()
	if a := second(n.LoginToken[1:], code); a.status != 401 {
		t.Errorf("a damaged token: %v", a)
	}
	if a := second(n.LoginToken, code); a.status != 200 || !strings.Contains(a.body, "session_token") {
		t.Fatalf("the right code: %v", a)
	}
	if a := second(n.LoginToken, code); a.status != 401 {
		t.Errorf("the token again: %v", a)
	}
	if a := second(r.needFactor("alice").LoginToken, code); a.status != 401 {
		t.Errorf("the code again: %v", a)
	}
	if a := r.post("", "/login", `{"username":"alice","password":"`+password+`","code":"`+code+`"}`); a.status != 401 || strings.Contains(a.body, "login_token") {
		t.Errorf("the code again, with the password: %v", a)
	}
}

// makeFactorIn puts the rig's factor of a user in force.
func (r *rig) makeFactorIn(name string) {
	r.t.Helper()
	r.update(func(tx tollgate.Tx) error {
		f, err := tx.Factors.Get(r.t.Context(), r.id[name+"/factor"])
		if err != nil {
			return err
		}
		f.Confirmed = true
		return tx.Factors.Update(r.t.Context(), f)
	})
}

func TestEnrolmentEndsOtherSessionsAndRecoveryCodesWorkOnce(t *testing.T) {
	r := newRig(t)
	r.signIn("bob")
	other := r.token["bob/session"]
	r.signIn("bob")
	a := r.post("bob/session", "/user/factors/totp/confirm", fmt.Sprintf(`{"id":%d,"code":"%s"}`, r.id["bob/factor"], totpCode()))
	var made struct {
		SessionToken  string   `json:"session_token"`
		RecoveryCodes []string `json:"recovery_codes"`
	}
	if json.Unmarshal([]byte(a.body), &made) != nil || a.status != 200 || len(made.RecoveryCodes) != 10 {
		t.Fatalf("confirm: %v", a)
	}
	r.token["bob/other"], r.token["bob/new"] = other, made.SessionToken
	for name, want := range map[string]int{"bob/other": 401, "bob/session": 401, "bob/new": 200} {
		if a := r.post(name, "/user/me", "{}"); a.status != want {
			t.Errorf("%s: %v", name, a)
		}
	}
	use := func(code string) int {
		return r.post("", "/login/second-factor", `{"login_token":"`+r.needFactor("bob").LoginToken+`","code":"`+code+`"}`).status
	}
	if got := use(strings.ToUpper(strings.ReplaceAll(made.RecoveryCodes[3], "-", " "))); got != 200 {
		t.Errorf("a recovery code, typed by a human: %d", got)
	}
	if got := use(made.RecoveryCodes[3]); got != 401 {
		t.Errorf("it again: %d", got)
	}
	if a := r.post("bob/new", "/user/factors/recovery-codes", "{}"); a.status != 200 {
		t.Errorf("new codes: %v", a)
	}
	if got := use(made.RecoveryCodes[4]); got != 401 {
		t.Errorf("a code of the old list: %d", got)
	}
	if a := r.post("bob/new", "/user/step-up", `{"password":"`+password+`"}`); a.status != 403 || !strings.Contains(a.body, `"second_factor"`) {
		t.Errorf("step-up by password alone: %v", a)
	}
	if a := r.post("root/session", "/admin/user-factors/delete", fmt.Sprintf(`{"id":%d}`, r.id["bob/factor"])); a.status != 200 {
		t.Errorf("removal by an admin: %v", a)
	}
	if a := r.post("bob/new", "/user/me", "{}"); a.status != 401 {
		t.Errorf("the session outlived the removal: %v", a)
	}
	r.signIn("bob") // by password alone again
}

func TestAnAdminWithoutAFactorMayOnlyEnrolOne(t *testing.T) {
	r := newRig(t)
	if a := r.post("root/session", "/admin/settings/upsert", `{"name":"require_second_factor","value":"yes"}`); a.status != 400 {
		t.Errorf("a setting that makes no sense: %v", a)
	}
	if a := r.post("root/session", "/admin/settings/upsert", `{"name":"require_second_factor","value":true}`); a.status != 200 {
		t.Fatal(a)
	}
	r.signIn("boss")
	r.signIn("alice")
	if a := r.post("alice/session", "/user/quota", "{}"); a.status != 200 {
		t.Errorf("a user: %v", a)
	}
	for _, route := range r.router.Routes() {
		if !strings.HasPrefix(route.Pattern, "/admin/") && !strings.HasPrefix(route.Pattern, "/user/") || route.Policy.Enrols {
			continue
		}
		vs, _ := bodies(route.Pattern)
		if a := r.send(route.Method, "boss/session", route.Pattern, vs[0].body(r, "boss")); a.status != 403 || !strings.Contains(a.body, "second_factor_enrolment") &&
			route.Policy.Access != web.AccessSuperAdmin && route.Policy.Access != web.AccessTeamAdmin {
			t.Errorf("%s: %v", route.Pattern, a)
		}
	}
	a := r.post("boss/session", "/user/factors/totp/confirm", fmt.Sprintf(`{"id":%d,"code":"%s"}`, r.id["boss/factor"], totpCode()))
	var made struct {
		SessionToken string `json:"session_token"`
	}
	if json.Unmarshal([]byte(a.body), &made) != nil || a.status != 200 {
		t.Fatal(a)
	}
	r.token["boss/session"] = made.SessionToken
	if a := r.post("boss/session", "/admin/users/query", "{}"); a.status != 200 {
		t.Errorf("with a factor: %v", a)
	}
	if a := r.post("boss/session", "/user/factors/delete", fmt.Sprintf(`{"id":%d}`, r.id["boss/factor"])); a.status != 409 {
		t.Errorf("taking the last factor away: %v", a)
	}
}

func TestDangerousActionsNeedARecentSignIn(t *testing.T) {
	r := newRig(t)
	r.update(func(tx tollgate.Tx) error {
		rows, _, err := tx.Sessions.Query(t.Context(), tollgate.SessionFilter{}, tollgate.Page{All: true})
		for _, row := range rows {
			row.SignedInAt = time.Now().Add(-11 * time.Minute)
			if err := tx.Sessions.Update(t.Context(), row); err != nil {
				return err
			}
		}
		return err
	})
	for path, body := range map[string]string{
		"/admin/system/reset": `{"what":["users"],"confirm":"RESET"}`, "/admin/users/hand-over": `{"id":1}`, "/admin/user-factors/delete": `{"id":1}`, "/user/factors/totp/begin": "{}",
		"/user/factors/passkey/begin": "{}", "/user/factors/delete": `{"id":1}`, "/user/factors/recovery-codes": "{}",
	} {
		if a := r.post("root/session", path, body); a.status != 403 || !strings.Contains(a.body, `"reason":"recent_sign_in"`) {
			t.Errorf("%s: %v", path, a)
		}
		if a := r.post("root", path, body); a.status != 403 {
			t.Errorf("%s by API key: %v", path, a)
		}
	}
}
