package source

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series/seriestest"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/telemetry"
)

// feeding gives a feed of one source with rules behind it.
func feeding(t *testing.T, rules string) (*rule.Feed, *series.Store) {
	t.Helper()
	set, problems := rule.Compile([]byte(rules))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	store := series.New(0)
	feed := rule.NewFeed(store, telemetry.New().Source("stats"))
	set.TakeOver(store, nil, map[string]*rule.Feed{"stats": feed})
	return feed, store
}

// fuzzPages: whatever a page says, no panic, output that can be read, no more series than allowed, counters that don't
// fall.
func fuzzPages(f *testing.F, rules string, read func(context.Context, *page, *rule.Feed) error) {
	bodies := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, <-bodies) }))
	f.Cleanup(server.Close)
	p := newPage(&spec.HTTP{URL: server.URL}, Place{}, "*/*")
	f.Fuzz(func(t *testing.T, one, other string) {
		feed, store := feeding(t, rules)
		watch := seriestest.New(t, store)
		for _, body := range []string{one, other, one} {
			bodies <- body
			if read(t.Context(), p, feed) != nil {
				feed.NoPage()
			}
			watch.Check(40)
		}
	})
}

const contractOfTests = `
metrics: {maxSeries: 40}
contract: {name: custom, metrics: [{name: app_requests_total, type: counter}, {name: app_seconds, type: histogram}]}
sources:
`

func FuzzJSON(f *testing.F) {
	for _, document := range []string{
		`{"http": {"hits": 3, "ms": 12, "load": 0.5}, "list": [{"route": "/", "hits": 1}], "by": {"a": {"hits": 2}}}`,
		`{"http": {"hits": "3", "ms": true, "load": null}, "list": [1, "2", null, [3], {"hits": []}], "by": [1]}`,
		`{"http": {"hits": -1, "load": 1e308}, "list": {}, "by": {"\u0000\ud800": {"hits": 1e400}}}`,
		"", "[", `"x"`, "0", "[[[[[]]]]]", `{"http": []}`,
	} {
		f.Add(document, `{"http": {"hits": 5}}`)
	}
	fuzzPages(f, contractOfTests+`
- {name: stats, type: json, json: {url: "http://127.0.0.1/"}}
rules:
- {source: stats, path: http.hits, metric: app_requests_total}
- {source: stats, path: http.load, metric: app_load}
- {source: stats, path: http.hits, metric: app_seconds_count}
- {source: stats, path: http.ms, metric: app_seconds_sum, scale: 0.001}
- source: stats
  path: list
  emit: [{metric: app_list_total, value: hits, labels: {route: "${route}"}, when: "hits > 0"}]
- source: stats
  path: 'items(by)[*].{name: [0], hits: [1].hits}'
  emit: [{metric: app_by, value: hits, labels: {name: "${name}"}}]
- {source: stats, path: 'sum(list[].hits)', metric: app_all}
- {source: stats, path: 'sort_by(list, &route)[0].hits', metric: app_first}
`, readJSON)
}

func FuzzPrometheus(f *testing.F) {
	histogram := `# TYPE h histogram
h_bucket{le="1"} %d
h_bucket{le="+Inf"} %d
h_sum %d
h_count %d
`
	for _, text := range []string{
		"# TYPE hits counter\nhits{code=\"200\"} 3\nhits{code=\"500\"} 1\n", "hits -1\nload NaN\nload +Inf\n", "hits 1e308\nhits{a=\"b\"} 1e308\n",
		fmt.Sprintf(histogram, 1, 2, 3, 2), fmt.Sprintf(histogram, 3, 2, -3, 1), "# TYPE h summary\nh{quantile=\"0.5\"} 1\nh_sum 3\nh_count 2\n",
		"# TYPE h histogram\nh_bucket{le=\"2\"} 1\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"NaN\"} 1\n", "hits{", "", "# TYPE hits gauge\nhits 1\n",
		"{\"a b\"} 1\n", "hits 1 # {a=\"b\"} 1\n# EOF\n",
	} {
		f.Add(text, "hits 5\n"+fmt.Sprintf(histogram, 3, 4, 6, 4))
	}
	fuzzPages(f, contractOfTests+`
- {name: stats, type: prometheus, prometheus: {url: "http://127.0.0.1/"}}
rules:
- {source: stats, path: hits, metric: app_requests_total, labels: {code: "${code}"}}
- {source: stats, path: h, metric: app_seconds, scale: 0.5}
- {source: stats, path: h, metric: app_unknown}
- {source: stats, path: h_count, metric: app_seen_total}
- {source: stats, path: load, metric: app_load, labels: {all: "${value}"}}
`, readPrometheus)
}
