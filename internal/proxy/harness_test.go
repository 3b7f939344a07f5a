package proxy_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/auth/seal"
	"tollgate/internal/conversation"
	"tollgate/internal/demo"
	"tollgate/internal/ledger"
	"tollgate/internal/limit/memory"
	"tollgate/internal/meter/book"
	"tollgate/internal/proxy"
	"tollgate/internal/route"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/upstream"
	"tollgate/internal/upstream/guard"
	"tollgate/internal/web"
	"tollgate/internal/wire/anthropic"
	"tollgate/internal/wire/gemini"
	"tollgate/internal/wire/openai"
)

// The secrets that providers know us by in these tests; none of them may ever
// reach a client, and no client's key may ever reach a provider.
const (
	secretA = "sk-upstream-secret-aaaaaaaaaaaaaaaaaaaa"
	secretB = "sk-upstream-secret-bbbbbbbbbbbbbbbbbbbb"
)

// options shape a gateway under test.
type options struct {
	credentials []string // of each provider; default one, secretA
	vendor      http.Handler
	limits      proxy.Limits
	timeouts    upstream.Timeouts
	ledger      func(proxy.Ledger) proxy.Ledger
	store       func(ledger.Log) ledger.Log
	prices      string        // of each model, JSON; "" = there is no price book
	settings    string        // of each provider
	wait        time.Duration // for money that others hold
	log         io.Writer
	shape       func(*proxy.Proxy) // changes the proxy before it serves
	turns       conversation.Limits
}

// gateway is the data plane on real parts: SQLite, directory, fleet, recorder,
// and a vendor that listens on loopback.
type gateway struct {
	tb      testing.TB
	URL     string
	Server  *httptest.Server
	Proxy   *proxy.Proxy
	Store   *sqlstore.Store
	Vendor  *demo.Vendor
	Upstr   *httptest.Server
	Dir     *auth.Directory
	Fleet   *upstream.Fleet
	Keys    *auth.Accounts
	Catalog *upstream.Catalog
	Rec     *ledger.Recorder
	Money   *ledger.Ledger
	Book    *book.Book
	Limits  *memory.Limiter
	Ring    *seal.Keyring
	Client  *http.Client
	User    tollgate.User
	Key     string
	KeyID   int64
	PermID  int64
	ids     map[string]int64 // providers
	table   atomic.Pointer[route.Table]
}

// must ends the test if err is not nil.
func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// start builds a gateway with the providers oa (openai), an (anthropic), ge
// (gemini), cp (openai-compatible), rs (openai, Responses alone) and gk (the
// same, but the gateway keeps its state), all of them the one vendor, and a user
// with one key and the permission to use everything.
func start(tb testing.TB, o options) *gateway {
	tb.Helper()
	g := &gateway{tb: tb, Vendor: &demo.Vendor{Now: time.Now}, ids: map[string]int64{}}
	var handler http.Handler = g.Vendor
	if o.vendor != nil {
		handler = o.vendor
	}
	g.Vendor.Record(true)
	g.Upstr = httptest.NewServer(handler)
	log := slog.New(slog.DiscardHandler)
	if o.log != nil {
		log = slog.New(slog.NewJSONHandler(o.log, nil))
	}
	ctx := context.Background()
	var err error
	g.Store, err = sqlstore.Open(ctx, sqlstore.Options{DSN: "sqlite://" + filepath.Join(databaseDir(tb), "tollgate.db"), Now: time.Now, Log: log})
	must(tb, err)
	ring, stored, err := seal.Create(seal.Master{Key: tollgate.NewSecret("a master key for tests only"), Source: seal.SourceFile}, rand.Reader)
	must(tb, err)
	g.Ring = ring
	policy := guard.NewPolicy(guard.Rules{Allow: mustAllow(tb, "127.0.0.0/8")})
	g.Dir = auth.NewDirectory(ring, time.Now, log)
	g.Keys = &auth.Accounts{Sealer: ring, Keys: ring, Hasher: auth.NewHasher(auth.HasherOptions{}, rand.Reader), Now: time.Now, Rand: rand.Reader, Reserved: g.Dir.IsAccess}
	g.Catalog = &upstream.Catalog{Sealer: ring, MAC: ring.MAC, Now: time.Now, Policy: policy, Prices: &book.Rules{Now: time.Now, Host: upstream.Kinds{}.Host}}
	g.Fleet = &upstream.Fleet{Sealer: ring, Policy: policy, Timeouts: cmp.Or(o.timeouts, upstream.DefaultTimeouts()), Now: time.Now, Log: log}
	g.Store.Watch(g.feed)
	must(tb, g.Store.Update(ctx, func(tx tollgate.Tx) error { return stored.Save(ctx, tx) }))
	g.seed(o)

	var sink ledger.Log = g.Store
	if o.store != nil {
		sink = o.store(sink)
	}
	g.Rec = &ledger.Recorder{Log: sink, Logger: log}
	ids := &tollgate.RequestIDs{}
	g.Money = &ledger.Ledger{Recorder: g.Rec, Machine: &ledger.Machine{IDs: ids, Now: time.Now, Zone: time.UTC, Wait: o.wait}}
	g.Book = &book.Book{Now: time.Now, Log: log}
	g.Limits = memory.New(time.Now)
	must(tb, g.feed(ctx, tollgate.AreaCatalogue|tollgate.AreaMoney))
	var accounts proxy.Ledger = g.Money
	if o.ledger != nil {
		accounts = o.ledger(accounts)
	}
	g.Proxy = &proxy.Proxy{
		Directory: g.Dir, Routes: g.table.Load, Fleet: g.Fleet, Codecs: codecs(), Ledger: accounts,
		Limiter: g.Limits, IDs: ids, Now: time.Now, Log: log, Limits: o.limits.Defaults(),
	}
	if o.prices != "" {
		g.Proxy.Prices = g.Book
	}
	g.Proxy.Sealer = ring
	g.Proxy.Turns, err = conversation.NewKeeper(g.Store, ring, time.Now, o.turns)
	must(tb, err)
	if o.shape != nil {
		o.shape(g.Proxy)
	}
	door := &web.Door{IDs: g.Proxy.IDs, Now: time.Now, Log: log}
	g.Proxy.Door = door.Wrap
	g.Server = httptest.NewUnstartedServer(door.Wrap(g.Proxy))
	g.Server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	g.Server.Start()
	g.URL = g.Server.URL
	g.Client = &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}}
	tb.Cleanup(g.stop)
	return g
}

func codecs() map[tollgate.Dialect]*proxy.Codec {
	return map[tollgate.Dialect]*proxy.Codec{
		tollgate.DialectOpenAIChat:      proxy.NewCodec(openai.Chat{}),
		tollgate.DialectOpenAIResponses: proxy.NewCodec(openai.Responses{}),
		tollgate.DialectAnthropic:       proxy.NewCodec(anthropic.Codec{}),
		tollgate.DialectGemini:          proxy.NewCodec(gemini.Codec{}),
	}
}

func mustAllow(tb testing.TB, s string) []guard.Allow {
	tb.Helper()
	a, err := guard.ParseAllow(s)
	must(tb, err)
	return []guard.Allow{a}
}

func (g *gateway) stop() {
	g.Client.CloseIdleConnections()
	g.Server.CloseClientConnections()
	g.Server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = g.Rec.Close(ctx)
	g.Fleet.Close()
	g.Upstr.CloseClientConnections()
	g.Upstr.Close()
	_ = g.Store.Close()
}

// feed is the change feed as the application wires it.
func (g *gateway) feed(ctx context.Context, touched tollgate.Area) error {
	if err := g.Dir.Reload(ctx, g.Store, touched); err != nil {
		return err
	}
	if touched&tollgate.AreaMoney != 0 && g.Money != nil {
		if err := g.Money.Load(ctx, g.Store); err != nil {
			return err
		}
		if err := g.loadLimits(ctx); err != nil {
			return err
		}
	}
	if touched&tollgate.AreaCatalogue == 0 {
		return nil
	}
	if g.Book != nil {
		if err := g.Book.Reload(ctx, g.Store); err != nil {
			return err
		}
	}
	if err := g.Fleet.Reload(ctx, g.Store); err != nil {
		return err
	}
	return g.Store.View(ctx, func(tx tollgate.Tx) error {
		all := tollgate.Page{All: true}
		providers, _, err := tx.Providers.Query(ctx, tollgate.ProviderFilter{}, all)
		if err != nil {
			return err
		}
		models, _, err := tx.Models.Query(ctx, tollgate.ModelFilter{}, all)
		if err != nil {
			return err
		}
		aliases, _, err := tx.Aliases.Query(ctx, tollgate.AliasFilter{}, all)
		if err != nil {
			return err
		}
		g.table.Store(route.Build(providers, models, aliases))
		return nil
	})
}

// update changes the store as the host.
func (g *gateway) update(fn func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error) {
	g.tb.Helper()
	ctx := context.Background()
	must(g.tb, g.Store.Update(ctx, func(tx tollgate.Tx) error { return fn(ctx, tx, tollgate.HostActor("cli")) }))
}

func (g *gateway) seed(o options) {
	secrets := o.credentials
	if secrets == nil {
		secrets = []string{secretA}
	}
	g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
		for _, p := range []struct{ name, kind string }{{"oa", "openai"}, {"an", "anthropic"}, {"ge", "gemini"}, {"cp", "openai-compatible"}, {"rs", "openai"}, {"gk", "openai-compatible"}} {
			w := upstream.ProviderWrite{Name: tollgate.Some(p.name), Kind: tollgate.Some(p.kind), BaseURL: tollgate.Some(g.Upstr.URL)}
			if o.settings != "" {
				w.Settings = tollgate.Some(json.RawMessage(o.settings))
			}
			if p.name == "rs" {
				w.Settings = tollgate.Some(json.RawMessage(`{"dialects":["openai-responses"]}`))
			}
			if p.name == "gk" {
				w.Settings = tollgate.Some(json.RawMessage(`{"dialects":["openai-responses"],"responses_state":"gateway"}`))
			}
			for i, s := range secrets {
				w.Credentials = append(w.Credentials, upstream.CredentialWrite{Label: tollgate.Some(string(rune('a' + i))), Secret: tollgate.Some(s)})
			}
			saved, err := g.Catalog.SaveProvider(ctx, tx, by, w)
			if err != nil {
				return err
			}
			g.ids[p.name] = saved.ID
			for _, m := range []string{p.name + "-model", "shared-model"} {
				if (p.name == "rs" || p.name == "gk") && m == "shared-model" {
					continue
				}
				if _, err := g.Catalog.SaveModel(ctx, tx, by, upstream.ModelWrite{ProviderID: saved.ID, ModelID: tollgate.Some(m), Prices: prices(o)}); err != nil {
					return err
				}
			}
		}
		_, err := g.Catalog.SaveAlias(ctx, tx, by, upstream.AliasWrite{Alias: tollgate.Some("fast"), Target: tollgate.Some("oa-model")})
		return err
	})
	g.User, g.Key, g.KeyID = g.addUser("alice")
	g.PermID = g.permit(g.User.ID, 0, "*")
}

// addUser makes a user with one key and no permission.
func (g *gateway) addUser(name string) (u tollgate.User, key string, keyID int64) {
	g.tb.Helper()
	g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
		u = tollgate.User{Name: name, Enabled: true, Role: tollgate.RoleUser, CreatedAt: time.Now()}
		if err := tx.Users.Insert(ctx, &u); err != nil {
			return err
		}
		k, plain, err := g.Keys.GenerateKey(ctx, tx, by, auth.KeyWrite{UserID: u.ID})
		key, keyID = plain.Reveal(), k.ID
		return err
	})
	return u, key, keyID
}

func (g *gateway) permit(userID, providerID int64, pattern string) (id int64) {
	g.tb.Helper()
	g.update(func(ctx context.Context, tx tollgate.Tx, _ tollgate.Actor) error {
		p := tollgate.Permission{UserID: userID, ProviderID: providerID, ModelPattern: pattern}
		err := tx.Permissions.Insert(ctx, &p)
		id = p.ID
		return err
	})
	return id
}

// rows waits until n request rows are stored and returns them, oldest first,
// with their dispatches.
func (g *gateway) rows(n int) []tollgate.Request {
	g.tb.Helper()
	ctx := context.Background()
	var reqs []tollgate.Request
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		var uses []tollgate.UsageRow
		must(g.tb, g.Store.View(ctx, func(tx tollgate.Tx) (err error) {
			if reqs, _, err = tx.Usage.Requests(ctx, tollgate.RequestFilter{}, tollgate.Page{All: true}); err != nil {
				return err
			}
			uses, _, err = tx.Usage.Dispatches(ctx, tollgate.UsageFilter{}, tollgate.Page{All: true})
			return err
		}))
		if len(reqs) >= n {
			for i := range reqs {
				for _, u := range uses {
					if u.RequestID == reqs[i].ID {
						reqs[i].Dispatches = append(reqs[i].Dispatches, u.Dispatch)
					}
				}
			}
			slices.SortFunc(reqs, func(a, b tollgate.Request) int { return cmp.Compare(a.ID, b.ID) })
			return reqs
		}
		if time.Now().After(deadline) {
			g.tb.Fatalf("%d request rows stored, want %d", len(reqs), n)
		}
	}
}

// last returns the newest of n stored rows.
func (g *gateway) last(n int) tollgate.Request {
	g.tb.Helper()
	r := g.rows(n)
	return r[len(r)-1]
}

// answer is what a client got.
type answer struct {
	Status int
	Header http.Header
	Body   string
	Err    error // of reading the body
}

// send sends one request in the form that the dialect's own clients use.
func (g *gateway) send(method, path, body string, header ...string) answer {
	g.tb.Helper()
	return g.do(g.request(context.Background(), method, path, body, header...))
}

func (g *gateway) request(ctx context.Context, method, path, body string, header ...string) *http.Request {
	g.tb.Helper()
	var rd io.Reader
	if body != "" {
		rd = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, g.URL+path, rd)
	must(g.tb, err)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	switch {
	case strings.Contains(path, "/v1beta"):
		req.Header.Set("X-Goog-Api-Key", g.Key)
	case strings.Contains(path, "/messages"):
		req.Header.Set("X-Api-Key", g.Key)
		req.Header.Set("Anthropic-Version", "2023-06-01")
	default:
		req.Header.Set("Authorization", "Bearer "+g.Key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Del(header[i])
		if header[i+1] != "" {
			req.Header.Set(header[i], header[i+1])
		}
	}
	return req
}

func (g *gateway) do(req *http.Request) answer {
	g.tb.Helper()
	resp, err := g.Client.Do(req)
	must(g.tb, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	a := answer{Status: resp.StatusCode, Header: resp.Header, Body: string(body), Err: err}
	g.noSecrets(a)
	return a
}

// noSecrets fails the test if an answer holds a provider's credential.
func (g *gateway) noSecrets(a answer) {
	g.tb.Helper()
	var b bytes.Buffer
	_ = a.Header.Write(&b)
	for _, s := range []string{secretA, secretB, "upstream-secret"} {
		if strings.Contains(a.Body, s) || strings.Contains(b.String(), s) {
			g.tb.Errorf("the answer holds a provider's credential: %s %s", b.String(), a.Body)
		}
	}
}

// lines is a writer that several goroutines may use.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// freePort returns an address that nothing listens on.
func freePort(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(tb, err)
	defer l.Close()
	return l.Addr().String()
}

// setAccess sets the service key, limited to a pattern of models.
func (g *gateway) setAccess(key, pattern string) error {
	return g.Dir.SetAccess(auth.Access{Key: tollgate.NewSecret(key), Permissions: []tollgate.Permission{{ModelPattern: pattern}}})
}

// databaseDir is a folder of the test's own, whatever the test is called.
func databaseDir(tb testing.TB) string {
	tb.Helper()
	dir, err := os.MkdirTemp("", "proxy") //nolint:usetesting // TempDir takes the name of the test into the path, and so into the DSN
	must(tb, err)
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// signIn gives the user a password and returns the token of a session.
func (g *gateway) signIn() string {
	g.tb.Helper()
	ctx := context.Background()
	word := tollgate.NewSecret("correct horse battery")
	w := auth.UserWrite{ID: g.User.ID, Password: tollgate.Some(word)}
	must(g.tb, g.Keys.Prepare(ctx, &w))
	g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
		return g.Keys.SetPassword(ctx, tx, by, w)
	})
	in, err := auth.NewSessions(g.Store, g.Keys, g.Ring, auth.ThrottleLimits{}).Login(ctx, g.User.Name, word, auth.SignIn{})
	must(g.tb, err)
	return in.Token.Reveal()
}

// loadLimits puts the stored rate limits in force.
func (g *gateway) loadLimits(ctx context.Context) error {
	return g.Store.View(ctx, func(tx tollgate.Tx) error {
		rows, _, err := tx.RateLimits.Query(ctx, tollgate.RateLimitFilter{}, tollgate.Page{All: true})
		if err == nil {
			g.Limits.Set(rows)
		}
		return err
	})
}

func prices(o options) tollgate.Opt[json.RawMessage] {
	if o.prices == "" {
		return tollgate.Opt[json.RawMessage]{}
	}
	return tollgate.Some(json.RawMessage(o.prices))
}
