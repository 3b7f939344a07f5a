package web

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"tollgate"
)

// Handler serves a request or returns why it cannot. An error returned before
// anything was written becomes the answer.
type Handler func(w http.ResponseWriter, r *http.Request) error

// Authenticator finds out who sends a request.
type Authenticator interface {
	// Authenticate returns the sender of r, and whether the session cookie
	// told so. No credential is the zero Principal and no error; a wrong one is
	// CodeUnauthenticated, conflicting ones are CodeInvalid, one that may not
	// be used from there is CodeForbidden. It never returns a principal with an
	// error, but does tell viaCookie.
	Authenticate(r *http.Request) (p tollgate.Principal, viaCookie bool, err error)
}

// Route is one mounted endpoint with the policy it declares.
type Route struct {
	Method  string
	Pattern string // an exact path, or a subtree if it ends in "/"
	Policy  Policy
}

type mounted struct {
	Route
	handle Handler
}

// Router serves console, admin API and self-service: fixed paths that are
// matched byte for byte, so that no two spellings of a path reach different
// handlers (SECURITY H-04) and the matched pattern decides what is allowed
// (Z-10). Everything else goes to the fallback, the data plane. Mount all
// routes before serving; the exported fields must not change afterwards.
type Router struct {
	Auth Authenticator
	// Hosts are the names that routes without AnyHost answer to.
	Hosts Hosts
	// PublicOrigin is the origin of the public URL ("https://host"), whose
	// pages may send state changes also through a proxy that rewrites Host.
	PublicOrigin string
	Now          func() time.Time

	exact    map[string][]mounted
	subtrees []mounted
	fallback http.Handler
	listed   []Route
	errs     []error
	reserved map[string]bool
	crossing http.CrossOriginProtection
}

// Handle mounts h. What is wrong with the route is told by Err.
func (rt *Router) Handle(method, pattern string, p Policy, h Handler) {
	m := mounted{Route: Route{Method: method, Pattern: pattern, Policy: p}, handle: h}
	if err := rt.check(m); err != nil {
		rt.errs = append(rt.errs, fmt.Errorf("%s %s: %w", method, pattern, err))
		return
	}
	if rt.exact == nil {
		rt.exact = map[string][]mounted{}
	}
	if strings.HasSuffix(pattern, "/") && pattern != "/" {
		rt.subtrees = append(rt.subtrees, m)
	} else {
		rt.exact[pattern] = append(rt.exact[pattern], m)
	}
	rt.listed = append(rt.listed, m.Route)
}

func (rt *Router) check(m mounted) error {
	if err := m.Policy.Valid(); err != nil {
		return err
	}
	switch {
	case m.handle == nil:
		return errors.New("route has no handler")
	case m.Pattern == "" || m.Pattern[0] != '/' || !plainPath(m.Pattern):
		return errors.New("pattern is no plain path")
	case m.Policy.Access == AccessLLM:
		return errors.New("LLM routes belong to the fallback")
	case m.Policy.Mutates && m.Method != http.MethodPost:
		return errors.New("a change of state must be a POST")
	}
	for _, have := range rt.listed {
		if have.Method == m.Method && have.Pattern == m.Pattern {
			return errors.New("route is mounted twice")
		}
	}
	return nil
}

// Fallback sets the handler of all paths that no route matches: the data
// plane, which authenticates and authorises by itself. routes are listed with
// the others, for the matrix and the documents.
func (rt *Router) Fallback(h http.Handler, routes ...Route) {
	for _, r := range routes {
		if err := r.Policy.Valid(); err != nil {
			rt.errs = append(rt.errs, fmt.Errorf("%s %s: %w", r.Method, r.Pattern, err))
		}
	}
	rt.fallback = h
	rt.listed = append(rt.listed, routes...)
}

// Err returns every reason not to start: routes without a valid policy,
// twice mounted, or without what they need (SECURITY Z-01).
func (rt *Router) Err() error {
	errs := slices.Clone(rt.errs)
	if rt.Auth == nil || rt.Now == nil {
		errs = append(errs, errors.New("router has no authenticator or no clock"))
	}
	if rt.PublicOrigin != "" {
		if err := rt.crossing.AddTrustedOrigin(rt.PublicOrigin); err != nil {
			errs = append(errs, fmt.Errorf("public origin: %w", err))
		}
	}
	rt.reserved = map[string]bool{}
	for _, name := range tollgate.ReservedProviderNames() {
		rt.reserved[name] = name != "v1" && name != "v1beta" && name != "upload"
	}
	return errors.Join(errs...)
}

// Routes lists every route, sorted by pattern and method.
func (rt *Router) Routes() []Route {
	routes := slices.Clone(rt.listed)
	slices.SortFunc(routes, func(a, b Route) int {
		if c := strings.Compare(a.Pattern, b.Pattern); c != 0 {
			return c
		}
		return strings.Compare(a.Method, b.Method)
	})
	return routes
}

var _ http.Handler = (*Router)(nil)

// ServeHTTP serves one request behind the door.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	candidates := rt.find(r)
	if candidates == nil && rt.fallback != nil && !rt.reserved[firstSegment(r.URL.Path)] {
		rt.fallback.ServeHTTP(w, r)
		return
	}
	apiHeaders(w.Header())
	if candidates == nil {
		WriteError(w, r, tollgate.Errorf(tollgate.CodeNotFound, "there is nothing at this path"))
		return
	}
	m, ok := pick(candidates, r.Method)
	if !ok {
		rt.refuseMethod(w, r, candidates)
		return
	}
	EventFrom(r.Context()).Pattern = m.Pattern
	err := rt.serve(w, r, m)
	switch {
	case err == nil:
	case m.Policy.SignIn != "" && tollgate.ErrorCode(err) == tollgate.CodeUnauthenticated && opensPage(r):
		EventFrom(r.Context()).Err = err
		http.Redirect(w, r, m.Policy.SignIn, http.StatusSeeOther)
	default:
		WriteError(w, r, err)
	}
}

// opensPage reports whether r is a browser's, about to show the answer to a
// person: it asks for HTML by name, and sends no credential of an API client.
func opensPage(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Authorization") == "" && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// find returns the routes of r's path. A path that needs decoding matches none.
func (rt *Router) find(r *http.Request) []mounted {
	if r.URL.RawPath != "" {
		return nil
	}
	if found, ok := rt.exact[r.URL.Path]; ok {
		return found
	}
	var best []mounted
	for _, m := range rt.subtrees {
		if !strings.HasPrefix(r.URL.Path, m.Pattern) {
			continue
		}
		if len(best) > 0 && len(best[0].Pattern) > len(m.Pattern) {
			continue
		}
		if len(best) > 0 && best[0].Pattern != m.Pattern {
			best = nil
		}
		best = append(best, m)
	}
	return best
}

// pick returns the route of a method; HEAD is served by GET unless mounted.
func pick(candidates []mounted, method string) (mounted, bool) {
	for _, m := range candidates {
		if m.Method == method {
			return m, true
		}
	}
	if method == http.MethodHead {
		return pick(candidates, http.MethodGet)
	}
	return mounted{}, false
}

func (rt *Router) refuseMethod(w http.ResponseWriter, r *http.Request, candidates []mounted) {
	allow := make([]string, 0, len(candidates))
	for _, m := range candidates {
		allow = append(allow, m.Method)
	}
	slices.Sort(allow)
	w.Header().Set("Allow", strings.Join(allow, ", "))
	e := EventFrom(r.Context())
	e.Err = tollgate.Errorf(tollgate.CodeInvalid, "the method is not allowed here; use %s", strings.Join(allow, " or "))
	p := NewProblem(e, e.Err)
	p.Status, p.Title = http.StatusMethodNotAllowed, http.StatusText(http.StatusMethodNotAllowed)
	WriteProblem(w, p)
}

// serve runs every check that the policy asks for, all before the body is read.
func (rt *Router) serve(w http.ResponseWriter, r *http.Request, m mounted) error {
	e := EventFrom(r.Context())
	if !m.Policy.AnyHost && !rt.Hosts.Allows(r) {
		return tollgate.Errorf(tollgate.CodeForbidden,
			"the console and its API do not answer to this host name; the operator can add it to TOLLGATE_ALLOWED_HOSTS")
	}
	if err := rt.crossing.Check(r); err != nil {
		return tollgate.WrapError(tollgate.CodeForbidden, err, "cross-origin request refused")
	}
	if m.Policy.Access != AccessPublic {
		p, viaCookie, err := rt.Auth.Authenticate(r)
		if err != nil {
			if viaCookie && tollgate.ErrorCode(err) == tollgate.CodeUnauthenticated {
				http.SetCookie(w, SessionCookie(e, "", 0)) // a page cannot take an HttpOnly cookie away
			}
			return err
		}
		e.Principal, e.ViaCookie = p, viaCookie
		if err := m.Policy.Permits(p, rt.Now()); err != nil {
			return err
		}
	}
	if err := checkBody(r, m.Policy, e.ViaCookie); err != nil {
		return err
	}
	LimitBody(w, r, m.Policy.MaxBody, rt.Now)
	return m.handle(w, r)
}

// checkBody judges the body by its headers.
func checkBody(r *http.Request, p Policy, viaCookie bool) error {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	if enc := r.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		return tollgate.Errorf(tollgate.CodeMediaType, "a compressed request body is not accepted here")
	}
	ct := r.Header.Get("Content-Type")
	if viaCookie || ct != "" || r.ContentLength != 0 {
		media, params, err := mime.ParseMediaType(ct)
		charset := params["charset"]
		if err != nil || media != "application/json" || (charset != "" && !strings.EqualFold(charset, "utf-8")) {
			return tollgate.Errorf(tollgate.CodeMediaType, "the content type must be application/json")
		}
	}
	if r.ContentLength > p.MaxBody {
		return tollgate.Errorf(tollgate.CodeTooLarge, "the request body is larger than %d bytes", p.MaxBody)
	}
	return nil
}

func firstSegment(path string) string {
	path = strings.TrimPrefix(path, "/")
	if i := strings.IndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return path
}
