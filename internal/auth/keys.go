package auth

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"tollgate"
)

// Bounds of a key's restrictions.
const (
	maxRestrictions = 100                 // globs, or networks, per key
	maxOverlap      = 90 * 24 * time.Hour // of a rotation
)

// KeyWrite is a new key.
type KeyWrite struct {
	UserID    int64
	Label     string
	Enabled   tollgate.Opt[bool] // absent: true
	ExpiresAt time.Time          // zero = never
	Models    []string
	IPAllow   []netip.Prefix
	Surfaces  []tollgate.Surface
	// TeamID makes it a key of its owner's team, on the LLM surface; 0 = none.
	TeamID   int64
	OnLeave  tollgate.LeavePolicy
	Payloads tollgate.PayloadMode
}

// KeyPatch changes a key; absent fields stay, null clears.
type KeyPatch struct {
	ID        int64
	Label     tollgate.Opt[string]
	ExpiresAt tollgate.Opt[time.Time]
	Models    tollgate.Opt[[]string]
	IPAllow   tollgate.Opt[[]netip.Prefix]
	Surfaces  tollgate.Opt[[]tollgate.Surface]
	OnLeave   tollgate.Opt[tollgate.LeavePolicy]
	Payloads  tollgate.Opt[tollgate.PayloadMode]
}

// GenerateKey makes a key for a user and returns it in clear, this once.
func (a *Accounts) GenerateKey(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w KeyWrite) (tollgate.Key, tollgate.Secret, error) {
	secret, err := NewKey(a.Rand)
	if err != nil {
		return tollgate.Key{}, secret, err
	}
	k, err := a.addKey(ctx, tx, by, w, secret, "key.generate")
	return k, secret, err
}

// actionImportKey is what the audit calls a key that was known already.
const actionImportKey = "key.import"

// ImportKey adds a key that is known already. An empty one makes a key that
// needs a secret: disabled until it is rotated. A key that somebody has is
// CodeConflict.
func (a *Accounts) ImportKey(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w KeyWrite, secret tollgate.Secret) (tollgate.Key, error) {
	if !secret.Empty() {
		if err := CheckKey("api_key", secret); err != nil {
			return tollgate.Key{}, err
		}
	}
	return a.addKey(ctx, tx, by, w, secret, actionImportKey)
}

func (a *Accounts) addKey(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w KeyWrite, secret tollgate.Secret, action string) (tollgate.Key, error) {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return tollgate.Key{}, err
	}
	owner, err := tx.Users.Get(ctx, w.UserID)
	if err != nil {
		return tollgate.Key{}, missing(err, "user", w.UserID)
	}
	if err := who.holds(owner, errMissing("user", w.UserID)); err != nil {
		return tollgate.Key{}, err
	}
	return a.makeKey(ctx, tx, who, owner, w, secret, action)
}

// makeKey adds a key for owner, whom the actor may make keys for.
func (a *Accounts) makeKey(ctx context.Context, tx tollgate.Tx, who actor, owner tollgate.User, w KeyWrite, secret tollgate.Secret, action string) (tollgate.Key, error) {
	k := tollgate.Key{
		UserID: owner.ID, Label: w.Label, Enabled: w.Enabled.Or(true), ExpiresAt: w.ExpiresAt, CreatedAt: a.Now(),
		CreatedByKeyID: who.by.Principal.KeyID(), Models: w.Models, IPAllow: w.IPAllow, Surfaces: w.Surfaces, TeamID: w.TeamID,
		OnLeave: w.OnLeave, Payloads: w.Payloads,
	}
	if k.TeamID != 0 && k.TeamID != owner.TeamID {
		return k, tollgate.Invalidf("team", "a key of a team is for a member of it")
	}
	if err := a.checkKeyRow(&k, who.host || action == actionImportKey); err != nil {
		return k, err
	}
	if err := a.within(ctx, tx, who, k); err != nil {
		return k, err
	}
	if err := a.store(ctx, tx, &k, secret, func() error { return tx.Keys.Insert(ctx, &k) }); err != nil {
		return k, err
	}
	return k, a.audit(ctx, tx, who, action, "key", k.ID, nil, viewKey(k))
}

// store gives k its secret and writes it with put, which sets the id that the
// ciphertext is bound to.
func (a *Accounts) store(ctx context.Context, tx tollgate.Tx, k *tollgate.Key, secret tollgate.Secret, put func() error) error {
	k.NeedsSecret, k.Sealed = secret.Empty(), nil
	if k.NeedsSecret {
		// Digests are unique, so that a key without a secret has one of a
		// value that nobody knows.
		unknown, err := NewKey(a.Rand)
		if err != nil {
			return err
		}
		digest := a.Keys.MAC(purposeClientKey+" none", []byte(unknown.Reveal()))
		k.Digest, k.Enabled = digest[:], false
		return put()
	}
	digest := a.Keys.MAC(purposeClientKey, []byte(secret.Reveal()))
	k.Digest = digest[:]
	k.Prefix, k.Last4 = shown(secret.Reveal())
	if a.Reserved != nil && a.Reserved(k.Digest) {
		return tollgate.Invalidf("api_key", "this key is the access key of the server; choose another")
	}
	if err := put(); err != nil {
		return err
	}
	if !a.SealKeys {
		return nil
	}
	sealed, err := a.Sealer.Seal(KeyLabel(k.ID), []byte(secret.Reveal()))
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "seal key")
	}
	k.Sealed = sealed
	return tx.Keys.Update(ctx, *k)
}

// KeyLabel names the place of a client key's ciphertext.
func KeyLabel(id int64) tollgate.Label {
	return tollgate.Label{Table: "keys", Column: "sealed", Row: id}
}

// checkKeyRow checks and tidies the restrictions of a key. An expiry in the
// past is refused unless pastOK: an import takes what is there.
func (a *Accounts) checkKeyRow(k *tollgate.Key, pastOK bool) error {
	if err := tollgate.ValidLabel("label", k.Label); err != nil {
		return err
	}
	if !pastOK && k.Expired(a.Now()) {
		return tollgate.Invalidf("expires_at", "expires_at lies in the past")
	}
	if !k.OnLeave.Valid() {
		return tollgate.Invalidf("on_leave", "on_leave is cancel or drain")
	}
	if !k.Payloads.Valid() {
		return tollgate.Invalidf("payloads", "payloads is off, errors or all")
	}
	if len(k.Models) > maxRestrictions || len(k.IPAllow) > maxRestrictions {
		return tollgate.Invalidf("models", "a key has at most %d model patterns and as many networks", maxRestrictions)
	}
	for _, p := range k.Models {
		if err := tollgate.ValidPattern("models", p); err != nil {
			return err
		}
	}
	k.IPAllow = slices.Clone(k.IPAllow)
	for i, p := range k.IPAllow {
		if !p.IsValid() {
			return tollgate.Invalidf("ip_allow", "ip_allow holds what is not a network")
		}
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		k.IPAllow[i] = p.Masked()
	}
	if k.TeamID != 0 && !slices.Equal(k.Surfaces, teamSurfaces()) {
		return tollgate.Invalidf("surfaces", "a key of a team serves model calls only: its surface is llm")
	}
	for _, s := range k.Surfaces {
		switch s {
		case tollgate.SurfaceLLM, tollgate.SurfaceUser, tollgate.SurfaceAdmin:
		default:
			return tollgate.Invalidf("surfaces", "a surface is llm, user or admin")
		}
	}
	return nil
}

// within refuses a key that would reach further than the key that makes it
// for the same owner. Use is bounded again by what the maker may then
// (SECURITY Z-08); an admin's authority over others' keys is their role's.
func (a *Accounts) within(ctx context.Context, tx tollgate.Tx, who actor, k tollgate.Key) error {
	if k.CreatedByKeyID == 0 || !who.self(k.UserID) {
		return nil
	}
	maker, err := tx.Keys.Get(ctx, k.CreatedByKeyID)
	if err != nil {
		return gone(err)
	}
	for _, s := range k.Surfaces {
		if len(maker.Surfaces) > 0 && !slices.Contains(maker.Surfaces, s) {
			return tollgate.Errorf(tollgate.CodeForbidden, "a key cannot make one that reaches the %s surface: it does not reach it itself", s)
		}
	}
	return nil
}

// ownedKey returns a key and its owner, after checking that the actor may
// touch it.
func (a *Accounts) ownedKey(ctx context.Context, tx tollgate.Tx, who actor, id int64) (k tollgate.Key, err error) {
	if k, err = tx.Keys.Get(ctx, id); err != nil {
		return k, missing(err, "key", id)
	}
	owner, err := tx.Users.Get(ctx, k.UserID)
	if err != nil {
		return k, missing(err, "key", id)
	}
	return k, who.holds(owner, errMissing("key", id))
}

// UpdateKey changes a key's label and restrictions.
func (a *Accounts) UpdateKey(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w KeyPatch) (tollgate.Key, error) {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return tollgate.Key{}, err
	}
	old, err := a.ownedKey(ctx, tx, who, w.ID)
	if err != nil {
		return old, err
	}
	k := old
	k.Label, k.ExpiresAt = w.Label.Or(k.Label), w.ExpiresAt.Or(k.ExpiresAt)
	k.Models, k.IPAllow, k.Surfaces = w.Models.Or(k.Models), w.IPAllow.Or(k.IPAllow), w.Surfaces.Or(k.Surfaces)
	k.OnLeave, k.Payloads = w.OnLeave.Or(k.OnLeave), w.Payloads.Or(k.Payloads)
	if err := a.checkKeyRow(&k, !w.ExpiresAt.Set); err != nil {
		return old, err
	}
	if w.Surfaces.Set || w.Models.Set {
		if err := a.within(ctx, tx, who, k); err != nil {
			return old, err
		}
	}
	if err := tx.Keys.Update(ctx, k); err != nil {
		return old, err
	}
	if w.Surfaces.Set || w.ExpiresAt.Set {
		if err := a.keepWayIn(ctx, tx, k.UserID); err != nil {
			return old, err
		}
	}
	return k, a.audit(ctx, tx, who, "key.update", "key", k.ID, viewKey(old), viewKey(k))
}

// SetKeyEnabled enables or disables a key; with cascade also the keys that
// were made by it, theirs and so on. A key that needs a secret cannot be
// enabled (CodeConflict).
func (a *Accounts) SetKeyEnabled(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64, enabled, cascade bool) error {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return err
	}
	keys, err := a.family(ctx, tx, who, id, cascade)
	if err != nil {
		return err
	}
	return a.setKeysEnabled(ctx, tx, who, keys, enabled)
}

// setKeysEnabled enables or disables keys. Of those that need a secret only the
// first is an error.
func (a *Accounts) setKeysEnabled(ctx context.Context, tx tollgate.Tx, who actor, keys []tollgate.Key, enabled bool) error {
	for i, old := range keys {
		if old.Enabled == enabled {
			continue
		}
		if enabled && old.NeedsSecret {
			if i > 0 {
				continue
			}
			return tollgate.Errorf(tollgate.CodeConflict, "this key was imported without its secret; rotate it to give it one")
		}
		k := old
		k.Enabled = enabled
		if err := tx.Keys.Update(ctx, k); err != nil {
			return err
		}
		if !enabled {
			if err := a.keepWayIn(ctx, tx, k.UserID); err != nil {
				return err
			}
		}
		if err := a.audit(ctx, tx, who, "key.update_enabled", "key", k.ID, viewKey(old), viewKey(k)); err != nil {
			return err
		}
	}
	return nil
}

// DeleteKey removes a key; with cascade also the keys that were made by it,
// theirs and so on.
func (a *Accounts) DeleteKey(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64, cascade bool) error {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return err
	}
	keys, err := a.family(ctx, tx, who, id, cascade)
	if err != nil {
		return err
	}
	for _, k := range slices.Backward(keys) {
		if err := a.dropKey(ctx, tx, who, k); err != nil {
			return err
		}
	}
	return nil
}

func (a *Accounts) dropKey(ctx context.Context, tx tollgate.Tx, who actor, k tollgate.Key) error {
	if err := tx.Keys.Delete(ctx, k.ID); err != nil {
		return err
	}
	if err := a.keepWayIn(ctx, tx, k.UserID); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "key.delete", "key", k.ID, viewKey(k), nil)
}

// family returns the key and, with cascade, all its descendants, ancestors
// first, each checked to be the actor's to touch.
func (a *Accounts) family(ctx context.Context, tx tollgate.Tx, who actor, id int64, cascade bool) ([]tollgate.Key, error) {
	first, err := a.ownedKey(ctx, tx, who, id)
	if err != nil {
		return nil, err
	}
	keys, seen := []tollgate.Key{first}, map[int64]bool{id: true}
	for i := 0; cascade && i < len(keys); i++ {
		children, _, err := tx.Keys.Query(ctx, tollgate.KeyFilter{CreatedByKeyID: tollgate.Is(keys[i].ID)}, all())
		if err != nil {
			return nil, err
		}
		for _, c := range children {
			if seen[c.ID] {
				continue
			}
			seen[c.ID] = true
			if _, err := a.ownedKey(ctx, tx, who, c.ID); err != nil {
				return nil, err
			}
			keys = append(keys, c)
		}
	}
	return keys, nil
}

// RotateKey makes a successor with the same owner, restrictions and expiry
// and returns it in clear, this once; the old key works for overlap more, 0 =
// not at all. A key that was imported without its secret gets one in place.
func (a *Accounts) RotateKey(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64, overlap time.Duration) (tollgate.Key, tollgate.Secret, error) {
	none := tollgate.Secret{}
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return tollgate.Key{}, none, err
	}
	old, err := a.ownedKey(ctx, tx, who, id)
	if err != nil {
		return old, none, err
	}
	now := a.Now()
	switch {
	case overlap < 0 || overlap > maxOverlap:
		return old, none, tollgate.Invalidf("overlap_secs", "the overlap is 0 to %d seconds", int64(maxOverlap/time.Second))
	case old.Expired(now):
		return old, none, tollgate.Errorf(tollgate.CodeConflict, "this key has expired; generate a new one")
	case !old.Enabled && !old.NeedsSecret:
		return old, none, tollgate.Errorf(tollgate.CodeConflict, "this key is disabled; enable it first")
	}
	secret, err := NewKey(a.Rand)
	if err != nil {
		return old, none, err
	}
	if old.NeedsSecret {
		k := old
		k.Enabled = true
		if err := a.store(ctx, tx, &k, secret, func() error { return tx.Keys.Update(ctx, k) }); err != nil {
			return old, none, err
		}
		return k, secret, a.audit(ctx, tx, who, "key.rotate", "key", k.ID, viewKey(old), viewKey(k))
	}
	next := tollgate.Key{
		UserID: old.UserID, Label: old.Label, Enabled: true, ExpiresAt: old.ExpiresAt, CreatedAt: now,
		CreatedByKeyID: old.CreatedByKeyID, Models: old.Models, IPAllow: old.IPAllow, Surfaces: old.Surfaces, TeamID: old.TeamID,
		OnLeave: old.OnLeave, Payloads: old.Payloads,
	}
	if err := a.store(ctx, tx, &next, secret, func() error { return tx.Keys.Insert(ctx, &next) }); err != nil {
		return old, none, err
	}
	if err := a.inheritBounds(ctx, tx, who, old.ID, next.ID); err != nil {
		return old, none, err
	}
	was := old
	if end := now.Add(overlap); old.ExpiresAt.IsZero() || end.Before(old.ExpiresAt) {
		old.ExpiresAt = end
	}
	if err := tx.Keys.Update(ctx, old); err != nil {
		return old, none, err
	}
	if err := a.audit(ctx, tx, who, "key.rotate", "key", old.ID, viewKey(was), viewKey(old)); err != nil {
		return old, none, err
	}
	return next, secret, a.audit(ctx, tx, who, "key.generate", "key", next.ID, nil, viewKey(next))
}

// inheritBounds gives a rotated key's quotas, with what is spent of them, and
// its limits to the successor: a key must not shed them by rotation.
func (a *Accounts) inheritBounds(ctx context.Context, tx tollgate.Tx, who actor, from, to int64) error {
	all := tollgate.Page{All: true}
	quotas, _, err := tx.Quotas.Query(ctx, tollgate.QuotaFilter{Scope: tollgate.Is(tollgate.ScopeKey), ScopeID: tollgate.Is(from)}, all)
	if err != nil {
		return err
	}
	for _, q := range quotas {
		spent := q.SpentAt(a.Now(), cmp.Or(a.Zone, time.UTC))
		heir := tollgate.Quota{Scope: q.Scope, ScopeID: to, Window: q.Window, Limit: q.Limit}
		if err := tx.Quotas.Insert(ctx, &heir); err != nil {
			return err
		}
		if _, err := a.correct(ctx, tx, who, heir, spent, fmt.Sprintf("taken over from key %d", from)); err != nil {
			return err
		}
	}
	limits, _, err := tx.RateLimits.Query(ctx, tollgate.RateLimitFilter{Scope: tollgate.Is(tollgate.ScopeKey), ScopeID: tollgate.Is(from)}, all)
	if err != nil {
		return err
	}
	for _, l := range limits {
		l.ID, l.ScopeID = 0, to
		if err := tx.RateLimits.Insert(ctx, &l); err != nil {
			return err
		}
	}
	return nil
}

// keyView is a key as the audit shows it.
type keyView struct {
	ID             int64              `json:"id"`
	UserID         int64              `json:"user_id"`
	Label          string             `json:"label"`
	Enabled        bool               `json:"enabled"`
	Prefix         string             `json:"prefix"`
	Last4          string             `json:"last4"`
	ExpiresAt      *time.Time         `json:"expires_at"`
	CreatedByKeyID int64              `json:"created_by_key_id,omitempty"`
	Models         []string           `json:"models,omitempty"`
	IPAllow        []netip.Prefix     `json:"ip_allow,omitempty"`
	Surfaces       []tollgate.Surface `json:"surfaces,omitempty"`
	TeamID         int64              `json:"team_id,omitempty"`
	NeedsSecret    bool               `json:"needs_secret,omitempty"`

	OnLeave  tollgate.LeavePolicy `json:"on_leave,omitempty"`
	Payloads tollgate.PayloadMode `json:"payloads,omitempty"`
}

func viewKey(k tollgate.Key) keyView {
	v := keyView{
		ID: k.ID, UserID: k.UserID, Label: k.Label, Enabled: k.Enabled, Prefix: k.Prefix, Last4: k.Last4,
		CreatedByKeyID: k.CreatedByKeyID, Models: k.Models, IPAllow: k.IPAllow, Surfaces: k.Surfaces, TeamID: k.TeamID,
		NeedsSecret: k.NeedsSecret,
		OnLeave:     k.OnLeave, Payloads: k.Payloads,
	}
	if !k.ExpiresAt.IsZero() {
		at := k.ExpiresAt.UTC()
		v.ExpiresAt = &at
	}
	return v
}
