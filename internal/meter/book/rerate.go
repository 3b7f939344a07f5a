package book

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"tollgate"
)

// Rated is what a price book says about past usage.
type Rated struct {
	Dispatches int64 // looked at
	Changed    int64 // that cost something else now
	Unpriced   int64 // that still have no price
	Old, New   tollgate.Money
	// Models are the changes by provider and model, largest difference first.
	Models []RatedModel
	// Owners are the differences by whose usage it was, and when: what
	// adjustments are for.
	Owners []RatedOwner
}

// RatedModel sums the changed dispatches of one model.
type RatedModel struct {
	ProviderID int64
	Model      string
	Dispatches int64
	Old, New   tollgate.Money
}

// RatedOwner is the difference for the usage of one user by one key within a
// quarter of an hour, which no window of a quota parts: every time zone is some
// quarters off UTC.
type RatedOwner struct {
	UserID, KeyID int64
	At            time.Time // when the quarter begins
	Difference    tollgate.Money
}

// quarter is the grain of differences.
const quarter = 15 * time.Minute

// owner is whose usage it was, and in which quarter.
type owner struct {
	user, key int64
	at        time.Time
}

// Rerate prices the usage that f selects with the versions that the book holds
// for its time now, and says how that differs from what was recorded. It
// writes nothing. Dispatches of unknown outcome, whose cost is their hold,
// stay as they are. Errors are CodeInvalid for a period without a beginning or
// an end, and where a sum would not fit into money.
func (b *Book) Rerate(ctx context.Context, tx tollgate.Tx, f tollgate.UsageFilter) (Rated, error) {
	if f.Since.IsZero() || f.Until.IsZero() || !f.Since.Before(f.Until) {
		return Rated{}, tollgate.Invalidf("since", "give since and until, the first before the second")
	}
	rows, models, err := load(ctx, tx)
	if err != nil {
		return Rated{}, err
	}
	r := rater{
		book: b.build(ctx, rows, models, time.Time{}), models: map[name]*RatedModel{}, owners: map[owner]*RatedOwner{},
	}
	for page := (tollgate.Page{}); ; {
		dispatches, next, err := tx.Usage.Dispatches(ctx, f, page)
		if err != nil {
			return Rated{}, err
		}
		for i := range dispatches {
			if err := r.add(&dispatches[i]); err != nil {
				return Rated{}, err
			}
		}
		if next == nil {
			return r.result(), nil
		}
		page.After = next
	}
}

type rater struct {
	book   *snapshot
	sum    Rated
	models map[name]*RatedModel
	owners map[owner]*RatedOwner
}

func (r *rater) add(row *tollgate.UsageRow) error {
	r.sum.Dispatches++
	d := row.Dispatch
	if d.Exactness != tollgate.ExactUnknownOutcome {
		r.book.price(row.Operation, &d)
	}
	if d.Exactness == tollgate.ExactUnpriced {
		r.sum.Unpriced++
	}
	ok := plus(&r.sum.Old, row.Cost) && plus(&r.sum.New, d.Cost)
	if d.Cost != row.Cost {
		r.sum.Changed++
		m := at(r.models, name{d.ProviderID, d.Model}, RatedModel{ProviderID: d.ProviderID, Model: d.Model})
		m.Dispatches++
		began := d.StartedAt.UTC().Truncate(quarter)
		o := at(r.owners, owner{row.UserID, row.KeyID, began}, RatedOwner{UserID: row.UserID, KeyID: row.KeyID, At: began})
		ok = ok && plus(&m.Old, row.Cost) && plus(&m.New, d.Cost) && plus(&o.Difference, d.Cost-row.Cost)
	}
	if !ok {
		return tollgate.Errorf(tollgate.CodeInvalid, "the costs of this period do not fit into one sum; choose a shorter one")
	}
	return nil
}

func plus(sum *tollgate.Money, n tollgate.Money) (ok bool) {
	*sum, ok = sum.Add(n)
	return ok
}

// at returns the value of a key, made of zero where there is none.
func at[K comparable, V any](m map[K]*V, k K, zero V) *V {
	if m[k] == nil {
		m[k] = &zero
	}
	return m[k]
}

func (r *rater) result() Rated {
	for _, m := range r.models {
		r.sum.Models = append(r.sum.Models, *m)
	}
	for _, o := range r.owners {
		r.sum.Owners = append(r.sum.Owners, *o)
	}
	size := func(n tollgate.Money) float64 { return math.Abs(float64(n)) }
	slices.SortFunc(r.sum.Models, func(x, y RatedModel) int {
		return cmp.Or(cmp.Compare(size(y.New-y.Old), size(x.New-x.Old)), cmp.Compare(x.ProviderID, y.ProviderID), cmp.Compare(x.Model, y.Model))
	})
	slices.SortFunc(r.sum.Owners, func(x, y RatedOwner) int {
		return cmp.Or(cmp.Compare(x.UserID, y.UserID), cmp.Compare(x.KeyID, y.KeyID), x.At.Compare(y.At))
	})
	return r.sum
}
