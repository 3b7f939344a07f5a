package app

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"tollgate"
	"tollgate/internal/admin"
	"tollgate/internal/ascode"
	"tollgate/internal/config"
	"tollgate/internal/console"
	"tollgate/internal/meter/book"
	"tollgate/internal/payload"
	"tollgate/internal/self"
	"tollgate/internal/store/migrations"
	"tollgate/internal/upstream/guard"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

func (a *App) authenticator() web.Authenticator {
	return &admin.Authenticator{Directory: a.directory, Now: a.opts.Now, Touch: a.recorder.Touch}
}

// mountAPI adds sign-in, admin API, self-service, their documents and the console.
func (a *App) mountAPI(r *web.Router) error {
	now, zone := a.opts.Now, a.cfg.Load().Ledger.Location
	cursors := api.Cursors{Sealer: a.db.Keys}
	doc := api.New(r, a.opts.Version)
	live := api.Live{Hub: &a.feed, Stopped: a.stopped}
	about, err := a.about()
	if err != nil {
		return err
	}
	(&admin.Server{
		Process: func() []config.Effective { return a.cfg.Load().Effective() }, About: about,
		API: doc, Store: a.db.Store, Accounts: a.db.Accounts, Sessions: a.sessions, Catalog: a.db.Catalog,
		Prices: a.db.Prices, Book: a.prices, Alarms: a.alarms, Payloads: a.payloads,
		Statuses: a.fleet.Statuses, Cursors: cursors, Zone: zone, Held: a.held, CostLines: costLines, ReadPayload: a.readPayload, Live: live, Attend: a.directory.Attend, Origin: a.linkOrigin, Now: now,
		SSO: &admin.SSO{API: doc, Router: r, Engine: a.sso, Store: a.db.Store, Accounts: a.db.Accounts, Sessions: a.sessions},
	}).Mount()
	(&ascode.Server{API: doc, Store: a.db.Store, Importer: a.db.Importer, Cursors: cursors, Now: now, Places: a.places()}).Mount()
	(&self.Server{
		API: doc, Store: a.db.Store, Accounts: a.db.Accounts, Sessions: a.sessions, Cursors: cursors, Models: a.models, Zone: zone,
		Held: a.held, CostLines: costLines, ReadPayload: a.readPayload, Live: live, Attend: a.directory.Attend, Origin: a.linkOrigin, Now: now,
	}).Mount()
	if err := (&admin.Docs{API: doc, Router: r}).Mount(); err != nil {
		return fmt.Errorf("building the API document: %w", err)
	}
	return console.Mount(r)
}

// about is what this process is.
func (a *App) about() (admin.About, error) {
	schema, err := migrations.Latest()
	if err != nil {
		return admin.About{}, err
	}
	out := admin.About{Version: a.opts.Version, Go: runtime.Version(), Database: "postgres", SchemaVersion: schema, PricesDate: a.db.Prices.Table.Date}
	if a.cfg.Load().SQLite() {
		out.Database = "sqlite"
	}
	return out, nil
}

// costLines says what the cost of a usage row is made of.
func costLines(ctx context.Context, tx tollgate.Tx, row *tollgate.UsageRow) ([]api.CostLine, error) {
	lines, err := book.Lines(ctx, tx, row.Operation, &row.Dispatch)
	out := make([]api.CostLine, len(lines))
	for i, l := range lines {
		out[i] = api.CostLine{Kind: l.Kind, Quantity: l.N, Rate: api.Money(l.Rate), Amount: api.Money(l.Amount)}
	}
	return out, err
}

// readPayload reads what is kept of the bodies of a request.
func (a *App) readPayload(ctx context.Context, id tollgate.RequestID, users tollgate.Match[int64]) (api.Payload, error) {
	c, user, err := a.payloads.Read(ctx, id, users)
	if err != nil {
		return api.Payload{}, err
	}
	body := func(b *payload.Body) *api.Body {
		if b == nil {
			return nil
		}
		return api.BodyRecord(b.Type, b.Data, b.Bytes, b.Truncated)
	}
	return api.Payload{ID: id.String(), UserID: api.OrNull(user), Request: body(c.Request), Sent: body(c.Sent), Response: body(c.Response)}, nil
}

// held is what running requests hold of a quota.
func (a *App) held(quotaID int64) tollgate.Money {
	b, _ := a.ledger.Balance(quotaID, a.opts.Now())
	return b.Held
}

// models are what p may use, by the names that p sends.
func (a *App) models(p tollgate.Principal) []self.Model {
	allowed := func(providerID int64, model string) bool { return a.directory.Allowed(p, providerID, model) }
	entries, err := a.routes.Load().List(allowed, "")
	if err != nil {
		return nil
	}
	out := make([]self.Model, 0, len(entries))
	now := a.opts.Now()
	for _, e := range entries {
		m := self.Model{
			ID: e.Name, DisplayName: e.DisplayName, Provider: e.Provider,
			ContextTokens: e.ContextTokens, OutputTokens: e.OutputTokens,
		}
		if price, ok := a.prices.Find(e.ProviderID, e.Model, now); ok {
			m.Prices = price.Prices
		}
		out = append(out, m)
	}
	return out
}

// proxyRoutes lists the data plane's routes for documents and the matrix; the
// data plane itself tells them apart.
func proxyRoutes() []web.Route {
	policy := web.Policy{Access: web.AccessLLM, MaxBody: 32 << 20, AnyHost: true}
	var out []web.Route
	add := func(method string, patterns ...string) {
		for _, p := range patterns {
			out = append(out, web.Route{Method: method, Pattern: p, Policy: policy}, web.Route{Method: method, Pattern: "/{provider}" + p, Policy: policy})
		}
	}
	add(http.MethodGet, "/v1/models", "/v1/models/{model}", "/v1beta/models", "/v1beta/models/{model}")
	add(http.MethodGet, "/v1/responses", "/v1/responses/{id}", "/v1/responses/{id}/input_items") // the first one by WebSocket
	add(http.MethodDelete, "/v1/responses/{id}")
	add(http.MethodPost, "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/responses/input_tokens", "/v1/responses/compact",
		"/v1/responses/{id}/cancel", "/v1/embeddings", "/v1/moderations", "/v1/messages", "/v1/messages/count_tokens")
	for _, version := range []string{"/v1beta", "/v1"} {
		for _, verb := range []string{"generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents"} {
			add(http.MethodPost, version+"/models/{model}:"+verb)
		}
	}
	return out
}

// placeTimeout bounds one call to a place that the configuration is kept at.
const placeTimeout = 20 * time.Second

// places are dialled as providers are.
func (a *App) places() ascode.Places {
	return ascode.Places{
		Client: guard.Client(guard.Options{Policy: a.db.Policy, Proxy: a.outbound, AnyTLSPort: true, Idle: 1}, placeTimeout),
		Folder: func() string { return a.cfg.Load().Server.SyncFolder },
	}
}
