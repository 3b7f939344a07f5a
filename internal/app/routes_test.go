package app

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"tollgate/internal/telemetry"
	"tollgate/internal/web"
	"tollgate/internal/wire"
)

// TestZ02EveryDataPlaneRouteIsInTheMatrix holds the routes that the data plane
// and the operators' part declare against the checked-in authorization matrix:
// a new route is a decision.
func TestZ02EveryDataPlaneRouteIsInTheMatrix(t *testing.T) {
	table, err := os.ReadFile("../../test/e2e/testdata/matrix.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for line := range strings.Lines(string(table)) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), " = "); strings.Contains(name, " /") {
			listed[name] = true
		}
	}
	r := &web.Router{Now: time.Now}
	a := &App{metrics: telemetry.New("test")}
	a.mountStatus(r)
	a.mountPlayground(r, http.NotFoundHandler())
	r.Fallback(http.NotFoundHandler(), proxyRoutes()...)
	for _, route := range r.Routes() {
		if !listed[route.Method+" "+route.Pattern] {
			t.Errorf("%s %s is in no matrix", route.Method, route.Pattern)
		}
	}
}

// TestDeclaredRoutesAreServed holds them against what the data plane tells apart.
func TestDeclaredRoutesAreServed(t *testing.T) {
	for _, route := range proxyRoutes() {
		path := strings.NewReplacer("{provider}", "lab", "{model}", "m", "{id}", "resp_1").Replace(route.Pattern)
		req, err := http.NewRequestWithContext(t.Context(), route.Method, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if route.Method == http.MethodGet && strings.HasSuffix(route.Pattern, "/responses") {
			req.Header.Set("Upgrade", "websocket")
		}
		got, err := wire.Classify(route.Method, req.URL, req.Header)
		if err != nil || got.Operation == "other" || (got.Scope != "") != strings.HasPrefix(route.Pattern, "/{provider}") {
			t.Errorf("%s %s: %+v, %v", route.Method, path, got, err)
		}
	}
}
