package upstream_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/meter/book"
	"tollgate/internal/upstream"
	"tollgate/internal/upstream/guard"
)

// table is a Table in memory: as much of the contract as the catalogue needs.
type table[T, F any] struct {
	rows  map[int64]T
	next  *int64
	id    func(*T) *int64
	match func(T, F) bool
	clash func(a, b T) bool
}

func (t *table[T, F]) Get(_ context.Context, id int64) (T, error) {
	row, ok := t.rows[id]
	if !ok {
		return row, tollgate.Errorf(tollgate.CodeNotFound, "there is no row %d", id)
	}
	return row, nil
}

func (t *table[T, F]) Query(_ context.Context, f F, _ tollgate.Page) ([]T, *tollgate.Cursor, error) {
	var out []T
	for _, row := range t.rows {
		if t.match(row, f) {
			out = append(out, row)
		}
	}
	slices.SortFunc(out, func(a, b T) int { return cmp.Compare(*t.id(&a), *t.id(&b)) })
	return out, nil, nil
}

func (t *table[T, F]) Count(ctx context.Context, f F) (int64, error) {
	rows, _, err := t.Query(ctx, f, tollgate.Page{})
	return int64(len(rows)), err
}

func (t *table[T, F]) Insert(_ context.Context, row *T) error {
	for _, have := range t.rows {
		if t.clash(have, *row) {
			return tollgate.Errorf(tollgate.CodeConflict, "taken")
		}
	}
	*t.next++
	*t.id(row) = *t.next
	t.rows[*t.next] = *row
	return nil
}

func (t *table[T, F]) Update(_ context.Context, row T) error {
	id := *t.id(&row)
	if _, ok := t.rows[id]; !ok {
		return tollgate.Errorf(tollgate.CodeNotFound, "there is no row %d", id)
	}
	t.rows[id] = row
	return nil
}

func (t *table[T, F]) Delete(_ context.Context, id int64) error {
	if _, ok := t.rows[id]; !ok {
		return tollgate.Errorf(tollgate.CodeNotFound, "there is no row %d", id)
	}
	delete(t.rows, id)
	return nil
}

func in[T comparable](m tollgate.Match[T], v T) bool { return !m.Set || slices.Contains(m.Values, v) }

type auditLog struct{ entries []tollgate.AuditEntry }

func (a *auditLog) Append(_ context.Context, e *tollgate.AuditEntry) error {
	a.entries = append(a.entries, *e)
	return nil
}

func (*auditLog) Head(context.Context) (tollgate.AuditHead, error) { return tollgate.AuditHead{}, nil }

func (a *auditLog) Query(context.Context, tollgate.AuditFilter, tollgate.Page) ([]tollgate.AuditEntry, *tollgate.Cursor, error) {
	return a.entries, nil, nil
}

type settingTable map[string]tollgate.Setting

func (s settingTable) All(context.Context) ([]tollgate.Setting, error) {
	var out []tollgate.Setting
	for _, v := range s {
		out = append(out, v)
	}
	return out, nil
}

func (s settingTable) Put(_ context.Context, v tollgate.Setting) error {
	s[v.Name] = v
	return nil
}

func (s settingTable) Delete(_ context.Context, name string) error {
	if _, ok := s[name]; !ok {
		return tollgate.Errorf(tollgate.CodeNotFound, "there is no setting %s", name)
	}
	delete(s, name)
	return nil
}

// memory is a store of the catalogue. The embedded nil Store panics on what it
// does not have.
type memory struct {
	tollgate.Store
	mu    sync.Mutex
	tx    tollgate.Tx
	audit *auditLog
	fail  error
}

func newMemory() *memory {
	var next int64
	audit := &auditLog{}
	return &memory{audit: audit, tx: tollgate.Tx{
		Providers: &table[tollgate.Provider, tollgate.ProviderFilter]{
			rows: map[int64]tollgate.Provider{}, next: &next, id: func(p *tollgate.Provider) *int64 { return &p.ID },
			match: func(p tollgate.Provider, f tollgate.ProviderFilter) bool { return in(f.ID, p.ID) && in(f.Name, p.Name) },
			clash: func(a, b tollgate.Provider) bool { return a.Name == b.Name },
		},
		Credentials: &table[tollgate.Credential, tollgate.CredentialFilter]{
			rows: map[int64]tollgate.Credential{}, next: &next, id: func(c *tollgate.Credential) *int64 { return &c.ID },
			match: func(c tollgate.Credential, f tollgate.CredentialFilter) bool {
				return in(f.ID, c.ID) && in(f.ProviderID, c.ProviderID)
			},
			clash: func(tollgate.Credential, tollgate.Credential) bool { return false },
		},
		Models: &table[tollgate.Model, tollgate.ModelFilter]{
			rows: map[int64]tollgate.Model{}, next: &next, id: func(m *tollgate.Model) *int64 { return &m.ID },
			match: func(m tollgate.Model, f tollgate.ModelFilter) bool { return in(f.ID, m.ID) },
			clash: func(a, b tollgate.Model) bool { return a.ProviderID == b.ProviderID && a.ModelID == b.ModelID },
		},
		Aliases: &table[tollgate.ModelAlias, tollgate.AliasFilter]{
			rows: map[int64]tollgate.ModelAlias{}, next: &next, id: func(a *tollgate.ModelAlias) *int64 { return &a.ID },
			match: func(a tollgate.ModelAlias, f tollgate.AliasFilter) bool { return in(f.ID, a.ID) },
			clash: func(a, b tollgate.ModelAlias) bool { return a.Alias == b.Alias },
		},
		Prices: &table[tollgate.Price, tollgate.PriceFilter]{
			rows: map[int64]tollgate.Price{}, next: &next, id: func(p *tollgate.Price) *int64 { return &p.ID },
			match: func(p tollgate.Price, f tollgate.PriceFilter) bool {
				return in(f.ProviderID, p.ProviderID) && in(f.ModelID, p.ModelID) && in(f.Source, p.Source)
			},
			clash: func(tollgate.Price, tollgate.Price) bool { return false },
		},
		Settings: settingTable{}, Audit: audit,
	}}
}

func (m *memory) View(_ context.Context, fn func(tollgate.Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	return fn(m.tx)
}

// sealer marks the label beside the value, so that a moved value does not open.
type sealer struct{}

func (sealer) Seal(at tollgate.Label, plain []byte) ([]byte, error) {
	return append([]byte(label(at)), plain...), nil
}

func (sealer) Open(at tollgate.Label, sealed []byte) ([]byte, error) {
	prefix := label(at)
	if len(sealed) < len(prefix) || string(sealed[:len(prefix)]) != prefix {
		return nil, errors.New("does not open")
	}
	return sealed[len(prefix):], nil
}

func label(at tollgate.Label) string {
	return at.Table + "|" + at.Column + "|" + string(rune('0'+at.Row)) + "|" + at.Origin + "|"
}

// clock is a settable now.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func loopback(tb testing.TB) *guard.Policy {
	tb.Helper()
	list, err := guard.ParseAllowList([]string{"127.0.0.0/8"})
	if err != nil {
		tb.Fatal(err)
	}
	return guard.NewPolicy(guard.Rules{Allow: list})
}

// world is a catalogue and a fleet over one store.
type world struct {
	store   *memory
	catalog *upstream.Catalog
	fleet   *upstream.Fleet
	clock   *clock
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	c, p := newClock(), loopback(tb)
	w := &world{store: newMemory(), clock: c}
	w.catalog = &upstream.Catalog{
		Sealer: sealer{}, Now: c.now, Kinds: upstream.Kinds{Demo: true}, Policy: p,
		Prices: &book.Rules{Now: c.now, Host: upstream.Kinds{}.Host},
		MAC:    func(_ string, data []byte) (out [32]byte) { copy(out[:], data); return out },
	}
	w.fleet = &upstream.Fleet{Sealer: sealer{}, Kinds: upstream.Kinds{Demo: true}, Policy: p, Now: c.now}
	tb.Cleanup(w.fleet.Close)
	return w
}

func some[T any](v T) tollgate.Opt[T] { return tollgate.Some(v) }

// provider saves a provider of kind at base with the given secrets and reloads
// the fleet.
func (w *world) provider(tb testing.TB, kind, base string, secrets ...string) *upstream.Endpoint {
	tb.Helper()
	return w.save(tb, upstream.ProviderWrite{Name: some("p"), Kind: some(kind), BaseURL: some(base)}, secrets...)
}

func (w *world) save(tb testing.TB, write upstream.ProviderWrite, secrets ...string) *upstream.Endpoint {
	tb.Helper()
	for _, s := range secrets {
		write.Credentials = append(write.Credentials, upstream.CredentialWrite{Label: some("c-" + s[len(s)-1:]), Secret: some(s)})
	}
	p, err := w.catalog.SaveProvider(tb.Context(), w.store.tx, tollgate.HostActor("cli"), write)
	if err != nil {
		tb.Fatal(err)
	}
	if err := w.fleet.Reload(tb.Context(), w.store); err != nil {
		tb.Fatal(err)
	}
	e, ok := w.fleet.Endpoint(p.ID)
	if !ok {
		tb.Fatalf("provider %d is not in the fleet", p.ID)
	}
	return e
}
