package admin

import (
	"context"
	"encoding/json"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

type secondFactorBody struct {
	LoginToken string          `json:"login_token" required:"true" doc:"Of the answer to /login."`
	Code       string          `json:"code,omitempty" maxLength:"64" doc:"Of the authenticator app, or one of the recovery codes."`
	Credential json.RawMessage `json:"credential,omitempty" doc:"The browser's answer for a passkey (PublicKeyCredential as JSON)."`
}

type passkeyBody struct {
	Token      string          `json:"token" required:"true" doc:"Of the answer to begin."`
	Credential json.RawMessage `json:"credential" required:"true" doc:"The browser's answer (PublicKeyCredential as JSON)."`
}

func (s *Server) mountSecondFactor() {
	public := web.Policy{Access: web.AccessPublic, MaxBody: maxPasskeyBody, Mutates: true}
	api.HandleFull(s.API, api.Op{
		Path: "/login/second-factor", Tag: "Sign-in", Summary: "End a sign-in with its second factor",
		Notes:   "Takes the login_token that /login answered, and a code or a passkey.",
		Policy:  public,
		Example: map[string]any{"login_token": "…", "code": "123456"},
	}, func(ctx context.Context, in *secondFactorBody) (*loginOutput, error) {
		e := web.EventFrom(ctx)
		proof := auth.Proof{Code: tollgate.NewSecret(in.Code), Passkey: in.Credential}
		return signedIn(e)(s.Sessions.LoginSecondFactor(ctx, tollgate.NewSecret(in.LoginToken), proof, signInOf(e)))
	})
	asks := public
	asks.Mutates = false
	api.Handle(s.API, api.Op{
		Path: "/auth/passkey/begin", Tag: "Sign-in", Summary: "Begin a sign-in by passkey",
		Notes: "Give options to navigator.credentials.get and send its answer to finish.", Policy: asks, Example: map[string]any{},
	}, func(_ context.Context, _ *struct{}) (api.Asked, error) {
		a, err := s.Sessions.BeginPasskey()
		return api.Asked{Token: a.Token.Reveal(), Options: a.Options}, err
	})
	api.HandleFull(s.API, api.Op{
		Path: "/auth/passkey/finish", Tag: "Sign-in", Summary: "Sign in by passkey", Policy: public,
		Example: map[string]any{"token": "…", "credential": map[string]any{}},
	}, func(ctx context.Context, in *passkeyBody) (*loginOutput, error) {
		e := web.EventFrom(ctx)
		return signedIn(e)(s.Sessions.LoginPasskey(ctx, tollgate.NewSecret(in.Token), in.Credential, signInOf(e)))
	})
}
