package book_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/meter/book"
	"tollgate/internal/meter/shipped"
	"tollgate/internal/store/sqlstore"
)

// rig is a price book over a real store, at a settable time.
type rig struct {
	t     *testing.T
	store *sqlstore.Store
	book  *book.Book
	rules *book.Rules
	now   time.Time
	hosts map[string]string // by provider name
	groq  tollgate.Provider
	lab   tollgate.Provider
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC), hosts: map[string]string{"groq": "api.groq.com"}}
	clock := func() time.Time { return r.now }
	var err error
	if r.store, err = sqlstore.Open(t.Context(), sqlstore.Options{Dir: t.TempDir(), Now: clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.store.Close() })
	table, err := shipped.Read()
	if err != nil {
		t.Fatal(err)
	}
	r.book = &book.Book{Now: clock}
	r.rules = &book.Rules{Now: clock, Table: table, Host: func(p tollgate.Provider) string { return r.hosts[p.Name] }}
	r.store.Watch(func(ctx context.Context, touched tollgate.Area) error {
		if touched&tollgate.AreaCatalogue == 0 {
			return nil
		}
		return r.book.Reload(ctx, r.store)
	})
	r.groq, r.lab = r.provider("groq"), r.provider("lab")
	return r
}

func (r *rig) update(fn func(ctx context.Context, tx tollgate.Tx) error) {
	r.t.Helper()
	if err := r.try(fn); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) try(fn func(ctx context.Context, tx tollgate.Tx) error) error {
	return r.store.Update(r.t.Context(), func(tx tollgate.Tx) error { return fn(r.t.Context(), tx) })
}

func (r *rig) provider(name string) tollgate.Provider {
	p := tollgate.Provider{Name: name, Kind: "openai-compatible", Enabled: true}
	r.update(func(ctx context.Context, tx tollgate.Tx) error {
		if err := tx.Providers.Insert(ctx, &p); err != nil {
			return err
		}
		return r.rules.ProviderSaved(ctx, tx, p, false)
	})
	return p
}

func by() tollgate.Actor { return tollgate.HostActor("cli") }

func input(dollars string) json.RawMessage {
	return json.RawMessage(`{"price_input_tokens":` + dollars + `}`)
}

// set adds an explicit price and returns its version.
func (r *rig) set(provider int64, pattern, dollars string, from time.Time) int64 {
	r.t.Helper()
	var id int64
	r.update(func(ctx context.Context, tx tollgate.Tx) error {
		p, _, err := r.rules.Save(ctx, tx, by(), book.Write{
			ProviderID: tollgate.Some(provider), ModelPattern: tollgate.Some(pattern), Prices: input(dollars), ValidFrom: from, Source: tollgate.PriceAPI,
		})
		id = p.ID
		return err
	})
	return id
}

func (r *rig) model(name, dollars string) tollgate.Model {
	m := tollgate.Model{ProviderID: r.groq.ID, ModelID: name, Prices: input(dollars)}
	r.update(func(ctx context.Context, tx tollgate.Tx) error {
		if err := tx.Models.Insert(ctx, &m); err != nil {
			return err
		}
		return r.rules.ModelSaved(ctx, tx, by(), m)
	})
	return m
}

// at is what a million tokens of input cost, "" for unpriced.
func (r *rig) at(provider int64, model string, when time.Time) string {
	r.t.Helper()
	d := tollgate.Dispatch{ProviderID: provider, Model: model, StartedAt: when, Status: 200, Tokens: tollgate.Tokens{Input: 1_000_000}, Exactness: tollgate.ExactMeasured}
	req := tollgate.Request{Operation: tollgate.OpGenerate}
	r.book.Price(&req, &d)
	if d.PriceVersion == 0 {
		if d.Exactness != tollgate.ExactUnpriced || d.Cost != 0 {
			r.t.Errorf("%s without a price: %+v", model, d)
		}
		return ""
	}
	return d.Cost.String()
}

func (r *rig) want(provider int64, model, dollars string) {
	r.t.Helper()
	if got := r.at(provider, model, r.now); got != dollars {
		r.t.Errorf("a million tokens of %s cost %q, want %q", model, got, dollars)
	}
}

const llama = "llama-3.3-70b-versatile" // 0.59 as shipped for groq

func TestTheOrderOfPrices(t *testing.T) {
	r := newRig(t)
	r.want(r.groq.ID, llama, "0.59")
	r.want(r.groq.ID, llama+"-2026-01-31", "0.59")
	r.want(r.lab.ID, llama, "") // another host's prices
	steps := []struct {
		provider int64
		pattern  string
		dollars  string
	}{
		{0, "*", "1"}, {r.groq.ID, "*", "2"}, {0, "llama-*", "3"}, {r.groq.ID, "llama-*", "4"}, {0, "llama-3.?-*", "5"}, {0, llama, "6"}, {r.groq.ID, llama, "7"},
	}
	for _, s := range steps {
		r.set(s.provider, s.pattern, s.dollars, time.Time{})
		r.want(r.groq.ID, llama, s.dollars)
	}
	m := r.model(llama, "8")
	r.want(r.groq.ID, llama, "8")
	r.want(r.lab.ID, llama, "6")
	r.want(r.lab.ID, "llama-2", "3")
	r.want(r.lab.ID, "other", "1")
	r.want(r.groq.ID, "other", "2")
	// Taken away again one by one, the next in order holds.
	m.Prices = nil
	r.update(func(ctx context.Context, tx tollgate.Tx) error {
		if err := tx.Models.Update(ctx, m); err != nil {
			return err
		}
		return r.rules.ModelSaved(ctx, tx, by(), m)
	})
	for _, s := range slices.Backward(steps) {
		r.want(r.groq.ID, llama, s.dollars)
		r.withdraw(s.provider, s.pattern)
	}
	r.want(r.groq.ID, llama, "0.59")
}

func (r *rig) withdraw(provider int64, pattern string) {
	r.t.Helper()
	r.update(func(ctx context.Context, tx tollgate.Tx) error {
		rows, _, err := tx.Prices.Query(ctx, tollgate.PriceFilter{
			ProviderID: tollgate.Is(provider), ModelPattern: tollgate.Is(pattern), ModelID: tollgate.Is[int64](0), Source: tollgate.Is(tollgate.PriceAPI), Latest: true,
		}, tollgate.Page{})
		if err != nil {
			return err
		}
		return r.rules.Withdraw(ctx, tx, by(), rows[0].ID)
	})
}

func TestAModelsOwnPriceFollowsItsNameAndEndsWithIt(t *testing.T) {
	r := newRig(t)
	m := r.model("mine", "3")
	m.ModelID = "ours"
	r.update(func(ctx context.Context, tx tollgate.Tx) error { return tx.Models.Update(ctx, m) })
	r.want(r.groq.ID, "ours", "3")
	r.want(r.groq.ID, "mine", "")
	r.update(func(ctx context.Context, tx tollgate.Tx) error { return tx.Models.Delete(ctx, m.ID) })
	r.want(r.groq.ID, "ours", "")
}

func TestVersionsHoldFromTheirTimeOn(t *testing.T) {
	r := newRig(t)
	hour := time.Hour
	first := r.set(r.lab.ID, "m", "1", time.Time{})
	started := r.now
	r.now = r.now.Add(hour)
	second := r.set(r.lab.ID, "m", "2", time.Time{})
	r.set(r.lab.ID, "m", "3", r.now.Add(2*hour)) // announced
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{started.Add(-time.Second), ""},
		{started, "1"},
		{r.now.Add(-time.Microsecond), "1"},
		{r.now, "2"},
		{r.now.Add(2*hour - time.Microsecond), "2"},
		{r.now.Add(2 * hour), "3"},
	} {
		if got := r.at(r.lab.ID, "m", c.at); got != c.want {
			t.Errorf("at %v: %q, want %q", c.at.Sub(started), got, c.want)
		}
	}
	if first == second {
		t.Error("a version was edited")
	}
	// What is said later overrules what was announced.
	r.set(r.lab.ID, "m", "4", time.Time{})
	if got := r.at(r.lab.ID, "m", r.now.Add(3*hour)); got != "4" {
		t.Errorf("after another price: %q", got)
	}
	e, ok := r.book.Find(r.lab.ID, "m", r.now)
	if !ok || !r.book.InForce(e.Price, r.now) {
		t.Errorf("the version in force is not: %+v", e)
	}
	e.ID = first
	if r.book.InForce(e.Price, r.now) {
		t.Error("a replaced version is in force")
	}
}

func TestTheSamePriceAgainIsNoVersion(t *testing.T) {
	r := newRig(t)
	first := r.set(0, "m", "1", time.Time{})
	r.now = r.now.Add(time.Minute)
	if again := r.set(0, "m", "1", time.Time{}); again != first {
		t.Errorf("version %d, then %d", first, again)
	}
	if changed := r.set(0, "m", "2", time.Time{}); changed == first {
		t.Error("another price is no new version")
	}
	if back := r.set(0, "m", "1", time.Time{}); back == first {
		t.Error("the old price again is the old version")
	}
}

func TestRefusedWrites(t *testing.T) {
	r := newRig(t)
	shippedID, _ := r.book.Find(r.groq.ID, llama, r.now)
	r.model("mine", "3")
	ownID, _ := r.book.Find(r.groq.ID, "mine", r.now)
	old := r.set(0, "m", "1", time.Time{})
	r.set(0, "m", "2", time.Time{})
	save := func(w book.Write) error {
		return r.try(func(ctx context.Context, tx tollgate.Tx) error {
			_, _, err := r.rules.Save(ctx, tx, by(), w)
			return err
		})
	}
	withdraw := func(id int64) error {
		return r.try(func(ctx context.Context, tx tollgate.Tx) error { return r.rules.Withdraw(ctx, tx, by(), id) })
	}
	some := tollgate.Some[string]
	for name, c := range map[string]struct {
		err   error
		code  tollgate.Code
		field string
	}{
		"no pattern":          {save(book.Write{Prices: input("1"), Source: tollgate.PriceAPI}), tollgate.CodeInvalid, "model_pattern"},
		"no prices":           {save(book.Write{ModelPattern: some("m"), Source: tollgate.PriceAPI}), tollgate.CodeInvalid, "prices"},
		"negative":            {save(book.Write{ModelPattern: some("m"), Prices: input("-1")}), tollgate.CodeInvalid, "prices.price_input_tokens"},
		"over-precise":        {save(book.Write{ModelPattern: some("m"), Prices: input("0.0000000001")}), tollgate.CodeInvalid, "prices.price_input_tokens"},
		"huge":                {save(book.Write{ModelPattern: some("m"), Prices: input("1e9")}), tollgate.CodeInvalid, "prices.price_input_tokens"},
		"no such provider":    {save(book.Write{ModelPattern: some("m"), Prices: input("1"), ProviderID: tollgate.Some[int64](99), Source: tollgate.PriceAPI}), tollgate.CodeInvalid, "provider_id"},
		"no such version":     {save(book.Write{ID: 1 << 40, Prices: input("1")}), tollgate.CodeNotFound, ""},
		"a shipped one":       {save(book.Write{ID: shippedID.ID, Prices: input("1")}), tollgate.CodeConflict, ""},
		"a model's":           {save(book.Write{ID: ownID.ID, Prices: input("1")}), tollgate.CodeConflict, ""},
		"withdraw replaced":   {withdraw(old), tollgate.CodeConflict, ""},
		"withdraw shipped":    {withdraw(shippedID.ID), tollgate.CodeConflict, ""},
		"withdraw a model's":  {withdraw(ownID.ID), tollgate.CodeConflict, ""},
		"withdraw no version": {withdraw(1 << 40), tollgate.CodeNotFound, ""},
	} {
		if tollgate.ErrorCode(c.err) != c.code || tollgate.AsError(c.err).Field != c.field {
			t.Errorf("%s: %v (field %q)", name, c.err, tollgate.AsError(c.err).Field)
		}
	}
}

func TestShippedPricesFollowTheHost(t *testing.T) {
	r := newRig(t)
	count := func(latest bool) int64 {
		var n int64
		r.update(func(ctx context.Context, tx tollgate.Tx) (err error) {
			n, err = tx.Prices.Count(ctx, tollgate.PriceFilter{ProviderID: tollgate.Is(r.groq.ID), Latest: latest})
			return err
		})
		return n
	}
	before := count(false)
	r.update(func(ctx context.Context, tx tollgate.Tx) error { return r.rules.Reconcile(ctx, tx) })
	if after := count(false); after != before || before == 0 {
		t.Errorf("a start adds versions that are there: %d, then %d", before, after)
	}
	r.hosts["groq"] = "llm.example.com"
	r.update(func(ctx context.Context, tx tollgate.Tx) error { return r.rules.ProviderSaved(ctx, tx, r.groq, true) })
	r.want(r.groq.ID, llama, "")
	r.hosts["groq"] = "api.groq.com"
	r.update(func(ctx context.Context, tx tollgate.Tx) error { return r.rules.ProviderSaved(ctx, tx, r.groq, true) })
	r.want(r.groq.ID, llama, "0.59")
	if within, out := r.rules.Limits(r.groq, llama); within != 131_072 || out != 32_768 {
		t.Errorf("limits %d and %d", within, out)
	}
	if within, out := r.rules.Limits(r.lab, llama); within|out != 0 {
		t.Errorf("limits of an unknown host %d and %d", within, out)
	}
}

func TestModelsOfAnOlderReleaseGetTheirVersion(t *testing.T) {
	r := newRig(t)
	r.update(func(ctx context.Context, tx tollgate.Tx) error {
		return tx.Models.Insert(ctx, &tollgate.Model{ProviderID: r.lab.ID, ModelID: "old", Prices: input("5")})
	})
	r.want(r.lab.ID, "old", "")
	r.update(func(ctx context.Context, tx tollgate.Tx) error { return r.rules.Reconcile(ctx, tx) })
	r.want(r.lab.ID, "old", "5")
}

func TestWhatIsBilled(t *testing.T) {
	r := newRig(t)
	r.update(func(ctx context.Context, tx tollgate.Tx) error {
		_, _, err := r.rules.Save(ctx, tx, by(), book.Write{
			ModelPattern: tollgate.Some("m"), Source: tollgate.PriceAPI,
			Prices: json.RawMessage(`{"price_each_call":1,"price_input_tokens":2,"flex_price_input_tokens":1}`),
		})
		return err
	})
	million := tollgate.Tokens{Input: 1_000_000}
	for name, c := range map[string]struct {
		op   tollgate.Operation
		d    tollgate.Dispatch
		cost string
		want tollgate.Exactness
	}{
		"an answer":            {tollgate.OpGenerate, tollgate.Dispatch{Status: 200, Tokens: million}, "3", "measured"},
		"flex":                 {tollgate.OpGenerate, tollgate.Dispatch{Status: 200, Tokens: million, ServiceTier: "flex"}, "2", "measured"},
		"an error":             {tollgate.OpGenerate, tollgate.Dispatch{Status: 500}, "0", "measured"},
		"not reached":          {tollgate.OpGenerate, tollgate.Dispatch{}, "0", "measured"},
		"an error with tokens": {tollgate.OpGenerate, tollgate.Dispatch{Status: 500, Tokens: million}, "2", "measured"},
		"cut":                  {tollgate.OpGenerate, tollgate.Dispatch{Tokens: million, Exactness: tollgate.ExactEstimated}, "3", "estimated"},
		"counting":             {tollgate.OpCount, tollgate.Dispatch{Status: 200, Tokens: million}, "0", "measured"},
		"embedding":            {tollgate.OpEmbed, tollgate.Dispatch{Status: 200, Tokens: million}, "3", "measured"},
		"priced at last":       {tollgate.OpGenerate, tollgate.Dispatch{Status: 200, Tokens: million, Exactness: tollgate.ExactUnpriced}, "3", "measured"},
		"10^18 tokens":         {tollgate.OpGenerate, tollgate.Dispatch{Status: 200, Tokens: tollgate.Tokens{Input: 1e18}}, "1000000000", "estimated"},
		"negative tokens":      {tollgate.OpGenerate, tollgate.Dispatch{Status: 200, Tokens: tollgate.Tokens{Input: -1}}, "0", "estimated"},
	} {
		d := c.d
		d.ProviderID, d.Model, d.StartedAt = r.lab.ID, "m", r.now
		if d.Exactness == "" {
			d.Exactness = tollgate.ExactMeasured
		}
		r.book.Price(&tollgate.Request{Operation: c.op}, &d)
		if d.Cost.String() != c.cost || d.Exactness != c.want {
			t.Errorf("%s: %s, %s; want %s, %s", name, d.Cost, d.Exactness, c.cost, c.want)
		}
	}
}

func TestUnpricedPolicy(t *testing.T) {
	r := newRig(t)
	r.set(0, "priced", "1", time.Time{})
	priced, unpriced := &tollgate.Dispatch{Model: "priced", StartedAt: r.now}, &tollgate.Dispatch{Model: "mystery", StartedAt: r.now}
	for _, c := range []struct {
		policy        book.Policy
		with, without bool // refused under a quota, without one
	}{{"", true, false}, {book.RefuseUnderQuota, true, false}, {book.ServeUnpriced, false, false}, {book.RefuseUnpriced, true, true}} {
		r.book.SetPolicy(c.policy)
		for _, quota := range []bool{true, false} {
			refused := quota && c.with || !quota && c.without
			err := r.book.Admit(unpriced, quota)
			if refused != (tollgate.ErrorCode(err) == tollgate.CodeForbidden) || !refused && err != nil {
				t.Errorf("%q, quota %v: %v", c.policy, quota, err)
			}
			if e := tollgate.AsError(err); refused && (e.Reason != book.ReasonUnpriced || !strings.Contains(e.Message, "mystery")) {
				t.Errorf("%q: %+v", c.policy, e)
			}
			if err := r.book.Admit(priced, quota); err != nil {
				t.Errorf("%q, a priced model: %v", c.policy, err)
			}
		}
	}
	if _, ok, _ := r.book.Bound(unpriced, 1, 1); ok {
		t.Error("an unpriced model has a bound")
	}
	if _, ok := r.book.Fit(unpriced, 1, 1); ok {
		t.Error("an unpriced model fits")
	}
	if m, ok, err := r.book.Bound(priced, 500_000, 10); !ok || err != nil || m.String() != "0.5" {
		t.Errorf("bound %s %v %v", m, ok, err)
	}
}
