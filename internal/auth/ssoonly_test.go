package auth_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/pquerna/otp/hotp"

	"tollgate"
	"tollgate/internal/auth"
)

// TestS07SSOOnlyClosesEveryWay: every method that answers a session is listed
// here, and refuses one that did not come through a provider (N-37). The super
// admin keeps every way (B-04).
func TestS07SSOOnlyClosesEveryWay(t *testing.T) {
	w := newWorld(t)
	w.sessions.Origin = func() string { return origin }
	w.user("alice", false)
	key, enrolled := w.register(w.as("alice"))
	me := tollgate.Actor{Principal: w.principal(bearer(enrolled.Token.Reveal())), Via: "session"}
	_, need := w.sessions.Login(t.Context(), "alice", tollgate.NewSecret("the own secret of alice"), auth.SignIn{})
	half := tollgate.AsError(need).SecondFactor
	asked, err := w.sessions.BeginStepUp(t.Context(), me)
	if err != nil || half == nil {
		t.Fatal(err, need)
	}
	again, err := w.sessions.BeginRegister(t.Context(), me)
	if err != nil {
		t.Fatal(err)
	}
	app, err := w.sessions.BeginTOTP(t.Context(), me, "phone")
	if err != nil {
		t.Fatal(err)
	}
	put := func(on bool) {
		w.update(func(tx tollgate.Tx) error {
			return tx.Settings.Put(t.Context(), tollgate.Setting{Name: "sso_only", Value: json.RawMessage(map[bool]string{true: "true", false: "false"}[on])})
		})
	}
	put(true)
	recovery := tollgate.NewSecret(enrolled.Recovery[0])
	secret, in := tollgate.NewSecret("the own secret of alice"), auth.SignIn{Proof: auth.Proof{Code: recovery}}
	ways := map[string]func() error{
		"Login": func() error { _, err := w.sessions.Login(t.Context(), "alice", secret, in); return err },
		"LoginSecondFactor": func() error {
			_, err := w.sessions.LoginSecondFactor(t.Context(), half.LoginToken, auth.Proof{Code: recovery}, in)
			return err
		},
		"LoginPasskey": func() error { _, err := w.passkeyLogin(key); return err },
		"LoginSSO":     func() error { return nil }, // the one that stays; its tests are with its routes
		"StepUp":       func() error { _, err := w.sessions.StepUp(t.Context(), me, secret, in); return err },
		"StepUpPasskey": func() error {
			_, err := w.sessions.StepUpPasskey(t.Context(), me, asked.Token, key.get(asked.Options), in)
			return err
		},
		"ChangePassword": func() error {
			_, err := w.sessions.ChangePassword(t.Context(), me, secret, tollgate.NewSecret("another long secret"), in)
			return err
		},
		"Register": func() error {
			_, err := w.sessions.Register(t.Context(), me, again.Token, "second", newAuthenticator(t).create(again.Options), in)
			return err
		},
		"ConfirmTOTP": func() error {
			code, err := hotp.GenerateCode(app.Secret.Reveal(), uint64(w.clock.now().Unix()/30))
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.sessions.ConfirmTOTP(t.Context(), me, app.ID, tollgate.NewSecret(code), in)
			return err
		},
		"RemoveFactor": func() error { _, err := w.sessions.RemoveFactor(t.Context(), me, enrolled.ID, in); return err },
	}
	for m := range reflect.TypeFor[*auth.Sessions]().Methods() {
		if m.Type.NumOut() == 0 {
			continue
		}
		out := m.Type.Out(0)
		if out != reflect.TypeFor[auth.LoginResult]() && (out.Kind() != reflect.Struct || !hasSession(out)) {
			continue
		}
		way, listed := ways[m.Name]
		if !listed {
			t.Errorf("%s answers a session and is in no list", m.Name)
			continue
		}
		if m.Name == "LoginSSO" {
			continue
		}
		if err := way(); tollgate.ErrorCode(err) != tollgate.CodeForbidden || tollgate.AsError(err).Reason != "sso_only" {
			t.Errorf("%s: %v", m.Name, err)
		}
	}
	w.login("root")
	put(false)
	if err := ways["LoginPasskey"](); err != nil {
		t.Errorf("with sso_only off: %v", err)
	}
}

func hasSession(t reflect.Type) bool {
	_, ok := t.FieldByName("Token")
	_, session := t.FieldByName("Session")
	return ok && session
}
