package source

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series/seriestest"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/telemetry"
)

// reading is rules and what comes of pages.
type reading struct {
	t     *testing.T
	feed  *rule.Feed
	tell  *telemetry.Telemetry
	watch *seriestest.Watch
}

// reads compiles rules for the source stats.
func reads(t *testing.T, kind, rules string) *reading {
	t.Helper()
	set, problems := rule.Compile([]byte(fmt.Sprintf("sources: [{name: stats, type: %s, %s: {url: 'http://127.0.0.1/'}}]\nrules:\n%s", kind, kind, rules)))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	store, tell := series.New(0), telemetry.New()
	feed := rule.NewFeed(store, tell.Source("stats"))
	set.TakeOver(store, nil, map[string]*rule.Feed{"stats": feed})
	return &reading{t, feed, tell, seriestest.New(t, store)}
}

func (r *reading) json(body string) {
	r.t.Helper()
	document, err := parseJSON([]byte(body))
	if err != nil {
		r.t.Fatal(err)
	}
	r.feed.Page(func(of *rule.Rule) []rule.Finding { return findJSON(of, document) })
}

// wants compares all series, comments and buckets left out.
func (r *reading) wants(lines ...string) {
	r.t.Helper()
	var got []string
	for line := range strings.SplitSeq(strings.TrimSpace(r.watch.Text()), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") && !strings.Contains(line, "_bucket{") {
			got = append(got, line)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(lines) {
		r.t.Errorf("got\n\t%s\nand not\n\t%s", strings.Join(got, "\n\t"), strings.Join(lines, "\n\t"))
	}
}

// dropped is what was found and not taken, for a reason.
func (r *reading) dropped(reason string) (n float64) {
	r.t.Helper()
	families, err := r.tell.Gather()
	if err != nil {
		r.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "adapter_dropped_samples_total" && m.GetLabel()[0].GetValue() == reason {
				n = m.GetCounter().GetValue()
			}
		}
	}
	return n
}

// A page that doesn't change lets no counter rise, whatever the order in which its members are added up.
func TestAPageThatDoesNotChangeCountsOnce(t *testing.T) {
	for _, path := range []string{"workers.*.seconds", "sum(workers.*.seconds)", "items(workers)[*].{seconds: [1].seconds}"} {
		value := ""
		if strings.HasPrefix(path, "items") {
			value = ", value: seconds"
		}
		r := reads(t, "json", fmt.Sprintf("- {source: stats, path: '%s', emit: [{metric: app_busy_seconds_total%s}]}", path, value))
		var body strings.Builder
		random, sum := rand.New(rand.NewPCG(1, 2)), 0.0
		for i := range 12 {
			seconds := random.Float64() * 100
			sum += seconds
			fmt.Fprintf(&body, `, "w%d": {"seconds": %v}`, i, seconds)
		}
		for range 50 {
			r.json(`{"workers": {` + body.String()[1:] + "}}")
		}
		var shown float64
		for line := range strings.Lines(r.watch.Text()) {
			_, _ = fmt.Sscanf(line, "app_busy_seconds_total %g", &shown)
		}
		if shown < sum*(1-1e-12) || shown > sum*(1+1e-12) {
			t.Errorf("%s: %v of %v", path, shown, sum)
		}
	}
}

func TestEachMemberStartsAnewByItself(t *testing.T) {
	for _, c := range []struct {
		path  string
		pages []string
		want  string
	}{
		{"workers[*].n", []string{`[{"n":1000},{"n":1000},{"n":1000},{"n":1000}]`, `[{"n":1000},{"n":1000},{"n":1000},{"n":5}]`}, "4005"},
		{"workers[*].n, identity: id", []string{`[{"id":1,"n":10},{"id":2,"n":20}]`, `[{"id":2,"n":20}]`, `[{"id":2,"n":21},{"id":1,"n":11}]`}, "32"},
		{"workers[*].{v: n}, identity: id", []string{`[{"id":"a","n":10},{"id":"b","n":20}]`, `[{"id":"b","n":3},{"id":"a","n":10}]`}, "33"},
		{"workers.*.n", []string{`{"a":{"n":10},"b":{"n":20}}`, `{"b":{"n":20},"c":{"n":1}}`, `{"a":{"n":12},"c":{"n":1}}`}, "33"},
	} {
		value := "n"
		if strings.Contains(c.path, "{v:") {
			value = "v"
		}
		path, identity, _ := strings.Cut(c.path, ", ")
		emit := "{metric: app_x_total}"
		if value == "v" {
			emit = "{metric: app_x_total, value: v}"
		}
		if identity != "" {
			identity += ", "
		}
		r := reads(t, "json", fmt.Sprintf("- {source: stats, path: '%s', %semit: [%s]}", path, identity, emit))
		for _, page := range c.pages {
			r.json(`{"workers": ` + page + "}")
			r.json(`{"workers": ` + page + "}")
		}
		r.wants("app_x_total " + c.want)
	}
}

// What isn't known is absent, counted, and keeps nothing else from being shown.
func TestWhatIsNoNumberIsAbsent(t *testing.T) {
	r := reads(t, "json", `
- {source: stats, path: queue, metric: app_queue}
- {source: stats, path: ratio, metric: app_ratio}
- {source: stats, path: used / max, metric: app_used_ratio}
- {source: stats, path: "pools.*.used", metric: app_pool_used}
- {source: stats, path: lag, metric: app_lag}
- {source: stats, path: hits, metric: app_hits_total}
`)
	r.json(`{"queue": 3, "ratio": 0.5, "used": 1, "max": 2, "pools": {"a": {"used": 1}, "b": {"used": 2}}, "lag": 4, "hits": 5}`)
	all := []string{"app_hits_total 5", "app_lag 4", "app_pool_used 3", "app_queue 3", "app_ratio 0.5", "app_used_ratio 0.5"}
	r.wants(all...)
	r.json(`{"queue": 3, "ratio": NaN, "used": 1, "max": 0, "pools": {"a": {"used": 1}, "b": {"used": "N/A"}}, "lag": {"NaN": -Infinity}, "hits": NaN}`)
	r.wants("app_hits_total 5", "app_queue 3")
	if n := r.dropped("not_a_number"); n != 5 {
		t.Errorf("%v dropped", n)
	}
	r.json(`{"queue": 3, "ratio": 0.5, "used": 1, "max": 2, "pools": {"a": {"used": 1}, "b": {"used": 2}}, "lag": 4, "hits": 5}`)
	r.wants(all...)
	r.json(`{"queue": "\"NaN", "lag": "\\", "ratio": NaN, "hits": "6"}`)
	r.wants("app_hits_total 6")
}

func TestArithmeticAndUnits(t *testing.T) {
	r := reads(t, "json", `
- {source: stats, path: "pool.used / pool.max", metric: app_pool_used_ratio}
- {source: stats, path: latency, metric: app_latency_seconds}
- {source: stats, path: "{size: heap}", emit: [{metric: app_heap_bytes, value: size}]}
`)
	r.json(`{"pool": {"used": 3, "max": 4}, "latency": "250ms", "heap": "2MiB"}`)
	r.wants("app_heap_bytes 2.097152e+06", "app_latency_seconds 0.25", "app_pool_used_ratio 0.75")
}

// Of several rules that make one gauge none has the last word.
func TestGaugesOfSeveralRules(t *testing.T) {
	for aggregation, want := range map[string][2]string{
		"": {"7", "3"}, "aggregation: sum": {"7", "3"}, "aggregation: min": {"3", "3"}, "aggregation: max": {"4", "3"}, "aggregation: avg": {"3.5", "3"},
	} {
		r := reads(t, "json", fmt.Sprintf("- {source: stats, path: a, metric: app_x, %s}\n- {source: stats, path: b, metric: app_x, %s}", aggregation, aggregation))
		for range 3 {
			r.json(`{"a": 3, "b": 4}`)
			r.wants("app_x " + want[0])
		}
		r.json(`{"a": 3}`)
		r.wants("app_x " + want[1])
		r.feed.NoPage()
		r.wants()
	}
}

func TestWhatOnePathFindsIsAggregated(t *testing.T) {
	r := reads(t, "json", "- {source: stats, path: '[*].n', metric: app_x, aggregation: avg}\n- {source: stats, path: '[*].n', metric: app_y, aggregation: max}\n")
	r.json(`[{"n": 1}, {"n": 2}, {"n": 6}]`)
	r.wants("app_x 3", "app_y 6")
}
