package rule

import (
	"testing"
)

// Whatever a log says: no panic, output that can be read, no more series than allowed, counters that don't fall.
func FuzzLine(f *testing.F) {
	for _, line := range []string{
		"GET /a 200 12.5ms", "GET /a 500 1e308ms x", "GET /a -1 0ms \xff\x00\n\\\"", "GET / 9 999.999.9ms", "", "\x00",
		"é é 1 1ms é",
	} {
		f.Add(line, "GET /a 200 1ms")
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		a := newAdapter(t, `metrics: {maxSeries: 40}
contract: {name: red/v1, buckets: [1, 10]}`+logSource+`
  - {metric: app_requests_total, labels: {code: "${code}", tag: "${tag}"}, value: code}
  - {metric: app_errors_total, labels: {method: "${method}"}, when: "code >= 500 || method == \"x\""}
  - {metric: app_request_duration_seconds, value: ms, scale: 0.001}
  - {metric: app_last_seconds, value: ms}
`)
		for _, line := range []string{one, other, one} {
			a.feeds["access"].Line(line)
			a.watch.Check(40)
		}
	})
}

// Whatever the configuration is: no panic, and what is taken can be put into effect.
func FuzzCompile(f *testing.F) {
	for _, c := range refused {
		f.Add([]byte(c[0]))
	}
	f.Add([]byte(`contract: {name: red/v1}` + logSource + `  - {metric: app_requests_total}
  - {metric: app_errors_total, when: "code > 3 && !(method == \"a\")"}
  - {metric: app_request_duration_seconds, value: ms}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		_, problems := Compile(text)
		if problems.Err() != nil {
			return
		}
		a := newAdapter(t, string(text))
		for _, feed := range a.feeds {
			if feed.rules != nil && feed.rules[0].regex != nil {
				feed.Line("GET /a 200 12.5ms")
			}
		}
		a.configure(string(text))
		a.watch.Check(max(a.set.Metrics.MaxSeries, 0))
		a.set.Missing(a.store)
	})
}
