package ledger_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/store/storetest"
)

// onEngines runs a test on an empty SQLite, with a journal and by group commit,
// and, where there is a server, an empty PostgreSQL database.
func onEngines(t *testing.T, run func(t *testing.T, o sqlstore.Options)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(t, sqlstore.Options{Dir: t.TempDir()}) })
	t.Run("sqlite-power", func(t *testing.T) { run(t, sqlstore.Options{Dir: t.TempDir(), Durability: sqlstore.DurablePower}) })
	if storetest.HavePostgres(t) {
		t.Run("postgres", func(t *testing.T) { run(t, sqlstore.Options{DSN: storetest.PostgresDSN(t)}) })
	}
}

// house is a whole ledger on a database.
type house struct {
	*ledger.Ledger
	t      testing.TB
	o      sqlstore.Options
	store  tollgate.Store
	clock  *clock
	zone   *time.Location
	wait   time.Duration
	opened ledger.Opened
	shut   bool
}

func newHouse(tb testing.TB, o sqlstore.Options) *house {
	tb.Helper()
	h := &house{t: tb, o: o, clock: &clock{at: noon()}, zone: time.UTC}
	h.open()
	tb.Cleanup(func() { h.close() })
	return h
}

func (h *house) open() {
	h.t.Helper()
	store, err := sqlstore.Open(h.t.Context(), h.o)
	if err != nil {
		h.t.Fatal(err)
	}
	h.store = store
	h.Ledger = &ledger.Ledger{
		Machine:  &ledger.Machine{IDs: new(tollgate.RequestIDs), Now: h.clock.now, Zone: h.zone, Wait: h.wait},
		Recorder: &ledger.Recorder{Log: store, Logger: slog.New(slog.DiscardHandler)},
	}
	if h.opened, err = h.Open(h.t.Context(), store); err != nil {
		h.t.Fatal(err)
	}
	store.Watch(func(ctx context.Context, touched tollgate.Area) error {
		if touched&tollgate.AreaMoney == 0 {
			return nil
		}
		return h.Load(ctx, store)
	})
	h.shut = false
}

// close ends the recorder and the store; what is under way stays open, as if
// the process had died.
func (h *house) close() {
	if h.shut {
		return
	}
	h.shut = true
	if err := h.Close(context.Background()); err != nil {
		h.t.Error(err)
	}
	if err := h.store.Close(); err != nil {
		h.t.Error(err)
	}
}

func (h *house) reopen() {
	h.t.Helper()
	h.close()
	h.open()
}

func (h *house) update(fn func(ctx context.Context, tx tollgate.Tx) error) {
	h.t.Helper()
	if err := h.store.Update(h.t.Context(), func(tx tollgate.Tx) error { return fn(h.t.Context(), tx) }); err != nil {
		h.t.Fatal(err)
	}
}

// people stores a team with a user who has a key, and returns their chain.
func (h *house) people() (c ledger.Chain) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx tollgate.Tx) error {
		team := tollgate.Team{Name: rand.Text()}
		if err := tx.Teams.Insert(ctx, &team); err != nil {
			return err
		}
		user := tollgate.User{Name: rand.Text(), Role: tollgate.RoleUser, Enabled: true, TeamID: team.ID}
		if err := tx.Users.Insert(ctx, &user); err != nil {
			return err
		}
		key := tollgate.Key{UserID: user.ID, Digest: []byte(rand.Text()), Enabled: true}
		c = ledger.Chain{KeyID: key.ID, UserID: user.ID, TeamID: team.ID}
		err := tx.Keys.Insert(ctx, &key)
		c.KeyID = key.ID
		return err
	})
	return c
}

// quota stores a quota and returns its id.
func (h *house) quota(scope tollgate.Scope, id int64, w tollgate.Window, limit tollgate.Money) int64 {
	h.t.Helper()
	q := tollgate.Quota{Scope: scope, ScopeID: id, Window: w, Limit: &limit}
	h.update(func(ctx context.Context, tx tollgate.Tx) error { return tx.Quotas.Insert(ctx, &q) })
	return q.ID
}

// stored is a quota as the store has it.
func (h *house) stored(id int64) (q tollgate.Quota) {
	h.t.Helper()
	err := h.store.View(h.t.Context(), func(tx tollgate.Tx) (err error) {
		q, err = tx.Quotas.Get(h.t.Context(), id)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return q
}

// request is a request that comes now.
func (h *house) request(c ledger.Chain) *tollgate.Request {
	now := h.clock.now()
	return &tollgate.Request{
		ID: h.IDs.Next(now), KeyID: c.KeyID, UserID: c.UserID, TeamID: c.TeamID, Service: c.Service, StartedAt: now,
		Dialect: tollgate.DialectOpenAIChat, Operation: tollgate.OpGenerate, Model: "small", Status: 200,
	}
}

// dispatch is the request's dispatch n.
func dispatch(r *tollgate.Request, n int) *tollgate.Dispatch {
	return &tollgate.Dispatch{ID: r.ID.Dispatch(n), ProviderID: 1, CredentialID: 1, Model: "small", StartedAt: r.StartedAt, Exactness: tollgate.ExactMeasured}
}

// spend sends a request that costs what it holds, and records it.
func (h *house) spend(c ledger.Chain, cost tollgate.Money) error {
	r := h.request(c)
	d := dispatch(r, 1)
	claim, err := h.Begin(h.t.Context(), r, d, cost)
	if err != nil {
		return err
	}
	return h.finish(r, d, claim, cost)
}

// finish settles and records the last dispatch of a request.
func (h *house) finish(r *tollgate.Request, d *tollgate.Dispatch, claim *ledger.Claim, cost tollgate.Money) error {
	d.Cost = cost
	claim.Settle(d)
	r.Dispatches = append(r.Dispatches, *d)
	r.Cost += d.Cost
	return h.Record(h.t.Context(), *r)
}

// verify fails unless everything adds up and the memory agrees with the store.
func (h *house) verify() *ledger.Report {
	h.t.Helper()
	report, err := ledger.Verify(h.t.Context(), h.store, h.zone)
	if err != nil {
		h.t.Fatal(err)
	}
	if !report.OK() {
		h.t.Fatalf("the ledger does not add up: %+v", report)
	}
	return report
}
