package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"tollgate/internal/web"
)

// FuzzPathsHaveOneReading: a path that passes the door is what path.Clean
// makes of it, but for a final slash.
func FuzzPathsHaveOneReading(f *testing.F) {
	for _, s := range []string{"/", "/a/b", "/a//b", "/a/../b", "/a/%2e%2e/b", "/a%2fb", "/a\\b", "/a%00", "/.", "/a/./", "/..."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Host != "" || u.Path == "" {
			return
		}
		passed := ""
		rig := newDoor(func(_ http.ResponseWriter, r *http.Request) { passed = r.URL.Path })
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL, r.RequestURI = u, target
		rig.serve(r)
		if passed != "" && path.Clean(passed) != passed && path.Clean(passed)+"/" != passed {
			t.Errorf("%q passed", passed)
		}
	})
}

// FuzzForwardedFor: nothing that a client puts on the left of the header
// changes what the proxies on the right have vouched for.
func FuzzForwardedFor(f *testing.F) {
	for _, s := range []string{"1.1.1.1", "10.0.0.9", "unknown", "[::1]:80", ", ,", "::ffff:10.0.0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, forged string) {
		if strings.ContainsAny(forged, "\r\n\x00") {
			return
		}
		rig := newDoor(ok, "10.0.0.0/8")
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = "10.0.0.1:1"
		r.Header["X-Forwarded-For"] = []string{forged, "203.0.113.9, 10.0.0.2"}
		if len(forged) > 8000 {
			return
		}
		rig.serve(r)
		if got := rig.done[0].ClientIP; got != netip.MustParseAddr("203.0.113.9") {
			t.Errorf("%q made the client %s", forged, got)
		}
	})
}

func TestD01SlowBodiesAreCut(t *testing.T) {
	late := func() time.Time { return time.Now().Add(-10*time.Second + 50*time.Millisecond) } // the grace has all but passed
	got := make(chan error, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.LimitBody(w, r, 1<<20, late)
		var v any
		err := web.ReadJSON(r, &v)
		got <- err
		if err != nil {
			web.WriteError(w, r, err)
		}
	}))
	defer srv.Close()
	slow := &drip{more: make(chan struct{})}
	defer close(slow.more)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL, slow)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if res, err := srv.Client().Do(req); err == nil {
			_ = res.Body.Close()
		}
	}()
	select {
	case err := <-got:
		if err == nil || !strings.Contains(err.Error(), "too slowly") {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("a body that never comes is waited for")
	}
}

// drip is a body whose first byte comes and whose rest does not.
type drip struct {
	sent bool
	more chan struct{}
}

func (d *drip) Read(p []byte) (int, error) {
	if d.sent {
		<-d.more
		return 0, http.ErrBodyReadAfterClose
	}
	d.sent = true
	p[0] = '{'
	return 1, nil
}
