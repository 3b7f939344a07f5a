package ops

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"tollgate/internal/ledger"
)

// Verified is the answer of a verification.
type Verified struct {
	Quotas      int   `json:"quotas"`
	Dispatches  int64 `json:"dispatches"`
	Adjustments int   `json:"adjustments"`
	// Open are dispatches on their way, or left by a process that died; the
	// next start closes those.
	Open int64 `json:"open"`
	// Problems say what does not add up, one in a line; none = drift 0.
	Problems []string `json:"problems"`
}

// verify recomputes every balance from the ledger's rows.
func (h *Host) verify(ctx context.Context, _ None, _ Report) (Verified, error) {
	r, err := ledger.Verify(ctx, h.Store, cmp.Or(h.Accounts.Zone, time.UTC))
	if err != nil {
		return Verified{}, err
	}
	return Verified{Quotas: r.Quotas, Dispatches: r.Dispatches, Adjustments: r.Adjustments, Open: r.Open, Problems: drifts(r)}, nil
}

func drifts(r *ledger.Report) []string {
	out := []string{}
	for _, d := range r.Drifts {
		owner := string(d.Quota.Scope)
		if d.Quota.ScopeID != 0 {
			owner = fmt.Sprintf("%s %d", owner, d.Quota.ScopeID)
		}
		out = append(out, fmt.Sprintf("quota %d (%s, %s): the balance is %s, its rows add up to %s dollars",
			d.Quota.ID, owner, d.Quota.Window, d.Quota.Spent, d.Expected))
	}
	if !r.Rollups {
		out = append(out, "the sums by hour and by day are not those of the rows")
	}
	if r.Stale != 0 {
		out = append(out, fmt.Sprintf("%d dispatches are settled and still open", r.Stale))
	}
	return out
}
