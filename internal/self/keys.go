package self

import (
	"context"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web/api"
)

type keyQuery struct {
	ID      api.Scope[int64]  `json:"id,omitzero"`
	Enabled api.Scope[bool]   `json:"enabled,omitzero"`
	Label   api.Scope[string] `json:"label,omitzero"`
	api.Page
}

type keyGenerate struct {
	api.KeyFields
	api.KeyMoney
}

type keyUpdate struct {
	ID int64 `json:"id" required:"true" minimum:"1"`
	api.KeyFields
	api.KeyMoney
}

type keyEnabled struct {
	ID      int64 `json:"id" required:"true" minimum:"1"`
	Enabled bool  `json:"enabled" required:"true"`
	Cascade bool  `json:"cascade,omitempty" doc:"Also the keys that were made by this key."`
}

type keyRotate struct {
	ID          int64 `json:"id" required:"true" minimum:"1"`
	OverlapSecs int64 `json:"overlap_secs,omitempty" minimum:"0" maximum:"7776000" doc:"How long the old key works beside the new one."`
}

type keyDelete struct {
	ID      int64 `json:"id" required:"true" minimum:"1"`
	Cascade bool  `json:"cascade,omitempty" doc:"Also the keys that were made by this key."`
}

func (s *Server) mountKeys() {
	api.Listing[keyQuery, tollgate.Key, tollgate.KeyFilter, api.Key]{
		Op:     reads("/user/keys/query", "Show the own keys; secrets are never shown"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Keys { return tx.Keys }),
		Filter: func(ctx context.Context, q keyQuery) (tollgate.KeyFilter, error) {
			return tollgate.KeyFilter{ID: q.ID.Match, UserID: own(ctx), Enabled: q.Enabled.Match, Label: q.Label.Match}, nil
		},
		Records: api.KeyRecords,
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, writes("/user/keys/generate", "Make a key; it is shown this once", map[string]any{"label": "laptop"}), s.generate)
	api.Handle(s.API, writes("/user/keys/update", "Change label, bounds and budgets of a key", map[string]any{"id": 7, "quotas": []any{map[string]any{"window": "day", "quota": 2}}}), s.updateKey)
	api.Handle(s.API, writes("/user/keys/update-enabled", "Enable or disable a key, in force when this returns", map[string]any{"id": 7, "enabled": false}),
		func(ctx context.Context, in *keyEnabled) (api.Done, error) {
			return api.Done{OK: true, ID: in.ID}, s.withKey(ctx, in.ID, func(tx tollgate.Tx, by tollgate.Actor) error {
				return s.Accounts.SetKeyEnabled(ctx, tx, by, in.ID, in.Enabled, in.Cascade)
			})
		})
	api.Handle(s.API, writes("/user/keys/rotate", "Replace a key by a new one", map[string]any{"id": 7, "overlap_secs": 3600}),
		func(ctx context.Context, in *keyRotate) (made api.NewKey, err error) {
			err = s.withKey(ctx, in.ID, func(tx tollgate.Tx, by tollgate.Actor) error {
				k, secret, err := s.Accounts.RotateKey(ctx, tx, by, in.ID, time.Duration(in.OverlapSecs)*time.Second)
				made = api.NewKey{OK: true, ID: k.ID, APIKey: secret.Reveal()}
				return err
			})
			return made, err
		})
	api.Handle(s.API, writes("/user/keys/delete", "Delete a key, in force when this returns", map[string]any{"id": 7}),
		func(ctx context.Context, in *keyDelete) (api.Done, error) {
			return api.Done{OK: true, ID: in.ID}, s.withKey(ctx, in.ID, func(tx tollgate.Tx, by tollgate.Actor) error {
				return s.Accounts.DeleteKey(ctx, tx, by, in.ID, in.Cascade)
			})
		})
}

func (s *Server) updateKey(ctx context.Context, in *keyUpdate) (api.Done, error) {
	b, err := in.Bounds()
	if err != nil {
		return api.Done{}, err
	}
	return api.Done{OK: true, ID: in.ID}, s.withKey(ctx, in.ID, func(tx tollgate.Tx, by tollgate.Actor) error {
		_, err := s.Accounts.UpdateKey(ctx, tx, by, auth.KeyPatch{
			ID: in.ID, Label: in.Label.Opt, ExpiresAt: in.ExpiresAt.Opt, Models: in.Models.Opt, IPAllow: api.WithValue(in.IPAllow, b.IPAllow),
			Surfaces: api.WithValue(in.Surfaces, b.Surfaces), OnLeave: api.WithValue(in.OnLeave, b.OnLeave),
		})
		if err != nil {
			return err
		}
		return s.Accounts.BoundKey(ctx, tx, by, in.ID, in.QuotaRows(), in.LimitRows())
	})
}

func (s *Server) generate(ctx context.Context, in *keyGenerate) (made api.NewKey, err error) {
	b, err := in.Bounds()
	if err != nil {
		return made, err
	}
	by := api.Actor(ctx)
	err = s.Store.Update(ctx, func(tx tollgate.Tx) error {
		k, secret, err := s.Accounts.GenerateKey(ctx, tx, by, auth.KeyWrite{
			UserID: caller(ctx), Label: b.Label, ExpiresAt: b.ExpiresAt, Models: b.Models, IPAllow: b.IPAllow, Surfaces: b.Surfaces, OnLeave: b.OnLeave,
		})
		if err != nil {
			return err
		}
		made = api.NewKey{OK: true, ID: k.ID, APIKey: secret.Reveal()}
		return s.Accounts.BoundKey(ctx, tx, by, k.ID, in.QuotaRows(), in.LimitRows())
	})
	return made, err
}

// withKey runs fn in a transaction if the key is the caller's: an admin, too,
// finds only their own keys here.
func (s *Server) withKey(ctx context.Context, id int64, fn func(tollgate.Tx, tollgate.Actor) error) error {
	by := api.Actor(ctx)
	return s.Store.Update(ctx, func(tx tollgate.Tx) error {
		k, err := tx.Keys.Get(ctx, id)
		if tollgate.ErrorCode(err) == tollgate.CodeNotFound || err == nil && k.UserID != caller(ctx) {
			return missing("key", id)
		}
		if err != nil {
			return err
		}
		return fn(tx, by)
	})
}
