package book

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"tollgate"
)

// totals are the changes of one model or user.
type totals struct {
	dispatches int64
	old, new   tollgate.Money
}

// Rerate prices the usage that f selects with the versions that the book holds
// for its time now, or, with a version, what that version covers as if it had
// always been in force, and says how that differs from what the usage costs:
// from what was recorded, or from what an earlier re-rating made of it. So what
// has been booked is no difference any more. It writes nothing. Dispatches of
// unknown outcome, whose cost is their hold, stay as they are. Errors are
// CodeInvalid for a period without a beginning or an end, for a version that
// prices nothing, and where a sum would not fit into money.
func (b *Book) Rerate(ctx context.Context, tx tollgate.Tx, f tollgate.UsageFilter, version int64) (tollgate.Rated, error) {
	if f.Since.IsZero() || f.Until.IsZero() || !f.Since.Before(f.Until) {
		return tollgate.Rated{}, tollgate.Invalidf("since", "give since and until, the first before the second")
	}
	rows, models, err := load(ctx, tx)
	if err != nil {
		return tollgate.Rated{}, err
	}
	r := rater{
		book: b.build(ctx, rows, models, time.Time{}), models: map[name]*totals{}, users: map[int64]*totals{},
	}
	if version != 0 {
		if r.only, err = b.alone(ctx, tx, version, models); err != nil {
			return tollgate.Rated{}, err
		}
	}
	for page := (tollgate.Page{}); ; {
		dispatches, next, err := tx.Usage.Dispatches(ctx, f, page)
		if err != nil {
			return tollgate.Rated{}, err
		}
		if err := r.addPage(ctx, tx, dispatches); err != nil {
			return tollgate.Rated{}, err
		}
		if next == nil {
			return r.result(), nil
		}
		page.After = next
	}
}

// alone is a book of one version, in force since ever.
func (b *Book) alone(ctx context.Context, tx tollgate.Tx, version int64, models []tollgate.Model) (*snapshot, error) {
	p, err := tx.Prices.Get(ctx, version)
	if err != nil {
		return nil, err
	}
	if p.Prices == nil {
		return nil, tollgate.Invalidf("price_version", "version %d withdraws a price; it prices nothing", version)
	}
	p.ValidFrom = time.Time{}
	return b.build(ctx, []tollgate.Price{p}, models, time.Time{}), nil
}

type rater struct {
	book   *snapshot
	only   *snapshot // nil = the book's versions
	sum    tollgate.Rated
	models map[name]*totals
	users  map[int64]*totals
}

// addPage adds dispatches, which are in the order of their ids.
func (r *rater) addPage(ctx context.Context, tx tollgate.Tx, page []tollgate.UsageRow) error {
	if len(page) == 0 {
		return nil
	}
	noted, err := tx.Ledger.Rerated(ctx, page[0].ID, page[len(page)-1].ID)
	if err != nil {
		return err
	}
	for i := range page {
		row := &page[i]
		for len(noted) > 0 && noted[0].ID < row.ID {
			noted = noted[1:]
		}
		if len(noted) > 0 && noted[0].ID == row.ID {
			row.Cost, row.PriceVersion = noted[0].Cost, noted[0].PriceVersion
		}
		if err := r.add(row); err != nil {
			return err
		}
	}
	return nil
}

// add counts one dispatch, whose cost is what it costs so far.
func (r *rater) add(row *tollgate.UsageRow) error {
	book := r.book
	if r.only != nil {
		if _, covered := r.only.find(row.ProviderID, row.Model, row.StartedAt); !covered {
			return nil
		}
		book = r.only
	}
	r.sum.Dispatches++
	d := row.Dispatch
	if d.Exactness != tollgate.ExactUnknownOutcome {
		book.price(row.Operation, &d)
	}
	if d.Exactness == tollgate.ExactUnpriced {
		r.sum.Unpriced++
	}
	ok := plus(&r.sum.Old, row.Cost) && plus(&r.sum.New, d.Cost)
	if d.Cost != row.Cost {
		r.sum.Changed++
		ok = ok && at(r.models, name{d.ProviderID, d.Model}).add(row.Cost, d.Cost) && at(r.users, row.UserID).add(row.Cost, d.Cost)
		r.sum.Rows = append(r.sum.Rows, tollgate.Rerated{
			Settlement: tollgate.Settlement{
				ID: row.ID, UserID: row.UserID, KeyID: row.KeyID, TeamID: row.TeamID, Service: row.Service, Cost: d.Cost,
			},
			Was: row.Cost, PriceVersion: d.PriceVersion,
		})
	}
	if !ok || len(r.sum.Rows) > maxRerated {
		return tollgate.Errorf(tollgate.CodeInvalid, "this period has more than one re-rating can hold; choose a shorter one")
	}
	return nil
}

// maxRerated bounds the changes of one re-rating, which are in memory at once.
const maxRerated = 2_000_000

func (t *totals) add(before, after tollgate.Money) bool {
	t.dispatches++
	return plus(&t.old, before) && plus(&t.new, after)
}

func plus(sum *tollgate.Money, n tollgate.Money) (ok bool) {
	*sum, ok = sum.Add(n)
	return ok
}

// at returns the value of a key, made of zero where there is none.
func at[K comparable, V any](m map[K]*V, k K) *V {
	if m[k] == nil {
		m[k] = new(V)
	}
	return m[k]
}

func (r *rater) result() tollgate.Rated {
	for n, t := range r.models {
		r.sum.Models = append(r.sum.Models, tollgate.RatedModel{
			ProviderID: n.provider, Model: n.model, Dispatches: t.dispatches, Old: t.old, New: t.new,
		})
	}
	for id, t := range r.users {
		r.sum.Users = append(r.sum.Users, tollgate.RatedUser{UserID: id, Dispatches: t.dispatches, Old: t.old, New: t.new})
	}
	size := func(n tollgate.Money) float64 { return math.Abs(float64(n)) }
	slices.SortFunc(r.sum.Models, func(x, y tollgate.RatedModel) int {
		return cmp.Or(cmp.Compare(size(y.New-y.Old), size(x.New-x.Old)), cmp.Compare(x.ProviderID, y.ProviderID), cmp.Compare(x.Model, y.Model))
	})
	slices.SortFunc(r.sum.Users, func(x, y tollgate.RatedUser) int {
		return cmp.Or(cmp.Compare(size(y.New-y.Old), size(x.New-x.Old)), cmp.Compare(x.UserID, y.UserID))
	})
	return r.sum
}
