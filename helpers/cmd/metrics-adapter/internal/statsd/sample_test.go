package statsd

import (
	"fmt"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/receiver"
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

// The lines of statsd_exporter's own tests (pkg/line), with what it makes of them. Differences have a reason.
func TestLinesOfStatsdExporter(t *testing.T) {
	const tags = " tag1=bar tag2=baz"
	for line, want := range map[string]string{
		"foo:2|c": "foo c2", "foo:3|g": "foo g3", "foo:3|g|@0.2": "foo g3", "foo:-10|g": "foo +-10", "foo:200|ms": "foo 0.2x1",
		"foo:200|h": "foo 200x1", "foo:200|d": "foo 200x1", "foo.timing:0.5|ms|@0.1": "foo.timing 0.0005x10",
		"foo:0.01|d|@0.2|#tag1:bar,tag2:baz":                  "foo 0.01x5" + tags,
		"foo:0.01|h|@0.2|#tag1:bar,#tag2:baz":                 "foo 0.01x5" + tags,
		"foo#tag1=bar,tag2=baz:100|c":                         "foo c100" + tags,
		"foo,tag1=bar,tag2=baz:100|c":                         "foo c100" + tags,
		"foo.[tag1=bar,tag2=baz]test:100|c":                   "foo.test c100" + tags,
		"foo.test[tag1=bar,tag2=baz]:100|c":                   "foo.test c100" + tags,
		"[tag1=bar,tag2=baz]foo.test:100|c":                   "foo.test c100" + tags,
		"foo.[]test:100|c":                                    "foo.test c100",
		"foo.[tag1,tag2]test:100|c":                           "foo.test c100",
		"[tag1=bar,tag2=bazfoo.test:100|c":                    "[tag1=bar,tag2=bazfoo.test c100",
		"tag1=bar,tag2=baz]foo.test:100|c":                    "tag1=bar,tag2=baz]foo.test c100",
		"foo:100|c|#tag1:bar,tag2:baz":                        "foo c100" + tags,
		"foo:100|c|#tag1:bar,#tag2:baz":                       "foo c100" + tags,
		"foo:100|c|#tag_without_a_value":                      "foo c100",
		"foo:100|c|#tag_without_a_value,tag1:value":           "foo c100 tag1=value",
		"foo:100|c|#tag1:value,,":                             "foo c100 tag1=value",
		"foo:100|c|@0.1|#tag1:bar,#tag2:baz":                  "foo c1000" + tags,
		"foo:100|c|@0.1|#tag1:foo:bar":                        "foo c1000 tag1=foo:bar",
		"foo#tag1=foo,tag3=bing:100|c|#tag1:bar,#tag2:baz":    "-",
		"foo[tag1=foo,tag3=bing]:100|c|#tag1:bar,#tag2:baz":   "-",
		"foo,tag1=foo,tag3=bing:100|c|#tag1:bar,#tag2:baz":    "-",
		"foo#tag1=foo,tag3=bing:100|c|@0.1|#tag1:b,#tag2:baz": "-",
		"foo:100|c|@0.1|#tag:\xc3\x28invalid":                 "-",
		"foo:100|c|@0.1|#tag1:valid,tag2:\xc3\x28invalid":     "-",
		"invalid\xc3\x28utf8:1|c":                             "-",
		"foo_timing:0.5:120:3000|ms|#tag1:bar,tag2:baz":       "foo_timing 0.0005x1" + tags + "; foo_timing 0.12x1" + tags + "; foo_timing 3x1" + tags,
		"foo_timing:0.5:120|ms|@0.5":                          "foo_timing 0.0005x2; foo_timing 0.12x2",
		"foo:200|ms:300|ms:5|c|@0.1:6|g":                      "foo 0.2x1; foo 0.3x1; foo c50; foo g6",
		"foo":                                                 "-", "foo:1": "-", "foo:1o|c": "-", "foo:2|t": "-", ":100|ms": "-", "foo:1|c|": "-", "foo:1|s": "-",
		"k.c.cpu_idle_second:  0.111090  -0.055903  -0.195390 (  2.419002)": "-",
		"|h|#consumer:Kafka::SharedConfigurationConsumer,topic:update":      "-",
		"foo:100|c|#tag1:value|c:container123":                              "foo c100 tag1=value",
		"foo:1000|ms|#tag1:value|c:timer_container":                         "foo 1x1 tag1=value",
		"foo:100|c|#tag1:value|c":                                           "-",
		"foo:100|c|#tag1:value|c:":                                          "-",
		"foo:100|c|#tag1:value|c:sha256:abcd1234efgh5678":                   "foo c100 tag1=value",
		"foo:200|h|@0.5|#tag1:prod|c:container_hist":                        "foo 200x2 tag1=prod",
		"foo:100|c|@0.1|#tag1:value|c:container|extra:component":            "-",
		"page.views:15|c|#tag1:dev|T1656581400":                             "page.views c15 tag1=dev",
		"foo:42|c|T1656581400":                                              "foo c42",
		"requests:100|c|@0.1|#tag1:web|c:abc123|T1656581400":                "requests c1000 tag1=web",
		"foo:100|c|#tag1:val|Tnot-a-ts":                                     "foo c100 tag1=val",
		"foo:100|c|#tag1:val|T":                                             "foo c100 tag1=val",

		// It takes a rate that cannot be one for 1; the number would be wrong.
		"foo:1|c|@bar": "-", "foo:2|c|@0": "-",
		// It takes several values in one of timers alone; the meaning of others is as clear.
		"foo:1:2|c": "foo c1; foo c2",
		// To it a container without tags is another metric.
		"foo:1|c|c:abc": "foo c1",
	} {
		var got []string
		var sample Sample
		sample.Parse(line, func(s *Sample, ev rule.Event) {
			text := s.Name() + map[rule.Kind]string{rule.Count: " c", rule.Level: " g", rule.Single: " "}[ev.Kind]
			if ev.Kind == rule.Count && strings.Contains(line, "|g") && ev.Value < 0 {
				text = s.Name() + " +"
			}
			text += fmt.Sprint(ev.Value)
			if ev.Kind == rule.Single {
				text += fmt.Sprint("x", ev.Weight)
			}
			for _, tag := range []string{"tag1", "tag2"} {
				if value := s.Group(nil, tag); value != "" {
					text += " " + tag + "=" + value
				}
			}
			got = append(got, text)
		})
		if got == nil {
			got = []string{"-"}
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

func newHandler(t *testing.T) (receiver.Handler, *series.Store) {
	t.Helper()
	set, problems := rule.Compile([]byte(config))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	store := series.New(0)
	feed := rule.NewFeed(store, telemetry.New().Source("sent"))
	set.TakeOver(store, nil, map[string]*rule.Feed{"sent": feed})
	return NewHandler(feed), store
}

func TestSamplesBecomeMetrics(t *testing.T) {
	handler, store := newHandler(t)
	handler.Packet("api.hits:1|c|@0.5|#code:200\r\napi.hits:1|c\n\napi.cart.errors:2|c\napi.time:2000|ms|@0.25\napi.load:5|g\napi.load:-2|g\n")
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
		handler, store := newHandler(t)
		watch := seriestest.New(t, store)
		for _, packet := range []string{one, other, one} {
			handler.Packet(packet)
			watch.Check(30)
		}
	})
}
