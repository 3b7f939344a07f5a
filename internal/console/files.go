package console

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"tollgate/internal/web"
)

const (
	// hashedFolder holds the files whose names change with their content.
	hashedFolder = "assets/"
	buildFile    = "build.json"
)

// site is the build, ready to be served.
type site struct {
	page  string // index.html with the build in it, the nonce still to be put
	build string // names the build
	files map[string]*file
	needs []need
}

// file is one file of the build in all its encodings.
type file struct {
	contentType string
	tag         string // entity tag of the plain form; empty for hashed names
	plain       []byte
	brotli      []byte // nil where the build found it not worth it
	gzip        []byte
}

// load reads the build below "dist".
func load(build fs.FS) (*site, error) {
	s := &site{files: map[string]*file{}}
	packed := map[string][]byte{}
	err := fs.WalkDir(build, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := fs.ReadFile(build, name)
		if err != nil {
			return err
		}
		return s.add(strings.TrimPrefix(name, "dist/"), body, packed)
	})
	if err != nil {
		return nil, err
	}
	if s.page == "" {
		return nil, errors.New("dist/index.html is missing: run make console")
	}
	for name, f := range s.files {
		f.brotli, f.gzip = packed[name+".br"], packed[name+".gz"]
	}
	return s, nil
}

// add puts one file where it belongs.
func (s *site) add(name string, body []byte, packed map[string][]byte) error {
	ext := path.Ext(name)
	switch {
	case name == "index.html":
		s.build = digest(body) // it names every other file by hash
		s.page = strings.ReplaceAll(string(body), buildMark, s.build)
		return nil
	case name == preloadFile:
		return s.readNeeds(body)
	case ext == ".br" || ext == ".gz":
		packed[name] = body
		return nil
	}
	contentType, err := typeOf(ext)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	f := &file{contentType: contentType, plain: body}
	if !strings.HasPrefix(name, hashedFolder) {
		f.tag = `"` + digest(body) + `"`
	}
	s.files[name] = f
	return nil
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:12])
}

func typeOf(ext string) (string, error) {
	switch ext {
	case ".css":
		return "text/css; charset=utf-8", nil
	case ".js":
		return "text/javascript; charset=utf-8", nil
	case ".svg":
		return "image/svg+xml", nil
	}
	return "", errors.New("no content type is known for this file")
}

// send answers the file in the best encoding that the browser takes.
func (f *file) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	web.PageHeaders(h)
	h.Set("Content-Type", f.contentType)
	h.Set("Vary", "Accept-Encoding")
	if f.tag == "" {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		h.Set("Cache-Control", "no-cache")
		h.Set("ETag", f.tag)
		if r.Header.Get("If-None-Match") == f.tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	body := f.plain
	switch accept := r.Header.Get("Accept-Encoding"); {
	case f.brotli != nil && takes(accept, "br"):
		h.Set("Content-Encoding", "br")
		body = f.brotli
	case f.gzip != nil && takes(accept, "gzip"):
		h.Set("Content-Encoding", "gzip")
		body = f.gzip
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

// takes reports whether an Accept-Encoding header allows a coding (RFC 9110, 12.5.3).
func takes(accept, coding string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		_, weight, _ := strings.Cut(params, "=")
		q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
		return weight == "" || (err == nil && q > 0)
	}
	return false
}
