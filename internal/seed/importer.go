package seed

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/config"
	"tollgate/internal/meter/book"
	"tollgate/internal/upstream"
)

// Importer brings seeds into a store and back. All fields are required.
type Importer struct {
	Accounts *auth.Accounts
	Catalog  *upstream.Catalog
	Prices   *book.Rules
	Keys     auth.Subkeys
	Now      func() time.Time
}

// Options say how a seed is brought in.
type Options struct {
	// Prune deletes what is in the database alone.
	Prune bool
	// Exact makes the seed the whole truth: what it leaves out of a record
	// takes its default. Passwords and secrets stay.
	Exact bool
	// State, if not nil, is the State of the plan that was agreed to: when the
	// records have changed since, nothing is applied (CodeConflict).
	State *[32]byte
	// Origin says in the history where the change came from.
	Origin tollgate.ConfigOrigin
	// RolledBackTo is the version that a rollback restores, else 0.
	RolledBackTo int64
}

// Plan compares a seed with the database and changes nothing. Passwords are
// compared with what was last imported, not with what users have set since.
func (im *Importer) Plan(ctx context.Context, store tollgate.Store, s config.Seed, o Options) (Plan, error) {
	var plan Plan
	err := store.View(ctx, func(tx tollgate.Tx) error {
		r, err := im.newRun(ctx, tx, s, o)
		if err != nil {
			return err
		}
		state := im.fingerprint32(r.state)
		if err := r.walk(ctx); err != nil {
			return err
		}
		if err := r.extras(ctx); err != nil {
			return err
		}
		plan = Plan{Changes: r.changes, Problems: r.problems, Notes: s.Notes, NeedSecret: r.needSecret, State: state}
		return nil
	})
	return plan, err
}

// Apply brings a seed into the database in one transaction: records that are
// missing are created, records that differ are updated, and what is in the
// database alone stays unless o prunes. Whatever the file does not say stays
// as it is. Every record is changed by the rules of its single command, as by
// may; the change as a whole is a version of the history.
func (im *Importer) Apply(ctx context.Context, store tollgate.Store, s config.Seed, by tollgate.Actor, o Options) (Report, error) {
	ready, err := im.prepare(ctx, store, s, by)
	if err != nil {
		return Report{}, err
	}
	var report Report
	err = store.Update(ctx, func(tx tollgate.Tx) error {
		report, err = im.applyVersion(ctx, tx, s, by, ready, o)
		return err
	})
	return report, err
}

// prepare plans the import, refuses what cannot be imported, and hashes the
// passwords that it will set: hashing takes long and must not hold the
// write transaction.
func (im *Importer) prepare(ctx context.Context, store tollgate.Store, s config.Seed, by tollgate.Actor) (map[string]auth.UserWrite, error) {
	ready := map[string]auth.UserWrite{}
	err := store.View(ctx, func(tx tollgate.Tx) error {
		r, err := im.newRun(ctx, tx, s, Options{})
		if err != nil {
			return err
		}
		if err := r.walk(ctx); err != nil {
			return err
		}
		if err := r.problems.Err(); err != nil {
			return tollgate.WrapError(tollgate.CodeInvalid, nil, "%s", err)
		}
		for name := range r.passwords {
			ready[name] = auth.UserWrite{}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, u := range s.Users {
		if _, ok := ready[u.Name]; !ok {
			continue
		}
		w := auth.UserWrite{Name: tollgate.Some(u.Name), Password: tollgate.Some(u.Password), ShortPassword: by.Principal.Kind == tollgate.PrincipalHost}
		if err := im.Accounts.Prepare(ctx, &w); err != nil {
			return nil, place(u.At, "user "+u.Name, err)
		}
		ready[u.Name] = w
	}
	return ready, nil
}

func (im *Importer) applyTx(ctx context.Context, tx tollgate.Tx, s config.Seed, by tollgate.Actor, ready map[string]auth.UserWrite, o Options) (Report, error) {
	r, err := im.newRun(ctx, tx, s, o)
	if err != nil {
		return Report{}, err
	}
	if o.State != nil && *o.State != im.fingerprint32(r.state) {
		return Report{}, tollgate.Errorf(tollgate.CodeConflict, "the records have changed since this was planned; plan it again and look at what would change now")
	}
	if by, err = im.Accounts.Verified(ctx, tx, by); err != nil {
		return Report{}, err
	}
	r.apply, r.by, r.ready = true, by, ready
	if err := r.walk(ctx); err != nil {
		return Report{}, err
	}
	if o.Prune {
		if err := r.extras(ctx); err != nil {
			return Report{}, err
		}
	}
	if err := r.problems.Err(); err != nil {
		return Report{}, tollgate.WrapError(tollgate.CodeInvalid, nil, "%s", err)
	}
	return Report{Changes: r.changes, Notes: s.Notes, NeedSecret: r.needSecret}, nil
}

// run is one walk over a seed, planning or applying.
type run struct {
	im    *Importer
	tx    tollgate.Tx
	seed  config.Seed
	state *state
	// apply says whether changes are made; by and ready serve it.
	apply bool
	prune bool // delete what the file does not name
	exact bool // what the file leaves out takes its default
	by    tollgate.Actor
	ready map[string]auth.UserWrite

	changes    []Change
	problems   config.Problems
	needSecret []string
	passwords  map[string]bool // users whose password is to be set
	seen       map[string]bool // records of the database that the file names
	fake       int64           // ids of records that a plan would create
}

func (im *Importer) newRun(ctx context.Context, tx tollgate.Tx, s config.Seed, o Options) (*run, error) {
	st, err := im.loadState(ctx, tx)
	if err != nil {
		return nil, err
	}
	if o.Exact {
		s.Users = saidAll(s.Users)
	}
	return &run{prune: o.Prune, exact: o.Exact, im: im, tx: tx, seed: s, state: st, passwords: map[string]bool{}, seen: map[string]bool{}}, nil
}

// saidAll returns users whose absent fields say what they are by default.
func saidAll(users []config.SeedUser) []config.SeedUser {
	users = slices.Clone(users)
	for i := range users {
		u := &users[i]
		u.Email, u.Team, u.TeamRole = said(u.Email), said(u.Team), said(u.TeamRole)
		if u.IsAdmin == nil {
			u.IsAdmin = new(bool)
		}
	}
	return users
}

func said(s *string) *string {
	if s == nil {
		return new(string)
	}
	return s
}

// walk goes through the seed in the order of its references.
func (r *run) walk(ctx context.Context) error {
	for _, section := range []func(context.Context) error{
		r.teams, r.providers, r.models, r.prices, r.aliases, r.users, r.permissions, r.filePermissions, r.rateLimits, r.quotas, r.signInProviders,
	} {
		if err := section(ctx); err != nil {
			return err
		}
	}
	return nil
}

// placeholder returns an id for a record that a plan would create.
func (r *run) placeholder() int64 {
	r.fake--
	return r.fake
}

func (r *run) change(action Action, kind, name string, at config.Place, fields ...Field) {
	r.changes = append(r.changes, Change{Action: action, Kind: kind, Name: name, At: at, Fields: fields})
}

func (r *run) problem(at config.Place, message string) {
	r.problems = append(r.problems, config.Problem{Place: at, Message: message})
}

// see remembers that the file names a record, so that it is no extra.
func (r *run) see(kind string, id int64) { r.seen[kind+" "+strconv.FormatInt(id, 10)] = true }

// seenBefore reports whether the file named a record.
func (r *run) seenBefore(kind string, id int64) bool {
	return r.seen[kind+" "+strconv.FormatInt(id, 10)]
}

// provider resolves a provider's name; empty is every provider (id 0).
func (r *run) provider(at config.Place, name string) (int64, bool) {
	if name == "" {
		return 0, true
	}
	p, ok := r.state.providers[name]
	if !ok {
		r.problem(at, "there is no provider "+strconv.Quote(name)+", neither in the file nor in the database")
	}
	return p.ID, ok
}

// user resolves a user's name.
func (r *run) user(at config.Place, name string) (int64, bool) {
	u, ok := r.state.users[name]
	if !ok {
		r.problem(at, "there is no user "+strconv.Quote(name)+", neither in the file nor in the database")
	}
	return u.ID, ok
}

// team resolves a team's name.
func (r *run) team(at config.Place, name string) (int64, bool) {
	t, ok := r.state.teams[name]
	if !ok {
		r.problem(at, "there is no team "+strconv.Quote(name)+", neither in the file nor in the database")
	}
	return t.ID, ok
}

// owner resolves whose a limit or quota is.
func (r *run) owner(at config.Place, s config.SeedScope) (id int64, name string, ok bool) {
	switch {
	case s.UserName != "":
		id, ok = r.user(at, s.UserName)
		return id, s.UserName, ok
	case s.TeamName != "":
		id, ok = r.team(at, s.TeamName)
		return id, "team " + s.TeamName, ok
	default:
		return 0, "the " + string(s.Scope), true
	}
}

// passwordMeta is where the digest of the password that was last imported for
// a user is kept.
func passwordMeta(userID int64) string { return "seed.password." + strconv.FormatInt(userID, 10) }

func (im *Importer) passwordDigest(userID int64, password tollgate.Secret) []byte {
	d := im.Keys.MAC("seed-password", strconv.AppendInt([]byte(password.Reveal()+"\x00"), userID, 10))
	return d[:]
}

// imported reports whether password is what was last imported for the user.
func (r *run) imported(ctx context.Context, userID int64, password tollgate.Secret) (bool, error) {
	last, err := metaValue(ctx, r.tx, passwordMeta(userID))
	return bytes.Equal(last, r.im.passwordDigest(userID, password)), err
}

// metaValue returns a meta value, nil if there is none.
func metaValue(ctx context.Context, tx tollgate.Tx, name string) ([]byte, error) {
	v, err := tx.Meta.Get(ctx, name)
	if e, ok := errors.AsType[*tollgate.Error](err); ok && e.Code == tollgate.CodeNotFound {
		return nil, nil
	}
	return v, err
}
