package storetest

import (
	"context"

	"tollgate"
)

func testConfigVersions(b *bench) {
	t := b.t
	old, now := tollgate.ConfigText{Digest: "aa", Text: []byte("a = 1\n")}, tollgate.ConfigText{Digest: "bb", Text: nil}
	first := tollgate.ConfigVersion{
		At: day(), ActorID: 3, ActorName: "root", Via: "session", Origin: tollgate.ConfigRolledBack, RolledBackTo: 7, Created: 1, Updated: 2, Deleted: 3,
	}
	target := tollgate.SyncTarget{
		Name: "git", Kind: tollgate.SyncWebDAV, Location: "https://dav.example.com/t.toml", File: "f", Username: "u", Password: []byte{1}, Passphrase: []byte{2},
		WithSecrets: true, Seen: "etag", PushedAt: day(), PulledAt: day(), CreatedAt: day(),
	}
	second := first
	second.Origin, second.RolledBackTo, second.ActorID = tollgate.ConfigImported, 0, 0
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		must(t, tx.ConfigTexts.Insert(ctx, &old))
		must(t, tx.ConfigTexts.Insert(ctx, &now))
		again := tollgate.ConfigText{Digest: "aa"}
		wantField(t, tx.ConfigTexts.Insert(ctx, &again), tollgate.CodeConflict, "digest")
		first.BeforeID, first.AfterID = old.ID, now.ID
		second.BeforeID, second.AfterID = now.ID, now.ID
		must(t, tx.ConfigVersions.Insert(ctx, &first))
		must(t, tx.ConfigVersions.Insert(ctx, &second))
		bad := first
		bad.Origin = "chance"
		wantField(t, tx.ConfigVersions.Insert(ctx, &bad), tollgate.CodeInvalid, "origin")
		must(t, tx.SyncTargets.Insert(ctx, &target))
		twice := target
		wantField(t, tx.SyncTargets.Insert(ctx, &twice), tollgate.CodeConflict, "name")
		twice.Name, twice.Kind = "other", "pigeon"
		wantField(t, tx.SyncTargets.Insert(ctx, &twice), tollgate.CodeInvalid, "kind")
		return nil
	})
	b.reopen(t)
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		versions, _, err := tx.ConfigVersions.Query(ctx, tollgate.ConfigVersionFilter{}, tollgate.Page{})
		must(t, err)
		same(t, versions, []tollgate.ConfigVersion{first, second})
		versions, _, err = tx.ConfigVersions.Query(ctx, tollgate.ConfigVersionFilter{Origin: tollgate.Is(tollgate.ConfigImported), ActorID: tollgate.Is(int64(0))}, tollgate.Page{})
		must(t, err)
		same(t, versions, []tollgate.ConfigVersion{second})
		texts, _, err := tx.ConfigTexts.Query(ctx, tollgate.ConfigTextFilter{Digest: tollgate.Is("aa")}, tollgate.Page{})
		must(t, err)
		same(t, texts, []tollgate.ConfigText{old})
		targets, _, err := tx.SyncTargets.Query(ctx, tollgate.SyncTargetFilter{Name: tollgate.Is("git"), Kind: tollgate.Is(tollgate.SyncWebDAV)}, tollgate.Page{})
		must(t, err)
		same(t, targets, []tollgate.SyncTarget{target})
		return nil
	})
	target.Password, target.Passphrase, target.Seen = nil, nil, ""
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		must(t, tx.SyncTargets.Update(ctx, target))
		must(t, tx.ConfigVersions.Delete(ctx, first.ID))
		return tx.ConfigTexts.Delete(ctx, old.ID)
	})
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		got, err := tx.SyncTargets.Get(ctx, target.ID)
		must(t, err)
		same(t, got, target)
		return nil
	})
}
