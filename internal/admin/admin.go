// Package admin is the admin API (CONTRACT 8) and the sign-in: commands over
// POST and JSON. It turns bodies into calls of the rules, which live in
// internal/auth and internal/upstream, inside one store transaction each; it
// decides nothing about who may change what.
package admin

import (
	"context"
	"fmt"
	"time"

	"tollgate"
	"tollgate/internal/alarm"
	"tollgate/internal/auth"
	"tollgate/internal/config"
	"tollgate/internal/meter/book"
	"tollgate/internal/payload"
	"tollgate/internal/upstream"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

// Server is the admin API with everything it can reach.
type Server struct {
	API      *api.API
	Store    tollgate.Store
	Accounts *auth.Accounts
	Sessions *auth.Sessions
	Catalog  *upstream.Catalog
	Prices   *book.Rules
	Book     *book.Book
	Alarms   *alarm.Keeper
	SSO      *SSO
	// Statuses returns how the credentials at the providers fare.
	Statuses func() []upstream.CredentialStatus
	Cursors  api.Cursors
	// Zone is the time zone of quota windows ([ledger] timezone).
	Zone *time.Location
	// Held tells what running requests hold of a quota; nil = nothing does.
	Held api.Held
	// CostLines says what the cost of a usage row is made of.
	CostLines api.CostLines
	// ReadPayload reads what is kept of the bodies of a request.
	ReadPayload api.PayloadReader
	// Payloads keeps the bodies of requests.
	Payloads *payload.Keeper
	Live     api.Live
	// Attend ends streams when their caller may no longer see them.
	Attend api.Attend
	// Process returns the settings of the process as they are in force.
	Process func() []config.Effective
	// About is what the process is.
	About About
	// Origin is where people open the console (scheme://host[:port]), for links
	// that are handed on; an error when that is not known.
	Origin func() (string, error)
	Now    func() time.Time
}

// Mount mounts every operation.
func (s *Server) Mount() {
	s.mountSignIn()
	s.mountLinks()
	s.mountSetup()
	s.mountInvitations()
	s.mountUsers()
	s.mountIdentities()
	s.mountSignIns()
	s.SSO.Mount()
	s.mountTeams()
	s.mountAsks()
	s.mountKeys()
	for _, base := range []string{userQuotas, allQuotas} {
		s.mountQuotas(base)
	}
	s.mountAdjustments()
	s.mountAlarms()
	for _, base := range []string{"/admin/user-permissions", "/admin/permissions"} {
		s.mountPermissions(base)
	}
	s.mountFilePermissions("/admin/user-file-permissions")
	for _, base := range []string{"/admin/user-rate-limits", "/admin/rate-limits"} {
		s.mountRateLimits(base)
	}
	s.mountProviders()
	s.mountCredentials()
	s.mountModels()
	s.mountPrices()
	s.mountAliases()
	s.mountSettings()
	s.mountUsage()
	s.mountRequests()
	s.mountDashboard()
	s.mountAudit()
	s.mountSystem()
	s.mountAbout()
}

// MaxBatch bounds the items of one batch.
const MaxBatch = 1000

func reads(path, tag, summary string) api.Op {
	return api.Op{Path: path, Tag: tag, Summary: summary, Policy: web.Policy{Access: web.AccessAdmin, MaxBody: api.MaxBody}}
}

func writes(path, tag, summary string, example any) api.Op {
	op := reads(path, tag, summary)
	op.Policy.Mutates, op.Example = true, example
	return op
}

// change runs fn in one transaction as whoever sent the request.
func (s *Server) change(ctx context.Context, fn func(tx tollgate.Tx, by tollgate.Actor) error) error {
	by := api.Actor(ctx)
	return s.Store.Update(ctx, func(tx tollgate.Tx) error { return fn(tx, by) })
}

// changeOne is change for a mutation that answers the record's id.
func (s *Server) changeOne(ctx context.Context, fn func(tx tollgate.Tx, by tollgate.Actor) (int64, error)) (api.Done, error) {
	var id int64
	err := s.change(ctx, func(tx tollgate.Tx, by tollgate.Actor) (err error) {
		id, err = fn(tx, by)
		return err
	})
	return api.Done{OK: true, ID: id}, err
}

// batch applies one to every item in one transaction: all or none. The error
// says which item was refused.
func batch[W any](ctx context.Context, s *Server, items []W, one func(tx tollgate.Tx, by tollgate.Actor, item W) (int64, error)) (api.DoneMany, error) {
	done := api.DoneMany{OK: true, IDs: []int64{}}
	if err := checkBatch(len(items)); err != nil || len(items) == 0 {
		return done, err
	}
	err := s.change(ctx, func(tx tollgate.Tx, by tollgate.Actor) error {
		for i, item := range items {
			id, err := one(tx, by, item)
			if err != nil {
				return atItem(i, err)
			}
			done.IDs = append(done.IDs, id)
		}
		return nil
	})
	return done, err
}

func checkBatch(n int) error {
	if n > MaxBatch {
		return tollgate.Errorf(tollgate.CodeInvalid, "a batch has at most %d items", MaxBatch)
	}
	return nil
}

// atItem names the item of a batch in an error's message and field.
func atItem(i int, err error) error {
	te := *tollgate.AsError(err)
	if te.Code == tollgate.CodeInternal {
		return err
	}
	te.Message = fmt.Sprintf("item %d: %s", i, te.Message)
	if te.Field != "" {
		te.Field = fmt.Sprintf("[%d].%s", i, te.Field)
	}
	return &te
}

// remover deletes a record by id under its rules.
type remover func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error

func (s *Server) mountDelete(op api.Op, remove remover) {
	op.Example = api.ByID{ID: 7}
	api.Handle(s.API, op, func(ctx context.Context, in *api.ByID) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
			return in.ID, remove(ctx, tx, by, in.ID)
		})
	})
}

func (s *Server) mountBatchDelete(op api.Op, remove remover) {
	op.Example = []int64{7, 8}
	api.Handle(s.API, op, func(ctx context.Context, in *[]int64) (api.DoneMany, error) {
		return batch(ctx, s, *in, func(tx tollgate.Tx, by tollgate.Actor, id int64) (int64, error) {
			return id, remove(ctx, tx, by, id)
		})
	})
}
