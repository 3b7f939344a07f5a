package alarm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/alarm"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/upstream/guard"
)

// TestEachThresholdIsOneAlarm spends four quotas of one chain at once, with the
// keeper running beside, and starts anew in the middle.
func TestEachThresholdIsOneAlarm(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		h := newHouse(t, o)
		quotas := []int64{
			h.quota(tollgate.ScopeKey, h.chain.KeyID, tollgate.WindowTotal, 400), h.quota(tollgate.ScopeUser, h.chain.UserID, tollgate.WindowDay, 400),
			h.quota(tollgate.ScopeTeam, h.chain.TeamID, tollgate.WindowMonth, 400), h.quota(tollgate.ScopeInstance, 0, tollgate.WindowWeek, 400),
		}
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			var run, spenders sync.WaitGroup
			run.Go(func() { h.keeper.Run(ctx) })
			for range 20 {
				spenders.Go(func() {
					for range 10 {
						h.spend(1)
					}
				})
			}
			spenders.Wait()
			cancel()
			run.Wait()
			h.reopen()
			h.turn()
		}
		h.spend(1) // refused
		h.turn()
		for _, q := range quotas {
			if got := h.alarms(q); got != "80, 100" {
				t.Errorf("quota %d has the alarms %s", q, got)
			}
		}
		ids := map[string]bool{}
		for _, e := range h.hook.got() {
			if e.Type != "quota.threshold" || e.Data["text"] == "" {
				t.Errorf("%+v", e)
			}
			ids[e.id] = true
		}
		if len(ids) != 8 {
			t.Errorf("%d alarms arrived, want 8", len(ids))
		}
		for _, a := range h.all(tollgate.AlarmFilter{}) {
			if !ids[a.EventID] || a.SentAt.IsZero() || !a.NextAt.IsZero() || (a.UserID == h.chain.UserID) != (a.Scope == tollgate.ScopeKey || a.Scope == tollgate.ScopeUser) {
				t.Errorf("%+v", a)
			}
		}
	})
}

// TestAlarmsAreRaisedAgain changes limits and balances: an alarm is closed once
// it is no longer so, and the next time is another one.
func TestAlarmsAreRaisedAgain(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		h := newHouse(t, o)
		q := h.quota(tollgate.ScopeUser, h.chain.UserID, tollgate.WindowDay, 100)
		step := func(what, want string) {
			t.Helper()
			h.turn()
			if got := h.alarms(q); got != want {
				t.Errorf("%s: alarms %s, want %s", what, got, want)
			}
			h.reopen() // a start changes nothing
			h.turn()
			if got := h.alarms(q); got != want {
				t.Errorf("%s and a start: alarms %s, want %s", what, got, want)
			}
		}
		h.spend(79)
		step("below", "")
		h.spend(1)
		step("at 80", "80")
		h.spend(5)
		step("at 85", "80")
		h.setLimit(q, 1000)
		step("raised", "80 closed")
		h.spend(700)
		step("below 80 again", "80 closed")
		h.setLimit(q, 900)
		step("lowered", "80 closed, 80")
		h.spend(115)
		step("spent", "80 closed, 80, 100")
		h.update(func(ctx context.Context, tx tollgate.Tx) error {
			return tx.Ledger.Adjust(ctx, &tollgate.Adjustment{
				At: h.now(), Kind: tollgate.AdjustCorrection, QuotaID: q, Scope: tollgate.ScopeUser, ScopeID: h.chain.UserID, Window: tollgate.WindowDay,
				WindowStart: h.now().Truncate(24 * time.Hour), Amount: -100, Reason: "given back",
			})
		})
		step("given back", "80 closed, 80, 100 closed")
		h.spend(95) // to 895
		h.spend(10)
		step("nothing fits any more", "80 closed, 80, 100 closed, 100")
		h.move(24 * time.Hour)
		step("after midnight", "80 closed, 80, 100 closed, 100")
		h.spend(700)
		step("below on the next day", "80 closed, 80, 100 closed, 100")
		h.spend(20)
		step("the next day", "80 closed, 80, 100 closed, 100, 80")
		h.update(func(ctx context.Context, tx tollgate.Tx) error { return tx.Quotas.Delete(ctx, q) })
		step("deleted", "80 closed, 80, 100 closed, 100, 80 closed")
	})
}

func TestADeliveryIsTriedUntilItIsTaken(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		h := newHouse(t, o)
		h.quota(tollgate.ScopeInstance, 0, tollgate.WindowTotal, 100)
		h.hook.answer(503)
		h.spend(80)
		h.turn()
		var id string
		for i, pause := range alarm.Retries()[:4] {
			got := h.hook.got()
			if len(got) != 1 || id != "" && got[0].id != id {
				t.Fatalf("attempt %d: %+v, want one of %s", i+1, got, id)
			}
			id = got[0].id
			h.turn()
			if early := h.hook.got(); len(early) != 0 {
				t.Fatalf("sent again at once: %+v", early)
			}
			h.move(pause)
			h.reopen() // as after kill -9: only what is stored counts
			h.turn()
		}
		a := h.all(tollgate.AlarmFilter{})[0]
		if a.Attempts != 5 || a.Failure != "the receiver answered 503" || a.NextAt.IsZero() {
			t.Errorf("%+v", a)
		}
		h.hook.answer(200)
		h.move(time.Hour)
		h.turn()
		h.turn()
		if a = h.all(tollgate.AlarmFilter{})[0]; a.SentAt.IsZero() || a.Failure != "" || a.EventID != id {
			t.Errorf("taken: %+v", a)
		}
		if got := h.hook.got(); len(got) != 2 { // the fifth and the one that was taken
			t.Errorf("%d deliveries", len(got))
		}
	})
}

func TestADeliveryIsGivenUp(t *testing.T) {
	h := newHouse(t, sqlstore.Options{Dir: t.TempDir()})
	h.quota(tollgate.ScopeInstance, 0, tollgate.WindowTotal, 100)
	h.hook.answer(302) // is not followed, and is no success
	h.spend(80)
	for range len(alarm.Retries()) + 5 {
		h.turn()
		h.move(24 * time.Hour)
	}
	a := h.all(tollgate.AlarmFilter{})[0]
	if n := len(h.hook.got()); n == 0 || a.Attempts != len(alarm.Retries())+1 || !a.NextAt.IsZero() || !a.SentAt.IsZero() || a.Failure == "" {
		t.Errorf("%d deliveries, %+v", n, a)
	}
}

// TestF02WebhookIsGuarded points the webhook at this host, which nobody has
// opened, then opens it.
func TestF02WebhookIsGuarded(t *testing.T) {
	h := newHouse(t, sqlstore.Options{Dir: t.TempDir()})
	policy := guard.NewPolicy(guard.Rules{})
	h.keeper.Client = guard.Client(guard.Options{Policy: policy, AnyTLSPort: true}, time.Second)
	defer h.keeper.Client.CloseIdleConnections()
	h.set(h.hook.url + "/a-secret-path")
	got, err := h.keeper.Test(t.Context())
	if err != nil || got.Status != 0 || got.Failure == "" || strings.Contains(got.Failure, "a-secret-path") || len(h.hook.got()) != 0 {
		t.Errorf("refused: %+v %v", got, err)
	}
	allow, err := guard.ParseAllow(strings.TrimPrefix(h.hook.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	policy.Set(guard.Rules{Allow: []guard.Allow{allow}})
	got, err = h.keeper.Test(t.Context())
	if e := h.hook.got(); err != nil || got.Status != 204 || got.Failure != "" || len(e) != 1 || e[0].Type != "test" || e[0].id != got.EventID {
		t.Errorf("open: %+v %v %+v", got, err, e)
	}
	h.hook.answer(302)
	if got, _ = h.keeper.Test(t.Context()); !strings.Contains(got.Failure, "redirect") || len(h.hook.got()) != 1 {
		t.Errorf("redirected: %+v", got)
	}
	h.set("")
	if _, err := h.keeper.Test(t.Context()); tollgate.ErrorCode(err) != tollgate.CodeConflict {
		t.Errorf("without a webhook: %v", err)
	}
}

func TestModelsAndOverrunsAreOneAlarmADay(t *testing.T) {
	h := newHouse(t, sqlstore.Options{Dir: t.TempDir()})
	for day := range 2 {
		for range 3 {
			at := h.now()
			h.keeper.Dispatched(&tollgate.Dispatch{ProviderID: 1, Model: "m", StartedAt: at, Exactness: tollgate.ExactMeasured, Cost: 3})
			h.keeper.Dispatched(&tollgate.Dispatch{ProviderID: 1, Model: "m", StartedAt: at, Exactness: tollgate.ExactUnpriced})
			h.keeper.Dispatched(&tollgate.Dispatch{ProviderID: 2, Model: "m", StartedAt: at, Exactness: tollgate.ExactUnpriced})
			h.keeper.Dispatched(&tollgate.Dispatch{ProviderID: 2, Model: "m", StartedAt: at, Exactness: tollgate.ExactMeasured, Cost: 9, Overrun: 4})
			h.turn()
			if day == 0 {
				h.reopen()
			}
		}
		h.move(24 * time.Hour)
	}
	var got []string
	for _, e := range h.hook.got() {
		got = append(got, fmt.Sprint(e.Type, " ", e.Data["provider_id"], " ", e.Data["overrun"]))
	}
	want := "model.unpriced 1 <nil>|model.unpriced 2 <nil>|dispatch.overrun 2 4e-09"
	if text := strings.Join(got, "|"); text != want+"|"+want {
		t.Errorf("got  %s\nwant %s twice", text, want)
	}
}

// TestNothingIsLostWhileTheStoreIsAway keeps what was noticed until it is stored.
func TestNothingIsLostWhileTheStoreIsAway(t *testing.T) {
	h := newHouse(t, sqlstore.Options{Dir: t.TempDir()})
	q := h.quota(tollgate.ScopeInstance, 0, tollgate.WindowTotal, 100)
	h.turn()
	h.spend(90)
	h.keeper.Dispatched(&tollgate.Dispatch{ProviderID: 1, Model: "m", StartedAt: h.now(), Exactness: tollgate.ExactUnpriced})
	away := errors.New("away")
	h.keeper.Store = broken{h.store, away}
	if err := h.keeper.Write(t.Context()); !errors.Is(err, away) {
		t.Fatal(err)
	}
	h.keeper.Store = h.store
	h.turn()
	if got := h.alarms(q); got != "80" || len(h.all(tollgate.AlarmFilter{})) != 2 {
		t.Errorf("alarms %s of %+v", got, h.all(tollgate.AlarmFilter{}))
	}
}

type broken struct {
	tollgate.Store
	err error
}

func (b broken) Update(context.Context, func(tollgate.Tx) error) error { return b.err }

func TestOldAlarmsGoUnlessTheyStand(t *testing.T) {
	h := newHouse(t, sqlstore.Options{Dir: t.TempDir()})
	total, day := h.quota(tollgate.ScopeInstance, 0, tollgate.WindowTotal, 100), h.quota(tollgate.ScopeUser, h.chain.UserID, tollgate.WindowDay, 100)
	h.spend(85)
	h.turn()
	h.move(91 * 24 * time.Hour)
	if err := h.keeper.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.reopen()
	h.turn()
	if h.alarms(total) != "80" || h.alarms(day) != "" || len(h.hook.got()) != 2 {
		t.Errorf("%s and %s are left", h.alarms(total), h.alarms(day))
	}
}
