package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tollgate"
	"tollgate/internal/alarm"
	"tollgate/internal/auth"
	"tollgate/internal/auth/sso"
	"tollgate/internal/config"
	"tollgate/internal/conversation"
	"tollgate/internal/feed"
	"tollgate/internal/ledger"
	"tollgate/internal/limit/memory"
	"tollgate/internal/meter/book"
	"tollgate/internal/ops"
	"tollgate/internal/payload"
	"tollgate/internal/proxy"
	"tollgate/internal/route"
	"tollgate/internal/seed"
	"tollgate/internal/sock"
	"tollgate/internal/telemetry"
	"tollgate/internal/upstream"
	"tollgate/internal/upstream/guard"
	"tollgate/internal/web"
)

// Options are what a process is made of. Config and Log are required.
type Options struct {
	Config config.Config
	Log    *slog.Logger
	// Lines gets the log lines of requests, where Log writes JSON; nil = Log does.
	Lines io.Writer
	// Stdout gets the text for the operator: addresses, and what was
	// generated on the first start, once. nil = nowhere.
	Stdout io.Writer
	// Environ is the environment that references in the file are resolved in.
	Environ []string
	// Reload reads the configuration again and calls App.Reload, for the
	// command that asks for it; nil = not offered.
	Reload func(context.Context) error
	// Version is what /version tells; empty = "dev".
	Version string
	// Level is the level of Log, changed by Reload; nil = fixed.
	Level *slog.LevelVar
	// Now and Rand are the clock and the randomness; nil = the system's.
	Now  func() time.Time
	Rand io.Reader
}

// App is the whole gateway on one database. Create it with New.
type App struct {
	opts Options
	cfg  atomic.Pointer[config.Config]

	db        *ops.Database
	control   *ops.Server
	directory *auth.Directory
	sessions  *auth.Sessions
	sso       *sso.Engine // nil = there is no public URL
	fleet     *upstream.Fleet
	web       *guard.Policy // of files that requests refer to; nil = none is fetched
	routes    atomic.Pointer[route.Table]
	recorder  *ledger.Recorder
	turns     *conversation.Keeper
	payloads  *payload.Keeper
	ledger    *ledger.Ledger
	limiter   *memory.Limiter
	alarms    *alarm.Keeper
	outbound  *url.URL     // the proxy to the outside; nil = none
	refused   atomic.Int64 // requests, by a quota
	// limitsSaved says that the store has counters of rate limits. Of the
	// background job, then of stop.
	limitsSaved bool
	prices      *book.Book
	proxy       *proxy.Proxy
	router      *web.Router
	metrics     *telemetry.Metrics
	ids         tollgate.RequestIDs
	overload    *overload
	feed        feed.Hub
	stopped     chan struct{} // closed when the process begins to stop
	cert        *certificate

	server     server
	listener   net.Listener
	metricsSrv *http.Server
	draining   atomic.Bool
	background sync.WaitGroup
	cancel     context.CancelFunc
	stopOnce   sync.Once
	stopErr    error
	failed     chan error
	undo       []func() // what New and Start have opened, newest last
	started    seed.Started
}

// New opens the database, brings it up to date, imports the seed on the first
// start and builds everything, without listening yet. On an error nothing
// stays open, and a database that was refused is unchanged.
func New(ctx context.Context, o Options) (*App, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Stdout == nil {
		o.Stdout = io.Discard
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	a := &App{opts: o, failed: make(chan error, 4), stopped: make(chan struct{}), overload: newOverload(), metrics: telemetry.New(o.Version)}
	a.cfg.Store(&o.Config)
	if err := a.build(ctx); err != nil {
		a.rollBack()
		return nil, err
	}
	return a, nil
}

// build runs the steps of New in order.
func (a *App) build(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		a.openDatabase, a.buildEngines, a.bootstrap, a.openLedger, a.loadSnapshots, a.buildServers,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) rollBack() {
	for _, undo := range slices.Backward(a.undo) {
		undo()
	}
	a.undo = nil
}

// Start listens and serves until Stop. The background work runs with a context
// of its own, not with ctx.
func (a *App) Start(ctx context.Context) error {
	cfg := a.cfg.Load()
	lc := net.ListenConfig{}
	l, err := lc.Listen(ctx, "tcp", cfg.Addr())
	if err != nil {
		a.rollBack()
		return fmt.Errorf("listening on %s: %w", cfg.Addr(), err)
	}
	a.listener = l
	a.db.Policy.SetOwn(ownListeners(l))
	if a.web != nil {
		a.web.SetOwn(ownListeners(l))
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a.cancel = cancel
	if err := errors.Join(a.startMetrics(ctx, cfg), a.startControl(ctx)); err != nil {
		_ = l.Close()
		return errors.Join(err, a.Stop(ctx))
	}
	a.startBackground(run)
	tuneCollector(a.inEnviron)
	a.serve(a.server, sock.Listen(l))
	a.announce()
	return nil
}

// serve runs srv in the background; its failure ends Wait.
func (a *App) serve(srv server, l net.Listener) {
	a.background.Go(func() {
		if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			a.failed <- err
		}
	})
}

func (a *App) startMetrics(ctx context.Context, cfg *config.Config) error {
	if cfg.MetricsAddr == "" {
		return nil
	}
	lc := net.ListenConfig{}
	l, err := lc.Listen(ctx, "tcp", cfg.MetricsAddr)
	if err != nil {
		return fmt.Errorf("listening for metrics on %s: %w", cfg.MetricsAddr, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", a.metrics.Handler())
	a.metricsSrv = web.NewServer(mux, a.opts.Log)
	a.serve(a.metricsSrv, l)
	return nil
}

// startBackground runs what lives as long as the process serves.
func (a *App) startBackground(ctx context.Context) {
	a.background.Go(func() { a.directory.Run(ctx) })
	a.background.Go(func() { a.overload.watch(ctx, 250*time.Millisecond) })
	a.background.Go(func() { a.every(ctx, time.Hour, a.sessions.Prune) })
	a.background.Go(func() { a.every(ctx, time.Hour, a.forgetTraffic) })
	a.background.Go(func() { a.every(ctx, time.Hour, a.turns.Prune) })
	a.background.Go(func() { a.payloads.Run(ctx) })
	a.background.Go(func() { a.payloads.Retain(ctx) })
	a.background.Go(func() { a.retain(ctx) })
	a.background.Go(func() { a.every(ctx, saveLimitsEvery, a.saveLimits) })
	a.background.Go(func() { a.alarms.Run(ctx) })
	a.background.Go(func() { a.every(ctx, time.Hour, a.alarms.Prune) })
	a.background.Go(func() { a.every(ctx, saveThrottleEvery, a.sessions.SaveThrottle) })
	a.background.Go(func() { a.every(ctx, saveFailuresEvery, a.sessions.SaveFailures) })
	if a.cert != nil {
		a.background.Go(func() { a.cert.watch(ctx, 10*time.Second) })
	}
}

// every runs job once per interval until ctx ends; failures are logged.
func (a *App) every(ctx context.Context, interval time.Duration, job func(context.Context) error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := job(ctx); err != nil && ctx.Err() == nil {
				a.opts.Log.ErrorContext(ctx, "background job failed", "error", err)
			}
		}
	}
}

// inEnviron reports whether the environment sets a variable.
func (a *App) inEnviron(name string) bool {
	return slices.ContainsFunc(a.opts.Environ, func(e string) bool { return strings.HasPrefix(e, name+"=") })
}

// Addr is the address that the gateway listens on, once started.
func (a *App) Addr() string { return a.listener.Addr().String() }

// Wait returns when a listener has failed; Stop is still to be called.
func (a *App) Wait() error { return <-a.failed }

// Failed tells of a listener that failed.
func (a *App) Failed() <-chan error { return a.failed }

// Stop ends the gateway: no new requests, live ones may finish within the
// drain timeout, then they get their protocol's error event; every answer is
// settled before the database closes. ctx cuts the waiting short. It may be
// called more than once.
func (a *App) Stop(ctx context.Context) error {
	a.stopOnce.Do(func() { a.stopErr = a.stop(ctx) })
	return a.stopErr
}

func (a *App) stop(ctx context.Context) error {
	a.draining.Store(true)
	close(a.stopped)
	var errs []error
	if a.listener != nil {
		errs = append(errs, a.drain(ctx))
	}
	if a.metricsSrv != nil {
		_ = a.metricsSrv.Close()
	}
	if a.control != nil {
		errs = append(errs, a.control.Close(ctx))
	}
	if a.cancel != nil {
		a.cancel()
	}
	a.background.Wait()
	if a.listener != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		errs = append(errs, a.saveLimits(last), a.sessions.SaveThrottle(last), a.sessions.SaveFailures(last))
		cancel()
	}
	a.rollBack()
	return errors.Join(errs...)
}

// drain waits for live requests, then ends them.
func (a *App) drain(ctx context.Context) error {
	limit := a.cfg.Load().DrainTimeout
	if n := a.proxy.Stats().Calls; n > 0 {
		a.opts.Log.InfoContext(ctx, "draining", "live_calls", n, "timeout", limit.String())
	}
	patient, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	sockets := make(chan error, 1) // that net/http does not wait for
	go func() { sockets <- a.proxy.CloseSockets(patient) }()
	if err := a.server.Shutdown(patient); errors.Join(err, <-sockets) == nil {
		return nil
	}
	// The rest gets the error event and a moment to carry it out.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	err := a.proxy.Drain(last)
	if a.server.Shutdown(last) != nil {
		_ = a.server.Close()
	}
	return err
}

// forgetTraffic removes the fine steps of plots that are no longer shown.
func (a *App) forgetTraffic(ctx context.Context) error {
	before := a.opts.Now().Add(-tollgate.FineTraffic)
	return a.db.Store.Update(ctx, func(tx tollgate.Tx) error { return tx.Usage.ForgetTraffic(ctx, before) })
}
