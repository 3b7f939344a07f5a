package upstream

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tollgate"
	"tollgate/internal/upstream/guard"
	"tollgate/internal/upstream/h1"
)

// Timeouts bound the parts of an upstream call (SECURITY D-06).
type Timeouts struct {
	Dial   time.Duration // name lookup and TCP connection
	TLS    time.Duration // handshake
	Header time.Duration // from the sent request to the answer's headers ("first byte")
	Idle   time.Duration // between two reads of the body; the relay enforces it
}

// DefaultTimeouts returns 10 s, 10 s, 120 s and 60 s.
func DefaultTimeouts() Timeouts {
	return Timeouts{Dial: 10 * time.Second, TLS: 10 * time.Second, Header: 120 * time.Second, Idle: 60 * time.Second}
}

// idlePerProvider bounds the idle connections kept to one provider.
const idlePerProvider = 4096

// Fleet is the set of enabled providers, ready to be called. Its exported
// fields are its dependencies and are not changed after the first Reload.
type Fleet struct {
	Sealer tollgate.Sealer
	Kinds  Kinds
	// Policy says what may be dialled; nil = public addresses only.
	Policy *guard.Policy
	// Proxy is the outbound proxy; nil = direct.
	Proxy *url.URL
	// Timeouts; zero fields take DefaultTimeouts.
	Timeouts Timeouts
	// InProcess serves providers of kind demo.
	InProcess http.RoundTripper
	Now       func() time.Time
	Log       *slog.Logger

	mu         sync.Mutex // held while a snapshot is built
	snap       atomic.Pointer[snapshot]
	transports map[int64]pool
}

// pool is the transport of one provider, kept while its origin stays the same.
type pool struct {
	origin    string
	transport transport
}

// transport is what both makes have in common: net/http's for https, where it
// brings HTTP/2, and h1's for plain http.
type transport interface {
	http.RoundTripper
	CloseIdleConnections()
}

// snapshot is immutable once published.
type snapshot struct {
	endpoints map[int64]*Endpoint
	order     []*Endpoint // by provider id
	creds     map[int64]*entry
	credOrder []*entry // by credential id
}

// entry is a credential row and what became of it.
type entry struct {
	row    tollgate.Credential
	state  string // "" = usable
	secret string // opened; "" when not usable
	health *health
}

// Reload reads the catalogue and swaps the snapshot. A provider or credential
// that cannot be used is left out and logged, the others serve; when the
// catalogue cannot be read, the old snapshot stays and the error is returned.
func (f *Fleet) Reload(ctx context.Context, s tollgate.Store) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var providers []tollgate.Provider
	var creds []tollgate.Credential
	err := s.View(ctx, func(tx tollgate.Tx) error {
		var err error
		if providers, _, err = tx.Providers.Query(ctx, tollgate.ProviderFilter{}, tollgate.Page{All: true}); err != nil {
			return err
		}
		creds, _, err = tx.Credentials.Query(ctx, tollgate.CredentialFilter{}, tollgate.Page{All: true})
		return err
	})
	if err != nil {
		return tollgate.WrapError(tollgate.CodeUnavailable, err, "the provider catalogue could not be read")
	}
	next := &snapshot{endpoints: map[int64]*Endpoint{}, creds: map[int64]*entry{}}
	f.open(ctx, next, creds)
	used := map[int64]bool{}
	for _, p := range providers {
		if !p.Enabled {
			continue
		}
		e, err := f.endpoint(p, next)
		if err != nil {
			if f.Log != nil {
				f.Log.WarnContext(ctx, "provider left out", slog.String("provider", p.Name), slog.Any("error", err))
			}
			continue
		}
		used[p.ID] = true
		next.endpoints[p.ID] = e
		next.order = append(next.order, e)
	}
	f.snap.Store(next)
	for id, pl := range f.transports {
		if !used[id] {
			delete(f.transports, id)
			pl.transport.CloseIdleConnections()
		}
	}
	return nil
}

// open opens the credentials. Secrets and health of unchanged rows are taken
// over from the running snapshot.
func (f *Fleet) open(ctx context.Context, next *snapshot, rows []tollgate.Credential) {
	old := f.snap.Load()
	for _, row := range rows {
		e := &entry{row: row}
		if old != nil {
			if prev := old.creds[row.ID]; prev != nil && prev.row.Origin == row.Origin && bytes.Equal(prev.row.Sealed, row.Sealed) {
				e.secret, e.health = prev.secret, prev.health
			}
		}
		if e.health == nil {
			e.health = &health{}
		}
		switch {
		case row.NeedsSecret():
			e.state = StateNeedsSecret
		case !row.Enabled:
			e.state = StateDisabled
		case e.secret == "":
			plain, err := f.Sealer.Open(CredentialLabel(row.ID, row.Origin), row.Sealed)
			if err != nil {
				e.state = StateUnreadable
				if f.Log != nil {
					f.Log.ErrorContext(ctx, "credential does not open", slog.Int64("credential_id", row.ID), slog.Any("error", err))
				}
			}
			e.secret = string(plain)
		}
		if e.state != "" {
			e.secret = ""
		}
		next.creds[row.ID] = e
		next.credOrder = append(next.credOrder, e)
	}
	slices.SortFunc(next.credOrder, func(a, b *entry) int { return int(a.row.ID - b.row.ID) })
}

// CredentialLabel is the place that a provider credential is sealed for.
func CredentialLabel(id int64, origin string) tollgate.Label {
	return tollgate.Label{Table: "credentials", Column: "secret", Row: id, Origin: origin}
}

// endpoint builds the provider's endpoint with its usable credentials.
func (f *Fleet) endpoint(p tollgate.Provider, next *snapshot) (*Endpoint, error) {
	k, b, s, err := f.Kinds.resolve(p)
	if err != nil {
		return nil, err
	}
	e := newEndpoint(p, k, b, s)
	e.now, e.timeouts = f.Now, f.timeouts()
	if k.name == KindDemo {
		if f.InProcess == nil {
			return nil, tollgate.Errorf(tollgate.CodeInvalid, "no simulated vendor runs in this process")
		}
		e.transport = f.InProcess
	} else {
		e.transport = f.pool(p.ID, b)
		_, e.plain = e.transport.(*h1.Transport)
	}
	rows := 0
	for _, c := range next.credOrder {
		if c.row.ProviderID != p.ID {
			continue
		}
		rows++
		switch {
		case c.state != "":
		case c.row.Origin != b.origin():
			c.state = StateUnreadable // bound to another origin (SECURITY F-08)
		default:
			e.add(&Credential{ID: c.row.ID, Label: c.row.Label, secret: c.secret, health: c.health, now: f.Now})
		}
	}
	if rows == 0 && k.keyless {
		e.add(&Credential{health: &health{}, now: f.Now})
	}
	e.turns()
	return e, nil
}

func (f *Fleet) timeouts() Timeouts {
	t, d := f.Timeouts, DefaultTimeouts()
	or := func(p *time.Duration, fallback time.Duration) {
		if *p <= 0 {
			*p = fallback
		}
	}
	or(&t.Dial, d.Dial)
	or(&t.TLS, d.TLS)
	or(&t.Header, d.Header)
	or(&t.Idle, d.Idle)
	return t
}

// pool returns the provider's transport, a new one when its origin has changed.
func (f *Fleet) pool(id int64, b base) http.RoundTripper {
	if have, ok := f.transports[id]; ok {
		if have.origin == b.origin() {
			return have.transport
		}
		have.transport.CloseIdleConnections()
	}
	policy := f.Policy
	if policy == nil {
		policy = guard.NewPolicy(guard.Rules{})
	}
	t := f.timeouts()
	o := guard.Options{
		Policy: policy, Proxy: f.Proxy, DialTimeout: t.Dial, TLSTimeout: t.TLS, HeaderTimeout: t.Header,
		AnyTLSPort: true, // the base URL is an admin's; nothing else is ever dialled
		Idle:       idlePerProvider,
	}
	var tr transport
	if strings.HasPrefix(b.origin(), "http://") && f.Proxy == nil {
		tr = &h1.Transport{Dial: guard.Dial(o), HeaderTimeout: t.Header, MaxIdlePerHost: idlePerProvider}
	} else {
		tr = guard.Transport(o)
	}
	if f.transports == nil {
		f.transports = map[int64]pool{}
	}
	f.transports[id] = pool{b.origin(), tr}
	return tr
}

// Endpoint returns the endpoint of an enabled provider.
func (f *Fleet) Endpoint(providerID int64) (*Endpoint, bool) {
	s := f.snap.Load()
	if s == nil {
		return nil, false
	}
	e, ok := s.endpoints[providerID]
	return e, ok
}

// Endpoints returns the endpoints by provider id. Do not modify the slice.
func (f *Fleet) Endpoints() []*Endpoint {
	if s := f.snap.Load(); s != nil {
		return s.order
	}
	return nil
}

// Statuses returns what is known of every credential, by id.
func (f *Fleet) Statuses() []CredentialStatus {
	s := f.snap.Load()
	if s == nil {
		return nil
	}
	now := f.Now()
	out := make([]CredentialStatus, 0, len(s.credOrder))
	for _, c := range s.credOrder {
		st := CredentialStatus{CredentialID: c.row.ID, ProviderID: c.row.ProviderID, State: c.state}
		c.health.describe(&st, now)
		out = append(out, st)
	}
	return out
}

// Flush closes idle upstream connections, for after a change of the policy.
func (f *Fleet) Flush() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.transports {
		p.transport.CloseIdleConnections()
	}
}

// Close empties the fleet and closes idle connections. Running calls go on.
func (f *Fleet) Close() {
	f.snap.Store(&snapshot{})
	f.Flush()
}
