package storetest

import (
	"context"
	"encoding/json"
	"testing"

	"tollgate"
)

func testPrices(b *bench) {
	t := b.t
	f := stored(t, b)
	at := day()
	text := json.RawMessage(`{"price_input_tokens": 1.25}`)
	version := func(source tollgate.PriceSource, provider, model int64, pattern string, prices json.RawMessage) tollgate.Price {
		return tollgate.Price{
			ProviderID: provider, ModelID: model, ModelPattern: pattern, Prices: prices, Source: source, ValidFrom: at, CreatedAt: at.AddDate(0, 0, 1),
		}
	}
	versions := []tollgate.Price{
		0: version(tollgate.PriceShipped, f.provider.ID, 0, "some/model", text),
		1: version(tollgate.PriceAPI, f.provider.ID, 0, "some/model", text), // not of the series of 0
		2: version(tollgate.PriceImport, 0, 0, "some/model", text),
		3: version(tollgate.PriceTOML, f.provider.ID, f.model.ID, "some/model", text),
		4: version(tollgate.PriceAPI, f.provider.ID, 0, "some/model", nil),                // replaces 1
		5: version(tollgate.PriceAPI, f.provider.ID, f.model.ID, "renamed", text),         // replaces 3
		6: version(tollgate.PriceShipped, f.provider.ID, 0, "some/other", text),           // replaces nothing
		7: version(tollgate.PriceShipped, f.provider.ID, 0, "some/model", f.model.Prices), // replaces 0
	}
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		for i := range versions {
			must(t, tx.Prices.Insert(ctx, &versions[i]))
			if i > 0 && versions[i].ID <= versions[i-1].ID {
				t.Fatalf("version %d came after %d", versions[i].ID, versions[i-1].ID)
			}
		}
		refusedPrices(ctx, t, tx, f.provider.ID)
		return nil
	})
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Providers.Delete(ctx, f.provider.ID) })
	b.reopen(t)
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		for _, v := range versions { // provider and model are gone
			got, err := tx.Prices.Get(ctx, v.ID)
			must(t, err)
			same(t, got, v)
		}
		_, err := tx.Prices.Get(ctx, unknown)
		wantCode(t, err, tollgate.CodeNotFound)
		selects := func(filter tollgate.PriceFilter, want ...int) {
			t.Helper()
			var rows []tollgate.Price
			for _, i := range want {
				rows = append(rows, versions[i])
			}
			got, _, err := tx.Prices.Query(ctx, filter, tollgate.Page{})
			must(t, err)
			same(t, got, rows)
			n, err := tx.Prices.Count(ctx, filter)
			must(t, err)
			if n != int64(len(rows)) {
				t.Fatalf("Count says %d of %+v, want %d", n, filter, len(rows))
			}
		}
		selects(tollgate.PriceFilter{}, 0, 1, 2, 3, 4, 5, 6, 7)
		selects(tollgate.PriceFilter{Latest: true}, 2, 4, 5, 6, 7)
		selects(tollgate.PriceFilter{Latest: true, Source: tollgate.Is(tollgate.PriceShipped)}, 6, 7)
		selects(tollgate.PriceFilter{ProviderID: tollgate.Is[int64](0)}, 2)
		selects(tollgate.PriceFilter{ModelID: tollgate.Is(f.model.ID)}, 3, 5)
		selects(tollgate.PriceFilter{ModelPattern: tollgate.Is("renamed"), ID: tollgate.Is(versions[5].ID)}, 5)
		return nil
	})
}

func refusedPrices(ctx context.Context, t *testing.T, tx tollgate.Tx, provider int64) {
	t.Helper()
	refused := func(field string, row tollgate.Price) {
		t.Helper()
		wantField(t, tx.Prices.Insert(ctx, &row), tollgate.CodeInvalid, field)
	}
	refused("provider_id", tollgate.Price{ProviderID: unknown, ModelPattern: "*", Source: tollgate.PriceAPI})
	refused("model_pattern", tollgate.Price{ProviderID: provider, Source: tollgate.PriceAPI})
	refused("source", tollgate.Price{ModelPattern: "*", Source: "rumour"})
	refused("prices", tollgate.Price{ModelPattern: "*", Source: tollgate.PriceAPI, Prices: json.RawMessage("{")})
}

func testCounters(b *bench) {
	t := b.t
	first := []tollgate.RateCounters{{LimitID: 1, State: []byte(`{"a":1}`)}, {LimitID: 7, State: []byte{0, 255}}}
	second := []tollgate.RateCounters{{LimitID: 2, State: []byte("x")}}
	for _, rows := range [][]tollgate.RateCounters{first, second, nil, second} {
		b.update(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Counters.Replace(ctx, rows) })
		b.reopen(t)
		b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
			got, err := tx.Counters.All(ctx)
			same(t, got, rows)
			return err
		})
	}
}
