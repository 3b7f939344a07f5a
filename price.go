package tollgate

import (
	"encoding/json"
	"time"
)

// PriceSource says where a price comes from.
type PriceSource string

// The sources. Everything but PriceShipped is explicit: said by an operator.
const (
	PriceShipped PriceSource = "shipped" // the table that comes with the release
	PriceTOML    PriceSource = "toml"    // a seed or import file
	PriceAPI     PriceSource = "api"     // the admin API or the console
	PriceImport  PriceSource = "import"  // prices/import or `tollgate prices import`
)

// Price is one version of a price. Versions are never changed and never
// deleted: another price, or that there is none any more, is another version.
// A version says that from ValidFrom on the price is this one; of the versions
// of one series that have begun at a time, the one with the highest id is in
// force. Usage rows keep the id of the version they were priced with.
//
// A series is what replaces each other: the versions of one model row, or,
// with ModelID 0, those of one provider and pattern, shipped ones apart from
// explicit ones.
type Price struct {
	ID int64
	// ProviderID is the provider; 0 = every provider (explicit prices only).
	ProviderID int64
	// ModelID is the model row whose own price this is; 0 = a price by pattern.
	ModelID int64
	// ModelPattern is the provider's name of the model, or a glob over such names.
	ModelPattern string
	// Prices is the JSON object of price keys (CONTRACT 10); nil = withdrawn.
	Prices    json.RawMessage
	Source    PriceSource
	ValidFrom time.Time
	CreatedAt time.Time
}

// PriceFilter selects price versions; the zero value selects all.
type PriceFilter struct {
	ID           Match[int64]
	ProviderID   Match[int64]
	ModelID      Match[int64]
	ModelPattern Match[string]
	Source       Match[PriceSource]
	// Latest leaves out versions that a later one of their series replaced.
	Latest bool
}
