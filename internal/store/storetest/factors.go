package storetest

import (
	"context"
	"time"

	"tollgate"
)

func testFactors(b *bench) {
	t := b.t
	f := stored(t, b)
	code := tollgate.Factor{UserID: f.root.ID, Kind: tollgate.FactorRecovery, Handle: []byte("code"), Confirmed: true, CreatedAt: day()}
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Factors.Insert(ctx, &code) })
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		got, err := tx.Factors.ByHandle(ctx, tollgate.FactorRecovery, []byte("code"))
		must(t, err)
		same(t, got, code)
		_, err = tx.Factors.ByHandle(ctx, tollgate.FactorPasskey, []byte("code"))
		wantCode(t, err, tollgate.CodeNotFound)
		_, err = tx.Factors.ByHandle(ctx, tollgate.FactorPasskey, []byte("other"))
		wantCode(t, err, tollgate.CodeNotFound)
		same(t, all[tollgate.Factor](ctx, t, tx.Factors, tollgate.FactorFilter{UserID: tollgate.Is(f.user.ID)}), []tollgate.Factor{f.factor})
		same(t, all[tollgate.Factor](ctx, t, tx.Factors, tollgate.FactorFilter{Kind: tollgate.Is(tollgate.FactorRecovery)}), []tollgate.Factor{code})
		return nil
	})
	spend := func(digest string) (err error) {
		b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
			err = tx.Factors.Spend(ctx, []byte(digest), day().Add(5*time.Minute))
			return nil
		})
		return err
	}
	must(t, spend("a"))
	must(t, spend("b"))
	wantCode(t, spend("a"), tollgate.CodeConflict)
	b.reopen(t)
	wantCode(t, spend("b"), tollgate.CodeConflict)
	forget := func(at time.Time) {
		b.update(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Factors.Forget(ctx, at) })
	}
	forget(day())
	wantCode(t, spend("a"), tollgate.CodeConflict)
	forget(day().Add(time.Hour))
	must(t, spend("a"))
}
