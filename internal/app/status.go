package app

import (
	"context"
	"net/http"
	"runtime"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/web"
)

// mountStatus adds the routes of operators (CONTRACT 2) and the probes that
// clients send before their first call.
func (a *App) mountStatus(r *web.Router) {
	public := web.Policy{Access: web.AccessPublic, AnyHost: true}
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		r.Handle(method, "/healthz", public, a.healthz)
		r.Handle(method, "/readyz", public, a.readyz)
		r.Handle(method, "/version", public, a.version)
	}
	// Claude Code asks before its first call (TRANSLATION 1).
	r.Handle(http.MethodHead, "/api/hello", public, func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusOK)
		return nil
	})
	metrics := a.metrics.Handler()
	r.Handle(http.MethodGet, "/metrics", web.Policy{Access: web.AccessAdmin}, func(w http.ResponseWriter, r *http.Request) error {
		metrics.ServeHTTP(w, r)
		return nil
	})
	a.gauges()
}

// healthz answers as long as the process serves at all.
func (a *App) healthz(w http.ResponseWriter, _ *http.Request) error {
	web.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	return nil
}

// readyz answers 200 when requests can be served: the snapshots are current,
// the database answers, and no drain has begun.
func (a *App) readyz(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	switch err := a.ready(ctx); {
	case a.draining.Load():
		return tollgate.Errorf(tollgate.CodeUnavailable, "draining")
	case err != nil:
		return tollgate.WrapError(tollgate.CodeUnavailable, err, "not ready")
	}
	web.WriteJSON(w, http.StatusOK, map[string]string{"status": "ready"})
	return nil
}

func (a *App) ready(ctx context.Context) error {
	if err := a.directory.Ready(); err != nil {
		return err
	}
	return a.db.Store.Ping(ctx)
}

func (a *App) version(w http.ResponseWriter, _ *http.Request) error {
	web.WriteJSON(w, http.StatusOK, map[string]string{"version": a.opts.Version, "go": runtime.Version()})
	return nil
}

// gauges exports what the engines know of themselves.
func (a *App) gauges() {
	m := a.metrics
	m.Gauge("tollgate_calls_live", "Data-plane calls in flight.", func() float64 { return float64(a.proxy.Stats().Calls) })
	m.Gauge("tollgate_streams_live", "Answers being streamed.", func() float64 { return float64(a.proxy.Stats().Streams) })
	m.Gauge("tollgate_body_bytes", "Bytes of request and answer bodies in memory.", func() float64 { return float64(a.proxy.Stats().BodyBytes) })
	m.Counter("tollgate_panics_total", "Calls that ended in a panic.", func() float64 { return float64(a.proxy.Stats().Panics) })
	m.Gauge("tollgate_record_queue", "Request rows waiting to be written.", func() float64 { return float64(a.recorder.Stats().Queued) })
	m.Counter("tollgate_records_total", "Request rows written.", func() float64 { return float64(a.recorder.Stats().Recorded) })
	m.Counter("tollgate_records_dropped_total", "Rows of refused requests dropped under load.", func() float64 { return float64(a.recorder.Stats().Dropped) })
	bodies := a.payloads.Stats
	m.Counter("tollgate_payloads_total", "Requests whose bodies were kept.", func() float64 { return float64(bodies().Kept) })
	m.Counter("tollgate_payloads_dropped_total", "Requests whose bodies were not kept for want of room.", func() float64 { return float64(bodies().Dropped) })
	m.Counter("tollgate_payloads_failed_total", "Requests whose bodies the database did not take.", func() float64 { return float64(bodies().Failed) })
	m.Gauge("tollgate_payload_bytes", "Sealed bytes of bodies that are kept.", func() float64 { return float64(bodies().Bytes) })
	money := func() ledger.MachineStats { return a.ledger.Machine.Stats() }
	m.Counter("tollgate_quota_refusals_total", "Requests refused by a quota.", func() float64 { return float64(a.refused.Load()) })
	m.Counter("tollgate_streams_cut_total", "Streams that ended at their length since their quota had no more.", func() float64 { return float64(money().Cut) })
	m.Counter("tollgate_overruns_total", "Dispatches that cost more than was held for them.", func() float64 { return float64(money().Overruns) })
	m.Gauge("tollgate_quota_waiting", "Requests that wait for money that others hold.", func() float64 { return float64(money().Waiting) })
	m.Gauge("tollgate_limit_slots", "Slots of concurrency that are taken.", func() float64 { return float64(a.limiter.Running()) })
	m.Counter("tollgate_records_lost_total", "Rows that could not be written.", func() float64 { return float64(a.recorder.Stats().Lost) })
}
