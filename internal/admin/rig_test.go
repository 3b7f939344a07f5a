package admin_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/hotp"

	"tollgate"
	"tollgate/internal/admin"
	"tollgate/internal/alarm"
	"tollgate/internal/ascode"
	"tollgate/internal/auth"
	"tollgate/internal/auth/seal"
	"tollgate/internal/auth/sso"
	"tollgate/internal/config"
	"tollgate/internal/console"
	"tollgate/internal/feed"
	"tollgate/internal/meter/book"
	"tollgate/internal/meter/shipped"
	"tollgate/internal/payload"
	"tollgate/internal/seed"
	"tollgate/internal/self"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/upstream"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

const (
	password   = "correct horse battery"
	vendorKey  = "sk-canary-vendor-secret-0123456789"
	serviceKey = "canary-service-access-key-0123456789"
)

// rig is the whole admin side over a real SQLite database.
type rig struct {
	t       *testing.T
	store   *sqlstore.Store
	dir     *auth.Directory
	acc     *auth.Accounts
	book    *book.Book
	alarms  *alarm.Keeper
	sso     *sso.Engine
	bodies  *payload.Keeper
	router  *web.Router
	handler http.Handler
	log     *bytes.Buffer
	seen    *switched
	users   map[string]int64  // by name
	keys    map[string]int64  // ids by name
	token   map[string]string // bearer by name: keys and sessions
	id      map[string]int64  // other records
	request map[string]tollgate.RequestID
	feed    feed.Hub
	stopped chan struct{} // ends live feeds
	origin  string        // what links begin with

	document *document       // /openapi.json, once it was asked for
	audits   map[string]bool // paths that needsAudit has tried
}

// switched is the store that the operations see; it can be wrapped once the
// rig is populated.
type switched struct{ tollgate.Store }

// newRig returns a rig whose live feeds end at once.
func newRig(t *testing.T) *rig {
	t.Helper()
	r := newWatchedRig(t)
	close(r.stopped)
	return r
}

func newWatchedRig(t *testing.T) *rig {
	t.Helper()
	r := newEmptyRig(t)
	r.populate()
	return r
}

// newEmptyRig returns a rig in which nobody has an account.
func newEmptyRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, log: &bytes.Buffer{}, users: map[string]int64{}, keys: map[string]int64{}, token: map[string]string{}, id: map[string]int64{}, request: map[string]tollgate.RequestID{}, stopped: make(chan struct{}), origin: "https://llm.example.com"}
	log := slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if r.store, err = sqlstore.Open(t.Context(), sqlstore.Options{Dir: t.TempDir(), Now: time.Now, Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.store.Close() })
	ring, stored, err := seal.Create(seal.Master{Key: tollgate.NewSecret("canary-master-key-0123456789"), Source: seal.SourceEnv}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r.dir = auth.NewDirectory(ring, time.Now, log)
	r.book = &book.Book{Now: time.Now, Log: log}
	r.alarms = &alarm.Keeper{Store: r.store, Now: time.Now, Rand: rand.Reader, Log: log}
	r.store.Watch(func(ctx context.Context, touched tollgate.Area) error {
		return errors.Join(r.dir.Reload(ctx, r.store, touched), r.book.Reload(ctx, r.store), r.loadSSO(ctx))
	})
	r.must(r.store.Update(t.Context(), func(tx tollgate.Tx) error { return stored.Save(t.Context(), tx) }))
	r.must(r.dir.Reload(t.Context(), r.store, tollgate.AreaIdentity|tollgate.AreaSessions))
	hasher := auth.NewHasher(auth.HasherOptions{Slots: 2, Cost: auth.Cost{Memory: 64, Passes: 1, Lanes: 1}}, rand.Reader)
	r.acc = &auth.Accounts{Sealer: ring, Keys: ring, Hasher: hasher, Now: time.Now, Rand: rand.Reader, SealKeys: true, Reserved: r.dir.IsAccess}

	table, err := shipped.Read()
	r.must(err)
	prices := &book.Rules{Now: time.Now, Host: upstream.Kinds{}.Host, Table: table}
	seen := &switched{r.store}
	r.seen = seen
	sessions := auth.NewSessions(seen, r.acc, ring, auth.ThrottleLimits{Burst: 100_000, Free: 100_000})
	sessions.Origin = func() string { return "http://localhost:8787" }
	fleet := &upstream.Fleet{Sealer: ring, Kinds: upstream.Kinds{Demo: true}, Now: time.Now, Log: log}
	r.router = &web.Router{
		Auth: &admin.Authenticator{Directory: r.dir, Now: time.Now}, Now: time.Now,
	}
	ops := api.New(r.router, "test")
	live := api.Live{Hub: &r.feed, Stopped: r.stopped}
	costLines := func(context.Context, tollgate.Tx, *tollgate.UsageRow) ([]api.CostLine, error) {
		return []api.CostLine{{Kind: "input", Quantity: 10, Rate: 1, Amount: 1}}, nil
	}
	cursors := api.Cursors{Sealer: ring}
	r.sso, err = sso.New(sso.Options{
		Client: &http.Client{Timeout: 5 * time.Second}, Sealer: ring, PublicURL: "http://127.0.0.1:8787", Now: time.Now, Random: rand.Reader,
	})
	r.must(err)
	r.acc.SignInOfFile = r.sso.OfFile
	r.bodies = &payload.Keeper{Store: seen, Sealer: ring, MAC: ring.MAC, Now: time.Now, Log: log}
	r.must(r.bodies.Open(payload.Settings{Mode: tollgate.PayloadsAll, Body: 1000, Life: time.Hour, Total: 1 << 20}))
	go r.bodies.Run(t.Context())
	read := func(ctx context.Context, id tollgate.RequestID, users tollgate.Match[int64]) (api.Payload, error) {
		c, user, err := r.bodies.Read(ctx, id, users)
		if err != nil {
			return api.Payload{}, err
		}
		b := c.Request
		return api.Payload{ID: id.String(), UserID: api.OrNull(user), Request: api.BodyRecord(b.Type, b.Data, b.Bytes, b.Truncated)}, nil
	}
	catalog := &upstream.Catalog{Sealer: ring, MAC: ring.MAC, Now: time.Now, Kinds: upstream.Kinds{Demo: true}, Prices: prices}
	folder := t.TempDir()
	(&ascode.Server{
		API: ops, Store: seen, Cursors: cursors, Now: time.Now, Places: ascode.Places{Folder: func() string { return folder }},
		Importer: &seed.Importer{Accounts: r.acc, Catalog: catalog, Prices: prices, Keys: ring, Now: time.Now},
	}).Mount()
	(&admin.Server{
		Process: func() []config.Effective {
			return config.Config{MasterKey: tollgate.NewSecret("canary-master-key"), LogFormat: "auto"}.Effective()
		},
		About: admin.About{Version: "test", Database: "sqlite", SchemaVersion: 13, PricesDate: table.Date},
		API:   ops, Store: seen, Accounts: r.acc, Sessions: sessions,
		Catalog: catalog,
		Prices:  prices, Book: r.book, Alarms: r.alarms, Payloads: r.bodies, ReadPayload: read,
		Statuses: fleet.Statuses, Cursors: cursors, Zone: time.UTC, Now: time.Now, CostLines: costLines, Live: live, Attend: r.dir.Attend,
		SSO:    &admin.SSO{API: ops, Router: r.router, Engine: r.sso, Store: seen, Accounts: r.acc, Sessions: sessions},
		Origin: func() (string, error) { return r.origin, nil },
	}).Mount()
	(&self.Server{
		API: ops, Store: seen, Accounts: r.acc, Sessions: sessions, Cursors: cursors, Zone: time.UTC, Now: time.Now, CostLines: costLines, Live: live, Attend: r.dir.Attend,
		Origin: func() (string, error) { return r.origin, nil },
		Models: func(tollgate.Principal) []self.Model { return nil }, ReadPayload: read,
	}).Mount()
	r.must((&admin.Docs{API: ops, Router: r.router}).Mount())
	r.must(console.Mount(r.router))
	r.must(r.router.Err())
	r.handler = (&web.Door{IDs: &tollgate.RequestIDs{}, Now: time.Now, Log: log}).Wrap(r.router)
	return r
}

// loadSSO puts the sign-in providers of the database in force, beside one of the file.
func (r *rig) loadSSO(ctx context.Context) error {
	if r.sso == nil {
		return nil
	}
	list := []sso.Settings{{Name: "filed", Kind: sso.KindGitHub, ClientID: "x", ClientSecret: tollgate.NewSecret("canary-file-client-secret")}}
	return errors.Join(r.store.View(ctx, func(tx tollgate.Tx) error {
		rows, err := r.acc.SignInProviders(ctx, tx)
		list = append(list, rows...)
		return err
	}), r.sso.Set(list))
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// populate makes the cast: users with sessions and keys, a provider, and a
// record of every kind that a route takes an id of.
func (r *rig) populate() {
	host := tollgate.HostActor("test")
	ctx := r.t.Context()
	for _, u := range []struct {
		name         string
		super, admin bool
	}{
		{"root", true, false},
		{"boss", false, true},
		{"boss2", false, true},
		{"alice", false, false},
		{"bob", false, false},
		{"gone", false, false},
		{"lead", false, false},
		{"mate", false, false},
		{"rival", false, false},
		{"owl", false, false},
	} {
		w := auth.UserWrite{
			Name: tollgate.Some(u.name), Password: tollgate.Some(tollgate.NewSecret(password)), SuperAdmin: u.super,
			IsAdmin: tollgate.Some(u.admin || u.super), Email: tollgate.Some(u.name + "@example.com"),
		}
		r.must(r.acc.Prepare(ctx, &w))
		r.update(func(tx tollgate.Tx) error {
			row, err := r.acc.SaveUser(ctx, tx, host, w)
			r.users[u.name] = row.ID
			return err
		})
		r.makeKey(u.name, auth.KeyWrite{UserID: r.users[u.name], Label: "main"})
	}
	llm, own, adm := []tollgate.Surface{tollgate.SurfaceLLM}, []tollgate.Surface{tollgate.SurfaceUser}, []tollgate.Surface{tollgate.SurfaceAdmin}
	r.makeKey("alice/llm", auth.KeyWrite{UserID: r.users["alice"], Surfaces: llm})
	r.makeKey("alice/user", auth.KeyWrite{UserID: r.users["alice"], Surfaces: own})
	r.makeKey("alice/admin", auth.KeyWrite{UserID: r.users["alice"], Surfaces: adm})
	r.makeKey("boss/llm", auth.KeyWrite{UserID: r.users["boss"], Surfaces: llm})
	r.makeKey("boss/admin", auth.KeyWrite{UserID: r.users["boss"], Surfaces: adm})
	for _, name := range append(standing(), "gone") {
		r.signIn(name)
	}
	off := auth.UserWrite{ID: r.users["gone"], Enabled: tollgate.Some(false)}
	r.update(func(tx tollgate.Tx) error { _, err := r.acc.SaveUser(ctx, tx, host, off); return err })
	r.must(r.dir.SetAccess(auth.Access{Key: tollgate.NewSecret(serviceKey)}))
	r.token["service"] = serviceKey
	for _, name := range append(standing(), "gone") {
		r.makeFactor(name, false)
	}
	r.records()
	r.teams()
}

// standing are the users who may come in. Lead and rival are admins of two
// teams with one plain member each, mate and owl; boss2 is a member beside mate.
func standing() []string {
	return []string{"root", "boss", "boss2", "alice", "bob", "lead", "mate", "rival", "owl"}
}

// teams fills two teams, with an invitation and a key for the plain member each.
func (r *rig) teams() {
	field, night := r.id["team"], r.made("root/session", "/admin/teams/upsert", `{"name":"night team"}`)
	r.id["night"] = night
	for name, m := range map[string]struct {
		team int64
		role string
	}{"lead": {field, "admin"}, "mate": {field, "member"}, "boss2": {field, "member"}, "rival": {night, "admin"}, "owl": {night, "member"}} {
		r.made("root/session", "/admin/teams/members/add", fmt.Sprintf(`{"team_id":%d,"id":%d,"team_role":%q}`, m.team, r.users[name], m.role))
	}
	for lead, member := range map[string]string{"lead": "mate", "rival": "owl"} {
		r.id[lead+"/invitation"] = r.made(lead+"/session", "/user/team/invitations/create", `{"label":"newcomer"}`)
		a := r.post(lead+"/session", "/user/team/keys/generate", fmt.Sprintf(`{"user_id":%d}`, r.users[member]))
		var key struct {
			ID     int64
			APIKey string `json:"api_key"`
		}
		if a.status != 200 || json.Unmarshal([]byte(a.body), &key) != nil {
			r.t.Fatalf("key of a team: %d %s", a.status, a.body)
		}
		r.keys[member+"/team"], r.token[member+"/team"] = key.ID, key.APIKey
	}
	r.id["admins/invitation"] = r.made("root/session", "/admin/invitations/create", fmt.Sprintf(`{"team_id":%d,"team_role":"admin"}`, field))
}

// made posts a command that must succeed and returns the id that it answers.
func (r *rig) made(who, path, body string) int64 {
	r.t.Helper()
	res := r.post(who, path, body)
	var done struct{ ID int64 }
	if res.status != 200 || json.Unmarshal([]byte(res.body), &done) != nil {
		r.t.Fatalf("%s %s: %d %s", path, body, res.status, res.body)
	}
	return done.ID
}

func (r *rig) update(fn func(tollgate.Tx) error) {
	r.t.Helper()
	r.must(r.store.Update(r.t.Context(), fn))
}

func (r *rig) makeKey(name string, w auth.KeyWrite) {
	r.update(func(tx tollgate.Tx) error {
		k, secret, err := r.acc.GenerateKey(r.t.Context(), tx, tollgate.HostActor("test"), w)
		r.keys[name], r.token[name] = k.ID, secret.Reveal()
		return err
	})
}

// signIn signs in over HTTP and keeps the session token under "name/session".
func (r *rig) signIn(name string) {
	r.t.Helper()
	res := r.post("", "/login", `{"username":"`+name+`","password":"`+password+`"}`)
	var answer struct {
		SessionToken string `json:"session_token"`
	}
	if res.status != 200 || json.Unmarshal([]byte(res.body), &answer) != nil || answer.SessionToken == "" {
		r.t.Fatalf("sign in as %s: %d %s", name, res.status, res.body)
	}
	r.token[name+"/session"] = answer.SessionToken
}

// totpSecret is the secret of every factor of the rig.
const totpSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// totpCode is what an app with totpSecret shows now.
func totpCode() string {
	code, err := hotp.GenerateCode(totpSecret, uint64(time.Now().Unix()/30))
	if err != nil {
		return err.Error()
	}
	return code
}

// makeFactor gives a user a second factor.
func (r *rig) makeFactor(name string, confirmed bool) {
	r.t.Helper()
	id := r.users[name]
	sealed, err := r.acc.Sealer.Seal(tollgate.Label{Table: "factors", Column: "totp", Row: id}, []byte(totpSecret))
	r.must(err)
	f := tollgate.Factor{UserID: id, Kind: tollgate.FactorTOTP, Label: "phone", Handle: []byte(name), Sealed: sealed, Confirmed: confirmed, CreatedAt: time.Now()}
	r.update(func(tx tollgate.Tx) error { return tx.Factors.Insert(r.t.Context(), &f) })
	r.id[name+"/factor"] = f.ID
}

// records makes one record of every other kind through the API itself.
func (r *rig) records() {
	made := func(name, path, body string) {
		r.t.Helper()
		r.id[name] = r.made("root/session", path, body)
	}
	made("provider", "/admin/providers/upsert", `{"name":"lab","kind":"openai","credentials":[{"label":"a","api_key":"`+vendorKey+`"}]}`)
	seen := tollgate.Alarm{EventID: "alarm_1", Kind: tollgate.AlarmQuota, Subject: "quota:1:0:80", Scope: tollgate.ScopeUser, ScopeID: r.users["alice"], UserID: r.users["alice"]}
	r.must(r.store.Update(r.t.Context(), func(tx tollgate.Tx) error { return tx.Alarms.Insert(r.t.Context(), &seen) }))
	r.id["alarm"] = seen.ID
	made("sso", "/admin/sso-providers/upsert", `{"name":"lab-sso","kind":"oidc","issuer":"http://127.0.0.1:1","client_id":"x","client_secret":"canary-client-secret"}`)
	made("invitation", "/admin/invitations/create", `{"label":"for Bob"}`)
	made("team", "/admin/teams/upsert", `{"name":"field team"}`)
	made("team permission", "/admin/teams/permissions/upsert", fmt.Sprintf(`{"team_id":%d,"model_pattern":"team-*"}`, r.id["team"]))
	for _, name := range standing() {
		ask := tollgate.Ask{UserID: r.users[name], Kind: tollgate.AskModel, Model: "asked", State: tollgate.AskOpen, CreatedAt: time.Now()}
		r.update(func(tx tollgate.Tx) error { return tx.Asks.Insert(r.t.Context(), &ask) })
		r.id[name+"/ask"] = ask.ID
	}
	made("model", "/admin/models/upsert", fmt.Sprintf(`{"provider_id":%d,"model_id":"m1"}`, r.id["provider"]))
	made("price", "/admin/prices/upsert", `{"model_pattern":"m*","prices":{"price_input_tokens":1}}`)
	made("alias", "/admin/model-aliases/upsert", `{"alias":"fast","target":"m1"}`)
	made("permission", "/admin/user-permissions/upsert", fmt.Sprintf(`{"user_id":%d,"model_pattern":"m*"}`, r.users["alice"]))
	made("file", "/admin/user-file-permissions/upsert", fmt.Sprintf(`{"user_id":%d,"provider_id":%d}`, r.users["alice"], r.id["provider"]))
	made("limit", "/admin/user-rate-limits/upsert", fmt.Sprintf(`{"user_id":%d,"rpm":60}`, r.users["alice"]))
	made("quota", "/admin/user-quotas/upsert", fmt.Sprintf(`{"user_id":%d,"quota":25.5}`, r.users["alice"]))
	made("target", "/admin/config-sync/upsert", `{"name":"git","kind":"folder","location":"prod/tollgate.toml"}`)
	made("pushed", "/admin/config-sync/push", fmt.Sprintf(`{"id":%d}`, r.id["target"]))
	made("version", "/admin/config/apply", r.applicationOf("[[teams]]\nname = \"t\"\n"))
	r.must(r.store.View(r.t.Context(), func(tx tollgate.Tx) error {
		rows, _, err := tx.Credentials.Query(r.t.Context(), tollgate.CredentialFilter{}, tollgate.Page{})
		if err == nil {
			r.id["credential"] = rows[0].ID
		}
		return err
	}))
	for _, name := range standing() {
		r.must(r.store.View(r.t.Context(), func(tx tollgate.Tx) error {
			rows, _, err := tx.Sessions.Query(r.t.Context(), tollgate.SessionFilter{UserID: tollgate.Is(r.users[name])}, tollgate.Page{})
			if err == nil {
				r.id[name+"/session"] = rows[0].ID
			}
			return err
		}))
	}
}

// applicationOf plans a document and returns the body that applies it.
func (r *rig) applicationOf(toml string) string {
	r.t.Helper()
	quoted, _ := json.Marshal(toml)
	res := r.post("root/session", "/admin/config/plan", `{"toml":`+string(quoted)+`}`)
	var plan struct{ Token string }
	if res.status != 200 || json.Unmarshal([]byte(res.body), &plan) != nil {
		r.t.Fatalf("plan: %d %s", res.status, res.body)
	}
	return `{"toml":` + string(quoted) + `,"token":"` + plan.Token + `"}`
}

// requests makes one request of each of six users, and of more: a call that failed, then was served.
func (r *rig) requests(more ...string) {
	ids, at := &tollgate.RequestIDs{}, time.Now().Add(-time.Minute)
	var rows []tollgate.Request
	teams := map[string]int64{"lead": r.id["team"], "mate": r.id["team"], "boss2": r.id["team"], "rival": r.id["night"], "owl": r.id["night"]}
	for _, name := range append([]string{"root", "boss", "boss2", "alice", "bob", "gone"}, more...) {
		row := tollgate.Request{
			ID: ids.Next(at), TeamID: teams[name], UserID: r.users[name], KeyID: r.keys[name], StartedAt: at, Dialect: tollgate.DialectOpenAIChat, Operation: tollgate.OpGenerate,
			Model: "=m1", ProviderID: r.id["provider"], Served: "m1", Status: 200, Latency: 2 * time.Second, FirstToken: 40 * time.Millisecond,
			Tags: "x, " + name, Cost: 2500, Tokens: tollgate.Tokens{Input: 10, Output: 5}, ErrorText: "only for admins",
		}
		for n, class := range []string{"connect", ""} {
			row.Dispatches = append(row.Dispatches, tollgate.Dispatch{
				ID: row.ID.Dispatch(n + 1), ProviderID: r.id["provider"], CredentialID: 1, Model: "m1", StartedAt: at, Latency: time.Second,
				Status: 200 * n, ErrorClass: class, Exactness: tollgate.ExactMeasured, Cost: tollgate.Money(2500 * n),
			})
		}
		rows = append(rows, row)
		r.request[name] = row.ID
	}
	r.must(r.store.Append(r.t.Context(), rows))
	for _, row := range rows {
		c := r.bodies.Begin(nil)
		c.Request("application/json", []byte(`{"said":"`+strings.Repeat("é", len(row.Tags)*100)+`"}`))
		c.Finish(payload.Outcome{ID: row.ID, UserID: row.UserID, Scrub: bytes.Clone})
	}
	r.must(r.bodies.Flush(r.t.Context()))
}

// answer is what came back.
type answer struct {
	status int
	body   string
	header http.Header
}

// post sends a command as who: a name in rig.token, "" for nobody.
func (r *rig) post(who, path, body string, change ...func(*http.Request)) answer {
	return r.send(http.MethodPost, who, path, body, change...)
}

func (r *rig) send(method, who, path, body string, change ...func(*http.Request)) answer {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), method, path, strings.NewReader(body))
	req.Host, req.RemoteAddr = "127.0.0.1:8787", "192.0.2.7:5000"
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		token, ok := r.token[who]
		if !ok {
			r.t.Fatalf("nobody is called %q", who)
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for _, f := range change {
		f(req)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return answer{w.Code, w.Body.String(), w.Header()}
}

// rolledBack is a store whose updates run in full and are then undone, so
// that every case of a matrix starts from the same records.
type rolledBack struct{ tollgate.Store }

type undone struct{}

func (undone) Error() string { return "undone" }

// Update runs fn and rolls back.
func (s rolledBack) Update(ctx context.Context, fn func(tollgate.Tx) error) error {
	err := s.Store.Update(ctx, func(tx tollgate.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		return undone{}
	})
	if errors.Is(err, undone{}) {
		return nil
	}
	return err
}
