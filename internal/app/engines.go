package app

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/config"
	"tollgate/internal/conversation"
	"tollgate/internal/demo"
	"tollgate/internal/ledger"
	"tollgate/internal/limit/memory"
	"tollgate/internal/meter/book"
	"tollgate/internal/payload"
	"tollgate/internal/proxy"
	"tollgate/internal/route"
	"tollgate/internal/tally"
	"tollgate/internal/upstream"
	"tollgate/internal/upstream/guard"
	"tollgate/internal/wire/anthropic"
	"tollgate/internal/wire/gemini"
	"tollgate/internal/wire/openai"
)

// buildEngines makes the engines that stand on the open database.
func (a *App) buildEngines(context.Context) error {
	cfg, o := a.cfg.Load(), a.opts
	var outbound *url.URL
	if !cfg.Proxy.Empty() {
		var err error
		if outbound, err = url.Parse(cfg.Proxy.Reveal()); err != nil {
			return fmt.Errorf("the outbound proxy is not a URL") //nolint:perfsprint // the cause would show its password
		}
	}
	db := a.db
	a.directory = auth.NewDirectory(db.Keys, o.Now, o.Log)
	db.Accounts.Reserved = a.directory.IsAccess
	a.sessions = auth.NewSessions(db.Store, db.Accounts, db.Keys, auth.ThrottleLimits{})
	a.sessions.Origin = func() string { return a.passkeyOrigin(a.cfg.Load()) }
	a.fleet = &upstream.Fleet{
		Sealer: db.Keys, Kinds: db.Catalog.Kinds, Policy: db.Policy, Proxy: outbound, Timeouts: timeouts(cfg), Now: o.Now, Log: o.Log,
	}
	if cfg.Demo {
		run := strconv.FormatInt(o.Now().Unix(), 36) // ids outlive the process, in conversations that are kept
		a.fleet.InProcess = demo.Transport(&demo.Vendor{Pace: 15 * time.Millisecond, Now: o.Now, Run: run})
	}
	if err := a.buildSSO(cfg, outbound); err != nil {
		return err
	}
	var err error
	a.turns, err = conversation.NewKeeper(db.Store, db.Keys, o.Now, conversation.Limits{
		Life: cfg.Server.ResponseLife, Chain: cfg.Server.ConversationBytes, Owner: cfg.Server.ResponseUserBytes,
	})
	if err != nil {
		return err
	}
	a.payloads = &payload.Keeper{Store: db.Store, Sealer: db.Keys, MAC: db.Keys.MAC, Now: o.Now, Log: o.Log}
	if err := a.payloads.Open(payloadSettings(cfg)); err != nil {
		return err
	}
	a.recorder = &ledger.Recorder{Log: a.db.Store, Logger: o.Log, Live: func() int { return a.proxy.Stats().Calls }}
	a.ledger = &ledger.Ledger{
		Recorder: a.recorder,
		Machine:  &ledger.Machine{IDs: &a.ids, Now: o.Now, Zone: cfg.Ledger.Location, Wait: cfg.Ledger.Wait},
	}
	a.outbound = outbound
	a.buildAlarms(cfg, outbound)
	a.limiter = memory.New(o.Now)
	a.prices = &book.Book{Now: o.Now, Log: o.Log}
	a.prices.SetPolicy(book.Policy(cfg.Ledger.Unpriced))
	a.undo = append(a.undo, a.fleet.Close, func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := a.recorder.Close(ctx); err != nil {
			o.Log.Error("closing the request log", "error", err)
		}
	})
	keepAlive := cfg.Server.KeepAlive
	if keepAlive == 0 {
		keepAlive = -1
	}
	a.proxy = &proxy.Proxy{
		Directory: a.directory, Routes: a.routes.Load, Fleet: a.fleet, Codecs: codecs(),
		Ledger: a.ledger, Prices: a.prices, Limiter: a.limiter, IDs: &a.ids, Now: o.Now, Log: o.Log,
		Limits: proxy.Limits{
			MaxBody: cfg.Server.MaxBodyBytes, KeepAlive: keepAlive, Slice: cfg.Ledger.Slice, Floor: cfg.Ledger.Floor,
			Conversation: cfg.Server.ConversationBytes,
		}.Defaults(),
		Turns: a.turns, Sealer: db.Keys, Payloads: a.payloads,
		Strict: cfg.Server.Strict, Tokens: &tally.Counter{}, Lost: a.metrics.Lost, Began: a.feed.Began,
	}
	if cfg.Upstream.FetchRemote {
		a.web = guard.NewPolicy(guard.Rules{}) // the URLs are anybody's: no private network is open to them
		a.proxy.Files = upstream.NewFetcher(guard.Options{Policy: a.web})
	}
	return nil
}

func codecs() map[tollgate.Dialect]*proxy.Codec {
	return map[tollgate.Dialect]*proxy.Codec{
		tollgate.DialectOpenAIChat:      proxy.NewCodec(openai.Chat{}),
		tollgate.DialectOpenAIResponses: proxy.NewCodec(openai.Responses{}),
		tollgate.DialectAnthropic:       proxy.NewCodec(anthropic.Codec{}),
		tollgate.DialectGemini:          proxy.NewCodec(gemini.Codec{}),
	}
}

func timeouts(cfg *config.Config) upstream.Timeouts {
	t := upstream.DefaultTimeouts()
	t.Dial, t.Header, t.Idle = cfg.Upstream.DialTimeout, cfg.Upstream.FirstByteTimeout, cfg.Upstream.IdleTimeout
	return t
}

// ownListeners are the addresses that upstream calls must not reach.
func ownListeners(listeners ...net.Listener) []netip.AddrPort {
	var own []netip.AddrPort
	for _, l := range listeners {
		if ap, err := netip.ParseAddrPort(l.Addr().String()); err == nil {
			own = append(own, ap)
		}
	}
	return own
}

// loadSnapshots fills everything that is served from memory, and keeps it
// current: from here on each committed change is in force when the call that
// made it returns.
func (a *App) loadSnapshots(ctx context.Context) error {
	a.db.Store.Watch(a.follow)
	const all = tollgate.AreaIdentity | tollgate.AreaSessions | tollgate.AreaCatalogue | tollgate.AreaSettings | tollgate.AreaMoney
	if err := a.follow(ctx, all); err != nil {
		return err
	}
	if err := a.sessions.RestoreThrottle(ctx); err != nil {
		return err
	}
	if err := a.restoreLimits(ctx); err != nil {
		return err
	}
	return a.setAccess(ctx, a.cfg.Load())
}

// openLedger closes what a process that died left open, and loads balances.
func (a *App) openLedger(ctx context.Context) error {
	if err := a.db.Store.StartJournal(); err != nil {
		return err
	}
	opened, err := a.ledger.Open(ctx, a.db.Store)
	if err != nil {
		return fmt.Errorf("opening the ledger: %w", err)
	}
	if opened.Orphans > 0 {
		a.opts.Log.WarnContext(ctx, "dispatches were under way when the gateway ended; they are charged at what they held", "dispatches", opened.Orphans)
	}
	if opened.Rezoned > 0 {
		a.opts.Log.InfoContext(ctx, "the time zone of quotas has changed; balances were added up anew", "quotas", opened.Rezoned)
	}
	return nil
}

// follow is the change feed.
func (a *App) follow(ctx context.Context, touched tollgate.Area) error {
	if err := a.directory.Reload(ctx, a.db.Store, touched); err != nil {
		return err
	}
	if touched&tollgate.AreaMoney != 0 {
		if err := a.ledger.Load(ctx, a.db.Store); err != nil {
			return err
		}
		if err := a.loadLimits(ctx); err != nil {
			return err
		}
	}
	if touched&tollgate.AreaSettings != 0 {
		if err := a.loadSSO(ctx, a.cfg.Load()); err != nil {
			return err
		}
	}
	if touched&tollgate.AreaCatalogue == 0 {
		return nil
	}
	if err := a.fleet.Reload(ctx, a.db.Store); err != nil {
		return err
	}
	if err := a.prices.Reload(ctx, a.db.Store); err != nil {
		return err
	}
	table, err := a.readRoutes(ctx)
	if err != nil {
		return err
	}
	a.routes.Store(table)
	return nil
}

func (a *App) readRoutes(ctx context.Context) (*route.Table, error) {
	var providers []tollgate.Provider
	var models []tollgate.Model
	var aliases []tollgate.ModelAlias
	err := a.db.Store.View(ctx, func(tx tollgate.Tx) error {
		var err error
		all := tollgate.Page{All: true}
		if providers, _, err = tx.Providers.Query(ctx, tollgate.ProviderFilter{}, all); err != nil {
			return err
		}
		if models, _, err = tx.Models.Query(ctx, tollgate.ModelFilter{}, all); err != nil {
			return err
		}
		aliases, _, err = tx.Aliases.Query(ctx, tollgate.AliasFilter{}, all)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the routing table: %w", err)
	}
	a.shippedLimits(providers, models)
	return route.Build(providers, models, aliases), nil
}

// shippedLimits fills in the limits of models whose rows say none.
func (a *App) shippedLimits(providers []tollgate.Provider, models []tollgate.Model) {
	byID := make(map[int64]tollgate.Provider, len(providers))
	for _, p := range providers {
		byID[p.ID] = p
	}
	for i := range models {
		m := &models[i]
		if m.ContextTokens != 0 && m.OutputTokens != 0 {
			continue
		}
		within, out := a.db.Prices.Limits(byID[m.ProviderID], m.ModelID)
		m.ContextTokens, m.OutputTokens = cmp.Or(m.ContextTokens, within), cmp.Or(m.OutputTokens, out)
	}
}

// setAccess puts the service key of [server] in force.
func (a *App) setAccess(ctx context.Context, cfg *config.Config) error {
	access := auth.Access{Key: cfg.Server.AccessKey}
	for _, p := range cfg.Server.AccessPermissions {
		grant := tollgate.Permission{ModelPattern: p.ModelPattern}
		if p.ProviderName != "" {
			id, err := a.providerID(ctx, p.ProviderName)
			if err != nil {
				return err
			}
			grant.ProviderID = id
		}
		access.Permissions = append(access.Permissions, grant)
	}
	return a.directory.SetAccess(access)
}

func (a *App) providerID(ctx context.Context, name string) (id int64, err error) {
	err = a.db.Store.View(ctx, func(tx tollgate.Tx) error {
		rows, _, err := tx.Providers.Query(ctx, tollgate.ProviderFilter{Name: tollgate.Is(name)}, tollgate.Page{Limit: 1})
		if err == nil && len(rows) == 0 {
			return tollgate.Errorf(tollgate.CodeInvalid, "[server.access] permissions name the provider %q, which does not exist", name)
		}
		if err == nil {
			id = rows[0].ID
		}
		return err
	})
	return id, err
}

// count feeds a finished call into the metrics.
func (a *App) count(r *tollgate.Request) {
	if r.ErrorClass == tollgate.CodeQuota && r.Status != http.StatusOK {
		a.refused.Add(1)
	}
	if r.FirstToken > 0 {
		a.metrics.FirstToken(string(r.Dialect), r.FirstToken)
	}
	for i := range r.Dispatches {
		d := &r.Dispatches[i]
		outcome, provider := d.ErrorClass, a.providerName(d.ProviderID)
		if outcome == "" {
			outcome = "ok"
		}
		t := d.Tokens
		a.metrics.Dispatched(provider, outcome)
		a.alarms.Dispatched(d)
		a.metrics.Tokens(provider, t.Input, t.CacheRead, t.CacheWrite+t.CacheWrite1h, t.Output, t.Reasoning)
		if d.ErrorClass == "revoked" {
			a.metrics.Revoked()
		}
	}
}

func (a *App) providerName(id int64) string {
	if e, ok := a.fleet.Endpoint(id); ok {
		return e.Provider().Name
	}
	return "gone"
}
