package auth_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/auth/seal"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/store/storetest"
)

// world is a store, a directory that its change feed keeps current, and what
// stands on them.
type world struct {
	*testing.T
	store     *sqlstore.Store
	keyring   *seal.Keyring
	accounts  *auth.Accounts
	directory *auth.Directory
	sessions  *auth.Sessions
	clock     *clock
	root      tollgate.User // the super admin
}

// clock is a settable time, safe for concurrent use.
type clock struct {
	mu    sync.Mutex
	at    time.Time
	pause func() // if not nil, runs whenever the time is asked for
}

func (c *clock) now() time.Time {
	if c.pause != nil {
		c.pause()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newKeyring(tb testing.TB) *seal.Keyring {
	tb.Helper()
	k, _, err := seal.Create(seal.Master{Key: tollgate.NewSecret("a master key for the tests"), Source: seal.SourceEnv}, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// cheap keeps the tests fast; what it costs is not what they are about.
func cheap() auth.HasherOptions {
	return auth.HasherOptions{Cost: auth.Cost{Memory: 64, Passes: 1, Lanes: 1}, Slots: 4}
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, sqlstore.Options{Dir: t.TempDir()})
}

// onBothEngines runs a test on SQLite and, where there is a server, on PostgreSQL.
func onBothEngines(t *testing.T, run func(*world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(newWorld(t)) })
	if storetest.HavePostgres(t) {
		t.Run("postgres", func(t *testing.T) { run(newWorldOn(t, sqlstore.Options{DSN: storetest.PostgresDSN(t)})) })
	}
}

// onBothEnginesEmpty is onBothEngines with nobody there.
func onBothEnginesEmpty(t *testing.T, run func(*world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(newEmptyWorld(t, sqlstore.Options{Dir: t.TempDir()})) })
	if storetest.HavePostgres(t) {
		t.Run("postgres", func(t *testing.T) { run(newEmptyWorld(t, sqlstore.Options{DSN: storetest.PostgresDSN(t)})) })
	}
}

func newWorldOn(t *testing.T, o sqlstore.Options) *world {
	t.Helper()
	w := newEmptyWorld(t, o)
	w.root = w.saveUser(host(), auth.UserWrite{Name: tollgate.Some("root"), Password: password("the root's own secret"), SuperAdmin: true})
	return w
}

// newEmptyWorld has no account at all.
func newEmptyWorld(t *testing.T, o sqlstore.Options) *world {
	t.Helper()
	w := &world{T: t, keyring: newKeyring(t), clock: &clock{at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}}
	var err error
	o.Now = w.clock.now
	w.store, err = sqlstore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.directory = auth.NewDirectory(w.keyring, w.clock.now, slog.New(slog.DiscardHandler))
	w.accounts = &auth.Accounts{
		Sealer: w.keyring, Keys: w.keyring, Hasher: auth.NewHasher(cheap(), rand.Reader), Now: w.clock.now, Rand: rand.Reader,
		SealKeys: true, Reserved: w.directory.IsAccess,
	}
	w.sessions = auth.NewSessions(w.store, w.accounts, w.keyring, auth.ThrottleLimits{Burst: 1000, Free: 1000})
	w.store.Watch(func(ctx context.Context, touched tollgate.Area) error {
		return w.directory.Reload(ctx, w.store, touched)
	})
	if err := w.directory.Reload(t.Context(), w.store, tollgate.AreaIdentity|tollgate.AreaSessions); err != nil {
		t.Fatal(err)
	}
	return w
}

func host() tollgate.Actor { return tollgate.HostActor("cli") }

func password(s string) tollgate.Opt[tollgate.Secret] { return tollgate.Some(tollgate.NewSecret(s)) }

// update runs fn in a transaction that must succeed.
func (w *world) update(fn func(tollgate.Tx) error) {
	w.Helper()
	if err := w.store.Update(w.Context(), fn); err != nil {
		w.Fatal(err)
	}
}

// try runs fn in a transaction and returns the code of its error.
func (w *world) try(fn func(tollgate.Tx) error) tollgate.Code {
	w.Helper()
	return tollgate.ErrorCode(w.store.Update(w.Context(), fn))
}

func (w *world) saveUser(by tollgate.Actor, u auth.UserWrite) (saved tollgate.User) {
	w.Helper()
	if err := w.accounts.Prepare(w.Context(), &u); err != nil {
		w.Fatal(err)
	}
	w.update(func(tx tollgate.Tx) (err error) {
		saved, err = w.accounts.SaveUser(w.Context(), tx, by, u)
		return err
	})
	return saved
}

func (w *world) user(name string, admin bool) tollgate.User {
	w.Helper()
	return w.saveUser(host(), auth.UserWrite{
		Name: tollgate.Some(name), IsAdmin: tollgate.Some(admin), Password: password("the own secret of " + name),
	})
}

func (w *world) key(k auth.KeyWrite) (saved tollgate.Key, plain string) {
	w.Helper()
	w.update(func(tx tollgate.Tx) error {
		var secret tollgate.Secret
		var err error
		saved, secret, err = w.accounts.GenerateKey(w.Context(), tx, host(), k)
		plain = secret.Reveal()
		return err
	})
	return saved, plain
}

func (w *world) permit(userID, providerID int64, pattern string) (saved tollgate.Permission) {
	w.Helper()
	w.update(func(tx tollgate.Tx) (err error) {
		saved, err = w.accounts.SavePermission(w.Context(), tx, host(),
			tollgate.Permission{UserID: userID, ProviderID: providerID, ModelPattern: pattern})
		return err
	})
	return saved
}

func (w *world) provider(name string) (p tollgate.Provider) {
	w.Helper()
	p = tollgate.Provider{Name: name, Kind: "demo", Enabled: true, CreatedAt: w.clock.now()}
	w.update(func(tx tollgate.Tx) error { return tx.Providers.Insert(w.Context(), &p) })
	return p
}

func (w *world) login(name string) auth.LoginResult {
	w.Helper()
	secret := "the own secret of " + name
	if name == "root" {
		secret = "the root's own secret"
	}
	r, err := w.sessions.Login(w.Context(), name, tollgate.NewSecret(secret), auth.SignIn{IP: netip.MustParseAddr("192.0.2.7"), UserAgent: "test"})
	if err != nil {
		w.Fatalf("login of %s: %v", name, err)
	}
	return r
}

// as returns the actor of a user's new session.
func (w *world) as(name string) tollgate.Actor {
	w.Helper()
	return tollgate.Actor{Principal: w.principal(bearer(w.login(name).Token.Reveal())), Via: "session"}
}

// asKey returns the actor of a key.
func (w *world) asKey(plain string) tollgate.Actor {
	w.Helper()
	return tollgate.Actor{Principal: w.principal(bearer(plain)), Via: "api_key"}
}

func (w *world) principal(c auth.Credential) tollgate.Principal {
	w.Helper()
	p, err := w.directory.Authenticate(c, netip.MustParseAddr("192.0.2.7"))
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func (w *world) authenticate(c auth.Credential) error {
	_, err := w.directory.Authenticate(c, netip.MustParseAddr("192.0.2.7"))
	return err
}

func bearer(token string) auth.Credential { return header("Authorization", "Bearer "+token) }

func header(name, value string) auth.Credential {
	c, err := auth.Extract(http.Header{http.CanonicalHeaderKey(name): {value}}, nil, false)
	if err != nil {
		panic(err)
	}
	return c
}

// audited returns all entries of an action.
func (w *world) audited(action string) (found []tollgate.AuditEntry) {
	w.Helper()
	err := w.store.View(w.Context(), func(tx tollgate.Tx) (err error) {
		found, _, err = tx.Audit.Query(w.Context(), tollgate.AuditFilter{Action: tollgate.Is(action)}, tollgate.Page{All: true})
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return found
}
