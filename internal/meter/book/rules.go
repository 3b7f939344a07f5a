package book

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"tollgate"
	"tollgate/internal/meter"
	"tollgate/internal/meter/shipped"
)

// Rules are the rules for adding versions of prices, the same for every
// surface. Each method runs inside the caller's transaction; who may call it
// is the surface's to decide.
type Rules struct {
	Now func() time.Time
	// Host returns the host that a provider's requests go to, "" for none.
	Host func(tollgate.Provider) string
	// Table is what is shipped; nil = nothing.
	Table *shipped.Table
}

// Write is a new version of an explicit price.
type Write struct {
	// ID is a version whose provider and pattern are kept; 0 = they are given.
	ID           int64
	ProviderID   tollgate.Opt[int64] // null or 0 = every provider
	ModelPattern tollgate.Opt[string]
	Prices       json.RawMessage
	ValidFrom    time.Time // zero = now
	Source       tollgate.PriceSource
}

// Check returns a price object compact, nil for none; see meter.Canonical.
func (r *Rules) Check(field string, raw json.RawMessage) (json.RawMessage, error) {
	return meter.Canonical(field, raw)
}

// Save adds a version and its audit entry. Where the price is in force
// already, it adds nothing and returns the version that says so; added tells
// which it was. Errors are CodeInvalid, CodeNotFound or CodeConflict.
func (r *Rules) Save(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w Write) (p tollgate.Price, added bool, err error) {
	next, added, err := r.prepare(ctx, tx, w)
	if err != nil || !added {
		return next.Price, false, err
	}
	if err := tx.Prices.Insert(ctx, &next.Price); err != nil {
		return next.Price, false, err
	}
	return next.Price, true, r.audit(ctx, tx, by, "upsert", next.was, &next.Price)
}

// prepared is a version that is to be added.
type prepared struct {
	tollgate.Price
	was *tollgate.Price // the latest before it, nil for none
}

// prepare checks a write and makes its version; where the price is in force
// already, it returns the version that says so and false.
func (r *Rules) prepare(ctx context.Context, tx tollgate.Tx, w Write) (prepared, bool, error) {
	now := r.Now().UTC().Truncate(time.Microsecond)
	p := prepared{Price: tollgate.Price{Source: w.Source, ValidFrom: now, CreatedAt: now}}
	if w.ID != 0 {
		was, err := r.explicit(ctx, tx, w.ID)
		if err != nil {
			return p, false, err
		}
		p.ProviderID, p.ModelPattern = was.ProviderID, was.ModelPattern
	}
	p.ProviderID, p.ModelPattern = w.ProviderID.Or(p.ProviderID), w.ModelPattern.Or(p.ModelPattern)
	if err := tollgate.ValidPattern("model_pattern", p.ModelPattern); err != nil {
		return p, false, err
	}
	var err error
	if p.Prices, err = meter.Canonical("prices", w.Prices); err != nil {
		return p, false, err
	}
	if p.Prices == nil {
		return p, false, tollgate.Invalidf("prices", "prices holds no price; to take a price back, delete it")
	}
	if !w.ValidFrom.IsZero() {
		p.ValidFrom = w.ValidFrom.UTC().Truncate(time.Microsecond)
	}
	if p.was, err = r.last(ctx, tx, p.Price); err != nil {
		return p, false, err
	}
	if was := p.was; was != nil && bytes.Equal(was.Prices, p.Prices) {
		if w.ValidFrom.IsZero() && !was.ValidFrom.After(now) || was.ValidFrom.Equal(p.ValidFrom) {
			return prepared{Price: *was}, false, nil
		}
	}
	return p, true, nil
}

// explicit returns an explicit version by pattern. The others belong to a
// model or to the release.
func (r *Rules) explicit(ctx context.Context, tx tollgate.Tx, id int64) (tollgate.Price, error) {
	p, err := tx.Prices.Get(ctx, id)
	switch {
	case err != nil:
		return p, err
	case p.Source == tollgate.PriceShipped:
		return p, tollgate.Errorf(tollgate.CodeConflict, "price %d comes with the release; set a price of your own for the model, which goes before it", id)
	case p.ModelID != 0:
		return p, tollgate.Errorf(tollgate.CodeConflict, "price %d belongs to a model; change the prices of model %d instead", id, p.ModelID)
	}
	return p, nil
}

// last returns the latest version of p's series, which is no shipped one; nil
// for none.
func (r *Rules) last(ctx context.Context, tx tollgate.Tx, p tollgate.Price) (*tollgate.Price, error) {
	f := tollgate.PriceFilter{ProviderID: tollgate.Is(p.ProviderID), ModelID: tollgate.Is(p.ModelID)}
	if p.ModelID == 0 {
		f.ModelPattern = tollgate.Is(p.ModelPattern)
		f.Source = tollgate.Is(tollgate.PriceTOML, tollgate.PriceAPI, tollgate.PriceImport)
	}
	rows, _, err := tx.Prices.Query(ctx, f, tollgate.Page{Sort: "-id", Limit: 1})
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// Withdraw adds the version that takes a price back: what holds for its
// models then is the next price in order. id must be the latest version.
func (r *Rules) Withdraw(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	was, err := r.explicit(ctx, tx, id)
	if err != nil {
		return err
	}
	last, err := r.last(ctx, tx, was)
	switch {
	case err != nil:
		return err
	case last.ID != id:
		return tollgate.Errorf(tollgate.CodeConflict, "price %d was replaced by version %d", id, last.ID)
	case last.Prices == nil:
		return tollgate.Errorf(tollgate.CodeNotFound, "price %d is withdrawn already", id)
	}
	p := was
	p.ID, p.Prices, p.ValidFrom, p.CreatedAt, p.Source = 0, nil, r.Now(), r.Now(), tollgate.PriceAPI
	if was.ValidFrom.After(p.ValidFrom) {
		p.ValidFrom = was.ValidFrom // it never began
	}
	if p.ProviderID != 0 {
		if _, err := tx.Providers.Get(ctx, p.ProviderID); err != nil {
			return err
		}
	}
	if err := tx.Prices.Insert(ctx, &p); err != nil {
		return err
	}
	return r.audit(ctx, tx, by, "delete", &was, &p)
}

// ModelSaved adds a version when a model's own price is another than before.
// The audit entry is that of the model.
func (r *Rules) ModelSaved(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, m tollgate.Model) error {
	now := r.Now()
	p := tollgate.Price{
		ProviderID: m.ProviderID, ModelID: m.ID, ModelPattern: m.ModelID, Prices: m.Prices,
		Source: tollgate.PriceAPI, ValidFrom: now, CreatedAt: now,
	}
	if by.Via == "import" || by.Via == "bootstrap" {
		p.Source = tollgate.PriceTOML
	}
	last, err := r.last(ctx, tx, p)
	if err != nil {
		return err
	}
	if last == nil && m.Prices == nil || last != nil && bytes.Equal(last.Prices, m.Prices) {
		return nil
	}
	return tx.Prices.Insert(ctx, &p)
}

// ProviderSaved brings the shipped prices of a provider up to what the release
// ships for its host. moved says that its host is another than before: what
// was shipped for the old one is taken back.
func (r *Rules) ProviderSaved(ctx context.Context, tx tollgate.Tx, p tollgate.Provider, moved bool) error {
	have, _, err := tx.Prices.Query(ctx, tollgate.PriceFilter{
		ProviderID: tollgate.Is(p.ID), Source: tollgate.Is(tollgate.PriceShipped), Latest: true,
	}, tollgate.Page{All: true})
	if err != nil {
		return err
	}
	return r.ship(ctx, tx, p, have, moved)
}

func (r *Rules) ship(ctx context.Context, tx tollgate.Tx, p tollgate.Provider, have []tollgate.Price, moved bool) error {
	was := map[string]json.RawMessage{}
	for _, row := range have {
		was[row.ModelPattern] = row.Prices
	}
	now := r.Now()
	add := func(model string, prices json.RawMessage) error {
		return tx.Prices.Insert(ctx, &tollgate.Price{
			ProviderID: p.ID, ModelPattern: model, Prices: prices, Source: tollgate.PriceShipped, ValidFrom: now, CreatedAt: now,
		})
	}
	if v, ok := r.vendor(p); ok {
		for m := range v.Models() {
			prices, err := m.Prices()
			if err != nil {
				return err
			}
			old, known := was[m.ID]
			delete(was, m.ID)
			if prices != nil && (!known || !bytes.Equal(old, prices)) {
				if err := add(m.ID, prices); err != nil {
					return err
				}
			}
		}
	}
	if !moved {
		return nil // a model that a later table leaves out keeps its last price
	}
	for _, row := range have {
		if _, left := was[row.ModelPattern]; left && row.Prices != nil {
			if err := add(row.ModelPattern, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Rules) vendor(p tollgate.Provider) (*shipped.Vendor, bool) {
	if r.Table == nil {
		return nil, false
	}
	return r.Table.Vendor(r.Host(p))
}

// Limits returns the shipped limits of a provider's model, context and output,
// in tokens; 0 = unknown.
func (r *Rules) Limits(p tollgate.Provider, model string) (within, out int64) {
	v, ok := r.vendor(p)
	if !ok {
		return 0, 0
	}
	m, _ := v.Find(model)
	return m.ContextTokens, m.OutputTokens
}

// Reconcile adds the versions that are missing for what the database holds:
// shipped prices that this release brings, and models that were saved before
// there were versions.
func (r *Rules) Reconcile(ctx context.Context, tx tollgate.Tx) error {
	all := tollgate.Page{All: true}
	rows, _, err := tx.Prices.Query(ctx, tollgate.PriceFilter{Latest: true}, all)
	if err != nil {
		return err
	}
	models, _, err := tx.Models.Query(ctx, tollgate.ModelFilter{}, all)
	if err != nil {
		return err
	}
	providers, _, err := tx.Providers.Query(ctx, tollgate.ProviderFilter{}, all)
	if err != nil {
		return err
	}
	own := map[int64]json.RawMessage{}
	for _, row := range rows {
		if row.ModelID != 0 {
			own[row.ModelID] = row.Prices
		}
	}
	for _, m := range models {
		if !bytes.Equal(own[m.ID], m.Prices) {
			if err := r.ModelSaved(ctx, tx, tollgate.HostActor("upgrade"), m); err != nil {
				return err
			}
		}
	}
	for _, p := range providers {
		have := slices.DeleteFunc(slices.Clone(rows), func(row tollgate.Price) bool {
			return row.ProviderID != p.ID || row.Source != tollgate.PriceShipped
		})
		if err := r.ship(ctx, tx, p, have, false); err != nil {
			return err
		}
	}
	return nil
}

// record is how the audit shows a version.
type record struct {
	ID           int64                `json:"id"`
	ProviderID   int64                `json:"provider_id,omitempty"`
	ModelPattern string               `json:"model_pattern"`
	Prices       json.RawMessage      `json:"prices"`
	Source       tollgate.PriceSource `json:"source"`
	ValidFrom    time.Time            `json:"valid_from"`
}

func recordOf(p *tollgate.Price) *record {
	if p == nil {
		return nil
	}
	return &record{p.ID, p.ProviderID, p.ModelPattern, p.Prices, p.Source, p.ValidFrom}
}

func (r *Rules) audit(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, verb string, before, after *tollgate.Price) error {
	detail, err := json.Marshal(struct {
		Before *record `json:"before,omitempty"`
		After  *record `json:"after,omitempty"`
	}{recordOf(before), recordOf(after)})
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "the change could not be recorded")
	}
	e := by.Entry(r.Now(), "price."+verb, "price", after.ID)
	e.Detail = detail
	return tx.Audit.Append(ctx, &e)
}
