package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const openMetrics = "application/openmetrics-text;version=1.0.0"

// When a counter began is told where it is known, and wanted.
func TestCreatedTimestamps(t *testing.T) {
	t.Parallel()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "hits_total 5\nhits_created 1000.5\nold_total 7\n")
	}))
	defer app.Close()
	config := func(metrics string) string {
		return fmt.Sprintf(`
metrics: {port: {{port}}%s}
sources:
- {name: stats, type: prometheus, prometheus: {url: %q, interval: 100ms}}
- {name: access, type: log, log: {volume: logs, path: access.log}}
rules:
- {source: stats, path: hits_total, metric: app_hits_total}
- {source: stats, path: old_total, metric: app_old_total}
- {source: access, regex: x, metric: app_x_total}
`, metrics, app.URL)
	}
	p := start(t, config(""))
	p.waitFor("app_hits_total 5", "app_old_total 7", "app_x_total 0")
	if strings.Contains(p.get("/metrics", openMetrics), "_created") {
		t.Error("told without being asked for")
	}
	p.configure(config(", createdTimestamps: true"))
	p.Eventually("starts are told", func() bool {
		text := p.get("/metrics", openMetrics)
		return strings.Contains(text, "app_hits_created 1000.5") && strings.Contains(text, "app_x_created 1.") && !strings.Contains(text, "app_old_created")
	})
}
