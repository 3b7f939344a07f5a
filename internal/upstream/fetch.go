package upstream

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/upstream/guard"
)

// Bounds of a file that a client's request refers to.
const (
	fetchTimeout = 15 * time.Second
	fetchBytes   = 16 << 20
)

// Fetcher reads files from the web that requests refer to, for providers that
// do not fetch themselves: https on port 443, through the guard, no redirects.
type Fetcher struct{ client *http.Client }

// NewFetcher returns a Fetcher on a guarded transport. The policy must not
// open private networks: the URLs are anybody's.
func NewFetcher(o guard.Options) *Fetcher { return &Fetcher{client: guard.Client(o, fetchTimeout)} }

// Fetch returns media type and content: a picture, sound, PDF or plain text of
// at most 16 MiB, within 15 seconds. Errors are CodeInvalid and say the same
// whatever was wrong with the host (SECURITY F-10).
func (f *Fetcher) Fetch(ctx context.Context, link string) (string, []byte, error) {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return "", nil, tollgate.Errorf(tollgate.CodeInvalid, "a file is fetched from an https URL without user information only")
	}
	unfetched := func(cause error) error {
		return tollgate.WrapError(tollgate.CodeInvalid, cause, "the file at %s could not be fetched", u.Host)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", nil, unfetched(err)
	}
	req.Header.Set("User-Agent", "tollgate")
	resp, err := f.client.Do(req)
	if err != nil {
		return "", nil, unfetched(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return "", nil, unfetched(nil)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, fetchBytes+1))
	switch {
	case err != nil:
		return "", nil, unfetched(err)
	case len(data) > fetchBytes:
		return "", nil, tollgate.Errorf(tollgate.CodeInvalid, "the file at %s is larger than %d MiB", u.Host, fetchBytes>>20)
	}
	kind, ok := fetchable(resp.Header.Get("Content-Type"), data)
	if !ok {
		return "", nil, tollgate.Errorf(tollgate.CodeInvalid, "the file at %s is neither a picture nor sound, PDF or plain text", u.Host)
	}
	return kind, data, nil
}

// fetchable returns the media type of a file, and whether such may be sent on.
func fetchable(declared string, data []byte) (string, bool) {
	kind, _, err := mime.ParseMediaType(declared)
	if err != nil || kind == "application/octet-stream" {
		kind, _, _ = strings.Cut(http.DetectContentType(data), ";")
	}
	return kind, strings.HasPrefix(kind, "image/") || strings.HasPrefix(kind, "audio/") || kind == "application/pdf" || kind == "text/plain"
}
