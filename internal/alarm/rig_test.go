package alarm_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tollgate"
	"tollgate/internal/alarm"
	"tollgate/internal/ledger"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

// event is a delivery as the receiver saw it.
type event struct {
	id, stamp string
	Type      string
	Timestamp time.Time
	Data      map[string]any
}

// receiver takes deliveries and checks what a receiver of Standard Webhooks checks.
type receiver struct {
	t      *testing.T
	url    string
	mu     sync.Mutex
	status int // to answer; 0 = 204
	events []event
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	e := event{id: req.Header.Get("webhook-id"), stamp: req.Header.Get("webhook-timestamp")}
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(e.id + "." + e.stamp + "." + string(body)))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); req.Header.Get("webhook-signature") != want {
		r.t.Errorf("signed %q, want %q", req.Header.Get("webhook-signature"), want)
	}
	if err := json.Unmarshal(body, &e); err != nil {
		r.t.Errorf("%s: %v", body, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	if r.status == 302 {
		w.Header().Set("Location", r.url+"/elsewhere")
	}
	w.WriteHeader(max(r.status, 204))
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// got takes what has arrived.
func (r *receiver) got() []event {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.events
	r.events = nil
	return out
}

// onEngines runs a test on SQLite and, where there is a server, on PostgreSQL.
func onEngines(t *testing.T, run func(t *testing.T, o sqlstore.Options)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(t, sqlstore.Options{Dir: t.TempDir()}) })
	if storetest.HavePostgres(t) {
		t.Run("postgres", func(t *testing.T) { run(t, sqlstore.Options{DSN: storetest.PostgresDSN(t)}) })
	}
}

// house is a ledger with a keeper of alarms.
type house struct {
	*ledger.Ledger
	t      *testing.T
	o      sqlstore.Options
	store  *sqlstore.Store
	keeper *alarm.Keeper
	chain  ledger.Chain
	hook   *receiver
	client *http.Client

	mu sync.Mutex
	at time.Time
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

func (h *house) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at = h.at.Add(d)
}

func newHouse(t *testing.T, o sqlstore.Options) *house {
	t.Helper()
	h := &house{t: t, o: o, hook: newReceiver(t), at: time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)}
	h.client = &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("a redirect") },
	}
	h.open()
	t.Cleanup(h.close)
	h.update(func(ctx context.Context, tx tollgate.Tx) error {
		team := tollgate.Team{Name: "crew"}
		if err := tx.Teams.Insert(ctx, &team); err != nil {
			return err
		}
		user := tollgate.User{Name: "alice", Role: tollgate.RoleUser, Enabled: true, TeamID: team.ID}
		if err := tx.Users.Insert(ctx, &user); err != nil {
			return err
		}
		key := tollgate.Key{UserID: user.ID, Digest: []byte("d"), Enabled: true}
		err := tx.Keys.Insert(ctx, &key)
		h.chain = ledger.Chain{KeyID: key.ID, UserID: user.ID, TeamID: team.ID}
		return err
	})
	return h
}

func (h *house) open() {
	h.t.Helper()
	store, err := sqlstore.Open(h.t.Context(), h.o)
	if err != nil {
		h.t.Fatal(err)
	}
	h.store = store
	log := slog.New(slog.DiscardHandler)
	h.Ledger = &ledger.Ledger{
		Machine:  &ledger.Machine{IDs: new(tollgate.RequestIDs), Now: h.now, Zone: time.UTC},
		Recorder: &ledger.Recorder{Log: store, Logger: log},
	}
	h.keeper = &alarm.Keeper{Store: store, Source: h.Machine, Client: h.client, Now: h.now, Rand: rand.Reader, Log: log}
	h.set(h.hook.url)
	if _, err := h.Open(h.t.Context(), store); err != nil {
		h.t.Fatal(err)
	}
	store.Watch(func(ctx context.Context, touched tollgate.Area) error {
		if touched&tollgate.AreaMoney == 0 {
			return nil
		}
		return h.Load(ctx, store)
	})
}

// set puts the webhook and thresholds in force, as a start and a reload do.
func (h *house) set(url string) {
	percent := []int{80, 100}
	h.keeper.Set(alarm.Settings{Thresholds: percent, URL: tollgate.NewSecret(url), Secret: tollgate.NewSecret(secret)})
	h.SetThresholds(percent)
}

func (h *house) close() {
	if err := h.Close(context.Background()); err != nil {
		h.t.Error(err)
	}
	if err := h.store.Close(); err != nil {
		h.t.Error(err)
	}
}

// reopen starts anew: what was only in memory is gone.
func (h *house) reopen() {
	h.close()
	h.open()
}

func (h *house) update(fn func(ctx context.Context, tx tollgate.Tx) error) {
	h.t.Helper()
	if err := h.store.Update(h.t.Context(), func(tx tollgate.Tx) error { return fn(h.t.Context(), tx) }); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) quota(scope tollgate.Scope, id int64, w tollgate.Window, limit tollgate.Money) int64 {
	h.t.Helper()
	q := tollgate.Quota{Scope: scope, ScopeID: id, Window: w, Limit: &limit}
	h.update(func(ctx context.Context, tx tollgate.Tx) error { return tx.Quotas.Insert(ctx, &q) })
	return q.ID
}

func (h *house) setLimit(id int64, limit tollgate.Money) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx tollgate.Tx) error {
		q, err := tx.Quotas.Get(ctx, id)
		if err != nil {
			return err
		}
		q.Limit = &limit
		return tx.Quotas.Update(ctx, q)
	})
}

// spend sends a request that holds and costs so much; false = refused.
func (h *house) spend(cost tollgate.Money) bool {
	h.t.Helper()
	now := h.now()
	c := h.chain
	r := &tollgate.Request{ID: h.IDs.Next(now), KeyID: c.KeyID, UserID: c.UserID, TeamID: c.TeamID, StartedAt: now, Operation: tollgate.OpGenerate, Status: 200}
	d := tollgate.Dispatch{ID: r.ID.Dispatch(1), ProviderID: 1, Model: "m", StartedAt: now, Exactness: tollgate.ExactMeasured}
	claim, err := h.Begin(context.Background(), r, &d, cost)
	if err != nil {
		return false
	}
	d.Cost = cost
	claim.Settle(&d)
	r.Dispatches, r.Cost = []tollgate.Dispatch{d}, d.Cost
	if err := h.Record(context.Background(), *r); err != nil {
		h.t.Error(err)
	}
	return true
}

// turn writes down what was noticed and delivers what is due.
func (h *house) turn() {
	h.t.Helper()
	if err := h.keeper.Write(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.keeper.Round(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// alarms are all alarms as "threshold[ closed]", those of one quota, in order.
func (h *house) alarms(quota int64) string {
	h.t.Helper()
	var out []string
	for _, a := range h.all(tollgate.AlarmFilter{QuotaID: tollgate.Is(quota)}) {
		text := map[int]string{80: "80", 100: "100"}[a.Threshold]
		if !a.Open {
			text += " closed"
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func (h *house) all(f tollgate.AlarmFilter) (rows []tollgate.Alarm) {
	h.t.Helper()
	err := h.store.View(h.t.Context(), func(tx tollgate.Tx) (err error) {
		rows, _, err = tx.Alarms.Query(h.t.Context(), f, tollgate.Page{All: true})
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return rows
}
