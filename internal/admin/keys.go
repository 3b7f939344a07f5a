package admin

import (
	"context"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web/api"
)

type keyQuery struct {
	ID      api.Scope[int64]  `json:"id,omitzero"`
	UserID  api.Scope[int64]  `json:"user_id,omitzero"`
	Enabled api.Scope[bool]   `json:"enabled,omitzero"`
	Label   api.Scope[string] `json:"label,omitzero"`
	api.Page
}

// KeyLog says what is kept of a key's calls. It is the operators' to say, since
// what is kept takes their room.
type KeyLog struct {
	Payloads api.Opt[string] `json:"payloads,omitzero" doc:"off (the default), errors or all: of which requests the bodies are kept, if that is more than [logging] payloads says."`
}

type keyGenerate struct {
	UserID int64 `json:"user_id" required:"true" minimum:"1"`
	api.KeyFields
	api.KeyMoney
	KeyLog
}

type keyEnabled struct {
	ID      int64 `json:"id" required:"true" minimum:"1"`
	Enabled bool  `json:"enabled" required:"true"`
	Cascade bool  `json:"cascade,omitempty" doc:"Also the keys that were made by this key."`
}

type keyUpdate struct {
	ID int64 `json:"id" required:"true" minimum:"1"`
	api.KeyFields
	api.KeyMoney
	KeyLog
}

type keyRotate struct {
	ID          int64 `json:"id" required:"true" minimum:"1"`
	OverlapSecs int64 `json:"overlap_secs,omitempty" minimum:"0" maximum:"7776000" doc:"How long the old key works beside the new one."`
}

type keyDelete struct {
	ID      int64 `json:"id" required:"true" minimum:"1"`
	Cascade bool  `json:"cascade,omitempty" doc:"Also the keys that were made by this key."`
}

type keyBatch struct {
	UserID int64           `json:"user_id" required:"true" minimum:"1"`
	Count  int             `json:"count" required:"true" minimum:"1" maximum:"1000"`
	Label  api.Opt[string] `json:"label,omitzero"`
}

func (s *Server) mountKeys() {
	const tag = "API keys"
	api.Listing[keyQuery, tollgate.Key, tollgate.KeyFilter, api.Key]{
		Op:     reads("/admin/user-keys/query", tag, "Find keys; secrets are never shown"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Keys { return tx.Keys }),
		Filter: func(_ context.Context, q keyQuery) (tollgate.KeyFilter, error) {
			return tollgate.KeyFilter{ID: q.ID.Match, UserID: q.UserID.Match, Enabled: q.Enabled.Match, Label: q.Label.Match}, nil
		},
		Records: api.KeyRecords,
	}.Mount(s.API, s.Store, s.Cursors)
	generate := map[string]any{"user_id": 7, "label": "ci", "models": []string{"gpt-*"}, "expires_at": "2030-01-01T00:00:00Z"}
	api.Handle(s.API, writes("/admin/user-keys/generate", tag, "Make a key; it is shown this once", generate), s.generateKey)
	api.Handle(s.API, writes("/admin/user-keys/update", tag, "Change label and bounds of a key", map[string]any{"id": 7, "label": "ci"}), s.updateKey)
	api.Handle(s.API, writes("/admin/user-keys/update-enabled", tag, "Enable or disable a key, in force when this returns", map[string]any{"id": 7, "enabled": false}),
		func(ctx context.Context, in *keyEnabled) (api.Done, error) {
			return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
				return in.ID, s.Accounts.SetKeyEnabled(ctx, tx, by, in.ID, in.Enabled, in.Cascade)
			})
		})
	api.Handle(s.API, writes("/admin/user-keys/rotate", tag, "Replace a key by a new one", map[string]any{"id": 7, "overlap_secs": 3600}), s.rotateKey)
	api.Handle(s.API, writes("/admin/user-keys/delete", tag, "Delete a key, in force when this returns", map[string]any{"id": 7}),
		func(ctx context.Context, in *keyDelete) (api.Done, error) {
			return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
				return in.ID, s.Accounts.DeleteKey(ctx, tx, by, in.ID, in.Cascade)
			})
		})
	api.Handle(s.API, writes("/admin/user-keys/batch-upsert", tag, "Make several keys for a user", map[string]any{"user_id": 7, "count": 3}), s.generateKeys)
	s.mountBatchDelete(writes("/admin/user-keys/batch-delete", tag, "Delete keys, all or none", nil),
		func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
			return s.Accounts.DeleteKey(ctx, tx, by, id, false)
		})
}

func (s *Server) generateKey(ctx context.Context, in *keyGenerate) (api.NewKey, error) {
	b, err := in.Bounds()
	if err != nil {
		return api.NewKey{}, err
	}
	var made api.NewKey
	err = s.change(ctx, func(tx tollgate.Tx, by tollgate.Actor) error {
		k, secret, err := s.Accounts.GenerateKey(ctx, tx, by, auth.KeyWrite{
			UserID: in.UserID, Label: b.Label, ExpiresAt: b.ExpiresAt, Models: b.Models, IPAllow: b.IPAllow, Surfaces: b.Surfaces, OnLeave: b.OnLeave,
			Payloads: tollgate.PayloadMode(in.Payloads.Value),
		})
		if err != nil {
			return err
		}
		made = api.NewKey{OK: true, ID: k.ID, APIKey: secret.Reveal()}
		return s.boundKey(ctx, tx, by, k.ID, in.KeyMoney)
	})
	return made, err
}

func (s *Server) generateKeys(ctx context.Context, in *keyBatch) ([]api.NewKey, error) {
	made := make([]api.NewKey, 0, in.Count)
	err := s.change(ctx, func(tx tollgate.Tx, by tollgate.Actor) error {
		for range in.Count {
			k, secret, err := s.Accounts.GenerateKey(ctx, tx, by, auth.KeyWrite{UserID: in.UserID, Label: in.Label.Value})
			if err != nil {
				return err
			}
			made = append(made, api.NewKey{OK: true, ID: k.ID, APIKey: secret.Reveal()})
		}
		return nil
	})
	return made, err
}

func (s *Server) updateKey(ctx context.Context, in *keyUpdate) (api.Done, error) {
	b, err := in.Bounds()
	if err != nil {
		return api.Done{}, err
	}
	patch := auth.KeyPatch{
		ID: in.ID, Label: in.Label.Opt, ExpiresAt: in.ExpiresAt.Opt, Models: in.Models.Opt, IPAllow: api.WithValue(in.IPAllow, b.IPAllow),
		Surfaces: api.WithValue(in.Surfaces, b.Surfaces), OnLeave: api.WithValue(in.OnLeave, b.OnLeave),
		Payloads: api.WithValue(in.Payloads, tollgate.PayloadMode(in.Payloads.Value)),
	}
	return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
		if _, err := s.Accounts.UpdateKey(ctx, tx, by, patch); err != nil {
			return 0, err
		}
		return in.ID, s.boundKey(ctx, tx, by, in.ID, in.KeyMoney)
	})
}

func (s *Server) rotateKey(ctx context.Context, in *keyRotate) (api.NewKey, error) {
	var made api.NewKey
	err := s.change(ctx, func(tx tollgate.Tx, by tollgate.Actor) error {
		k, secret, err := s.Accounts.RotateKey(ctx, tx, by, in.ID, time.Duration(in.OverlapSecs)*time.Second)
		made = api.NewKey{OK: true, ID: k.ID, APIKey: secret.Reveal()}
		return err
	})
	return made, err
}

// boundKey replaces the quotas and limits of a key by those given.
func (s *Server) boundKey(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64, f api.KeyMoney) error {
	return s.Accounts.BoundKey(ctx, tx, by, id, f.QuotaRows(), f.LimitRows())
}

func orDefault(s, def string) string {
	if s == "" {
		return def
	}
	return s
}
