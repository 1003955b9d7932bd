package exposition

import (
	"strings"
	"testing"
	"time"
)

func TestText(t *testing.T) {
	var h Histogram
	for _, d := range []time.Duration{0, Bounds[0], Bounds[0] + 1, time.Hour} {
		h.Observe(d)
	}
	families := []Family[string]{
		{"up", "gauge", "1 while it is up.", func(o *Output, name string) { o.Flag(true, "name", name) }},
		{"queries_seconds", "summary", "Time of queries.", func(o *Output, _ string) { o.Summary(0.5, 3) }},
		{"wait_seconds", "histogram", "Time of waiting.", func(o *Output, name string) { o.Histogram(&h, "name", name) }},
	}
	got := string(Text(families, `a"b`))
	for _, want := range []string{
		"# HELP up 1 while it is up.\n# TYPE up gauge\nup{name=\"a\\\"b\"} 1\n",
		"# TYPE queries_seconds summary\nqueries_seconds_sum 0.5\nqueries_seconds_count 3\n",
		`wait_seconds_bucket{name="a\"b",le="0.00025"} 2` + "\n" + `wait_seconds_bucket{name="a\"b",le="0.0005"} 3` + "\n",
		`wait_seconds_bucket{name="a\"b",le="10"} 3` + "\n" + `wait_seconds_bucket{name="a\"b",le="+Inf"} 4` + "\n",
		`wait_seconds_sum{name="a\"b"} 3600.000500001` + "\n" + `wait_seconds_count{name="a\"b"} 4` + "\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	var h Histogram
	for b.Loop() {
		h.Observe(300 * time.Microsecond)
	}
}
