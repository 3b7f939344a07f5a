package route

import (
	"slices"

	"tollgate"
)

// ModelEntry is a model that a caller may name.
type ModelEntry struct {
	// Name is what to send: a bare id, provider/model, or an alias.
	Name        string
	DisplayName string
	ProviderID  int64
	Provider    string
	// Model is the provider's name for the model.
	Model string
	// Alias says that Name is an alias.
	Alias bool
	// ContextTokens and OutputTokens are the model's limits; 0 = unknown.
	ContextTokens, OutputTokens int64
}

// Allowed says whether the caller may send model (the name less its provider
// part) to a provider.
type Allowed func(providerID int64, model string) bool

// List returns what the caller may use: the models in the order in which they
// were declared, each by its bare id where only one permitted provider has it
// and no alias takes the name, else as provider/model; then the aliases. With
// a scope only that provider's, all by their bare ids. An unknown scope is
// CodeNotFound.
func (t *Table) List(allowed Allowed, scope string) ([]ModelEntry, error) {
	if scope != "" && t.providers[scope] == nil {
		return nil, unknownProvider(scope)
	}
	out := make([]ModelEntry, 0, len(t.models)+len(t.aliases))
	holders := make(map[string]int, len(t.models))
	for _, m := range t.models {
		if (scope == "" || m.provider.name == scope) && allowed(m.provider.id, m.ModelID) {
			holders[m.ModelID]++
			out = append(out, m.entry())
		}
	}
	for i := range out {
		if e := &out[i]; scope == "" && (holders[e.Model] > 1 || t.isAlias[e.Model]) {
			e.Name = e.Provider + "/" + e.Model
		}
	}
	if scope != "" {
		out = slices.DeleteFunc(out, func(e ModelEntry) bool {
			_, taken := t.providers[scope].aliases[e.Name]
			return taken
		})
	}
	for _, a := range t.aliases {
		for _, c := range a.candidates {
			if (scope == "" || c.ProviderName == scope) && allowed(c.ProviderID, a.name) {
				out = append(out, t.describe(c, a.name))
				break
			}
		}
	}
	return out, nil
}

// Entry describes one model by the name that a client sent. Errors are those
// of Resolve, and CodeForbidden when the caller may use none of its candidates.
func (t *Table) Entry(name, scope string, allowed Allowed) (ModelEntry, error) {
	candidates, err := t.Resolve(name, scope)
	if err != nil {
		return ModelEntry{}, err
	}
	for _, c := range candidates {
		if allowed(c.ProviderID, c.Asked) {
			return t.describe(c, name), nil
		}
	}
	e := tollgate.Errorf(tollgate.CodeForbidden, "you have no permission for the model %q", name)
	e.Field = "model"
	return ModelEntry{}, e
}

// describe makes the entry of a candidate under the name that was sent.
func (t *Table) describe(c Candidate, name string) ModelEntry {
	e := ModelEntry{ProviderID: c.ProviderID, Provider: c.ProviderName, Model: c.Model}
	if row := t.providers[c.ProviderName].models[c.Model]; row != nil {
		e = row.entry()
	}
	e.Name, e.Alias = name, t.isAlias[c.Asked]
	if e.Alias {
		e.DisplayName = ""
	}
	return e
}

func (m *listed) entry() ModelEntry {
	return ModelEntry{
		Name: m.ModelID, DisplayName: m.DisplayName, ProviderID: m.provider.id, Provider: m.provider.name, Model: m.ModelID,
		ContextTokens: m.ContextTokens, OutputTokens: m.OutputTokens,
	}
}
