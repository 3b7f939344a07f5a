package ascode

import (
	"context"
	"net/http"

	"tollgate"
)

// Gist is the place of a gist, for tests against a look-alike.
type Gist struct{ g gist }

// NewGist returns the place.
func NewGist(client *http.Client, api, id, file, token string) Gist {
	return Gist{gist{client, api, id, file, tollgate.NewSecret(token)}}
}

// Get reads a version.
func (g Gist) Get(ctx context.Context, version string) (text, at string, err error) {
	c, err := g.g.get(ctx, version)
	return string(c.text), c.version, err
}

// Put replaces the document.
func (g Gist) Put(ctx context.Context, text, was string) (string, error) {
	return g.g.put(ctx, []byte(text), was)
}

// Versions names the versions, the latest first.
func (g Gist) Versions(ctx context.Context) ([]string, error) {
	list, err := g.g.versions(ctx)
	var out []string
	for _, r := range list {
		out = append(out, r.Version)
	}
	return out, err
}
