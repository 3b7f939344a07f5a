package upstream_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/upstream"
	"tollgate/internal/upstream/guard"
)

func TestFetchTakesBoundedFilesOverTheGuard(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/cat.png":
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte("png"))
		case "/unnamed":
			w.Header().Set("Content-Type", "application/octet-stream")
			_, _ = w.Write([]byte("\x89PNG\r\n\x1a\n"))
		case "/page":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte("<html>"))
		case "/huge":
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write(make([]byte, 17<<20))
		case "/elsewhere":
			http.Redirect(w, r, "/cat.png", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	defer web.Close()
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	allow, err := guard.ParseAllowList([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	f := upstream.NewFetcher(guard.Options{
		Policy: guard.NewPolicy(guard.Rules{Allow: allow}), TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, AnyTLSPort: true,
	})
	for path, want := range map[string]string{"/cat.png": "image/png", "/unnamed": "image/png"} {
		kind, data, err := f.Fetch(t.Context(), web.URL+path)
		if err != nil || kind != want || len(data) == 0 {
			t.Errorf("%s: %s, %d bytes, %v", path, kind, len(data), err)
		}
	}
	for path, want := range map[string]string{
		"/page": "neither a picture", "/huge": "larger than 16 MiB", "/elsewhere": "could not be fetched", "/missing": "could not be fetched",
	} {
		_, _, err := f.Fetch(t.Context(), web.URL+path)
		if tollgate.ErrorCode(err) != tollgate.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, link := range []string{strings.Replace(web.URL, "https", "http", 1) + "/cat.png", "https://a:b@127.0.0.1/", "file:///etc/passwd", "https://", ":"} {
		if _, _, err := f.Fetch(t.Context(), link); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("%s: %v", link, err)
		}
	}
}

// TestF03FetchDeniesPrivateAddresses: the policy of the fetcher opens nothing.
func TestF03FetchDeniesPrivateAddresses(t *testing.T) {
	t.Parallel()
	f := upstream.NewFetcher(guard.Options{Policy: guard.NewPolicy(guard.Rules{})})
	for _, link := range []string{"https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://169.254.169.254/latest/meta-data/", "https://localhost/"} {
		_, _, err := f.Fetch(context.Background(), link)
		if tollgate.ErrorCode(err) != tollgate.CodeInvalid || !strings.Contains(err.Error(), "could not be fetched") {
			t.Errorf("%s: %v", link, err)
		}
	}
}
