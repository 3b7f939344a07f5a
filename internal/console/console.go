// Package console serves the web console: the build of console/, embedded, so
// that the binary needs nothing beside it. All that its pages know they ask
// from the API of the same origin.
package console

import (
	"crypto/rand"
	"embed"
	"fmt"
	"net/http"
	"path"
	"strings"

	"tollgate"
	"tollgate/internal/web"
)

//go:embed all:dist
var dist embed.FS

const (
	base = "/console/"
	// What the build leaves in index.html for us to fill in.
	nonceMark = "TOLLGATE_NONCE"
	buildMark = "TOLLGATE_BUILD"
)

// Mount mounts the console and the redirects that lead to it.
func Mount(rt *web.Router) error {
	s, err := load(dist)
	if err != nil {
		return fmt.Errorf("load the console: %w", err)
	}
	public := web.Policy{Access: web.AccessPublic}
	toConsole := func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, base, http.StatusFound)
		return nil
	}
	rt.Handle(http.MethodGet, "/", public, toConsole)
	// Claude Code probes its base URL with HEAD, under whatever name it knows
	// the gateway by, and takes anything but a success for a dead server.
	rt.Handle(http.MethodHead, "/", web.Policy{Access: web.AccessPublic, AnyHost: true}, func(w http.ResponseWriter, _ *http.Request) error {
		w.WriteHeader(http.StatusOK)
		return nil
	})
	rt.Handle(http.MethodGet, strings.TrimSuffix(base, "/"), public, toConsole)
	rt.Handle(http.MethodGet, base, public, s.serve)
	return nil
}

// serve answers a file of the build, or the page for every other path, whose
// scripts know what is there.
func (s *site) serve(w http.ResponseWriter, r *http.Request) error {
	name := strings.TrimPrefix(r.URL.Path, base)
	if name == buildFile {
		s.sendBuild(w)
		return nil
	}
	if f, ok := s.files[name]; ok {
		f.send(w, r)
		return nil
	}
	if name != "index.html" && path.Ext(name) != "" && strings.HasPrefix(name, hashedFolder) {
		// A script of another build is gone, not a page: the console says so.
		return tollgate.Errorf(tollgate.CodeNotFound, "there is nothing at this path")
	}
	sendPage(w, s.pageFor(name, r.Header.Get("Accept-Language")))
	return nil
}

// sendPage sends index.html. Style elements that the page's libraries make at
// run time (media queries of responsive layouts) carry a nonce of this answer
// alone, which is why it is never answered from a cache.
func sendPage(w http.ResponseWriter, page string) {
	nonce := rand.Text()
	h := w.Header()
	web.PageHeadersWithNonce(h, nonce)
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-cache")
	_, _ = w.Write([]byte(strings.ReplaceAll(page, nonceMark, nonce))) //nolint:gosec // the request only chooses among pages of the build
}

// sendBuild tells which build is served, for pages that were loaded earlier.
func (s *site) sendBuild(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-cache")
	_, _ = fmt.Fprintf(w, "{\"build\":%q}\n", s.build)
}
