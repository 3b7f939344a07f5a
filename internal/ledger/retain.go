package ledger

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"tollgate"
	"tollgate/internal/life"
)

const (
	// removeStep is about how many requests one transaction removes.
	removeStep = 100
	// removeShare is how many times as long as a step took it is waited before
	// the next one, so that removing takes a small share of the database.
	removeShare = 4
	// removeReport is how often a long removal says how far it is.
	removeReport = 10 * time.Second
)

// Retainer removes old request and usage rows in small steps beside the
// traffic. Balances stay as they are: what the removed rows count in them is
// carried over in the same transaction, so that Verify holds after every step,
// and a removal that breaks off goes on where it stopped.
type Retainer struct {
	Store tollgate.Store
	Zone  *time.Location // of quota windows
	Now   func() time.Time
	Log   *slog.Logger
	// Step is about how many requests a transaction removes; 0 = 100.
	Step int
	// Took is told how long each step took; nil = nobody is.
	Took func(time.Duration)
}

// Removed says what a removal took away.
type Removed struct {
	Requests, Dispatches int64
	Steps                int
	Longest              time.Duration // of one step
}

// Run removes the rows of requests that began before a time, and returns what
// it removed, also when ctx ends first.
func (r *Retainer) Run(ctx context.Context, before time.Time) (out Removed, err error) {
	began, told := r.Now(), r.Now()
	for more := true; more; {
		start := r.Now()
		var step tollgate.Removal
		err := r.Store.Update(ctx, func(tx tollgate.Tx) (err error) {
			step, err = r.step(ctx, tx, tollgate.RequestIDAt(before))
			return err
		})
		if err != nil {
			return out, err
		}
		took := r.Now().Sub(start)
		more = step.More
		out.Requests += step.Requests
		out.Dispatches += int64(len(step.Settlements))
		out.Steps++
		out.Longest = max(out.Longest, took)
		if r.Took != nil {
			r.Took(took)
		}
		if more && r.Now().Sub(told) >= removeReport {
			told = r.Now()
			r.Log.InfoContext(ctx, "removing old requests", "requests", out.Requests, "dispatches", out.Dispatches)
		}
		if more && !life.Sleep(ctx, removeShare*took) {
			return out, ctx.Err()
		}
	}
	if out.Requests+out.Dispatches > 0 {
		r.Log.InfoContext(ctx, "old requests were removed", "requests", out.Requests, "dispatches", out.Dispatches,
			"before", before.UTC().Format(time.RFC3339), "steps", out.Steps, "longest_step", out.Longest.String(), "took", r.Now().Sub(began).String())
	}
	return out, nil
}

// step removes the oldest rows and carries over what they count in balances.
func (r *Retainer) step(ctx context.Context, tx tollgate.Tx, before tollgate.RequestID) (tollgate.Removal, error) {
	out, err := tx.Ledger.Remove(ctx, before, cmp.Or(r.Step, removeStep))
	if err != nil || len(out.Settlements) == 0 {
		return out, err
	}
	quotas, err := quotasOf(ctx, tx, out.Settlements)
	if err != nil {
		return out, err
	}
	t := newTotals(quotas, r.Zone)
	for _, s := range out.Settlements {
		t.add(s)
	}
	for i, q := range quotas {
		if t.sums[i] == 0 {
			continue
		}
		err := tx.Ledger.Carry(ctx, &tollgate.Adjustment{
			At: t.last[i].Time(), QuotaID: q.ID, Scope: q.Scope, ScopeID: q.ScopeID, Window: q.Window, WindowStart: q.WindowStart,
			Amount: t.sums[i], Reason: "stands for usage whose rows were removed", ActorName: "retention", Via: "system",
		})
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// quotasOf returns the quotas that settlements may count in.
func quotasOf(ctx context.Context, tx tollgate.Tx, settlements []tollgate.Settlement) (out []tollgate.Quota, err error) {
	ids := map[tollgate.Scope]map[int64]bool{} //nolint:exhaustive // filled as scopes come
	note := func(scope tollgate.Scope, id int64) {
		if ids[scope] == nil {
			ids[scope] = map[int64]bool{}
		}
		ids[scope][id] = true
	}
	note(tollgate.ScopeInstance, 0)
	for _, s := range settlements {
		if s.Service {
			note(tollgate.ScopeService, 0)
			continue
		}
		note(tollgate.ScopeUser, s.UserID)
		note(tollgate.ScopeKey, s.KeyID)
		note(tollgate.ScopeTeam, s.TeamID)
	}
	for scope, of := range ids {
		f := tollgate.QuotaFilter{Scope: tollgate.Is(scope), ScopeID: tollgate.Is(slices.Collect(maps.Keys(of))...)}
		some, _, err := tx.Quotas.Query(ctx, f, tollgate.Page{All: true})
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}
