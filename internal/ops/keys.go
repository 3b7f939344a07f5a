package ops

import (
	"context"

	"tollgate"
	"tollgate/internal/auth"
)

func viewKey(k tollgate.Key, user string) Key {
	return Key{
		ID: k.ID, User: user, Label: k.Label, Enabled: k.Enabled, Prefix: k.Prefix, Last4: k.Last4,
		NeedsSecret: k.NeedsSecret, ExpiresAt: k.ExpiresAt, LastUsedAt: k.LastUsedAt,
	}
}

func (h *Host) keyList(ctx context.Context, a KeyArgs, _ Report) ([]Key, error) {
	out := []Key{}
	err := h.Store.View(ctx, func(tx tollgate.Tx) error {
		filter := tollgate.KeyFilter{}
		if a.User != "" {
			u, err := userByName(ctx, tx, a.User)
			if err != nil {
				return err
			}
			filter.UserID = tollgate.Is(u.ID)
		}
		users, _, err := tx.Users.Query(ctx, tollgate.UserFilter{}, tollgate.Page{All: true})
		if err != nil {
			return err
		}
		names := map[int64]string{}
		for _, u := range users {
			names[u.ID] = u.Name
		}
		keys, _, err := tx.Keys.Query(ctx, filter, tollgate.Page{All: true})
		for _, k := range keys {
			out = append(out, viewKey(k, names[k.UserID]))
		}
		return err
	})
	return out, err
}

func (h *Host) keyCreate(ctx context.Context, a KeyArgs, _ Report) (Key, error) {
	w := auth.KeyWrite{Label: a.Label, Models: a.Models, Surfaces: a.Surfaces}
	if a.ExpiresIn < 0 {
		return Key{}, tollgate.Invalidf("expires_in", "a key cannot expire in the past")
	}
	if a.ExpiresIn > 0 {
		w.ExpiresAt = h.Accounts.Now().Add(a.ExpiresIn)
	}
	var out Key
	err := h.Store.Update(ctx, func(tx tollgate.Tx) error {
		u, err := userByName(ctx, tx, a.User)
		if err != nil {
			return err
		}
		w.UserID = u.ID
		k, secret, err := h.Accounts.GenerateKey(ctx, tx, operator(), w)
		out = viewKey(k, u.Name)
		out.APIKey = secret.Reveal()
		return err
	})
	return out, err
}

func (h *Host) keyEnable(ctx context.Context, a KeyArgs, _ Report) (None, error) {
	return None{}, h.Store.Update(ctx, func(tx tollgate.Tx) error {
		return h.Accounts.SetKeyEnabled(ctx, tx, operator(), a.ID, a.Enabled, a.Cascade)
	})
}

func (h *Host) keyRotate(ctx context.Context, a KeyArgs, _ Report) (Key, error) {
	var out Key
	err := h.Store.Update(ctx, func(tx tollgate.Tx) error {
		k, secret, err := h.Accounts.RotateKey(ctx, tx, operator(), a.ID, a.Overlap)
		if err != nil {
			return err
		}
		u, err := tx.Users.Get(ctx, k.UserID)
		out = viewKey(k, u.Name)
		out.APIKey = secret.Reveal()
		return err
	})
	return out, err
}

func (h *Host) keyDelete(ctx context.Context, a KeyArgs, _ Report) (None, error) {
	return None{}, h.Store.Update(ctx, func(tx tollgate.Tx) error {
		return h.Accounts.DeleteKey(ctx, tx, operator(), a.ID, a.Cascade)
	})
}
