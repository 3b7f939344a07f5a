package tollgate_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"tollgate"
)

func TestC06SecretsPrintNowhere(t *testing.T) {
	const value = "sk-canary-value"
	s := tollgate.NewSecret(value)
	holder := struct {
		S tollgate.Secret
		P *tollgate.Secret
		h tollgate.Secret
		p *tollgate.Secret
	}{s, &s, s, &s}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T|%v"} {
		fmt.Fprintf(&out, verb, s, s)
		fmt.Fprintf(&out, verb, holder, &holder)
	}
	j, err := json.Marshal(map[string]any{"s": s, "h": holder})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(j)
	var logged bytes.Buffer
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "s", s, "h", holder)
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "s", s, "h", holder)
	out.Write(logged.Bytes())
	hex := fmt.Sprintf("%x", value)
	if text := out.String(); strings.Contains(text, value) || strings.Contains(strings.ToLower(text), hex) {
		t.Fatalf("the secret leaked: %s", text)
	}
	if s.Reveal() != value {
		t.Fatal("Reveal lost the value")
	}
}

func TestA14ZeroPrincipalHasNoRole(t *testing.T) {
	disabled := &tollgate.User{ID: 1, Role: tollgate.RoleSuperAdmin}
	for name, p := range map[string]tollgate.Principal{
		"zero":              {},
		"kind alone":        {Kind: tollgate.PrincipalKey},
		"user without kind": {User: &tollgate.User{ID: 1, Enabled: true, Role: tollgate.RoleAdmin}},
		"disabled user":     {Kind: tollgate.PrincipalSession, User: disabled},
		"service":           {Kind: tollgate.PrincipalService},
	} {
		if r := p.Role(); r != tollgate.RoleNone {
			t.Errorf("%s has role %d", name, r)
		}
	}
}

func TestErrorsTellNothingByDefault(t *testing.T) {
	e := tollgate.AsError(errors.New("dial tcp 10.0.0.1: secret"))
	if e.Code != tollgate.CodeInternal || strings.Contains(e.Message, "10.0.0.1") {
		t.Fatalf("%+v", e)
	}
	if code := tollgate.ErrorCode(fmt.Errorf("saving: %w", tollgate.Errorf(tollgate.CodeConflict, "taken"))); code != tollgate.CodeConflict {
		t.Fatalf("code %q", code)
	}
}
