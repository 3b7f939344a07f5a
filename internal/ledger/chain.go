package ledger

import (
	"tollgate"
)

// Chain says whose money a request spends. A request must fit every quota of
// its key, its user, its team and the instance, or of the service and the
// instance.
type Chain struct {
	KeyID, UserID, TeamID int64 // 0 = none
	Service               bool
}

// ChainOf is the chain of a request row.
func ChainOf(r *tollgate.Request) Chain {
	return Chain{KeyID: r.KeyID, UserID: r.UserID, TeamID: r.TeamID, Service: r.Service}
}

// owner is a scope with its id. Accounts are locked in the order of rank, then
// of the quota's id.
type owner struct {
	rank rank
	id   int64
}

type rank uint8

const (
	rankKey rank = iota
	rankUser
	rankTeam
	rankService
	rankInstance
)

func rankOf(s tollgate.Scope) rank {
	switch s {
	case tollgate.ScopeKey:
		return rankKey
	case tollgate.ScopeUser:
		return rankUser
	case tollgate.ScopeTeam:
		return rankTeam
	case tollgate.ScopeService:
		return rankService
	case tollgate.ScopeInstance:
	}
	return rankInstance
}

// registry is every account. It is never changed, but replaced.
type registry struct {
	byOwner map[owner][]*account // by quota id
	byQuota map[int64]*account
}

// chain is the accounts that a request may have to fit, in lock order.
type chain [4][]*account

func (r *registry) chain(c Chain) chain {
	if len(r.byQuota) == 0 {
		return chain{}
	}
	out := chain{3: r.byOwner[owner{rankInstance, 0}]}
	if c.Service {
		out[0] = r.byOwner[owner{rankService, 0}]
		return out
	}
	for i, o := range [3]owner{{rankKey, c.KeyID}, {rankUser, c.UserID}, {rankTeam, c.TeamID}} {
		if o.id != 0 {
			out[i] = r.byOwner[o]
		}
	}
	return out
}

func (c *chain) lock() {
	for _, list := range c {
		for _, a := range list {
			a.mu.Lock()
		}
	}
}

func (c *chain) unlock() {
	for _, list := range c {
		for _, a := range list {
			a.mu.Unlock()
		}
	}
}

// pools appends the money that a request spends from: one pool of each account
// that counts it. It fails for a request that began longer ago than the window
// before the running one. The chain is locked.
func (c *chain) pools(id tollgate.RequestID, out []*pool) ([]*pool, error) {
	for _, list := range c {
		for _, a := range list {
			if id < a.since {
				continue
			}
			p := a.pool(id)
			if p == nil {
				return nil, tollgate.Errorf(tollgate.CodeTimeout, "the request began too long ago to be paid for; send it again")
			}
			out = append(out, p)
		}
	}
	return out, nil
}
