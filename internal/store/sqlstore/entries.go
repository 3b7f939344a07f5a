package sqlstore

import (
	"cmp"
	"slices"

	"tollgate"
)

// entries are what one append writes, by table.
type entries struct {
	requests   []tollgate.Request
	dispatches []tollgate.UsageRow // settled ones
	intents    []tollgate.Intent   // of none that is closed
	closed     []int64             // dispatches whose intent goes
	opens      []tollgate.Opening
}

// fill sorts what a caller wants to append, and check has found good, by table.
// The lists keep their room from one append to the next.
func (e *entries) fill(rows []tollgate.Request, intents []tollgate.Intent) {
	e.requests, e.dispatches, e.intents, e.closed, e.opens = rows, e.dispatches[:0], e.intents[:0], e.closed[:0], e.opens[:0]
	for i := range rows {
		for n := range rows[i].Dispatches {
			e.addDispatch(rows[i].Row(n))
		}
	}
	for i := range intents {
		e.addIntent(&intents[i])
	}
	if len(e.closed) > 0 && len(e.intents) > 0 {
		e.dropClosed()
	}
}

func (e *entries) addDispatch(u tollgate.UsageRow) {
	e.dispatches = append(e.dispatches, u)
	e.closed = append(e.closed, int64(u.ID))
}

func (e *entries) addIntent(in *tollgate.Intent) {
	for _, u := range in.Settled {
		e.addDispatch(u)
	}
	if in.Void {
		e.closed = append(e.closed, int64(in.ID))
		return
	}
	e.intents = append(e.intents, *in)
	e.opens = append(e.opens, in.Opens...)
}

// dropClosed leaves out intents of dispatches that are closed here: what is
// known is not intended any more.
func (e *entries) dropClosed() {
	closed := make(map[tollgate.RequestID]bool, len(e.closed))
	for _, id := range e.closed {
		closed[tollgate.RequestID(id)] = true
	}
	e.intents = slices.DeleteFunc(e.intents, func(in tollgate.Intent) bool { return closed[in.ID] })
}

// ordered brings everything into the order of the ids, so that two appends of
// the same rows never wait for each other in a circle, and leaves one row of
// each id: the first, of intents the one that holds most.
func (e *entries) ordered() {
	e.requests = slices.Clone(e.requests)
	slices.SortStableFunc(e.requests, func(a, b tollgate.Request) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortStableFunc(e.dispatches, func(a, b tollgate.UsageRow) int { return cmp.Compare(a.ID, b.ID) })
	e.dispatches = slices.CompactFunc(e.dispatches, func(a, b tollgate.UsageRow) bool { return a.ID == b.ID })
	slices.SortStableFunc(e.intents, func(a, b tollgate.Intent) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(b.Held, a.Held))
	})
	e.intents = slices.CompactFunc(e.intents, func(a, b tollgate.Intent) bool { return a.ID == b.ID })
}

// charge is a change of a quota's balance.
type charge struct {
	tollgate.Charge
	amount tollgate.Money
}

// tally sums up what the dispatches of one append add to roll-ups and
// balances. Few things happen in one batch, so that lists beat maps.
type tally struct {
	hours, days []rollup
	charges     []charge
}

func (t *tally) reset() { t.hours, t.days, t.charges = t.hours[:0], t.days[:0], t.charges[:0] }

// add counts one dispatch that was not there before.
func (t *tally) add(u *tollgate.UsageRow) {
	r := hourOf(u)
	t.hours = grow(t.hours, &r)
	r.period /= hoursPerDay
	t.days = grow(t.days, &r)
	for _, c := range u.Charges {
		i := slices.IndexFunc(t.charges, func(x charge) bool { return x.QuotaID == c.QuotaID && x.WindowStart.Equal(c.WindowStart) })
		if i < 0 {
			i, t.charges = len(t.charges), append(t.charges, charge{Charge: c})
		}
		t.charges[i].amount += u.Cost
	}
}

// grow adds r to the roll-up with its key, or to the list.
func grow(list []rollup, r *rollup) []rollup {
	for i := range list {
		if list[i].rollupKey == r.rollupKey {
			list[i].add(r)
			return list
		}
	}
	return append(list, *r)
}
