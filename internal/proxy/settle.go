package proxy

import (
	"errors"

	"tollgate"
	"tollgate/internal/life"
	"tollgate/internal/wire"
)

// The error classes of dispatches.
const (
	classNone     = ""
	classConnect  = "connect"
	classTimeout  = "timeout"
	classStatus   = "status"
	classCut      = "cut"
	classInvalid  = "invalid"
	classCanceled = "canceled"
	classRevoked  = "revoked"
)

// bytesPerToken is the rule of thumb for what nobody counted.
const bytesPerToken = 4

// settle says what the answer told of the dispatch, and what that costs; obs is
// nil if none came. It is called once for each dispatch that was held. Its claim
// is closed by the next dispatch of the call or at the call's end.
func (c *call) settle(d *tollgate.Dispatch, class string, obs wire.Observer) {
	c.held = nil
	d.Latency = c.p.Now().Sub(d.StartedAt)
	d.ErrorClass = class
	var u wire.Usage
	if obs != nil {
		u = obs.Usage()
	}
	d.Tokens, d.ServiceTier = u.Tokens, u.ServiceTier
	reported := u.Reported && (u.Tokens != tollgate.Tokens{} || u.OutputBytes == 0) // nothing is not what an answer took
	if c.mustEstimate(class, reported, obs) {
		d.Exactness = tollgate.ExactEstimated
		if !reported {
			d.Tokens.Input = int64(len(c.body.data)) / bytesPerToken
		}
		d.Tokens.Output = max(d.Tokens.Output, (u.OutputBytes+bytesPerToken-1)/bytesPerToken)
	}
	c.done = d // before it is priced: its claim is closed whatever happens
	c.price(d)
}

// price sets what d costs. Should pricing panic, it costs what was held, as after
// a crash.
func (c *call) price(d *tollgate.Dispatch) {
	if c.p.Prices == nil {
		return
	}
	priced := false
	defer func() {
		if !priced {
			d.Cost, d.Exactness = c.claim.Held(), tollgate.ExactUnknownOutcome
		}
	}()
	c.p.Prices.Price(&c.row, d)
	priced = true
}

// mustEstimate reports whether the numbers are not the provider's own: it gave
// none, or it was cut off before it could give the last ones. A provider that
// was not reached, or that answered with an error, has done no work.
func (c *call) mustEstimate(class string, reported bool, obs wire.Observer) bool {
	if op := c.row.Operation; op == tollgate.OpCount || op == tollgate.OpModerate {
		return false // free of charge
	}
	switch class {
	case classNone:
		return !reported
	case classConnect:
		return false
	case classInvalid, classStatus:
		return obs != nil && (!reported || !obs.Complete())
	default:
		return true
	}
}

// settleHeld closes a dispatch that a panic left open.
func (c *call) settleHeld() {
	if c.held != nil {
		c.settle(c.held, classCanceled, nil)
	}
}

// stopClass is the class of a dispatch that was ended from outside by e.
func (c *call) stopClass(e *tollgate.Error) string {
	if e.Code == tollgate.CodeTimeout {
		return classTimeout
	}
	if e.Code == tollgate.CodeUnauthenticated || e.Code == tollgate.CodeForbidden {
		return classRevoked
	}
	return classCanceled
}

// record makes the row durable. Its context is not the client's: an answer is
// accounted for whether or not anyone waits for it.
func (c *call) record() error {
	c.closeClaim()
	if c.gone.Load() {
		c.row.Status, c.abort = leftEarly, true
	}
	c.row.Latency = c.p.Now().Sub(c.start)
	ctx := &life.Timeout{Limit: c.p.Limits.Record}
	defer ctx.Stop()
	c.recordTried = true
	if err := c.p.Ledger.Record(ctx, c.row); err != nil {
		return &tollgate.Error{
			Code: tollgate.CodeUnavailable, Err: err,
			Message: "the answer could not be recorded, so it is not given out",
		}
	}
	c.recorded = true
	return nil
}

// recordLater queues the row of a request that nothing was spent for.
func (c *call) recordLater() {
	c.row.Latency = c.p.Now().Sub(c.start)
	c.recorded = true
	c.p.Ledger.RecordLater(c.row)
}

// failed notes in the row that the call ended with e, and what the client got.
func (c *call) failed(status int, e *tollgate.Error) {
	c.row.Status, c.row.ErrorClass = status, e.Code
	if e.Reason == reasonGone {
		c.row.Status, c.row.ErrorClass = leftEarly, ""
	}
	c.row.ErrorText = errorText(e)
	c.logged = e
}

// served notes in the row who answered.
func (c *call) served(t *target, d *tollgate.Dispatch) {
	c.row.Status, c.row.ProviderID, c.row.Served = d.Status, t.ProviderID, t.Model
	c.event.Provider = t.ProviderName
}

// errGone is the end of a call whose client left.
func errGone(cause error) *tollgate.Error {
	if cause == nil {
		cause = errors.New("the client left")
	}
	return &tollgate.Error{Code: tollgate.CodeInvalid, Reason: reasonGone, Message: "the client closed the request", Err: cause}
}
