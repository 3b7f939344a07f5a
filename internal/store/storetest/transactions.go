package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tollgate"
)

var errRefused = errors.New("fn refuses")

func testRollback(b *bench) {
	t := b.t
	f := stored(t, b)
	fed := 0
	b.s.Watch(func(context.Context, tollgate.Area) error { fed++; return nil })
	change := func(ctx context.Context, tx tollgate.Tx) {
		must(t, tx.Teams.Insert(ctx, &tollgate.Team{Name: "rolled back"}))
		must(t, tx.Users.Delete(ctx, f.user.ID))
		must(t, tx.Meta.Put(ctx, "x", []byte("y")))
	}
	err := b.try(t, func(ctx context.Context, tx tollgate.Tx) error { change(ctx, tx); return errRefused })
	if err != errRefused { //nolint:errorlint // unchanged means the same value
		t.Fatalf("Update returned %v, not fn's own error", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Fatal("the panic was swallowed")
			}
		}()
		_ = b.try(t, func(ctx context.Context, tx tollgate.Tx) error { change(ctx, tx); panic("fn panics") })
	}()
	func() {
		defer func() { _ = recover() }()
		_ = b.s.View(t.Context(), func(tollgate.Tx) error { panic("fn panics") })
	}()
	if fed != 0 {
		t.Fatalf("the feed ran %d times for changes that were rolled back", fed)
	}
	f.equal(t, b)
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error { // the writer is free again
		empty(ctx, t, tx.Teams, tollgate.TeamFilter{Name: tollgate.Is("rolled back")})
		return nil
	})
}

func testViewSnapshot(b *bench) {
	t := b.t
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		before, err := tx.Teams.Count(ctx, tollgate.TeamFilter{})
		must(t, err)
		b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
			return tx.Teams.Insert(ctx, &tollgate.Team{Name: "meanwhile"})
		})
		after, err := tx.Teams.Count(ctx, tollgate.TeamFilter{})
		must(t, err)
		if before != 0 || after != 0 {
			t.Fatalf("the view saw %d, then %d teams", before, after)
		}
		return nil
	})
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		if n := len(all(ctx, t, tx.Teams, tollgate.TeamFilter{})); n != 1 {
			t.Fatalf("%d teams after the commit, want 1", n)
		}
		return nil
	})
}

func testViewIsReadOnly(b *bench) {
	t := b.t
	err := b.s.View(t.Context(), func(tx tollgate.Tx) error { return tx.Teams.Insert(t.Context(), &tollgate.Team{Name: "x"}) })
	if err == nil {
		t.Fatal("a view could write")
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		empty(ctx, t, tx.Teams, tollgate.TeamFilter{})
		return nil
	})
}

func testFeedAreas(b *bench) {
	t := b.t
	f := stored(t, b)
	var got []tollgate.Area
	b.s.Watch(func(ctx context.Context, touched tollgate.Area) error {
		got = append(got, touched)
		return ctx.Err()
	})
	identity, sessions, catalogue := tollgate.AreaIdentity, tollgate.AreaSessions, tollgate.AreaCatalogue
	settings, money := tollgate.AreaSettings, tollgate.AreaMoney
	for _, c := range []struct {
		name string
		want []tollgate.Area
		run  func(ctx context.Context, tx tollgate.Tx) error
	}{
		{"nothing", nil, func(ctx context.Context, tx tollgate.Tx) error { _, err := tx.Users.Get(ctx, f.user.ID); return err }},
		{"a refused write", nil, func(ctx context.Context, tx tollgate.Tx) error {
			wantCode(t, tx.Teams.Insert(ctx, &tollgate.Team{Name: f.team.Name}), tollgate.CodeConflict)
			wantCode(t, tx.Users.Delete(ctx, unknown), tollgate.CodeNotFound)
			return nil
		}},
		{"user", []tollgate.Area{identity}, func(ctx context.Context, tx tollgate.Tx) error { return tx.Users.Update(ctx, f.user) }},
		{"key", []tollgate.Area{identity}, func(ctx context.Context, tx tollgate.Tx) error { return tx.Keys.Update(ctx, f.key) }},
		{"team", []tollgate.Area{identity}, func(ctx context.Context, tx tollgate.Tx) error { return tx.Teams.Update(ctx, f.team) }},
		{"session", []tollgate.Area{sessions}, func(ctx context.Context, tx tollgate.Tx) error { return tx.Sessions.Update(ctx, f.session) }},
		{"credential", []tollgate.Area{catalogue}, func(ctx context.Context, tx tollgate.Tx) error { return tx.Credentials.Update(ctx, f.credential) }},
		{"price", []tollgate.Area{catalogue}, func(ctx context.Context, tx tollgate.Tx) error {
			return tx.Prices.Insert(ctx, &tollgate.Price{ModelPattern: "*", Source: tollgate.PriceAPI})
		}},
		{"counters", []tollgate.Area{0}, func(ctx context.Context, tx tollgate.Tx) error { return tx.Counters.Replace(ctx, nil) }},
		{"quota", []tollgate.Area{money}, func(ctx context.Context, tx tollgate.Tx) error { return tx.Quotas.Update(ctx, f.quota) }},
		{"setting", []tollgate.Area{settings}, func(ctx context.Context, tx tollgate.Tx) error {
			return tx.Settings.Put(ctx, tollgate.Setting{Name: "a", Value: []byte("1")})
		}},
		{"meta and audit", []tollgate.Area{0}, func(ctx context.Context, tx tollgate.Tx) error {
			return errors.Join(tx.Meta.Put(ctx, "m", []byte("1")), tx.Audit.Append(ctx, &tollgate.AuditEntry{Action: "x"}))
		}},
		{"two tables", []tollgate.Area{settings | catalogue}, func(ctx context.Context, tx tollgate.Tx) error {
			return errors.Join(tx.Settings.Delete(ctx, "a"), tx.Aliases.Update(ctx, f.alias))
		}},
		{"a provider and its own", []tollgate.Area{catalogue | identity}, func(ctx context.Context, tx tollgate.Tx) error {
			return tx.Providers.Delete(ctx, f.provider.ID)
		}},
		{"a user and its own", []tollgate.Area{identity | sessions | money}, func(ctx context.Context, tx tollgate.Tx) error {
			return tx.Users.Delete(ctx, f.user.ID)
		}},
	} {
		got = nil
		ctx, cancel := context.WithCancel(t.Context())
		must(t, b.s.Update(ctx, func(tx tollgate.Tx) error { return c.run(ctx, tx) }))
		cancel()
		if !slices.Equal(got, c.want) {
			t.Fatalf("%s: the feed got %v, want %v", c.name, got, c.want)
		}
	}
	must(t, b.s.Append(t.Context(), []tollgate.Request{request(new(tollgate.RequestIDs), 1, day())}))
	if len(got) != 1 {
		t.Fatal("Append ran the feed")
	}
}

func testFeedOrder(b *bench) {
	t := b.t
	const writers, rounds = 8, 10
	var seen []int
	running := false
	b.s.Watch(func(ctx context.Context, _ tollgate.Area) error {
		if running {
			t.Error("the feed ran twice at once")
		}
		running = true
		defer func() { running = false }()
		return b.s.View(ctx, func(tx tollgate.Tx) error { // the change is there when the feed runs
			n, err := tx.Teams.Count(ctx, tollgate.TeamFilter{})
			seen = append(seen, int(n))
			return err
		})
	})
	parallel(t, writers, func(w int) error {
		for i := range rounds {
			err := b.s.Update(t.Context(), func(tx tollgate.Tx) error {
				return tx.Teams.Insert(t.Context(), &tollgate.Team{Name: fmt.Sprint(w, "/", i)})
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if len(seen) != writers*rounds || !slices.IsSorted(seen) || seen[0] != 1 || seen[len(seen)-1] != writers*rounds {
		t.Fatalf("the feed saw the commits as %v", seen)
	}
}

func testFeedError(b *bench) {
	t := b.t
	b.s.Watch(func(context.Context, tollgate.Area) error { return errRefused })
	err := b.try(t, func(ctx context.Context, tx tollgate.Tx) error {
		return tx.Teams.Insert(ctx, &tollgate.Team{Name: "kept"})
	})
	if !errors.Is(err, errRefused) {
		t.Fatalf("Update returned %v, want the feed's error", err)
	}
	b.s.Watch(func(context.Context, tollgate.Area) error { return nil })
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		if n := len(all(ctx, t, tx.Teams, tollgate.TeamFilter{Name: tollgate.Is("kept")})); n != 1 {
			t.Fatalf("%d rows of the change are there, want 1", n)
		}
		return nil
	})
}

func testRestart(b *bench) {
	t := b.t
	f := stored(t, b)
	ids := new(tollgate.RequestIDs)
	r := request(ids, f.user.ID, day())
	must(t, b.s.Append(t.Context(), []tollgate.Request{r}))
	b.reopen(t)
	f.equal(t, b)
	requests, dispatches := recorded(t, b, tollgate.UsageFilter{})
	same(t, requests, []tollgate.Request{bare(r)})
	same(t, dispatches, usageRows(r))
}
