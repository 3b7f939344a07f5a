package self

import (
	"context"
	"encoding/json"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

// maxPasskeyBody bounds bodies that hold a passkey's answer and a token, in bytes.
const maxPasskeyBody = 32 << 10

type stepUpBody struct {
	Password   string          `json:"password,omitempty" doc:"Needed unless a passkey is shown."`
	Code       string          `json:"code,omitempty" maxLength:"64" doc:"Of a second factor, for accounts that have one."`
	Token      string          `json:"token,omitempty" doc:"Of the answer to /user/step-up/begin, with a passkey."`
	Credential json.RawMessage `json:"credential,omitempty" doc:"The browser's answer for a passkey, alone."`
}

type factorQuery struct {
	ID api.Scope[int64] `json:"id,omitzero"`
	api.Page
}

type totpBegin struct {
	Label string `json:"label,omitempty" maxLength:"128"`
}

type totpBegun struct {
	ID     int64  `json:"id"`
	Secret string `json:"secret" doc:"For typing into the app, base32."`
	URI    string `json:"uri" doc:"otpauth://…, for a QR code."`
}

type totpConfirm struct {
	ID   int64  `json:"id" required:"true" minimum:"1"`
	Code string `json:"code" required:"true" maxLength:"64" doc:"What the app shows now."`
}

type passkeyFinish struct {
	Token      string          `json:"token" required:"true" doc:"Of the answer to begin."`
	Label      string          `json:"label,omitempty" maxLength:"128"`
	Credential json.RawMessage `json:"credential" required:"true" doc:"What navigator.credentials.create answered (PublicKeyCredential as JSON)."`
}

type enrolled struct {
	freshSession
	ID            int64    `json:"id"`
	RecoveryCodes []string `json:"recovery_codes,omitempty" doc:"With the first factor; shown this once."`
}

type enrolledOutput struct {
	Cookie string `header:"Set-Cookie"`
	Body   enrolled
}

type recoveryCodes struct {
	OK            bool     `json:"ok"`
	RecoveryCodes []string `json:"recovery_codes" nullable:"false" doc:"Replace all earlier ones; shown this once."`
}

func (s *Server) mountStepUp() {
	stepUp := writes("/user/step-up", "Sign in again, for what needs a recent sign-in", map[string]any{"password": "…", "code": "123456"})
	stepUp.Policy.MaxBody, stepUp.Policy.Enrols = maxPasskeyBody, true
	api.HandleFull(s.API, stepUp, func(ctx context.Context, in *stepUpBody) (*freshOutput, error) {
		e := web.EventFrom(ctx)
		from := signIn(e)
		if in.Token != "" {
			return fresh(e)(s.Sessions.StepUpPasskey(ctx, e.Actor(), tollgate.NewSecret(in.Token), in.Credential, from))
		}
		from.Proof.Code = tollgate.NewSecret(in.Code)
		return fresh(e)(s.Sessions.StepUp(ctx, e.Actor(), tollgate.NewSecret(in.Password), from))
	})
	begin := writes("/user/step-up/begin", "Ask for a passkey, to sign in again with", map[string]any{})
	begin.Policy.Enrols, begin.Policy.Mutates = true, false
	api.Handle(s.API, begin, func(ctx context.Context, _ *struct{}) (api.Asked, error) {
		return asked(s.Sessions.BeginStepUp(ctx, api.Actor(ctx)))
	})
}

func asked(a auth.Asked, err error) (api.Asked, error) {
	return api.Asked{Token: a.Token.Reveal(), Options: a.Options}, err
}

// enrols is a write that a session may do that can only enrol a factor; all of
// them need a recent sign-in.
func enrols(path, summary string, example any) api.Op {
	op := writes(path, summary, example)
	op.Policy.Enrols, op.Policy.RecentSignIn, op.Policy.MaxBody = true, true, maxPasskeyBody
	return op
}

func (s *Server) mountFactors() {
	query := reads("/user/factors/query", "Show the own second factors and passkeys")
	query.Policy.Enrols = true
	api.Listing[factorQuery, tollgate.Factor, tollgate.FactorFilter, api.Factor]{
		Op: query, Source: api.FactorRows,
		Filter: func(ctx context.Context, q factorQuery) (tollgate.FactorFilter, error) {
			return tollgate.FactorFilter{ID: q.ID.Match, UserID: own(ctx), Kind: api.SecondFactors()}, nil
		},
		Records: api.Each(api.FactorRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, enrols("/user/factors/totp/begin", "Make a secret for an authenticator app", map[string]any{"label": "phone"}),
		func(ctx context.Context, in *totpBegin) (totpBegun, error) {
			e, err := s.Sessions.BeginTOTP(ctx, api.Actor(ctx), in.Label)
			return totpBegun{ID: e.ID, Secret: e.Secret.Reveal(), URI: e.URI.Reveal()}, err
		})
	api.HandleFull(s.API, enrols("/user/factors/totp/confirm", "Put the secret in force by its first code; ends all other sign-ins", map[string]any{"id": 7, "code": "123456"}),
		func(ctx context.Context, in *totpConfirm) (*enrolledOutput, error) {
			e := web.EventFrom(ctx)
			return added(e)(s.Sessions.ConfirmTOTP(ctx, e.Actor(), in.ID, tollgate.NewSecret(in.Code), signIn(e)))
		})
	begin := enrols("/user/factors/passkey/begin", "Ask the browser for a new passkey", map[string]any{})
	begin.Policy.Mutates = false
	api.Handle(s.API, begin,
		func(ctx context.Context, _ *struct{}) (api.Asked, error) {
			return asked(s.Sessions.BeginRegister(ctx, api.Actor(ctx)))
		})
	api.HandleFull(s.API, enrols("/user/factors/passkey/finish", "Keep the new passkey; ends all other sign-ins", map[string]any{"token": "…", "label": "laptop", "credential": map[string]any{}}),
		func(ctx context.Context, in *passkeyFinish) (*enrolledOutput, error) {
			e := web.EventFrom(ctx)
			return added(e)(s.Sessions.Register(ctx, e.Actor(), tollgate.NewSecret(in.Token), in.Label, in.Credential, signIn(e)))
		})
	remove := writes("/user/factors/delete", "Remove a second factor; ends all other sign-ins", api.ByID{ID: 7})
	remove.Policy.RecentSignIn = true
	api.HandleFull(s.API, remove, func(ctx context.Context, in *api.ByID) (*freshOutput, error) {
		e := web.EventFrom(ctx)
		return fresh(e)(s.Sessions.RemoveFactor(ctx, e.Actor(), in.ID, signIn(e)))
	})
	codes := writes("/user/factors/recovery-codes", "Make new recovery codes; the old ones end", map[string]any{})
	codes.Policy.RecentSignIn = true
	api.Handle(s.API, codes, func(ctx context.Context, _ *struct{}) (recoveryCodes, error) {
		list, err := s.Sessions.RecoveryCodes(ctx, api.Actor(ctx))
		return recoveryCodes{OK: true, RecoveryCodes: list}, err
	})
}

// added answers with the session that replaces the one that enrolled a factor.
func added(e *web.Event) func(auth.Enrolled, error) (*enrolledOutput, error) {
	return func(res auth.Enrolled, err error) (*enrolledOutput, error) {
		out, err := fresh(e)(res.LoginResult, err)
		if err != nil {
			return nil, err
		}
		return &enrolledOutput{Cookie: out.Cookie, Body: enrolled{freshSession: out.Body, ID: res.ID, RecoveryCodes: res.Recovery}}, nil
	}
}
