package book_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tollgate"
	"tollgate/internal/meter/book"
)

// load imports a price list.
func (r *rig) load(text string, look bool) ([]book.Imported, error) {
	list, err := book.ReadImport([]byte(text))
	if err != nil {
		return nil, err
	}
	var out []book.Imported
	err = r.try(func(ctx context.Context, tx tollgate.Tx) (err error) {
		out, err = r.rules.Import(ctx, tx, by(), list, look)
		return err
	})
	return out, err
}

func TestImportReadsBothForms(t *testing.T) {
	for name, text := range map[string]string{
		"own":           `{"prices":[{"provider":"lab","model_pattern":"m","prices":{"price_input_tokens":3}}]}`,
		"a bare list":   `[{"provider":"lab","model_pattern":"m","prices":{"price_input_tokens":3}}]`,
		"flat":          `[{"provider_name":"lab","model_id":"m","price_input_tokens":3}]`,
		"the seed's":    `{"provider":"lab","models":[{"id":7,"provider_id":4,"model_id":"m","display_name":"M","enabled":true,"price_each_call":null,"price_tiers":[{"input_tokens_up_to":9223372036854775807,"price_input_tokens":3}]}]}`,
		"with others":   `{"provider":"lab","models":[{"model_id":"unpriced","price_each_call":null,"price_tiers":null},{"model_id":"m","price_input_tokens":3}]}`,
		"seed's export": `[{"channel":"lab","model_id":"m","price_tiers":[{"price_input_tokens":3}],"flex_price_tiers":null}]`,
	} {
		r := newRig(t)
		seen, err := r.load(text, true)
		if err != nil || len(seen) != 1 || !seen[0].Changed || seen[0].ID != 0 {
			t.Errorf("%s: looked at: %+v, %v", name, seen, err)
		}
		r.want(r.lab.ID, "m", "")
		done, err := r.load(text, false)
		if err != nil || len(done) != 1 || !done[0].Changed || done[0].ID == 0 || done[0].Provider != "lab" || done[0].ModelPattern != "m" {
			t.Fatalf("%s: %+v, %v", name, done, err)
		}
		r.want(r.lab.ID, "m", "3")
		r.want(r.groq.ID, "m", "")
		again, err := r.load(text, false)
		if err != nil || len(again) != 1 || again[0].Changed || again[0].ID != done[0].ID {
			t.Errorf("%s again: %+v, %v", name, again, err)
		}
	}
}

func TestImportIsAllOrNothing(t *testing.T) {
	r := newRig(t)
	good := `{"model_pattern":"good","price_input_tokens":1}`
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":         {`{`, "price list"},
		"empty":            {`{}`, "empty"},
		"no pattern":       {`[` + good + `,{"price_input_tokens":1}]`, "prices[1]"},
		"no object":        {`[` + good + `,7]`, "prices[1]"},
		"no such provider": {`[` + good + `,{"provider":"nobody","model_pattern":"m","price_input_tokens":1}]`, `"nobody"`},
		"unknown key":      {`[` + good + `,{"model_pattern":"m","price":1}]`, "prices[1].prices.price"},
		"negative":         {`[` + good + `,{"model_pattern":"m","prices":{"price_each_call":-1}}]`, "prices[1].prices.price_each_call"},
		"both forms":       {`[` + good + `,{"model_pattern":"m","prices":{"price_each_call":1},"price_each_call":2}]`, "beside prices"},
		"wrong type":       {`[` + good + `,{"model_pattern":7,"price_each_call":2}]`, "prices[1].model_pattern"},
		"too long":         {`[` + good + `,{"model_pattern":"` + strings.Repeat("x", 300) + `","price_each_call":2}]`, "prices[1]"},
	} {
		_, err := r.load(c.text, false)
		if tollgate.ErrorCode(err) != tollgate.CodeInvalid || !strings.Contains(tollgate.AsError(err).Message, c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		r.want(r.lab.ID, "good", "")
	}
	many := book.Import{Prices: make([]json.RawMessage, book.MaxImport+1)}
	err := r.try(func(ctx context.Context, tx tollgate.Tx) error {
		_, err := r.rules.Import(ctx, tx, by(), many, false)
		return err
	})
	if tollgate.ErrorCode(err) != tollgate.CodeTooLarge {
		t.Errorf("too many: %v", err)
	}
}

// used appends one request of a user and returns its dispatch's cost then.
func (r *rig) used(ids *tollgate.RequestIDs, user int64, model string, tokens int64, exact tollgate.Exactness) {
	r.t.Helper()
	req := tollgate.Request{ID: ids.Next(r.now), UserID: user, KeyID: user + 100, StartedAt: r.now, Operation: tollgate.OpGenerate}
	d := tollgate.Dispatch{
		ID: req.ID.Dispatch(1), ProviderID: r.lab.ID, Model: model, StartedAt: r.now, Status: 200,
		Tokens: tollgate.Tokens{Input: tokens}, Exactness: exact,
	}
	r.book.Price(&req, &d)
	if exact == tollgate.ExactUnknownOutcome {
		d.Cost, d.Exactness = 7*tollgate.Dollar, exact
	}
	req.Dispatches = []tollgate.Dispatch{d}
	if err := r.store.Append(r.t.Context(), []tollgate.Request{req}); err != nil {
		r.t.Fatal(err)
	}
}

func TestReratingShowsTheDifference(t *testing.T) {
	r := newRig(t)
	ids := new(tollgate.RequestIDs)
	since := r.now
	r.set(r.lab.ID, "a", "1", time.Time{})
	r.set(r.lab.ID, "b", "1", time.Time{})
	for i := range int64(1500) { // more than a page
		r.now = r.now.Add(time.Second)
		r.used(ids, 1+i%2, "a", 1_000_000, tollgate.ExactMeasured)
	}
	r.used(ids, 1, "b", 1_000_000, tollgate.ExactMeasured)
	r.used(ids, 1, "never", 1_000_000, tollgate.ExactMeasured)
	r.used(ids, 2, "late", 2_000_000, tollgate.ExactMeasured)
	r.used(ids, 2, "a", 1_000_000, tollgate.ExactUnknownOutcome)
	r.now = r.now.Add(time.Hour)
	r.set(r.lab.ID, "a", "0.5", since)     // cheaper all the time
	r.set(r.lab.ID, "late", "3", since)    // what had none
	r.set(r.lab.ID, "b", "9", time.Time{}) // dearer from now on only
	got := r.rerate(tollgate.UsageFilter{Since: since, Until: r.now})
	rows := got.Rows
	got.Rows = nil
	want := tollgate.Rated{
		Dispatches: 1504, Changed: 1501, Unpriced: 1, Old: 1508 * tollgate.Dollar, New: 764 * tollgate.Dollar,
		Models: []tollgate.RatedModel{
			{ProviderID: r.lab.ID, Model: "a", Dispatches: 1500, Old: 1500 * tollgate.Dollar, New: 750 * tollgate.Dollar},
			{ProviderID: r.lab.ID, Model: "late", Dispatches: 1, New: 6 * tollgate.Dollar},
		},
		Users: []tollgate.RatedUser{
			{UserID: 1, Dispatches: 750, Old: 750 * tollgate.Dollar, New: 375 * tollgate.Dollar},
			{UserID: 2, Dispatches: 751, Old: 750 * tollgate.Dollar, New: 381 * tollgate.Dollar},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	var due tollgate.Money
	for i, row := range rows {
		due += row.Cost - row.Was
		if i > 0 && rows[i-1].ID >= row.ID || row.PriceVersion == 0 || row.KeyID != row.UserID+100 {
			t.Fatalf("row %d: %+v", i, row)
		}
	}
	if len(rows) != 1501 || due != got.New-got.Old {
		t.Errorf("%d rows differ by %s", len(rows), due)
	}
	only := r.rerate(tollgate.UsageFilter{Since: since, Until: r.now, Model: tollgate.Is("late")})
	if only.Dispatches != 1 || only.New != 6*tollgate.Dollar {
		t.Errorf("one model: %+v", only)
	}
	if none := r.rerate(tollgate.UsageFilter{Since: r.now, Until: r.now.Add(time.Hour)}); none.Dispatches != 0 || none.Changed != 0 {
		t.Errorf("no usage: %+v", none)
	}
	for _, f := range []tollgate.UsageFilter{{}, {Since: since}, {Until: r.now}, {Since: r.now, Until: since}} {
		err := r.try(func(ctx context.Context, tx tollgate.Tx) error { _, err := r.book.Rerate(ctx, tx, f, 0); return err })
		if tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

// TestReratingByOneVersion rates what a version covers by it, whenever it began.
func TestReratingByOneVersion(t *testing.T) {
	r := newRig(t)
	ids := new(tollgate.RequestIDs)
	since := r.now
	r.set(r.lab.ID, "a", "1", time.Time{})
	r.set(r.lab.ID, "b", "1", time.Time{})
	r.used(ids, 1, "a", 1_000_000, tollgate.ExactMeasured)
	r.used(ids, 1, "b", 1_000_000, tollgate.ExactMeasured)
	r.now = r.now.Add(time.Hour)
	r.set(r.lab.ID, "a", "4", r.now.Add(time.Hour)) // announced
	period := tollgate.UsageFilter{Since: since, Until: r.now}
	if got := r.rerate(period); got.Changed != 0 || got.Dispatches != 2 {
		t.Errorf("by the book: %+v", got)
	}
	by := func(version int64) (got tollgate.Rated, err error) {
		err = r.store.View(t.Context(), func(tx tollgate.Tx) (err error) {
			got, err = r.book.Rerate(t.Context(), tx, period, version)
			return err
		})
		return got, err
	}
	var newest tollgate.Price
	_ = r.store.View(t.Context(), func(tx tollgate.Tx) error {
		rows, _, err := tx.Prices.Query(t.Context(), tollgate.PriceFilter{}, tollgate.Page{Sort: "-id", Limit: 1})
		newest = rows[0]
		return err
	})
	got, err := by(newest.ID)
	if err != nil || got.Dispatches != 1 || got.Old != tollgate.Dollar || got.New != 4*tollgate.Dollar || got.Rows[0].PriceVersion != newest.ID {
		t.Errorf("by the announced version: %+v %v", got, err)
	}
	if _, err := by(newest.ID + 1); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
		t.Errorf("by no version: %v", err)
	}
}

func (r *rig) rerate(f tollgate.UsageFilter) tollgate.Rated {
	r.t.Helper()
	var got tollgate.Rated
	err := r.store.View(r.t.Context(), func(tx tollgate.Tx) (err error) {
		got, err = r.book.Rerate(r.t.Context(), tx, f, 0)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

func FuzzReadImport(f *testing.F) {
	f.Add(`{"prices":[{"model_pattern":"m","prices":{"price_each_call":1}}]}`)
	f.Add(`[{"model_id":"m","price_tiers":[{}]}]`)
	f.Add(`{"models":[null,7,{}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		list, err := book.ReadImport([]byte(s))
		if err == nil && len(list.Prices)+len(list.Models) > len(s) {
			t.Fatalf("%q holds %d entries", s, len(list.Prices)+len(list.Models))
		}
	})
}
