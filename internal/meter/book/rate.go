package book

import (
	"tollgate"
	"tollgate/internal/meter"
)

// Policy says what happens to calls of models without a price ([ledger]
// unpriced).
type Policy string

// The policies. A call that is served without a price costs nothing, and its
// usage row is marked unpriced.
const (
	RefuseUnderQuota Policy = "refuse-under-quota" // callers under a money quota are refused; the default
	ServeUnpriced    Policy = "serve"              // nobody is
	RefuseUnpriced   Policy = "refuse"             // everybody is
)

// Policies lists the policies.
func Policies() []Policy { return []Policy{RefuseUnderQuota, ServeUnpriced, RefuseUnpriced} }

// ReasonUnpriced is the Reason of the error that refuses an unpriced model.
const ReasonUnpriced = "unpriced"

// SetPolicy puts a policy in force; "" is RefuseUnderQuota.
func (b *Book) SetPolicy(p Policy) {
	if p == "" {
		p = RefuseUnderQuota
	}
	b.policy.Store(&p)
}

// Admit refuses d when the policy does not let a model without a price be
// called: CodeForbidden with ReasonUnpriced. underQuota says whether a money
// quota with a limit stands in the caller's chain. Retrying cannot cure it.
func (b *Book) Admit(d *tollgate.Dispatch, underQuota bool) error {
	policy := RefuseUnderQuota
	if p := b.policy.Load(); p != nil {
		policy = *p
	}
	if policy == ServeUnpriced || policy == RefuseUnderQuota && !underQuota {
		return nil
	}
	if _, ok := b.Find(d.ProviderID, d.Model, d.StartedAt); ok {
		return nil
	}
	why := "this gateway serves no model without a price"
	if policy == RefuseUnderQuota {
		why = "so it cannot be counted against your quota"
	}
	return &tollgate.Error{
		Code: tollgate.CodeForbidden, Reason: ReasonUnpriced,
		Message: "the model " + d.Model + " has no price, " + why + "; an administrator has to set one (prices/upsert) or allow unpriced models",
	}
}

// Price prices a dispatch that is settled: it sets Cost and PriceVersion, and
// Exactness where there is usage but no price. It is priced by the version in
// force when the dispatch began.
func (b *Book) Price(r *tollgate.Request, d *tollgate.Dispatch) {
	if s := b.snap.Load(); s != nil {
		s.price(r.Operation, d)
	}
}

func (s *snapshot) price(op tollgate.Operation, d *tollgate.Dispatch) {
	u, billed := usage(op, d)
	if !billed {
		d.Cost, d.PriceVersion = 0, 0
		return
	}
	e, ok := s.find(d.ProviderID, d.Model, d.StartedAt)
	if !ok {
		d.Cost, d.PriceVersion, d.Exactness = 0, 0, tollgate.ExactUnpriced
		return
	}
	d.PriceVersion = e.ID
	if d.Exactness == tollgate.ExactUnpriced {
		d.Exactness = tollgate.ExactMeasured
	}
	cost, err := e.Meter.Cost(meter.ModeOf(d.ServiceTier), u)
	if err != nil { // numbers that no provider can mean
		d.Exactness = tollgate.ExactEstimated
	}
	d.Cost = cost
}

// usage is what a dispatch is billed for; false = nothing. Counting tokens and
// moderation are free, and so is a provider that did no work: it was not
// reached, or answered with an error and no numbers.
func usage(op tollgate.Operation, d *tollgate.Dispatch) (meter.Usage, bool) {
	u := meter.Usage{Tokens: d.Tokens}
	switch op {
	case tollgate.OpCount, tollgate.OpModerate, tollgate.OpListModels, tollgate.OpGetModel,
		tollgate.OpConnect, tollgate.OpRetrieve, tollgate.OpInputItems, tollgate.OpDelete, tollgate.OpCancel:
		return u, false
	case tollgate.OpGenerate, tollgate.OpComplete, tollgate.OpEmbed, tollgate.OpBatchEmbed, tollgate.OpCompact, tollgate.OpOther:
	}
	answered := d.Status >= 200 && d.Status < 300
	if answered || d.Exactness == tollgate.ExactEstimated {
		u.Calls = 1
	}
	return u, u.Calls > 0 || d.Tokens != tollgate.Tokens{}
}

// Bound is the most that d can cost with so many tokens of prompt and of
// output, at the price in force at d.StartedAt; false = it has no price.
// d.ServiceTier is the tier that is asked for.
func (b *Book) Bound(d *tollgate.Dispatch, input, output int64) (tollgate.Money, bool, error) {
	e, ok := b.Find(d.ProviderID, d.Model, d.StartedAt)
	if !ok {
		return 0, false, nil
	}
	m, err := e.Meter.Bound(meter.Ask{Mode: meter.ModeOf(d.ServiceTier), Input: input, Output: output})
	return m, true, err
}

// Fit is how many tokens of output are within amount beside so many tokens of
// prompt: -1 when not even the prompt is, math.MaxInt64 when output costs
// nothing; false = d has no price.
func (b *Book) Fit(d *tollgate.Dispatch, input int64, amount tollgate.Money) (int64, bool) {
	e, ok := b.Find(d.ProviderID, d.Model, d.StartedAt)
	if !ok {
		return 0, false
	}
	return e.Meter.Fit(meter.Ask{Mode: meter.ModeOf(d.ServiceTier), Input: input}, amount), true
}
