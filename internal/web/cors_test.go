package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"tollgate/internal/web"
)

func TestH08CORS(t *testing.T) {
	h := web.CORS{Origins: []string{"https://app.example"}}.Wrap(http.HandlerFunc(ok))
	ask := func(method, origin string, header ...string) *http.Response {
		r := httptest.NewRequest(method, "/v1/models", nil)
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Result()
	}
	pre := []string{"Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization, x-stainless-os"}
	if res := ask("GET", ""); res.Header.Get("Vary") != "" || res.StatusCode != 200 {
		t.Error("a request without origin was touched")
	}
	if res := ask("GET", "https://app.example"); res.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%v", res.Header)
	}
	if res := ask("GET", "https://evil.example"); res.Header.Get("Access-Control-Allow-Origin") != "" || res.Header.Get("Vary") != "Origin" {
		t.Errorf("%v", res.Header)
	}
	if res := ask("OPTIONS", "https://app.example", pre...); res.StatusCode != 204 || res.Header.Get("Access-Control-Allow-Headers") != pre[3] {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	if res := ask("OPTIONS", "https://evil.example", pre...); res.StatusCode != 403 || res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	if res := ask("OPTIONS", "https://app.example", pre[0], pre[1], pre[2], "cookie"); res.Header.Get("Access-Control-Allow-Headers") != "" {
		t.Errorf("%v", res.Header)
	}
}

func TestS01SessionCookie(t *testing.T) {
	for _, c := range []struct {
		secure bool
		want   string
	}{
		{true, "__Host-tollgate_session=tok; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Strict"},
		{false, "tollgate_session=tok; Path=/; Max-Age=60; HttpOnly; SameSite=Strict"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r = r.WithContext(web.WithEvent(r.Context(), &web.Event{Secure: c.secure}))
		if got := web.SessionCookie(web.EventFrom(r.Context()), "tok", time.Minute).String(); got != c.want {
			t.Errorf("cookie = %q", got)
		}
		r.Header.Set("Cookie", "tollgate_session=plain; __Host-tollgate_session=tls")
		if got := web.SessionToken(r); (got == "tls") != c.secure {
			t.Errorf("token = %q", got)
		}
	}
}
