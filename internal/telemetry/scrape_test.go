package telemetry_test

import (
	"net/http/httptest"
	"testing"

	"tollgate/internal/telemetry"
)

// scrape reads the metrics as Prometheus does.
func scrape(t *testing.T, m *telemetry.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}
