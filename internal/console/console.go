// Package console is the web console's static part: a start page that signs
// in, shows who is signed in and what they may use. All its files are embedded
// and all it knows it asks from the API of the same origin.
package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"

	"tollgate"
	"tollgate/internal/web"
)

//go:embed assets
var assets embed.FS

const base = "/console/"

// file is one embedded file, ready to be served.
type file struct {
	body        []byte
	contentType string
	tag         string // entity tag
}

// Mount mounts the console and the redirects that lead to it.
func Mount(rt *web.Router) error {
	files, err := load()
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
	rt.Handle(http.MethodGet, base, public, func(w http.ResponseWriter, r *http.Request) error {
		return serve(w, r, files)
	})
	return nil
}

func load() (map[string]file, error) {
	entries, err := assets.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	files := map[string]file{}
	for _, e := range entries {
		body, err := assets.ReadFile("assets/" + e.Name())
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(body)
		f := file{body: body, tag: `"` + hex.EncodeToString(sum[:12]) + `"`}
		switch path.Ext(e.Name()) {
		case ".html":
			f.contentType = "text/html; charset=utf-8"
		case ".css":
			f.contentType = "text/css; charset=utf-8"
		case ".js":
			f.contentType = "text/javascript; charset=utf-8"
		case ".svg":
			f.contentType = "image/svg+xml"
		default:
			return nil, fmt.Errorf("%s has no content type", e.Name())
		}
		files[e.Name()] = f
	}
	files[""] = files["index.html"]
	return files, nil
}

func serve(w http.ResponseWriter, r *http.Request, files map[string]file) error {
	f, ok := files[strings.TrimPrefix(r.URL.Path, base)]
	if !ok {
		return tollgate.Errorf(tollgate.CodeNotFound, "there is nothing at this path")
	}
	h := w.Header()
	web.PageHeaders(h)
	h.Set("Content-Type", f.contentType)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", f.tag)
	if r.Header.Get("If-None-Match") == f.tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	_, _ = w.Write(f.body)
	return nil
}
