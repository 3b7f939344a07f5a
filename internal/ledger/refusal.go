package ledger

import (
	"fmt"
	"time"

	"tollgate"
)

// ReasonHeld is the reason of a refusal for money that others hold: sending the
// request again may help. Where money is spent there is no reason.
const ReasonHeld = "quota_held"

// Refusal says which quota has no room for a request.
type Refusal struct {
	QuotaID     int64
	Scope       tollgate.Scope
	ScopeID     int64
	Window      tollgate.Window
	Limit       tollgate.Money
	Spent, Held tollgate.Money
	Asked       tollgate.Money // 0 = a look whether anything is left
	ResetsAt    time.Time      // zero for total
}

// Error says all of it in one sentence.
func (r *Refusal) Error() string {
	text := fmt.Sprintf("the %s quota of the %s: limit %s, spent %s, held %s dollars", adjective(r.Window), r.Scope, r.Limit, r.Spent, r.Held)
	if r.ResetsAt.IsZero() {
		return text
	}
	return text + ", resets at " + r.ResetsAt.Format(time.RFC3339)
}

func adjective(w tollgate.Window) string {
	switch w {
	case tollgate.WindowDay:
		return "daily"
	case tollgate.WindowWeek:
		return "weekly"
	case tollgate.WindowMonth:
		return "monthly"
	case tollgate.WindowTotal:
	}
	return "total"
}

// refusal is the error for somebody who asked for an amount. The account is
// locked and has a limit, or had one a moment ago.
func (p *pool) refusal(asked tollgate.Money, held bool) error {
	a := p.account
	r := &Refusal{
		QuotaID: a.quota, Scope: a.scope, ScopeID: a.scopeID, Window: a.window, Spent: p.spent, Held: p.held, Asked: asked, ResetsAt: p.end,
	}
	if a.limit != nil {
		r.Limit = *a.limit
	}
	e := tollgate.WrapError(tollgate.CodeQuota, r, "no money is left in %s", r.Error())
	if held {
		e.Message, e.Reason, e.RetryAfter = "the money that is left is held by running requests in "+r.Error(), ReasonHeld, time.Second
	}
	return e
}
