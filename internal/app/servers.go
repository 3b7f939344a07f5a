package app

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/web"
	"tollgate/internal/web/lane"
)

// buildServers mounts every route and refuses one without a policy.
func (a *App) buildServers(context.Context) error {
	cfg, o := a.cfg.Load(), a.opts
	if cfg.TLSCert != "" {
		var err error
		if a.cert, err = newCertificate(cfg.TLSCert, cfg.TLSKey, o.Log, o.Now); err != nil {
			return err
		}
	}
	hosts := web.Hosts{Names: hostNames(cfg)}
	a.router = &web.Router{Auth: a.authenticator(), Hosts: hosts, PublicOrigin: cfg.PublicURL, Now: o.Now}
	a.mountStatus(a.router)
	if err := a.mountAPI(a.router); err != nil {
		return err
	}
	cors := web.CORS{Origins: cfg.CORSOrigins}
	door := &web.Door{IDs: &a.ids, Now: o.Now, Log: o.Log, Lines: o.Lines, TrustedProxies: cfg.TrustedProxies, Hosts: hosts, OnDone: a.done}
	a.proxy.Door = func(turn http.Handler) http.Handler { return a.countIn(door.Wrap(a.shed(turn))) }
	plane := a.shed(a.proxy)
	a.mountPlayground(a.router, plane)
	a.router.Fallback(cors.Wrap(plane), proxyRoutes()...)
	if err := a.router.Err(); err != nil {
		return err
	}
	srv := web.NewServer(a.countIn(door.Wrap(a.router)), o.Log)
	if a.cert == nil {
		a.server = lane.New(srv)
		return nil
	}
	srv.TLSConfig = a.cert.config()
	a.server = tlsServer{srv}
	return nil
}

// server serves a listener.
type server interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
	Close() error
}

// tlsServer serves TLS by the certificate of its configuration.
type tlsServer struct{ *http.Server }

// Serve accepts connections from l.
func (s tlsServer) Serve(l net.Listener) error { return s.ServeTLS(l, "", "") }

// countIn counts requests in; done counts them out.
func (a *App) countIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.metrics.Started()
		next.ServeHTTP(w, r)
	})
}

func (a *App) done(e *web.Event) {
	route := e.Pattern
	if route == "" {
		route = "none"
	}
	a.metrics.Done(route, e.Status, e.Duration)
	if e.Call != nil {
		a.feed.Ended(e.Call)
		a.count(e.Call)
	}
}

// shed refuses data-plane calls while memory is short.
func (a *App) shed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.overload.active() {
			web.WriteError(w, r, &tollgate.Error{
				Code: tollgate.CodeUnavailable, Message: "the gateway is short of memory; try again", RetryAfter: time.Second,
			})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostNames are the names by which console and admin API answer.
func hostNames(cfg *config.Config) []string {
	names := append([]string{}, cfg.AllowedHosts...)
	if u, err := url.Parse(cfg.PublicURL); err == nil && u.Hostname() != "" {
		names = append(names, strings.ToLower(u.Hostname()))
	}
	return append(names, strings.ToLower(cfg.Host))
}
