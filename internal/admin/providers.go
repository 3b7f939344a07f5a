package admin

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"tollgate"
	"tollgate/internal/upstream"
	"tollgate/internal/web/api"
)

// provider is the JSON of a provider.
type provider struct {
	ID        int64           `json:"id"`
	Name      string          `json:"name"`
	Kind      string          `json:"kind"`
	BaseURL   string          `json:"base_url" doc:"Empty = the kind's own."`
	Settings  json.RawMessage `json:"settings" doc:"What the kind defines: dialects, version_path…"`
	Enabled   bool            `json:"enabled"`
	CreatedAt time.Time       `json:"created_at"`
}

func providerRecord(p tollgate.Provider) provider {
	return provider{p.ID, p.Name, p.Kind, p.BaseURL, orObject(p.Settings), p.Enabled, p.CreatedAt.UTC()}
}

// orObject is raw, or an empty object where there is none.
func orObject(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return json.RawMessage("{}")
	}
	return raw
}

type providerQuery struct {
	ID      api.Scope[int64]  `json:"id,omitzero"`
	Name    api.Scope[string] `json:"name,omitzero"`
	Kind    api.Scope[string] `json:"kind,omitzero"`
	Enabled api.Scope[bool]   `json:"enabled,omitzero"`
	api.Page
}

type providerWrite struct {
	ID          int64                    `json:"id,omitempty" minimum:"0" doc:"0 or absent = a new one."`
	Name        api.Val[string]          `json:"name,omitzero" maxLength:"63"`
	Kind        api.Val[string]          `json:"kind,omitzero" doc:"openai, anthropic, gemini or openai-compatible."`
	BaseURL     api.Opt[string]          `json:"base_url,omitzero" maxLength:"2048" doc:"A change of scheme, host or port needs every secret anew, or drop_secrets."`
	Settings    api.Opt[json.RawMessage] `json:"settings,omitzero" doc:"An object; the kind defines its keys."`
	Enabled     api.Val[bool]            `json:"enabled,omitzero" doc:"The default is true."`
	Credentials []CredentialFields       `json:"credentials,omitempty" maxItems:"100" doc:"Saved with the provider."`
	DropSecrets bool                     `json:"drop_secrets,omitempty" doc:"Agrees that a change of origin clears the stored secrets."`
}

// CredentialFields are what may be said about a credential. The secret goes in
// and never comes out.
type CredentialFields struct {
	ID      int64           `json:"id,omitempty" minimum:"0" doc:"0 or absent = a new one."`
	Label   api.Opt[string] `json:"label,omitzero" maxLength:"128"`
	APIKey  api.Opt[string] `json:"api_key,omitzero" maxLength:"8192" doc:"The provider's secret. It is stored encrypted and never shown again."`
	Enabled api.Val[bool]   `json:"enabled,omitzero" doc:"The default is true."`
}

func (f CredentialFields) write(providerID int64) upstream.CredentialWrite {
	return upstream.CredentialWrite{ID: f.ID, ProviderID: providerID, Label: f.Label.Opt, Secret: f.APIKey.Opt, Enabled: f.Enabled.Opt}
}

func (s *Server) mountProviders() {
	const tag = "Providers"
	api.Listing[providerQuery, tollgate.Provider, tollgate.ProviderFilter, provider]{
		Op:     reads("/admin/providers/query", tag, "Find providers"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Providers { return tx.Providers }),
		Filter: func(_ context.Context, q providerQuery) (tollgate.ProviderFilter, error) {
			return tollgate.ProviderFilter{ID: q.ID.Match, Name: q.Name.Match, Kind: q.Kind.Match, Enabled: q.Enabled.Match}, nil
		},
		Records: api.Each(providerRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	example := map[string]any{"name": "lab", "kind": "openai", "credentials": []any{map[string]any{"label": "a", "api_key": "…"}}}
	api.Handle(s.API, writes("/admin/providers/upsert", tag, "Create or change a provider", example), func(ctx context.Context, in *providerWrite) (api.Done, error) {
		w := upstream.ProviderWrite{
			ID: in.ID, Name: in.Name.Opt, Kind: in.Kind.Opt, BaseURL: in.BaseURL.Opt, Settings: in.Settings.Opt,
			Enabled: in.Enabled.Opt, DropSecrets: in.DropSecrets,
		}
		for _, c := range in.Credentials {
			w.Credentials = append(w.Credentials, c.write(0))
		}
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
			p, err := s.Catalog.SaveProvider(ctx, tx, by, w)
			return p.ID, err
		})
	})
	s.mountDelete(writes("/admin/providers/delete", tag, "Delete a provider with credentials, models and permissions on it", nil), s.Catalog.DeleteProvider)
}

// credential is the JSON of a credential. There is no field for the secret.
type credential struct {
	ID          int64     `json:"id"`
	ProviderID  int64     `json:"provider_id"`
	Label       string    `json:"label"`
	Origin      string    `json:"origin" doc:"The only origin the secret is ever sent to."`
	Last4       string    `json:"last4"`
	Fingerprint string    `json:"fingerprint"`
	Enabled     bool      `json:"enabled"`
	NeedsSecret bool      `json:"needs_secret"`
	CreatedAt   time.Time `json:"created_at"`
}

type credentialQuery struct {
	ID         api.Scope[int64] `json:"id,omitzero"`
	ProviderID api.Scope[int64] `json:"provider_id,omitzero"`
	Enabled    api.Scope[bool]  `json:"enabled,omitzero"`
	api.Page
}

type credentialWrite struct {
	ProviderID int64 `json:"provider_id,omitempty" minimum:"0" doc:"Required for a new one."`
	CredentialFields
}

type credentialStatus struct {
	CredentialID int64      `json:"credential_id"`
	ProviderID   int64      `json:"provider_id"`
	State        string     `json:"state" enum:"unknown,ok,failing,cooling,unreadable,needs_secret,disabled"`
	LastSuccess  *time.Time `json:"last_success_at"`
	LastFailure  *time.Time `json:"last_failure_at"`
	CoolUntil    *time.Time `json:"cool_until"`
	Failures     int64      `json:"failures" doc:"In a row."`
	ErrorClass   string     `json:"error_class"`
	Status       int        `json:"status" doc:"The provider's last HTTP status; 0 = none came."`
}

type statusQuery struct {
	CredentialID api.Scope[int64]  `json:"credential_id,omitzero"`
	ProviderID   api.Scope[int64]  `json:"provider_id,omitzero"`
	State        api.Scope[string] `json:"state,omitzero"`
}

func (s *Server) mountCredentials() {
	const tag = "Credentials"
	api.Listing[credentialQuery, tollgate.Credential, tollgate.CredentialFilter, credential]{
		Op:     reads("/admin/credentials/query", tag, "Find credentials; secrets are never shown"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Credentials { return tx.Credentials }),
		Filter: func(_ context.Context, q credentialQuery) (tollgate.CredentialFilter, error) {
			return tollgate.CredentialFilter{ID: q.ID.Match, ProviderID: q.ProviderID.Match, Enabled: q.Enabled.Match}, nil
		},
		Records: api.Each(func(c tollgate.Credential) credential {
			return credential{c.ID, c.ProviderID, c.Label, c.Origin, c.Last4, c.Fingerprint, c.Enabled, c.NeedsSecret(), c.CreatedAt.UTC()}
		}),
	}.Mount(s.API, s.Store, s.Cursors)
	example := map[string]any{"provider_id": 1, "label": "a", "api_key": "…"}
	api.Handle(s.API, writes("/admin/credentials/upsert", tag, "Create or change a credential", example), func(ctx context.Context, in *credentialWrite) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
			if err := providerThere(ctx, tx, in.ProviderID); err != nil {
				return 0, err
			}
			c, err := s.Catalog.SaveCredential(ctx, tx, by, in.write(in.ProviderID))
			return c.ID, err
		})
	})
	s.mountDelete(writes("/admin/credentials/delete", tag, "Delete a credential", nil), s.Catalog.DeleteCredential)
	api.Handle(s.API, reads("/admin/credential-statuses/query", tag, "Show how the credentials fare at their providers"), s.statuses)
}

func (s *Server) statuses(_ context.Context, in *statusQuery) ([]credentialStatus, error) {
	recs := []credentialStatus{}
	for _, c := range s.Statuses() {
		if !fits(in.CredentialID, c.CredentialID) || !fits(in.ProviderID, c.ProviderID) || !fits(in.State, c.State) {
			continue
		}
		recs = append(recs, credentialStatus{
			c.CredentialID, c.ProviderID, c.State, api.Stamp(c.LastSuccess), api.Stamp(c.LastFailure), api.Stamp(c.CoolUntil), c.Failures, c.Class, c.Status,
		})
	}
	return recs, nil
}

func fits[T comparable](s api.Scope[T], v T) bool { return !s.Set || slices.Contains(s.Values, v) }

// providerThere makes an unknown provider a 404, as every unknown id is; 0 is
// left for the rules to judge.
func providerThere(ctx context.Context, tx tollgate.Tx, id int64) error {
	if id == 0 {
		return nil
	}
	_, err := tx.Providers.Get(ctx, id)
	return missing(err, "provider", id)
}
