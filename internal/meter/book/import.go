package book

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tollgate"
)

// MaxImport bounds the prices of one import, which is one transaction.
const MaxImport = 2_000

// Import is a price list: the project's own form, {"prices": [{"provider":
// "groq", "model_pattern": "llama-*", "prices": {price keys}}]}, or the seed
// system's, {"models": [{"model_id": "…", price keys}]}. Both kinds of entry
// may stand in either list.
type Import struct {
	// Provider is the name of the provider of entries that name none; "" =
	// they are for every provider.
	Provider string            `json:"provider,omitempty"`
	Prices   []json.RawMessage `json:"prices,omitempty"`
	Models   []json.RawMessage `json:"models,omitempty"`
}

// Imported is an entry of a price list and what became of it.
type Imported struct {
	ID           int64  `json:"id" doc:"The version that says so; 0 = the list was only looked at."`
	Provider     string `json:"provider" doc:"Empty = every provider."`
	ModelPattern string `json:"model_pattern"`
	Changed      bool   `json:"changed" doc:"False = the price was in force already."`
}

// ReadImport reads a price list: an object as Import describes it, or a bare
// list of entries. Errors are CodeInvalid.
func ReadImport(text []byte) (Import, error) {
	var list Import
	if json.Unmarshal(text, &list.Prices) == nil {
		return list, nil
	}
	list.Prices = nil
	if err := json.Unmarshal(text, &list); err != nil {
		return list, tollgate.WrapError(tollgate.CodeInvalid, err, `a price list is JSON: a list of entries, or an object with "prices" or "models"`)
	}
	if len(list.Prices)+len(list.Models) == 0 {
		return list, tollgate.Errorf(tollgate.CodeInvalid, "the price list is empty")
	}
	return list, nil
}

// entry is one line of a price list.
type entry struct {
	at       string
	provider string
	pattern  string
	from     time.Time
	prices   json.RawMessage
}

// readEntry reads one line: who it is for, and the prices either as an object
// "prices" or as keys beside the others. What the seed system says about a
// model beyond that means nothing here.
func readEntry(at string, raw json.RawMessage) (entry, error) {
	e := entry{at: at}
	keys := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &keys); err != nil {
		return e, tollgate.Invalidf(at, "%s must be an object", at)
	}
	flat := map[string]json.RawMessage{}
	for key, value := range keys {
		var err error
		switch key {
		case "provider", "provider_name", "channel":
			err = json.Unmarshal(value, &e.provider)
		case "model_pattern", "model_id":
			err = json.Unmarshal(value, &e.pattern)
		case "valid_from":
			err = json.Unmarshal(value, &e.from)
		case "prices":
			e.prices = value
		case "id", "provider_id", "display_name", "enabled", "context_tokens", "output_tokens", "source":
		default:
			flat[key] = value
		}
		if err != nil {
			return e, tollgate.Invalidf(at+"."+key, "%s.%s has the wrong type", at, key)
		}
	}
	switch {
	case e.pattern == "":
		return e, tollgate.Invalidf(at+".model_pattern", "%s needs model_pattern (or model_id)", at)
	case e.prices != nil && len(flat) > 0:
		for key := range flat {
			return e, tollgate.Invalidf(at+"."+key, "%s.%s stands beside prices; put it inside", at, key)
		}
	case e.prices == nil:
		var err error
		if e.prices, err = json.Marshal(flat); err != nil {
			return e, tollgate.Invalidf(at, "%s is not JSON", at)
		}
	}
	return e, nil
}

// Import adds what a price list says, all or nothing: entries whose price is
// in force already change nothing; entries without a price are left out, as
// the seed system lists models that have none. With only look set, nothing is
// added. Errors name the entry.
func (r *Rules) Import(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, list Import, look bool) ([]Imported, error) {
	if n := len(list.Prices) + len(list.Models); n > MaxImport {
		return nil, tollgate.Errorf(tollgate.CodeTooLarge, "the price list has %d entries; %d are the most at once", n, MaxImport)
	}
	entries, err := readEntries(list)
	if err != nil {
		return nil, err
	}
	providers, _, err := tx.Providers.Query(ctx, tollgate.ProviderFilter{}, tollgate.Page{All: true})
	if err != nil {
		return nil, err
	}
	out := []Imported{}
	for _, e := range entries {
		i := slices.IndexFunc(providers, func(p tollgate.Provider) bool { return p.Name == e.provider })
		if e.provider != "" && i < 0 {
			return nil, tollgate.Invalidf(e.at+".provider", "%s: there is no provider %q", e.at, e.provider)
		}
		var id int64
		if i >= 0 {
			id = providers[i].ID
		}
		done, err := r.importEntry(ctx, tx, by, e, id, look)
		if err != nil {
			return nil, err
		}
		if done != nil {
			out = append(out, *done)
		}
	}
	return out, nil
}

func readEntries(list Import) ([]entry, error) {
	var out []entry
	for name, raws := range map[string][]json.RawMessage{"prices": list.Prices, "models": list.Models} {
		for i, raw := range raws {
			e, err := readEntry(fmt.Sprintf("%s[%d]", name, i), raw)
			if err != nil {
				return nil, err
			}
			if e.provider == "" {
				e.provider = list.Provider
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// importEntry adds one entry; nil = it has no price.
func (r *Rules) importEntry(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, e entry, provider int64, look bool) (*Imported, error) {
	prices, err := r.Check(e.at+".prices", e.prices)
	if err != nil || prices == nil {
		return nil, err
	}
	done := &Imported{Provider: e.provider, ModelPattern: e.pattern}
	w := Write{
		ProviderID: tollgate.Some(provider), ModelPattern: tollgate.Some(e.pattern), Prices: prices, ValidFrom: e.from, Source: tollgate.PriceImport,
	}
	if look {
		_, done.Changed, err = r.prepare(ctx, tx, w)
	} else {
		var p tollgate.Price
		p, done.Changed, err = r.Save(ctx, tx, by, w)
		done.ID = p.ID
	}
	if err != nil {
		te := *tollgate.AsError(err)
		te.Message = e.at + ": " + te.Message
		return nil, &te
	}
	return done, nil
}
