package statsd

import (
	"fmt"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series/seriestest"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/telemetry"
)

func TestLines(t *testing.T) {
	for line, want := range map[string]string{
		"api.hits:1|c":                     "api.hits count 1 weight 0 tag",
		"api.hits:1|c|@0.1":                "api.hits count 10 weight 0 tag",
		"api.hits:-2|c":                    "api.hits count -2 weight 0 tag",
		"api.load:3|g":                     "api.load level 3 weight 0 tag",
		"api.load:+3|g":                    "api.load count 3 weight 0 tag",
		"api.load:-3|g|#code:200":          "api.load count -3 weight 0 tag 200",
		"api.time:12.5|ms":                 "api.time single 0.0125 weight 1 tag",
		"api.time:2|h|@0.5|#code:5":        "api.time single 2 weight 2 tag 5",
		"api.time:1:2:3|d|#a:b,code:7,c":   "api.time single 1 weight 1 tag 7; api.time single 2 weight 1 tag 7; api.time single 3 weight 1 tag 7",
		"api.hits,code=3,a=b:1|c":          "api.hits count 1 weight 0 tag 3",
		"api.hits#a=b,code=4:1|c":          "api.hits count 1 weight 0 tag 4",
		"api.hits:1|c|#codes:1,code:2|c:x": "api.hits count 1 weight 0 tag 2",
		"api.hits:1|c|T1656581400":         "api.hits count 1 weight 0 tag",
		"":                                 "not understood",
		"api.hits":                         "not understood",
		"api.hits:1":                       "not understood",
		":1|c":                             "not understood",
		"#a=b:1|c":                         "not understood",
		"api.hits:|c":                      "not understood",
		"api.hits:x|c":                     "not understood",
		"api.users:1|s":                    "not understood",
		"api.hits:1|c|@0":                  "not understood",
		"api.hits:1|c|@-1":                 "not understood",
		"api.hits:1|c|@1e-300":             "not understood",
		"api.hits:1|c|@NaN":                "not understood",
		"api.hits:1:x|c":                   "api.hits count 1 weight 0 tag; not understood",
	} {
		var got []string
		var sample Sample
		understood := sample.Parse(line, func(s *Sample, ev rule.Event) {
			kind := map[rule.Kind]string{rule.Count: "count", rule.Level: "level", rule.Single: "single"}[ev.Kind]
			got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %v weight %v tag %s", s.Name(), kind, ev.Value, ev.Weight, s.Group(nil, "code"))))
		})
		if !understood {
			got = append(got, "not understood")
		}
		if shown := strings.Join(got, "; "); shown != want {
			t.Errorf("%s\n gives %s\n not   %s", line, shown, want)
		}
	}
}

const config = `
metrics: {maxSeries: 30}
contract: {name: red/v1, buckets: [1, 10]}
sources:
- {name: sent, type: statsd, statsd: {port: 8125}}
rules:
- {source: sent, path: api.hits, metric: app_requests_total, labels: {code: "${code}"}}
- {source: sent, path: api.*.errors, metric: app_errors_total, labels: {route: "${1}"}}
- source: sent
  path: api.time
  emit:
  - {metric: app_request_duration_seconds}
  - {metric: app_requests_total, value: count}
- {source: sent, path: api.load, metric: app_load}
`

func newServer(t *testing.T) (*Server, *series.Store, *telemetry.Telemetry) {
	t.Helper()
	set, problems := rule.Compile([]byte(config))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	store, tell := series.New(0), telemetry.New()
	feed := rule.NewFeed(store, tell.Source("sent"))
	set.TakeOver(store, nil, map[string]*rule.Feed{"sent": feed})
	server, err := Listen("127.0.0.1", 0, feed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = server.packets.Close(), server.streams.Close() })
	return server, store, tell
}

func TestSamplesBecomeMetrics(t *testing.T) {
	server, store, _ := newServer(t)
	var sample Sample
	server.take(&sample, "api.hits:1|c|@0.5|#code:200\r\napi.hits:1|c\n\napi.cart.errors:2|c\napi.time:2000|ms|@0.25\napi.load:5|g\napi.load:-2|g\n")
	got := seriestest.New(t, store).Text()
	for _, want := range []string{
		`app_requests_total{code="200"} 2`, "app_requests_total 5", `app_errors_total{route="cart"} 2`,
		`app_request_duration_seconds_bucket{le="10"} 4`, "app_request_duration_seconds_sum 8", "app_load 3",
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
}

// Whatever a packet says: no panic, output that can be read, no more series than allowed, counters that don't fall.
func FuzzPacket(f *testing.F) {
	for _, packet := range []string{
		"api.hits:1|c|@0.1|#code:200", "api.time:1:2:3|ms|@0.001\napi.hits:1e308|c\napi.hits:1e308|c", "api.x.errors:-1|c",
		"api.load:+Inf|g\napi.load:NaN|g", "\x00:\xff|c", "api.time:1e300|h", ":::|||@@@###", "api.load:0x1p-2|g|#a:,b,:",
	} {
		f.Add(packet, "api.hits:1|c")
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		set, _ := rule.Compile([]byte(config))
		store := series.New(0)
		feed := rule.NewFeed(store, telemetry.New().Source("sent"))
		set.TakeOver(store, nil, map[string]*rule.Feed{"sent": feed})
		server := &Server{feed: feed, each: func(s *Sample, ev rule.Event) { feed.Sample(s, ev) }}
		watch := seriestest.New(t, store)
		var sample Sample
		for _, packet := range []string{one, other, one} {
			server.take(&sample, packet)
			watch.Check(30)
		}
	})
}
