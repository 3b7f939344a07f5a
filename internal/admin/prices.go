package admin

import (
	"context"
	"encoding/json"
	"time"

	"tollgate"
	"tollgate/internal/meter/book"
	"tollgate/internal/web/api"
)

// price is the JSON of a version of a price.
type price struct {
	ID           int64           `json:"id" doc:"The version: price_version of the usage rows that it priced."`
	ProviderID   *int64          `json:"provider_id" doc:"null = every provider"`
	ModelID      *int64          `json:"model_id" doc:"The model row whose own price it is; null = a price by pattern."`
	ModelPattern string          `json:"model_pattern"`
	Prices       json.RawMessage `json:"prices" doc:"Price keys in dollars per million tokens; null = withdrawn."`
	Source       string          `json:"source" enum:"shipped,toml,api,import"`
	ValidFrom    time.Time       `json:"valid_from"`
	CreatedAt    time.Time       `json:"created_at"`
	InForce      bool            `json:"in_force" doc:"It is the one of its provider and pattern that holds now. Which of several patterns holds for a model, models/query says."`
}

type priceQuery struct {
	ID           api.Scope[int64]  `json:"id,omitzero"`
	ProviderID   api.Scope[int64]  `json:"provider_id,omitzero" doc:"0 = the prices for every provider."`
	ModelID      api.Scope[int64]  `json:"model_id,omitzero" doc:"0 = the prices by pattern."`
	ModelPattern api.Scope[string] `json:"model_pattern,omitzero" doc:"As written, not as it matches."`
	Source       api.Scope[string] `json:"source,omitzero"`
	History      bool              `json:"history,omitempty" doc:"Show versions that were replaced, too."`
	api.Page
}

type priceWrite struct {
	ID           int64           `json:"id,omitempty" minimum:"0" doc:"A version whose provider and pattern are kept; 0 or absent = they are given."`
	ProviderID   api.Opt[int64]  `json:"provider_id,omitzero" minimum:"1" doc:"null or absent = every provider"`
	ModelPattern api.Val[string] `json:"model_pattern,omitzero" maxLength:"256" doc:"The provider's name of the model; * and ? are wildcards."`
	Prices       json.RawMessage `json:"prices" required:"true" doc:"An object of price keys: price_input_tokens, price_output_tokens, price_tiers…"`
	ValidFrom    *time.Time      `json:"valid_from,omitempty" doc:"The default is now. In the past: for re-rating; in the future: announced."`
}

type priceImport struct {
	Provider string            `json:"provider,omitempty" maxLength:"63" doc:"The provider's name for entries that name none; empty = every provider."`
	Prices   []json.RawMessage `json:"prices,omitempty" doc:"Entries {provider?, model_pattern, prices: {price keys}, valid_from?}."`
	Models   []json.RawMessage `json:"models,omitempty" doc:"Entries {model_id, price keys}, as the seed system lists models."`
	DryRun   bool              `json:"dry_run,omitempty" doc:"Say what would change; change nothing."`
}

type priceImported struct {
	OK      bool            `json:"ok"`
	Changed int             `json:"changed" doc:"How many prices are other than before."`
	Entries []book.Imported `json:"entries"`
}

func (s *Server) mountPrices() {
	const tag = "Prices"
	api.Listing[priceQuery, tollgate.Price, tollgate.PriceFilter, price]{
		Op: reads("/admin/prices/query", tag, "Find prices: the latest version of each, or all"),
		Source: func(ctx context.Context, tx tollgate.Tx, f tollgate.PriceFilter, p tollgate.Page) ([]tollgate.Price, *tollgate.Cursor, error) {
			return tx.Prices.Query(ctx, f, p)
		},
		Filter: func(_ context.Context, q priceQuery) (tollgate.PriceFilter, error) { return q.filter(), nil },
		Records: api.Each(func(p tollgate.Price) price {
			return price{
				p.ID, api.OrNull(p.ProviderID), api.OrNull(p.ModelID), p.ModelPattern, p.Prices, string(p.Source), p.ValidFrom, p.CreatedAt,
				s.Book.InForce(p, s.Now()),
			}
		}),
	}.Mount(s.API, s.Store, s.Cursors)
	example := map[string]any{"provider_id": 1, "model_pattern": "some-model-*", "prices": map[string]any{"price_input_tokens": 2.5, "price_output_tokens": 10}}
	api.Handle(s.API, writes("/admin/prices/upsert", tag, "Set a price: adds a version; versions are never edited", example), func(ctx context.Context, in *priceWrite) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
			if err := providerThere(ctx, tx, in.ProviderID.Value); err != nil {
				return 0, err
			}
			p, _, err := s.Prices.Save(ctx, tx, by, book.Write{
				ID: in.ID, ProviderID: in.ProviderID.Opt, ModelPattern: in.ModelPattern.Opt, Prices: in.Prices,
				ValidFrom: api.Deref(in.ValidFrom), Source: tollgate.PriceAPI,
			})
			return p.ID, err
		})
	})
	s.mountDelete(writes("/admin/prices/delete", tag, "Withdraw a price: the next in order holds for its models", nil), s.Prices.Withdraw)
	s.mountPriceImport(tag)
	s.mountRerate(tag)
}

func (q priceQuery) filter() tollgate.PriceFilter {
	f := tollgate.PriceFilter{
		ID: q.ID.Match, ProviderID: q.ProviderID.Match, ModelID: q.ModelID.Match, ModelPattern: q.ModelPattern.Match,
		Source: tollgate.Match[tollgate.PriceSource]{Set: q.Source.Set}, Latest: !q.History,
	}
	for _, v := range q.Source.Values {
		f.Source.Values = append(f.Source.Values, tollgate.PriceSource(v))
	}
	return f
}

func (s *Server) mountPriceImport(tag string) {
	example := map[string]any{"provider": "lab", "models": []any{map[string]any{"model_id": "some-model", "price_tiers": []any{
		map[string]any{"input_tokens_up_to": 200_000, "price_input_tokens": 1.25, "price_output_tokens": 10},
		map[string]any{"price_input_tokens": 2.5, "price_output_tokens": 15},
	}}}}
	op := writes("/admin/prices/import", tag, "Set the prices of a list, all or none", example)
	op.Policy.MaxBody = maxPriceList
	api.Handle(s.API, op, func(ctx context.Context, in *priceImport) (priceImported, error) {
		list := book.Import{Provider: in.Provider, Prices: in.Prices, Models: in.Models}
		if len(in.Prices)+len(in.Models) == 0 {
			return priceImported{}, tollgate.Invalidf("prices", "the list has no entry; give prices or models")
		}
		out := priceImported{OK: true}
		run := func(tx tollgate.Tx, by tollgate.Actor) (err error) {
			out.Entries, err = s.Prices.Import(ctx, tx, by, list, in.DryRun)
			return err
		}
		var err error
		if in.DryRun {
			err = s.Store.View(ctx, func(tx tollgate.Tx) error { return run(tx, tollgate.Actor{}) })
		} else {
			err = s.change(ctx, run)
		}
		for _, e := range out.Entries {
			if e.Changed {
				out.Changed++
			}
		}
		return out, err
	})
}

// maxPriceList bounds the body of an import, in bytes.
const maxPriceList = 8 << 20
