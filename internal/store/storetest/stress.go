package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
)

// parallel runs fn n times at once and fails on any error.
func parallel(t *testing.T, n int, fn func(i int) error) {
	t.Helper()
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = fn(i) })
	}
	wg.Wait()
	must(t, errors.Join(errs...))
}

// testOneSuperAdmin is SECURITY B-01: of many who try at once, one succeeds.
func testOneSuperAdmin(b *bench) {
	t := b.t
	const attempts = 50
	var won atomic.Int64
	parallel(t, attempts, func(i int) error {
		err := b.s.Update(t.Context(), func(tx tollgate.Tx) error {
			u := tollgate.User{Name: fmt.Sprint("admin", i), Role: tollgate.RoleUser}
			if i%2 == 0 { // half by insert, half by promotion
				u.Role = tollgate.RoleSuperAdmin
			}
			if err := tx.Users.Insert(t.Context(), &u); err != nil {
				return err
			}
			u.Role = tollgate.RoleSuperAdmin
			return tx.Users.Update(t.Context(), u)
		})
		if err == nil {
			won.Add(1)
			return nil
		}
		if tollgate.ErrorCode(err) != tollgate.CodeConflict {
			return err
		}
		return nil
	})
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		n := len(all(ctx, t, tx.Users, tollgate.UserFilter{}))
		if won.Load() != 1 || n != 1 {
			t.Fatalf("%d attempts succeeded and %d users are stored, want 1 and 1", won.Load(), n)
		}
		return nil
	})
}

func testSerialised(b *bench) {
	t := b.t
	const writers, rounds = 8, 15
	zero := tollgate.Money(0)
	quota := tollgate.Quota{Scope: tollgate.ScopeInstance, Window: tollgate.WindowTotal, Limit: &zero}
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Quotas.Insert(ctx, &quota) })
	parallel(t, writers, func(int) error {
		for range rounds {
			err := b.s.Update(t.Context(), func(tx tollgate.Tx) error {
				q, err := tx.Quotas.Get(t.Context(), quota.ID)
				if err != nil {
					return err
				}
				*q.Limit++ // lost if two transactions read the same value
				return tx.Quotas.Update(t.Context(), q)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		*quota.Limit = writers * rounds
		row(ctx, t, tx.Quotas, quota.ID, quota)
		return nil
	})
}

func testAppendAndUpdate(b *bench) {
	t := b.t
	const writers, rounds, batch = 8, 12, 10
	ids := new(tollgate.RequestIDs)
	parallel(t, writers, func(w int) error {
		for i := range rounds {
			var err error
			switch w % 4 {
			case 0:
				err = b.s.Update(t.Context(), func(tx tollgate.Tx) error {
					return tx.Teams.Insert(t.Context(), &tollgate.Team{Name: fmt.Sprint(w, "/", i)})
				})
			case 1:
				err = b.s.View(t.Context(), func(tx tollgate.Tx) error {
					_, err := tx.Usage.Summarize(t.Context(), tollgate.UsageFilter{}, tollgate.GroupUser)
					return err
				})
			default:
				rows := make([]tollgate.Request, batch)
				for j := range rows {
					rows[j] = request(ids, int64(w), day())
				}
				err = errors.Join(b.s.Append(t.Context(), rows), b.s.Append(t.Context(), rows[:1]))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		teams, err := tx.Teams.Count(ctx, tollgate.TeamFilter{})
		must(t, err)
		dispatches, err := tx.Usage.CountDispatches(ctx, tollgate.UsageFilter{})
		must(t, err)
		if teams != 2*rounds || dispatches != 2*4*rounds*batch {
			t.Fatalf("%d teams and %d dispatches are stored, want %d and %d", teams, dispatches, 2*rounds, 2*4*rounds*batch)
		}
		return nil
	})
}

// testCancelStorm is SECURITY N-75: a reader whose context ends in the middle
// of a read must not leave its rows to the next one.
func testCancelStorm(b *bench) {
	t := b.t
	const readers, rounds, users = 8, 60, 40
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		for i := range users {
			u := tollgate.User{Name: fmt.Sprint("user ", i), Role: tollgate.RoleUser}
			must(t, tx.Users.Insert(ctx, &u))
			if want := int64(i + 1); u.ID != want {
				t.Fatalf("user %d has id %d, want %d", i, u.ID, want)
			}
		}
		return nil
	})
	var canceled, whole atomic.Int64
	parallel(t, readers, func(int) error {
		rnd := rand.New(rand.NewPCG(rand.Uint64(), 1))
		for range rounds {
			ctx, cancel := context.WithCancel(t.Context())
			timer := time.AfterFunc(time.Duration(rnd.IntN(1500))*time.Microsecond, cancel)
			id := 1 + rnd.Int64N(users)
			err := b.s.View(ctx, func(tx tollgate.Tx) error { return readOwn(ctx, tx, id) })
			timer.Stop()
			ended := ctx.Err() != nil
			cancel()
			switch {
			case err == nil:
				whole.Add(1)
			case ended && tollgate.ErrorCode(err) == tollgate.CodeUnavailable:
				canceled.Add(1)
			default:
				return err
			}
		}
		return nil
	})
	t.Logf("%d reads were cut off, %d ended", canceled.Load(), whole.Load())
	if canceled.Load() == 0 {
		t.Fatal("no read was cut off, so nothing was shown")
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error { return readOwn(ctx, tx, 1) })
}

// readOwn reads the user with id several times and fails if another came.
func readOwn(ctx context.Context, tx tollgate.Tx, id int64) error {
	want := fmt.Sprint("user ", id-1)
	for range 3 {
		u, err := tx.Users.Get(ctx, id)
		if err != nil {
			return err
		}
		rows, _, err := tx.Users.Query(ctx, tollgate.UserFilter{}, tollgate.Page{})
		if err != nil {
			return err
		}
		if u.ID != id || u.Name != want {
			return fmt.Errorf("asked for %d, got %d %q", id, u.ID, u.Name)
		}
		for i, row := range rows {
			if row.ID != int64(i+1) || row.Name != fmt.Sprint("user ", i) {
				return fmt.Errorf("row %d is %d %q", i, row.ID, row.Name)
			}
		}
	}
	return nil
}

func testCanceledUpdate(b *bench) {
	t := b.t
	ctx, cancel := context.WithCancel(t.Context())
	err := b.s.Update(ctx, func(tx tollgate.Tx) error {
		must(t, tx.Teams.Insert(ctx, &tollgate.Team{Name: "canceled"}))
		cancel()
		return nil
	})
	wantCode(t, err, tollgate.CodeUnavailable)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v does not tell that the context ended", err)
	}
	if err := b.s.Update(ctx, func(tollgate.Tx) error { return nil }); err == nil {
		t.Fatal("an update under an ended context succeeded")
	}
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		empty(ctx, t, tx.Teams, tollgate.TeamFilter{})
		return nil
	})
}
