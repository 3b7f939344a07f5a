package upstream_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/demo"
	"tollgate/internal/upstream"
)

func labels(list []*upstream.Credential) string {
	var out []byte
	for _, c := range list {
		out = append(out, c.Label[len(c.Label)-1])
	}
	return string(out)
}

func TestCredentialsAreTakenInTurn(t *testing.T) {
	e := newWorld(t).provider(t, "openai", "", "0123456789-a", "0123456789-b", "0123456789-c")
	for i, want := range []string{"abc", "bca", "cab", "abc"} {
		if got := labels(e.Credentials()); got != want {
			t.Errorf("turn %d: %s, want %s", i, got, want)
		}
	}
}

func TestCredentialsCoolDown(t *testing.T) {
	w := newWorld(t)
	e := w.provider(t, "openai", "", "0123456789-a", "0123456789-b")
	byLabel := func(l string) *upstream.Credential {
		for _, c := range e.Credentials() {
			if labels([]*upstream.Credential{c}) == l {
				return c
			}
		}
		t.Fatalf("%s is left out", l)
		return nil
	}
	a, b := byLabel("a"), byLabel("b")
	failed := func(status int, after time.Duration) upstream.Result {
		return upstream.Result{Status: status, Class: upstream.ClassStatus, RetryAfter: after}
	}
	usable := func() string {
		s := []byte(labels(e.Credentials()))
		slices.Sort(s)
		return string(s)
	}
	for _, c := range []struct {
		name  string
		r     upstream.Result
		until time.Duration // 0 = does not cool
	}{
		{"401", failed(401, 0), 60 * time.Second},
		{"429 without a hint", failed(429, 0), 5 * time.Second},
		{"429 with a hint", failed(429, 7*time.Second), 7 * time.Second},
		{"429 with a long hint", failed(429, time.Hour), 60 * time.Second},
		{"500", failed(500, 0), 0},
		{"400", failed(400, 0), 0},
		{"connect", upstream.Result{Class: upstream.ClassConnect}, 0},
	} {
		a.Report(c.r)
		if c.until > 0 {
			if usable() != "b" {
				t.Errorf("%s: usable at once: %s", c.name, usable())
			}
			w.clock.advance(c.until - time.Millisecond)
			if usable() != "b" {
				t.Errorf("%s: usable before its time", c.name)
			}
			w.clock.advance(time.Millisecond)
		}
		if usable() != "ab" {
			t.Errorf("%s: usable after: %s", c.name, usable())
		}
	}
	// When all cool down all are used, the one that comes back first in front.
	a.Report(failed(401, 0))
	b.Report(failed(429, 3*time.Second))
	if got := labels(e.Credentials()); got != "ba" {
		t.Errorf("all cooling: %s", got)
	}
	b.Report(upstream.Result{Status: 200})
	if got := labels(e.Credentials()); got != "b" {
		t.Errorf("after a success: %s", got)
	}
}

func TestOnlyCredentialIsNeverLeftOut(t *testing.T) {
	e := newWorld(t).provider(t, "openai", "", "0123456789-a")
	e.Credentials()[0].Report(upstream.Result{Status: 401, Class: upstream.ClassStatus})
	if labels(e.Credentials()) != "a" {
		t.Error("left out")
	}
}

func TestSendReportsAndStatusesTell(t *testing.T) {
	w := newWorld(t)
	w.fleet.InProcess = demo.Transport(&demo.Vendor{RequireKey: func(k string) int {
		return map[string]int{"0123456789-a": 200, "0123456789-b": 401, "0123456789-c": 429, "0123456789-d": 503}[k]
	}})
	e := w.provider(t, "demo", "", "0123456789-a", "0123456789-b", "0123456789-c", "0123456789-d")
	call := &upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate, Body: []byte(`{"model":"demo-small","messages":[{"role":"user","content":"x"}]}`)}
	for _, c := range slices.Clone(e.Credentials()) {
		res, err := e.Send(t.Context(), c, call)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	var got []string
	for _, s := range w.fleet.Statuses() {
		got = append(got, fmt.Sprintf("%s %s %d %d", s.State, s.Class, s.Status, s.Failures))
	}
	want := []string{"ok  0 0", "cooling status 401 1", "cooling status 429 1", "failing status 503 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if s := w.fleet.Statuses()[2]; s.CoolUntil != w.clock.now().Add(time.Second) { // the vendor's retry-after
		t.Errorf("cools until %v", s.CoolUntil)
	}
}

func TestReloadKeepsHealthUntilTheSecretChanges(t *testing.T) {
	w := newWorld(t)
	e := w.provider(t, "openai", "", "0123456789-a")
	e.Credentials()[0].Report(upstream.Result{Status: 401, Class: upstream.ClassStatus})
	reload := func() upstream.CredentialStatus {
		if err := w.fleet.Reload(t.Context(), w.store); err != nil {
			t.Fatal(err)
		}
		return w.fleet.Statuses()[0]
	}
	if s := reload(); s.State != upstream.StateCooling {
		t.Errorf("after a reload: %s", s.State)
	}
	id := w.fleet.Statuses()[0].CredentialID
	if _, err := w.catalog.SaveCredential(t.Context(), w.store.tx, tollgate.HostActor("cli"), upstream.CredentialWrite{ID: id, Secret: some("0123456789-new")}); err != nil {
		t.Fatal(err)
	}
	if s := reload(); s.State != upstream.StateUnknown {
		t.Errorf("after a new secret: %s", s.State)
	}
}

func TestReloadLeavesOutWhatCannotServe(t *testing.T) {
	w := newWorld(t)
	ctx, by := t.Context(), tollgate.HostActor("cli")
	save := func(name string, write upstream.ProviderWrite) tollgate.Provider {
		write.Name = some(name)
		p, err := w.catalog.SaveProvider(ctx, w.store.tx, by, write)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	key := []upstream.CredentialWrite{{Secret: some("0123456789-a")}}
	good := save("good", upstream.ProviderWrite{Kind: some("openai"), Credentials: key})
	off := save("off", upstream.ProviderWrite{Kind: some("openai"), Enabled: some(false), Credentials: key})
	foreign := save("foreign", upstream.ProviderWrite{Kind: some("vertex"), ImportDisabled: true})
	nodemo := save("nodemo", upstream.ProviderWrite{Kind: some("demo")}) // no vendor runs in this fleet
	moved := save("moved", upstream.ProviderWrite{Kind: some("openai"), Credentials: key})
	if err := w.fleet.Reload(ctx, w.store); err != nil {
		t.Fatal(err)
	}
	for _, p := range []tollgate.Provider{off, foreign, nodemo} {
		if _, ok := w.fleet.Endpoint(p.ID); ok {
			t.Errorf("%s serves", p.Name)
		}
	}
	if e, ok := w.fleet.Endpoint(good.ID); !ok || len(e.Credentials()) != 1 {
		t.Error("the good one does not serve")
	}
	// A row whose URL was edited behind our back: the secret does not follow.
	row, err := w.store.tx.Providers.Get(ctx, moved.ID)
	if err != nil {
		t.Fatal(err)
	}
	row.BaseURL = "https://evil.example"
	if err := w.store.tx.Providers.Update(ctx, row); err != nil {
		t.Fatal(err)
	}
	// A ciphertext moved to another row does not open.
	creds, _, err := w.store.tx.Credentials.Query(ctx, tollgate.CredentialFilter{ProviderID: tollgate.Is(good.ID)}, tollgate.Page{})
	if err != nil {
		t.Fatal(err)
	}
	twin := creds[0]
	if err := w.store.tx.Credentials.Insert(ctx, &twin); err != nil {
		t.Fatal(err)
	}
	if err := w.fleet.Reload(ctx, w.store); err != nil {
		t.Fatal(err)
	}
	if e, ok := w.fleet.Endpoint(moved.ID); !ok || len(e.Credentials()) != 0 {
		t.Error("F-08: the secret follows an edited URL")
	}
	if e, _ := w.fleet.Endpoint(good.ID); len(e.Credentials()) != 1 || e.Credentials()[0].ID != creds[0].ID {
		t.Error("C-02: a moved ciphertext is used")
	}
	states := map[string]int{}
	for _, s := range w.fleet.Statuses() {
		states[s.State]++
	}
	if states[upstream.StateUnreadable] != 2 {
		t.Errorf("%v", states)
	}
}

func TestFailedReloadKeepsTheOldSnapshot(t *testing.T) {
	w := newWorld(t)
	e := w.provider(t, "openai", "", "0123456789-a")
	w.store.fail = errors.New("database is away")
	if err := w.fleet.Reload(t.Context(), w.store); tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
		t.Errorf("%v", err)
	}
	if _, ok := w.fleet.Endpoint(e.Provider().ID); !ok || len(w.fleet.Endpoints()) != 1 {
		t.Error("the old snapshot is gone")
	}
}

func TestRetryAfter(t *testing.T) {
	now := newClock().now()
	for _, c := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "3", 3 * time.Second},
		{"Retry-After", "0.5", 500 * time.Millisecond},
		{"Retry-After", now.Add(90 * time.Second).Format(http.TimeFormat), 90 * time.Second},
		{"Retry-After", now.Add(-time.Hour).Format(http.TimeFormat), 0},
		{"Retry-After", "-1", 0},
		{"Retry-After", "NaN", 0},
		{"Retry-After", "1e300", 0},
		{"Retry-After", "soon", 0},
		{"Retry-After-Ms", "250", 250 * time.Millisecond},
		{"X-Other", "1", 0},
	} {
		if got := upstream.RetryAfter(http.Header{c.name: {c.value}}, now); got != c.want {
			t.Errorf("%s: %s: %v", c.name, c.value, got)
		}
	}
}
