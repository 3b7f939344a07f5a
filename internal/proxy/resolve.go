package proxy

import (
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/route"
	"tollgate/internal/upstream"
)

// target is a candidate that the caller may use and whose provider is there.
type target struct {
	route.Candidate
	endpoint *upstream.Endpoint
	// dialect, op and codec are what is spoken to the provider.
	dialect tollgate.Dialect
	op      tollgate.Operation
	codec   *Codec
	// translated is set where dialect is not the caller's, estimated where no
	// provider is asked at all.
	translated, estimated bool
	// stop are the stop sequences that the gateway applies, and losses what the
	// provider's dialect does not carry of the request; set by translate.
	stop   []string
	losses []ir.Loss
	// offer is what the request to it may cost.
	offer offer
}

// resolve turns the name that was asked for into the targets to try, in order:
// what exists, less what the caller may not use, less what cannot serve it.
func (c *call) resolve() ([]target, error) {
	candidates, err := c.p.Routes().Resolve(c.peeked.Model, c.route.Scope)
	if err != nil {
		return nil, c.unknown(err)
	}
	targets := make([]target, 0, len(candidates))
	permitted := false
	for _, cand := range candidates {
		if !c.p.Directory.Allowed(c.principal, cand.ProviderID, cand.Asked) || !c.othersAllowed(cand.ProviderID) {
			continue
		}
		permitted = true
		if e, ok := c.p.Fleet.Endpoint(cand.ProviderID); ok {
			targets = append(targets, target{Candidate: cand, endpoint: e})
		}
	}
	switch {
	case !permitted:
		return nil, c.forbidden()
	case len(targets) == 0:
		return nil, tollgate.Errorf(tollgate.CodeUnavailable, "no provider of model %q is in service", c.row.Model)
	}
	return c.speaking(targets)
}

// othersAllowed reports whether the caller may also use the further models
// that the body names (fallbacks, tools that run models): the provider would
// use them on the caller's word alone.
func (c *call) othersAllowed(providerID int64) bool {
	for _, name := range c.peeked.Others {
		if !c.p.Directory.Allowed(c.principal, providerID, name) {
			return false
		}
	}
	return true
}

// speaking keeps the targets that can serve the operation: first those that
// do so in the caller's own dialect, then those that need a translation, each
// in the order of the candidates.
func (c *call) speaking(targets []target) ([]target, error) {
	if c.route.Operation == tollgate.OpCompact {
		if own := c.compactors(targets); len(own) > 0 {
			return own, nil
		}
		if err := c.compacting(); err != nil {
			return nil, err
		}
	}
	kept := targets[:0]
	var others []target
	for _, t := range targets {
		if t.endpoint.Serves(c.route.Dialect, c.route.Operation) {
			t.dialect, t.op, t.codec = c.route.Dialect, c.route.Operation, c.codec
			kept = append(kept, t)
		} else if c.bridge(&t) {
			others = append(others, t)
		}
	}
	kept = append(kept, others...)
	if len(kept) == 0 {
		return nil, tollgate.Errorf(tollgate.CodeUnsupported,
			"model %q is served by a provider that does not serve this route (%s, %s), and there is no translation for it",
			c.row.Model, c.route.Dialect, c.route.Operation)
	}
	return kept, nil
}

// compactors returns the targets that compact conversations themselves, if that
// is for their providers to do.
func (c *call) compactors(targets []target) (own []target) {
	for _, t := range targets {
		if t.dialect, t.op, t.codec = c.route.Dialect, c.route.Operation, c.codec; t.keepsState() && t.endpoint.Serves(t.dialect, t.op) {
			own = append(own, t)
		}
	}
	return own
}

func (c *call) forbidden() error {
	what := "model " + quote(c.row.Model)
	if len(c.peeked.Others) > 0 {
		what += ", or another model that the body names,"
	}
	return &tollgate.Error{Code: tollgate.CodeForbidden, Field: "model", Message: what + " is not permitted for this caller"}
}

// unknown decides what a caller learns about a name that does not resolve:
// that it is unknown only if it would be permitted, so that refusals do not
// tell which models exist.
func (c *call) unknown(err error) error {
	if tollgate.ErrorCode(err) != tollgate.CodeNotFound {
		return err
	}
	endpoints := c.p.Fleet.Endpoints()
	if len(endpoints) == 0 {
		return err
	}
	asked := []string{c.peeked.Model}
	if c.route.Scope == "" {
		if _, rest, ok := strings.Cut(c.peeked.Model, "/"); ok {
			asked = append(asked, rest)
		}
		if i := strings.LastIndexByte(c.peeked.Model, '@'); i > 0 {
			asked = append(asked, c.peeked.Model[:i])
		}
	}
	for _, e := range endpoints {
		for _, name := range asked {
			if c.p.Directory.Allowed(c.principal, e.Provider().ID, name) {
				return err
			}
		}
	}
	return c.forbidden()
}

func quote(s string) string { return `"` + s + `"` }
