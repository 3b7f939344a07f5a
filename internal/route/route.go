// Package route turns the model name of a request into the ordered candidates
// that can serve it (CONTRACT 9, Names). It is pure: a Table is built from
// rows, never changes, and may be read by any number of goroutines. Who may
// use a candidate is decided by the caller.
package route

import (
	"cmp"
	"slices"
	"strings"

	"tollgate"
)

// Candidate is a provider that can serve a request, and the name to send it.
type Candidate struct {
	ProviderID   int64
	ProviderName string
	// Model is the provider's name for the model.
	Model string
	// Asked is the name that the client sent less its provider part; it is
	// what permission patterns match.
	Asked string
	// OutputTokens is the most that the model generates, in tokens; 0 = unknown.
	OutputTokens int64
}

// Table resolves names. The zero value knows none.
type Table struct {
	providers map[string]*provider
	// names holds the candidates of every alias and listed model id that
	// resolves without a provider part.
	names map[string][]Candidate
	// dead holds the aliases that lead nowhere, so that the error can say so.
	dead map[string]string
	// models and aliases are what List shows, in order.
	models  []listed
	aliases []alias
	// isAlias holds every enabled alias, dead ones too.
	isAlias map[string]bool
}

// provider is an enabled provider.
type provider struct {
	id     int64
	name   string
	models map[string]*listed
	// aliases holds those that lead to this provider.
	aliases map[string][]Candidate
}

// listed is a model row of an enabled provider.
type listed struct {
	tollgate.Model
	provider *provider
	// candidates is what the model resolves to at its provider.
	candidates []Candidate
}

// alias is an enabled alias with the candidates it leads to.
type alias struct {
	name       string
	candidates []Candidate
}

// Build makes the table of the enabled providers, models and aliases. Rows may
// come in any order; models keep the order in which they were declared, which
// is that of their ids.
func Build(providers []tollgate.Provider, models []tollgate.Model, aliases []tollgate.ModelAlias) *Table {
	t := &Table{
		providers: make(map[string]*provider, len(providers)),
		names:     make(map[string][]Candidate, len(models)+len(aliases)),
		dead:      make(map[string]string),
		isAlias:   make(map[string]bool, len(aliases)),
	}
	byID := make(map[int64]*provider, len(providers))
	for _, p := range providers {
		if p.Enabled {
			entry := &provider{id: p.ID, name: p.Name, models: make(map[string]*listed), aliases: make(map[string][]Candidate)}
			t.providers[p.Name], byID[p.ID] = entry, entry
		}
	}
	t.addModels(byID, models)
	t.addAliases(byID, aliases)
	return t
}

func (t *Table) addModels(byID map[int64]*provider, models []tollgate.Model) {
	sorted := slices.SortedFunc(slices.Values(models), func(a, b tollgate.Model) int { return cmp.Compare(a.ID, b.ID) })
	t.models = make([]listed, 0, len(sorted))
	for _, m := range sorted {
		p := byID[m.ProviderID]
		if p == nil {
			continue
		}
		// A disabled model is kept by its provider, so that it does not pass
		// as an unlisted one.
		row := &listed{m, p, []Candidate{{p.id, p.name, m.ModelID, m.ModelID, m.OutputTokens}}}
		p.models[m.ModelID] = row
		if m.Enabled {
			t.models = append(t.models, *row)
			t.names[m.ModelID] = append(t.names[m.ModelID], row.candidates...)
		}
	}
}

// addAliases resolves the targets first, all of them against models alone, so
// that an alias never leads to another alias; then aliases take precedence.
func (t *Table) addAliases(byID map[int64]*provider, rows []tollgate.ModelAlias) {
	sorted := slices.SortedFunc(slices.Values(rows), func(a, b tollgate.ModelAlias) int { return cmp.Compare(a.ID, b.ID) })
	for _, row := range sorted {
		if !row.Enabled {
			continue
		}
		t.isAlias[row.Alias] = true
		candidates := t.target(byID, row)
		if len(candidates) == 0 {
			t.dead[row.Alias] = row.Target
			continue
		}
		for i := range candidates {
			candidates[i].Asked = row.Alias
		}
		t.aliases = append(t.aliases, alias{row.Alias, candidates})
	}
	for _, a := range t.aliases {
		t.names[a.name] = a.candidates
		for _, c := range a.candidates {
			p := t.providers[c.ProviderName]
			p.aliases[a.name] = append(p.aliases[a.name], c)
		}
	}
	for name := range t.dead {
		delete(t.names, name)
	}
}

// target returns fresh candidates for what an alias stands for.
func (t *Table) target(byID map[int64]*provider, row tollgate.ModelAlias) []Candidate {
	if row.ProviderID != 0 {
		p := byID[row.ProviderID]
		if p == nil {
			return nil
		}
		return slices.Clone(p.model(row.Target))
	}
	if found := t.names[row.Target]; found != nil {
		return slices.Clone(found)
	}
	if p, model := t.cut(row.Target); p != nil {
		return slices.Clone(p.model(model))
	}
	return nil
}

// Resolve returns the candidates for the name that a client sent, best first:
// those of an alias, of the exact model id at every provider that lists it, of
// provider/model (first slash), of model@provider (last @). scope is the
// provider named by the path, empty for none; with a scope or a provider part
// a model that is not listed passes too. The slice is shared: it must not be
// changed.
//
// Errors are CodeNotFound (Field "model", or "provider" for an unknown scope)
// and CodeInvalid for what cannot be a name.
func (t *Table) Resolve(name, scope string) ([]Candidate, error) {
	if scope != "" {
		p := t.providers[scope]
		if p == nil {
			return nil, unknownProvider(scope)
		}
		return t.resolveAt(p, name)
	}
	if found := t.names[name]; found != nil {
		return found, nil
	}
	if target, ok := t.dead[name]; ok {
		return nil, notFound("the alias %q leads to %q, which no enabled provider serves", name, target)
	}
	if p, model := t.cut(name); p != nil {
		return t.resolveAt(p, model)
	}
	if err := tollgate.ValidModelName("model", name); err != nil {
		return nil, err
	}
	return nil, notFound("the model %q is not served here; GET /v1/models lists those that are, and provider/model reaches one that is not listed", name)
}

// resolveAt resolves a name at one provider: its own alias, its own model, the
// model behind a repeated provider part, or an unlisted name.
func (t *Table) resolveAt(p *provider, name string) ([]Candidate, error) {
	if found := p.aliases[name]; found != nil {
		return found, nil
	}
	row := p.models[name]
	if row == nil {
		if again, model := t.cut(name); again == p {
			name = model
			row = p.models[name]
		}
	}
	if row == nil {
		if err := validUnlisted(name); err != nil {
			return nil, err
		}
	}
	if found := p.model(name); found != nil {
		return found, nil
	}
	return nil, notFound("the model %q is disabled at provider %q", name, p.name)
}

// model returns the candidate for a model at p, listed or not; nil when it is
// disabled there.
func (p *provider) model(name string) []Candidate {
	switch row := p.models[name]; {
	case row == nil:
		return []Candidate{{p.id, p.name, name, name, 0}}
	case !row.Enabled:
		return nil
	default:
		return row.candidates
	}
}

// cut splits provider/model or model@provider; nil when neither part names an
// enabled provider.
func (t *Table) cut(name string) (*provider, string) {
	if i := strings.IndexByte(name, '/'); i > 0 && i+1 < len(name) {
		if p := t.providers[name[:i]]; p != nil {
			return p, name[i+1:]
		}
	}
	if i := strings.LastIndexByte(name, '@'); i > 0 {
		if p := t.providers[name[i+1:]]; p != nil {
			return p, name[:i]
		}
	}
	return nil, name
}

// validUnlisted refuses names that could become another path at a provider
// whose protocol carries the model in the path.
func validUnlisted(name string) error {
	if !visible(name) {
		if err := tollgate.ValidModelName("model", name); err != nil {
			return err
		}
	}
	for rest, more := name, true; more; {
		var part string
		if part, rest, more = strings.Cut(rest, "/"); part == "." || part == ".." {
			return tollgate.Invalidf("model", "%q is not a model name", name)
		}
	}
	return nil
}

// visible reports whether a name is of visible ASCII characters, as nearly all
// are, and so valid without a closer look.
func visible(name string) bool {
	for i := range len(name) {
		if name[i] <= ' ' || name[i] >= 0x7f {
			return false
		}
	}
	return name != "" && len(name) <= tollgate.MaxModelNameLength
}

func notFound(format string, args ...any) error {
	e := tollgate.Errorf(tollgate.CodeNotFound, format, args...)
	e.Field = "model"
	return e
}

func unknownProvider(name string) error {
	e := tollgate.Errorf(tollgate.CodeNotFound, "there is no provider %q", name)
	e.Field = "provider"
	return e
}
