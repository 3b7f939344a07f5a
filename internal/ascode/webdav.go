package ascode

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"

	"tollgate"
	"tollgate/internal/seed"
)

// webdav is a file on a WebDAV server (RFC 4918). A version is the file's
// ETag, or the SHA-256 of it where the server gives none.
type webdav struct {
	client    *http.Client
	url, user string
	password  tollgate.Secret
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.Fragment != "" || u.RawQuery != "" || u.Path == "" || u.Path[len(u.Path)-1] == '/' {
		return tollgate.Invalidf("location", "the location of a webdav target is the URL of a file, such as https://dav.example.com/tollgate.toml, without credentials in it")
	}
	return nil
}

func (d webdav) call(ctx context.Context, method string, body []byte, header ...string) (*http.Response, error) {
	if err := checkURL(d.url); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, d.url, bytes.NewReader(body))
	if err != nil {
		return nil, tollgate.WrapError(tollgate.CodeInvalid, err, "the location is no URL")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if d.user != "" || !d.password.Empty() {
		req.SetBasicAuth(d.user, d.password.Reveal())
	}
	res, err := d.client.Do(req)
	if err != nil {
		return nil, unreachable(err)
	}
	return res, nil
}

func (d webdav) get(ctx context.Context, version string) (content, error) {
	res, err := d.call(ctx, http.MethodGet, nil)
	if err != nil {
		return content{}, err
	}
	defer res.Body.Close() //nolint:errcheck // read only
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return content{}, nil
	default:
		return content{}, refusal(res)
	}
	text, err := readBody(res)
	if err != nil {
		return content{}, err
	}
	now := content{text, versionOf(res, text)}
	if version != "" && version != now.version {
		return content{}, tollgate.Errorf(tollgate.CodeNotFound, "WebDAV has the present version alone")
	}
	return now, nil
}

func readBody(res *http.Response) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(res.Body, seed.MaxDocument+1))
	if err != nil {
		return nil, unreachable(err)
	}
	return text, checkSize(len(text))
}

func versionOf(res *http.Response, text []byte) string {
	if tag := res.Header.Get("Etag"); tag != "" {
		return tag
	}
	return sumOf(text)
}

// put asks the server to refuse when the file has changed (If-Match), and looks
// itself first, for servers that do not.
func (d webdav) put(ctx context.Context, text []byte, was string) (string, error) {
	now, err := d.get(ctx, "")
	if err != nil {
		return "", err
	}
	if now.version != was {
		return "", errMoved()
	}
	condition := []string{"If-None-Match", "*"}
	switch {
	case was != "" && was[len(was)-1] == '"' && was[0] == '"':
		condition = []string{"If-Match", was}
	case was != "":
		condition = nil // a weak tag, or none: nothing that a server can compare
	}
	res, err := d.call(ctx, http.MethodPut, text, append(condition, "Content-Type", "application/octet-stream")...)
	if err != nil {
		return "", err
	}
	defer res.Body.Close() //nolint:errcheck // read only
	switch res.StatusCode {
	case http.StatusOK, http.StatusCreated, http.StatusNoContent:
	case http.StatusPreconditionFailed:
		return "", errMoved()
	default:
		return "", refusal(res)
	}
	after, err := d.get(ctx, "")
	if err == nil && !bytes.Equal(after.text, text) {
		err = errMoved()
	}
	return after.version, err
}

func (d webdav) versions(ctx context.Context) ([]revision, error) {
	now, err := d.get(ctx, "")
	if err != nil || now.version == "" {
		return nil, err
	}
	return []revision{{Version: now.version, Current: true}}, nil
}
