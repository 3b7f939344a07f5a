package app

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"tollgate/internal/config"
	"tollgate/internal/wire"
)

// TestZ02EveryRouteIsInAMatrix holds every route of the gateway as it is put
// together against the two checked-in authorization matrices: a new route is a
// decision.
func TestZ02EveryRouteIsInAMatrix(t *testing.T) {
	listed := map[string]bool{}
	for _, file := range []string{"../../test/e2e/testdata/matrix.txt", "../admin/testdata/matrix.txt"} {
		table, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(table)) {
			if f := strings.Fields(line); len(f) > 1 && strings.HasPrefix(f[1], "/") {
				listed[f[0]+" "+f[1]] = true
			}
		}
	}
	cfg, err := config.Load(config.Sources{Environ: []string{"TOLLGATE_DATA_DIR=" + t.TempDir(), "TOLLGATE_PORT=0"}})
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Environ: []string{"GOGC=100"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	}()
	routes := a.router.Routes()
	if len(routes) < 200 {
		t.Errorf("%d routes only", len(routes))
	}
	for _, route := range routes {
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
