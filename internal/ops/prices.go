package ops

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/meter/book"
)

// Price is the latest version of a price.
type Price struct {
	ID        int64           `json:"id"`
	Provider  string          `json:"provider"` // empty = every provider
	Pattern   string          `json:"model_pattern"`
	Own       bool            `json:"own"` // it is the price of a model row
	Source    string          `json:"source"`
	ValidFrom time.Time       `json:"valid_from"`
	Prices    json.RawMessage `json:"prices"`
}

// PriceArgs select prices; the zero value selects all.
type PriceArgs struct {
	Provider string `json:"provider,omitempty"`
	Model    string `json:"model,omitempty"` // part of the pattern
}

// ImportedPrice is an entry of a price list and what became of it.
type ImportedPrice = book.Imported

// PriceList is a price list to import.
type PriceList struct {
	Text     []byte `json:"text"`
	Provider string `json:"provider,omitempty"` // of entries that name none
	Plan     bool   `json:"plan,omitempty"`
}

func (h *Host) priceList(ctx context.Context, a PriceArgs, _ Report) ([]Price, error) {
	out := []Price{}
	err := h.Store.View(ctx, func(tx tollgate.Tx) error {
		providers, _, err := tx.Providers.Query(ctx, tollgate.ProviderFilter{}, tollgate.Page{All: true})
		if err != nil {
			return err
		}
		names, ids := map[int64]string{0: ""}, map[string]int64{}
		for _, p := range providers {
			names[p.ID], ids[p.Name] = p.Name, p.ID
		}
		f := tollgate.PriceFilter{Latest: true}
		if a.Provider != "" {
			id, ok := ids[a.Provider]
			if !ok {
				return tollgate.Errorf(tollgate.CodeNotFound, "there is no provider %q", a.Provider)
			}
			f.ProviderID = tollgate.Is(id)
		}
		rows, _, err := tx.Prices.Query(ctx, f, tollgate.Page{All: true})
		for _, p := range rows {
			name, there := names[p.ProviderID]
			if !there || p.Prices == nil || !strings.Contains(p.ModelPattern, a.Model) {
				continue // of a provider that is gone, or withdrawn
			}
			out = append(out, Price{
				ID: p.ID, Provider: name, Pattern: p.ModelPattern, Own: p.ModelID != 0, Source: string(p.Source), ValidFrom: p.ValidFrom, Prices: p.Prices,
			})
		}
		return err
	})
	return out, err
}

func (h *Host) priceImport(ctx context.Context, a PriceList, _ Report) ([]ImportedPrice, error) {
	list, err := book.ReadImport(a.Text)
	if err != nil {
		return nil, err
	}
	if list.Provider == "" {
		list.Provider = a.Provider
	}
	var out []ImportedPrice
	run := func(tx tollgate.Tx) (err error) {
		out, err = h.Prices.Import(ctx, tx, importActor(), list, a.Plan)
		return err
	}
	if a.Plan {
		return out, h.Store.View(ctx, run)
	}
	return out, h.Store.Update(ctx, run)
}
