package ledger

import (
	"context"
	"slices"
	"time"

	"tollgate"
)

// metaZone keeps the time zone that the stored windows were cut in.
const metaZone = "ledger.timezone"

// outcomeUnknown is what the row of an orphan's request says.
const outcomeUnknown = "the gateway ended before the outcome was known"

// Opened tells what Open found.
type Opened struct {
	// Orphans are dispatches that were under way when the process died. They
	// were closed at their hold, flagged unknown_outcome.
	Orphans int
	// Rezoned are balances that were added up anew in another time zone.
	Rezoned int
}

// Open brings the ledger up to date before anything is served: later ids follow
// those in the store, intents without a settlement are closed, balances are cut
// in the configured time zone, and the machine is loaded.
func (l *Ledger) Open(ctx context.Context, store tollgate.Store) (out Opened, err error) {
	var intents []tollgate.Intent
	var quotas []tollgate.Quota
	var last tollgate.RequestID
	err = store.View(ctx, func(tx tollgate.Tx) error {
		if last, err = tx.Ledger.LastID(ctx); err != nil {
			return err
		}
		if intents, err = tx.Ledger.Intents(ctx); err != nil {
			return err
		}
		quotas, _, err = tx.Quotas.Query(ctx, tollgate.QuotaFilter{}, tollgate.Page{All: true})
		return err
	})
	if err != nil {
		return out, err
	}
	l.IDs.After(last)
	orphans := orphanRows(intents, quotas, l.Zone)
	for rows := range slices.Chunk(orphans, DefaultBatch) {
		if err := store.Append(ctx, rows); err != nil {
			return out, err
		}
	}
	if out.Rezoned, err = l.rezone(ctx, store, last); err != nil {
		return out, err
	}
	out.Orphans = len(intents)
	return out, l.Load(ctx, store)
}

// orphanRows closes intents, which are in the order of their ids, at their
// holds: one row for each request.
func orphanRows(intents []tollgate.Intent, quotas []tollgate.Quota, zone *time.Location) (rows []tollgate.Request) {
	for i := range intents {
		in := &intents[i]
		id, at := in.ID.Request(), in.ID.Time()
		if n := len(rows); n == 0 || rows[n-1].ID != id {
			rows = append(rows, tollgate.Request{
				ID: id, UserID: in.UserID, KeyID: in.KeyID, SessionID: in.SessionID, TeamID: in.TeamID, Service: in.Service, StartedAt: at,
				Dialect: in.Dialect, Operation: in.Operation, Model: in.Model, Served: in.Model, ErrorClass: tollgate.CodeUnavailable,
				ErrorText: outcomeUnknown,
			})
		}
		row := &rows[len(rows)-1]
		cost := clampCost(in.Held)
		row.Cost += cost
		row.Dispatches = append(row.Dispatches, tollgate.Dispatch{
			ID: in.ID, ProviderID: in.ProviderID, CredentialID: in.CredentialID, Model: in.Model, StartedAt: at, ErrorClass: "cut",
			Exactness: tollgate.ExactUnknownOutcome, Cost: cost, PriceVersion: in.PriceVersion, Charges: chargesOf(in, quotas, zone),
		})
	}
	return rows
}

// chargesOf is what the machine that wrote the intent would have charged.
func chargesOf(in *tollgate.Intent, quotas []tollgate.Quota, zone *time.Location) (out []tollgate.Charge) {
	s := tollgate.Settlement{ID: in.ID, UserID: in.UserID, KeyID: in.KeyID, TeamID: in.TeamID, Service: in.Service}
	for _, q := range quotas {
		if counts(q, s) {
			start, _ := q.Window.Bounds(in.ID.Time(), zone)
			out = append(out, tollgate.Charge{QuotaID: q.ID, WindowStart: start})
		}
	}
	return out
}

// counts reports whether a settlement counts in a quota, in one of its windows.
func counts(q tollgate.Quota, s tollgate.Settlement) bool {
	if q.Since == 0 || s.ID < q.Since {
		return false
	}
	switch q.Scope {
	case tollgate.ScopeKey:
		return !s.Service && q.ScopeID == s.KeyID
	case tollgate.ScopeUser:
		return !s.Service && q.ScopeID == s.UserID
	case tollgate.ScopeTeam:
		return !s.Service && q.ScopeID == s.TeamID
	case tollgate.ScopeService:
		return s.Service
	case tollgate.ScopeInstance:
		return true
	}
	return false
}

// rezone adds balances up anew when windows are cut in another time zone than
// they were.
func (l *Ledger) rezone(ctx context.Context, store tollgate.Store, last tollgate.RequestID) (n int, err error) {
	at := l.Now()
	if t := last.Time(); t.After(at) {
		at = t // ids go on from there
	}
	err = store.Update(ctx, func(tx tollgate.Tx) error {
		was, err := tx.Meta.Get(ctx, metaZone)
		if err != nil && tollgate.ErrorCode(err) != tollgate.CodeNotFound {
			return err
		}
		if string(was) == l.Zone.String() {
			return nil
		}
		if was != nil {
			if n, err = restate(ctx, tx, at, l.Zone); err != nil {
				return err
			}
		}
		return tx.Meta.Put(ctx, metaZone, []byte(l.Zone.String()))
	})
	return n, err
}

// restate sets the balance of each quota with a window to what was spent of it
// in the window that holds at.
func restate(ctx context.Context, tx tollgate.Tx, at time.Time, zone *time.Location) (int, error) {
	quotas, _, err := tx.Quotas.Query(ctx, tollgate.QuotaFilter{
		Window: tollgate.Is(tollgate.WindowDay, tollgate.WindowWeek, tollgate.WindowMonth),
	}, tollgate.Page{All: true})
	if err != nil {
		return 0, err
	}
	for i := range quotas {
		quotas[i].WindowStart, _ = quotas[i].Window.Bounds(at, zone)
	}
	sums, err := addUp(ctx, tx, quotas, zone)
	if err != nil {
		return 0, err
	}
	for i, q := range quotas {
		if sums[i] < 0 { // a correction came into the window without what it corrected
			err := tx.Ledger.Adjust(ctx, &tollgate.Adjustment{
				At: at, Kind: tollgate.AdjustCarry, QuotaID: q.ID, Scope: q.Scope, ScopeID: q.ScopeID, Window: q.Window, WindowStart: q.WindowStart,
				Amount: -sums[i], Reason: "the time zone was changed to " + zone.String(), ActorName: "host", Via: "start",
			})
			if err != nil {
				return 0, err
			}
			sums[i] = 0
		}
		if err := tx.Ledger.Restate(ctx, q.ID, q.WindowStart, sums[i]); err != nil {
			return 0, err
		}
	}
	return len(quotas), nil
}
