package sqlstore

import (
	"context"
	"encoding/json"
	"time"

	"tollgate"
)

func priceTable() *spec[tollgate.Price, tollgate.PriceFilter] {
	type row = tollgate.Price
	return &spec[row, tollgate.PriceFilter]{
		name: "prices", noun: "price",
		area: tollgate.AreaCatalogue,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			integer("provider_id", func(r *row) *int64 { return &r.ProviderID }),
			integer("model_id", func(r *row) *int64 { return &r.ModelID }),
			text("model_pattern", func(r *row) *string { return &r.ModelPattern }),
			document("prices", func(r *row) *json.RawMessage { return &r.Prices }),
			text("source", func(r *row) *tollgate.PriceSource { return &r.Source }),
			instant("valid_from", func(r *row) *time.Time { return &r.ValidFrom }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
		},
		filter: func(w *where, f tollgate.PriceFilter) {
			ints(w, "id", f.ID)
			ints(w, "provider_id", f.ProviderID)
			ints(w, "model_id", f.ModelID)
			texts(w, "model_pattern", f.ModelPattern)
			texts(w, "source", f.Source)
			if f.Latest {
				// One condition for each form of a series, so that each finds its index.
				const later = `NOT EXISTS (SELECT 1 FROM prices AS later WHERE later.id > prices.id AND later.provider_id = prices.provider_id
					AND later.model_id = prices.model_id AND `
				w.add(later + `prices.model_id <> 0)`)
				w.add(later + `prices.model_id = 0 AND later.model_pattern = prices.model_pattern
					AND (later.source = 'shipped') = (prices.source = 'shipped'))`)
			}
		},
		sorts: []string{"provider_id", "model_pattern", "source", "valid_from"},
		check: checkPriceOwner,
	}
}

// checkPriceOwner looks that the provider of a new version exists. There is no
// reference in the schema, since versions outlive what they price.
func checkPriceOwner(ctx context.Context, s *session, r *tollgate.Price) error {
	if r.ProviderID == 0 {
		return nil
	}
	n, err := s.number(ctx, "SELECT COUNT(*) FROM providers WHERE id = $1", r.ProviderID)
	if err != nil {
		return s.fail(ctx, err, "look up the provider")
	}
	if n == 0 {
		return tollgate.Invalidf("provider_id", "provider %d does not exist", r.ProviderID)
	}
	return nil
}

// counters keeps where rate limits stand.
type counters struct{ s *session }

// All returns every counter, by limit id.
func (t counters) All(ctx context.Context) ([]tollgate.RateCounters, error) {
	rows, err := t.s.tx.QueryContext(ctx, "SELECT limit_id, state FROM rate_counters ORDER BY limit_id")
	if err != nil {
		return nil, t.s.fail(ctx, err, "read rate counters")
	}
	defer func() { _ = rows.Close() }()
	var out []tollgate.RateCounters
	for rows.Next() {
		var c tollgate.RateCounters
		if err := rows.Scan(&c.LimitID, &c.State); err != nil {
			return nil, t.s.fail(ctx, err, "read rate counters")
		}
		out = append(out, c)
	}
	return out, t.s.fail(ctx, rows.Err(), "read rate counters")
}

// Replace writes rows in place of all there are.
func (t counters) Replace(ctx context.Context, rows []tollgate.RateCounters) error {
	if _, err := t.s.exec(ctx, "DELETE FROM rate_counters"); err != nil {
		return t.s.fail(ctx, err, "write rate counters")
	}
	for _, c := range rows {
		const query = "INSERT INTO rate_counters (limit_id, state) VALUES ($1, $2)"
		if _, err := t.s.exec(ctx, query, c.LimitID, c.State); err != nil {
			return t.s.fail(ctx, err, "write rate counters")
		}
	}
	t.s.touch(0)
	return nil
}
