package seed

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/meter/book"
	"tollgate/internal/upstream"
)

func (r *run) providers(ctx context.Context) error {
	for _, p := range r.seed.Providers {
		row, exists := r.state.providers[p.Name]
		w, fields := r.providerDiff(row, p)
		switch {
		case !exists:
			r.change(Create, "provider", p.Name, p.At, fields.created()...)
		case len(fields) > 0:
			r.change(Update, "provider", p.Name, p.At, fields...)
		}
		if r.apply && len(fields) > 0 {
			var err error
			if row, err = r.im.Catalog.SaveProvider(ctx, r.tx, r.by, w); err != nil {
				return place(p.At, "provider "+p.Name, err)
			}
			if err := r.refreshCredentials(ctx, row.ID); err != nil {
				return err
			}
		} else if !exists {
			row = tollgate.Provider{ID: r.placeholder(), Name: p.Name, Kind: p.Kind}
		}
		r.state.providers[p.Name], r.state.providerName[row.ID] = row, p.Name
		r.see("provider", row.ID)
		for _, c := range p.Credentials {
			if err := r.credential(ctx, row, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// providerDiff returns what an import would write, and the names of the
// fields. Another origin drops the stored secrets: they were given for the
// old one, and the file's own secrets follow.
func (r *run) providerDiff(row tollgate.Provider, p config.SeedProvider) (upstream.ProviderWrite, diff) {
	// A disabled provider may be of a kind that this version does not know.
	w, fields := upstream.ProviderWrite{ID: row.ID, ImportDisabled: !p.Enabled}, diff{}
	isNew := row.ID == 0
	if isNew {
		w.Name = tollgate.Some(p.Name)
	}
	if isNew || row.Kind != p.Kind {
		w.Kind = tollgate.Some(p.Kind)
		fields.add("kind", row.Kind, p.Kind)
	}
	if strings.TrimRight(row.BaseURL, "/") != strings.TrimRight(p.BaseURL, "/") {
		w.BaseURL, w.DropSecrets = tollgate.Some(p.BaseURL), !isNew
		fields.add("base_url", row.BaseURL, p.BaseURL)
	}
	if len(p.Settings) > 0 && !sameJSON(row.Settings, p.Settings) {
		w.Settings = tollgate.Some(p.Settings)
		fields.add("settings", row.Settings, p.Settings)
	}
	if r.exact && len(p.Settings) == 0 && len(row.Settings) > 0 && !sameJSON(row.Settings, json.RawMessage("{}")) {
		w.Settings = tollgate.Null[json.RawMessage]()
		fields.add("settings", row.Settings, nil)
	}
	if isNew || row.Enabled != p.Enabled {
		w.Enabled = tollgate.Some(p.Enabled)
		fields.add("enabled", row.Enabled, p.Enabled)
	}
	return w, fields
}

// refreshCredentials reads a provider's credentials again: a change of its
// origin has taken their secrets.
func (r *run) refreshCredentials(ctx context.Context, providerID int64) error {
	rows, _, err := r.tx.Credentials.Query(ctx, tollgate.CredentialFilter{ProviderID: tollgate.Is(providerID)}, tollgate.Page{All: true})
	if err != nil {
		return err
	}
	r.state.credentials = slices.DeleteFunc(r.state.credentials, func(c tollgate.Credential) bool { return c.ProviderID == providerID })
	r.state.credentials = append(r.state.credentials, rows...)
	return nil
}

// matchCredential finds the credential of the database that one of the file
// means: by its label, else by its secret's fingerprint, else the next
// unlabelled one.
func (r *run) matchCredential(provider tollgate.Provider, c config.SeedCredential) int {
	fingerprint := ""
	if c.Label == "" && !c.APIKey.Empty() {
		fingerprint = r.im.fingerprint(c.APIKey)
	}
	return slices.IndexFunc(r.state.credentials, func(row tollgate.Credential) bool {
		if row.ProviderID != provider.ID || row.Label != c.Label || r.seenBefore("credential", row.ID) {
			return false
		}
		return fingerprint == "" || row.NeedsSecret() || row.Fingerprint == fingerprint
	})
}

func (r *run) credential(ctx context.Context, provider tollgate.Provider, c config.SeedCredential) error {
	name := provider.Name + "/" + c.Label
	w, fields := upstream.CredentialWrite{ProviderID: provider.ID}, diff{}
	i := r.matchCredential(provider, c)
	newSecret := i < 0 && !c.APIKey.Empty()
	if i < 0 {
		fields.add("enabled", nil, c.Enabled && !c.APIKey.Empty())
		if !c.APIKey.Empty() {
			fields.secret("api_key")
		}
		r.change(Create, "credential", name, c.At, fields...)
		if c.APIKey.Empty() {
			r.needSecret = append(r.needSecret, "credential "+name)
		}
		w.Label, w.Enabled, w.NeedsSecret = tollgate.Some(c.Label), tollgate.Some(c.Enabled), c.APIKey.Empty()
	} else {
		row := r.state.credentials[i]
		w.ID = row.ID
		r.see("credential", row.ID)
		if !c.APIKey.Empty() && (row.NeedsSecret() || row.Fingerprint != r.im.fingerprint(c.APIKey)) {
			newSecret = true
			fields.secret("api_key")
		}
		willHaveSecret := !row.NeedsSecret() || !c.APIKey.Empty()
		if row.Enabled != c.Enabled && willHaveSecret {
			w.Enabled = tollgate.Some(c.Enabled)
			fields.add("enabled", row.Enabled, c.Enabled)
		}
		if len(fields) == 0 {
			return nil
		}
		r.change(Update, "credential", name, c.At, fields...)
	}
	if newSecret {
		w.Secret = tollgate.Some(c.APIKey.Reveal())
	}
	row := tollgate.Credential{ID: r.placeholder(), ProviderID: provider.ID, Label: c.Label}
	if r.apply {
		var err error
		if row, err = r.im.Catalog.SaveCredential(ctx, r.tx, r.by, w); err != nil {
			return place(c.At, "credential "+name, err)
		}
	}
	if i < 0 {
		r.state.credentials = append(r.state.credentials, row)
		r.see("credential", row.ID)
	}
	return nil
}

func (r *run) models(ctx context.Context) error {
	for _, m := range r.seed.Models {
		providerID, ok := r.provider(m.At, m.ProviderName)
		if !ok {
			continue
		}
		name := m.ProviderName + "/" + m.ModelID
		var row tollgate.Model
		i := slices.IndexFunc(r.state.models, func(x tollgate.Model) bool { return x.ProviderID == providerID && x.ModelID == m.ModelID })
		if i >= 0 {
			row = r.state.models[i]
			r.see("model", row.ID)
		}
		w, fields, err := r.modelDiff(row, m, providerID)
		switch {
		case err != nil:
			return place(m.At, "model "+name, err)
		case len(fields) == 0:
			continue
		case i < 0:
			r.change(Create, "model", name, m.At, fields.created()...)
		default:
			r.change(Update, "model", name, m.At, fields...)
		}
		row = tollgate.Model{ID: r.placeholder(), ProviderID: providerID, ModelID: m.ModelID}
		if r.apply {
			if row, err = r.im.Catalog.SaveModel(ctx, r.tx, r.by, w); err != nil {
				return place(m.At, "model "+name, err)
			}
		}
		if i < 0 {
			r.state.models = append(r.state.models, row)
			r.see("model", row.ID)
		}
	}
	return nil
}

// modelDiff returns what an import would write, and the names of the fields.
func (r *run) modelDiff(row tollgate.Model, m config.SeedModel, providerID int64) (upstream.ModelWrite, diff, error) {
	w, fields := upstream.ModelWrite{ID: row.ID, ProviderID: providerID}, diff{}
	if row.ID == 0 {
		w.ModelID = tollgate.Some(m.ModelID)
	}
	if row.ID == 0 || row.Enabled != m.Enabled {
		w.Enabled = tollgate.Some(m.Enabled)
		fields.add("enabled", row.Enabled, m.Enabled)
	}
	if (m.DisplayName != "" || r.exact) && m.DisplayName != row.DisplayName {
		w.DisplayName = tollgate.Some(m.DisplayName)
		fields.add("display_name", row.DisplayName, m.DisplayName)
	}
	if (m.ContextTokens != 0 || r.exact) && m.ContextTokens != row.ContextTokens {
		w.ContextTokens = tollgate.Some(m.ContextTokens)
		fields.add("context_tokens", row.ContextTokens, m.ContextTokens)
	}
	if (m.OutputTokens != 0 || r.exact) && m.OutputTokens != row.OutputTokens {
		w.OutputTokens = tollgate.Some(m.OutputTokens)
		fields.add("output_tokens", row.OutputTokens, m.OutputTokens)
	}
	prices, err := m.JSON()
	if err == nil && prices != nil && !samePrices(row.Prices, prices) {
		w.Prices = tollgate.Some(prices)
		fields.add("prices", row.Prices, prices)
	}
	if err == nil && prices == nil && r.exact && len(row.Prices) > 0 {
		w.Prices = tollgate.Null[json.RawMessage]()
		fields.add("prices", row.Prices, nil)
	}
	return w, fields, err
}

func (r *run) prices(ctx context.Context) error {
	for _, p := range r.seed.Prices {
		providerID, ok := r.provider(p.At, p.ProviderName)
		if !ok {
			continue
		}
		name := p.ModelPattern + " at " + atProvider(p.ProviderName)
		prices, err := p.JSON()
		if err != nil {
			return place(p.At, "price "+name, err)
		}
		i := slices.IndexFunc(r.state.prices, func(x tollgate.Price) bool { return x.ProviderID == providerID && x.ModelPattern == p.ModelPattern })
		if i >= 0 {
			r.see("price", r.state.prices[i].ID)
			if samePrices(r.state.prices[i].Prices, prices) && (p.ValidFrom.IsZero() || p.ValidFrom.Equal(r.state.prices[i].ValidFrom)) {
				continue
			}
			r.change(Update, "price", name, p.At, Field{Name: "prices", Before: r.state.prices[i].Prices, After: prices})
		} else {
			r.change(Create, "price", name, p.At, Field{Name: "prices", After: prices})
		}
		if !r.apply {
			continue
		}
		_, _, err = r.im.Prices.Save(ctx, r.tx, r.by, book.Write{
			ProviderID: tollgate.Some(providerID), ModelPattern: tollgate.Some(p.ModelPattern), Prices: prices, ValidFrom: p.ValidFrom, Source: tollgate.PriceTOML,
		})
		if err != nil {
			return place(p.At, "price "+name, err)
		}
	}
	return nil
}

// samePrices compares amounts, not spellings: 3.0 is 3.
func samePrices(a, b json.RawMessage) bool {
	p, err := config.ParsePrices(a)
	if err != nil {
		return false
	}
	canonical, err := p.JSON()
	return err == nil && bytes.Equal(canonical, b)
}

// sameJSON compares two objects by their values.
func sameJSON(a, b json.RawMessage) bool {
	canonical := func(raw json.RawMessage) string {
		var v any
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		if d.Decode(&v) != nil {
			return string(raw)
		}
		out, err := json.Marshal(v) // sorts keys
		if err != nil {
			return string(raw)
		}
		return string(out)
	}
	return canonical(a) == canonical(b)
}

func (r *run) aliases(ctx context.Context) error {
	for _, a := range r.seed.Aliases {
		providerID, ok := r.provider(a.At, a.ProviderName)
		if !ok {
			continue
		}
		row, exists := r.state.aliases[a.Alias]
		w, fields := upstream.AliasWrite{ID: row.ID}, diff{}
		if !exists {
			w.Alias = tollgate.Some(a.Alias)
		}
		if !exists || row.Target != a.ModelID {
			w.Target = tollgate.Some(a.ModelID)
			fields.add("model_id", row.Target, a.ModelID)
		}
		if row.ProviderID != providerID {
			w.ProviderID = tollgate.Some(providerID)
			fields.add("provider_name", r.state.providerName[row.ProviderID], a.ProviderName)
			if providerID == 0 {
				w.ProviderID = tollgate.Null[int64]()
			}
		}
		if !exists || row.Enabled != a.Enabled {
			w.Enabled = tollgate.Some(a.Enabled)
			fields.add("enabled", row.Enabled, a.Enabled)
		}
		r.see("alias", row.ID)
		if len(fields) == 0 {
			continue
		}
		if exists {
			r.change(Update, "alias", a.Alias, a.At, fields...)
		} else {
			r.change(Create, "alias", a.Alias, a.At, fields.created()...)
		}
		if !r.apply {
			continue
		}
		row, err := r.im.Catalog.SaveAlias(ctx, r.tx, r.by, w)
		if err != nil {
			return place(a.At, "alias "+a.Alias, err)
		}
		r.see("alias", row.ID)
	}
	return nil
}
