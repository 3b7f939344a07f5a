// Package shipped is the table of model prices and limits that comes with a
// release: facts of models.dev (MIT, see LICENSE.models.dev) in this project's
// own form, by vendor. A provider's vendor is told by its host. The table is
// made by scripts/prices.
package shipped

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"tollgate"
)

//go:embed table.txt
var text string

// Table is the prices and limits of a release. It is immutable.
type Table struct {
	// Date is the day of the facts, such as 2026-07-02.
	Date    string
	vendors []*Vendor
}

// Vendor is one vendor's models.
type Vendor struct {
	Name   string
	hosts  []string // globs
	models []Model
	byID   map[string]int
}

// Model is what is known of a model.
type Model struct {
	ID string
	// ContextTokens and OutputTokens are limits, in tokens; 0 = unknown.
	ContextTokens, OutputTokens int64
	prices                      []string // words of the table
}

// Read returns the table of this release.
func Read() (*Table, error) { return parse(text) }

// parse reads a table: "date DAY", then per vendor "[NAME] HOST…" and its
// models, "ID CONTEXT/OUTPUT PRICE…".
func parse(text string) (*Table, error) {
	t := &Table{}
	var v *Vendor
	for i, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "#" || strings.HasPrefix(words[0], "#"):
		case v == nil && words[0] == "date" && len(words) == 2:
			t.Date = words[1]
		case strings.HasPrefix(words[0], "["):
			v = &Vendor{Name: strings.Trim(words[0], "[]"), hosts: words[1:], byID: map[string]int{}}
			t.vendors = append(t.vendors, v)
		case v == nil || len(words) < 2:
			return nil, fmt.Errorf("line %d of the shipped prices is not understood", i+1)
		default:
			m := Model{ID: words[0], prices: words[2:]}
			context, output, _ := strings.Cut(words[1], "/")
			var err1, err2 error
			m.ContextTokens, err1 = strconv.ParseInt(context, 10, 64)
			m.OutputTokens, err2 = strconv.ParseInt(output, 10, 64)
			if err1 != nil || err2 != nil {
				return nil, fmt.Errorf("line %d of the shipped prices has no limits", i+1)
			}
			v.byID[m.ID] = len(v.models)
			v.models = append(v.models, m)
		}
	}
	return t, nil
}

// Vendors iterates over the vendors.
func (t *Table) Vendors() iter.Seq[*Vendor] {
	return func(yield func(*Vendor) bool) {
		for _, v := range t.vendors {
			if !yield(v) {
				return
			}
		}
	}
}

// Vendor returns the vendor whose host it is.
func (t *Table) Vendor(host string) (*Vendor, bool) {
	for _, v := range t.vendors {
		for _, glob := range v.hosts {
			if tollgate.MatchGlob(glob, host) {
				return v, true
			}
		}
	}
	return nil, false
}

// Hosts returns the globs of the vendor's hosts. Do not modify them.
func (v *Vendor) Hosts() []string { return v.hosts }

// Models iterates over the vendor's models.
func (v *Vendor) Models() iter.Seq[Model] {
	return func(yield func(Model) bool) {
		for _, m := range v.models {
			if !yield(m) {
				return
			}
		}
	}
}

// Find returns what is known of the model that the vendor calls id; of a dated
// version that is not listed, what is known of the model without its date.
func (v *Vendor) Find(id string) (Model, bool) {
	i, ok := v.byID[id]
	if !ok {
		i, ok = v.byID[Undated(id)]
	}
	if !ok {
		return Model{}, false
	}
	return v.models[i], true
}

// Undated returns a model's name without the date of its version
// ("gpt-5-2025-08-07", "claude-opus-4-5-20251101"); the name itself when there
// is none.
func Undated(id string) string {
	for _, form := range []string{"-20dd-dd-dd", "-20dddddd"} {
		if at := len(id) - len(form); at > 0 && fits(id[at:], form) {
			return id[:at]
		}
	}
	return id
}

// fits reports whether s is form with a digit in the place of each d.
func fits(s, form string) bool {
	for i := range len(s) {
		if form[i] == 'd' && (s[i] < '0' || s[i] > '9') || form[i] != 'd' && s[i] != form[i] {
			return false
		}
	}
	return true
}

// keys are the price keys that the words of the table stand for.
func keys() map[string]string {
	return map[string]string{
		"in": "price_input_tokens", "out": "price_output_tokens", "read": "price_cache_read_input_tokens",
		"write": "price_cache_creation_input_tokens", "write1h": "price_cache_creation_input_tokens_1h",
		"reason": "price_reasoning_tokens", "ain": "price_input_audio_tokens", "aout": "price_output_audio_tokens",
		"call": "price_each_call",
	}
}

// Prices returns the model's price object, nil when the table has none.
func (m Model) Prices() (json.RawMessage, error) {
	if len(m.prices) == 0 {
		return nil, nil
	}
	names := keys()
	whole := map[string]any{}
	tiers := []map[string]json.Number{{}}
	for _, word := range m.prices {
		if bound, ok := strings.CutPrefix(word, ">"); ok {
			tiers[len(tiers)-1]["input_tokens_up_to"] = json.Number(bound)
			tiers = append(tiers, map[string]json.Number{})
			continue
		}
		name, amount, _ := strings.Cut(word, "=")
		key, ok := names[name]
		switch {
		case !ok:
			return nil, fmt.Errorf("shipped price of %s: %q is not understood", m.ID, word)
		case name == "call":
			whole[key] = json.Number(amount)
		default:
			tiers[len(tiers)-1][key] = json.Number(amount)
		}
	}
	if len(tiers) > 1 {
		whole["price_tiers"] = tiers
	} else {
		for key, amount := range tiers[0] {
			whole[key] = amount
		}
	}
	return json.Marshal(whole)
}
