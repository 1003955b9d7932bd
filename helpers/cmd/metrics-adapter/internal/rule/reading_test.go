package rule

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

const pages = `
sources:
- {name: stats, type: prometheus, prometheus: {url: "http://127.0.0.1/metrics"}}
rules:
`

// page is a page of the application: a value for each identity.
type page map[string]float64

func (a *adapter) reads(p page) {
	a.t.Helper()
	a.feeds["stats"].Page(func(r *Rule) []Finding {
		var all []Finding
		for identity, v := range p {
			groups := make([]string, len(r.groups))
			for i := range groups {
				groups[i] = identity
			}
			all = append(all, Finding{Groups: groups, Identity: identity, Value: v})
		}
		return all
	})
	a.watch.Check(math.MaxInt)
}

func TestTotals(t *testing.T) {
	a := newAdapter(t, custom(pages+`- {source: stats, path: x, metric: app_x_total}`, "app_x_total counter"))
	a.reads(page{"a": 10})
	a.wants("app_x_total 10") // counted in full
	a.reads(page{"a": 12})
	a.reads(page{"a": 12})
	a.wants("app_x_total 12")
	a.reads(page{"a": 3}) // started anew
	a.wants("app_x_total 15")
	a.reads(page{"a": 4, "b": 100})
	a.wants("app_x_total 116")
	a.reads(page{"b": 101}) // a is gone: nothing falls
	a.wants("app_x_total 117")
	a.reads(page{"a": 6, "b": 101}) // and back
	a.wants("app_x_total 119")
	a.feeds["stats"].NoPage()
	a.wants("app_x_total 119")
	a.reads(page{"a": 7, "b": 101})
	a.wants("app_x_total 120")
	a.reads(page{"a": -1, "b": math.NaN()})
	a.wants("app_x_total 120")
	a.wantsOwn(`adapter_dropped_samples_total{reason="negative",source="stats"} 1`)
}

func TestLevelsGoWithTheirPage(t *testing.T) {
	a := newAdapter(t, custom(pages+`- {source: stats, path: x, metric: app_x, labels: {id: "${id}"}}
- {source: stats, path: x, metric: app_y, scale: -2}
`, "app_x gauge", "app_y gauge"))
	a.reads(page{"a": 1, "b": 2})
	a.wants(`app_x{id="a"} 1`, `app_x{id="b"} 2`, "app_y -6")
	a.reads(page{"b": 3})
	a.wants(`app_x{id="b"} 3`, "app_y -6")
	a.feeds["stats"].NoPage()
	a.wants()
	a.reads(page{"a": 1})
	a.wants(`app_x{id="a"} 1`, "app_y -2")
}

func TestAChangedConfigurationCountsNothingTwice(t *testing.T) {
	before := custom(pages+`- {source: stats, path: x, metric: app_x_total, labels: {id: "${id}"}}
- {source: stats, path: x, metric: app_y}
`, "app_x_total counter", "app_y gauge")
	a := newAdapter(t, before)
	a.reads(page{"a": 10})
	a.configure(before)
	a.wants(`app_x_total{id="a"} 10`, "app_y 10")
	a.feeds["stats"] = NewFeed(a.store, a.tell.Source("stats")) // as when its interval is changed
	a.configure(before)
	a.reads(page{"a": 11})
	a.wants(`app_x_total{id="a"} 11`, "app_y 11")

	// The rule changes, its series doesn't: it goes on from what is found first. The gauge comes with the next page.
	a.configure(custom(pages+`- {source: stats, path: other, metric: app_x_total, labels: {id: "${id}"}, scale: 10}
- {source: stats, path: z, metric: app_y}
`, "app_x_total counter", "app_y gauge"))
	a.wants(`app_x_total{id="a"} 11`)
	a.feeds["stats"].NoPage() // doesn't use the first reading up
	a.reads(page{"a": 12})
	a.wants(`app_x_total{id="a"} 11`, "app_y 12")
	a.reads(page{"a": 13, "new": 1})
	a.wants(`app_x_total{id="a"} 21`, `app_x_total{id="new"} 10`, "app_y 14")

	// Other labels are other series.
	a.configure(custom(pages+`- {source: stats, path: other, metric: app_x_total, labels: {other: "${id}"}}`, "app_x_total counter"))
	a.watch.Forget()
	a.wants()
	a.reads(page{"a": 13})
	a.wants(`app_x_total{other="a"} 13`)
}

func TestHistogramsOfPages(t *testing.T) {
	text := custom(pages+`
- {source: stats, path: x, metric: app_x_seconds, scale: 0.001}
- {source: stats, path: x, metric: app_unknown_seconds}
`, "app_x_seconds histogram")
	a := newAdapter(t, text)
	read := func(totals Totals) {
		a.feeds["stats"].Page(func(*Rule) []Finding { return []Finding{{Totals: &totals}} })
		a.watch.Check(math.MaxInt)
	}
	read(Totals{5000, []float64{1000, 2000}, []float64{1, 2, 3}})
	read(Totals{7000, []float64{1000, 2000}, []float64{2, 2, 3}})
	want := []string{
		"app_unknown_seconds_sum 7000", "app_unknown_seconds_count 7", "app_x_seconds_sum 7", "app_x_seconds_count 7",
	}
	a.wants(want...)
	a.configure(text) // of another type than its name says, and yet the same
	a.wants(want...)
	read(Totals{1000, []float64{1000, 2000}, []float64{1, 0, 0}}) // started anew
	a.wants("app_unknown_seconds_sum 8000", "app_unknown_seconds_count 8", "app_x_seconds_sum 8", "app_x_seconds_count 8")
	a.watch.Forget() // other buckets are other series
	read(Totals{2000, []float64{1000, 3000}, []float64{1, 1, 0}})
	a.wants("app_unknown_seconds_sum 10000", "app_unknown_seconds_count 10", "app_x_seconds_sum 10", "app_x_seconds_count 10")
	a.wantsBuckets("app_x_seconds", `{le="1"} 4`, `{le="3"} 7`, `{le="+Inf"} 10`)
	a.reads(page{"a": 1})
	a.wantsOwn(`adapter_dropped_samples_total{reason="type",source="stats"} 2`)
}

// wantsBuckets compares a histogram's.
func (a *adapter) wantsBuckets(name string, buckets ...string) {
	a.t.Helper()
	text := a.watch.Text()
	for _, bucket := range buckets {
		if !strings.Contains(text, name+"_bucket"+bucket+"\n") {
			a.t.Errorf("no %s in\n%s", bucket, text)
		}
	}
}

// Buckets of two processes that fall together cannot be added up.
func TestHistogramsOfOtherBucketsDoNotFallTogether(t *testing.T) {
	a := newAdapter(t, pages+"- {source: stats, path: x, metric: app_x_seconds}")
	for range 3 {
		a.feeds["stats"].Page(func(*Rule) []Finding {
			return []Finding{
				{Identity: "a", Totals: &Totals{1, []float64{1}, []float64{1, 0}}},
				{Identity: "b", Totals: &Totals{1, []float64{2}, []float64{1, 0}}},
			}
		})
	}
	a.wants("app_x_seconds_sum 1", "app_x_seconds_count 1")
	a.wantsOwn(`adapter_dropped_samples_total{reason="buckets",source="stats"} 3`)
}

func TestSumAndCountMakeAHistogram(t *testing.T) {
	a := newAdapter(t, custom(pages+`
- {source: stats, path: sum, metric: app_x_seconds_sum, scale: 0.001}
- {source: stats, path: count, metric: app_x_seconds_count}
`, "app_x_seconds histogram"))
	a.reads(page{"a": 1500})
	a.wants("app_x_seconds_sum 1.5", "app_x_seconds_count 1500")

	// They go into buckets that there are for another reason.
	a = newAdapter(t, custom(pages+`
- {source: stats, path: x, metric: app_x_seconds}
- {source: stats, path: sum, metric: app_x_seconds_sum}
- {source: stats, path: count, metric: app_x_seconds_count}
`, "app_x_seconds histogram"))
	a.feeds["stats"].Page(func(r *Rule) []Finding {
		if r.Path == "x" {
			return []Finding{{Totals: &Totals{3, []float64{1}, []float64{1, 1}}}}
		}
		return []Finding{{Value: 4}}
	})
	a.wants("app_x_seconds_sum 7", "app_x_seconds_count 6")
}

// What a counter shows is the sum of all that its totals have risen by, whatever comes and goes and starts anew.
func TestCountersShowEveryIncreaseOnce(t *testing.T) {
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 7))
		config := custom(pages+`- {source: stats, path: x, metric: app_x_total}`, "app_x_total counter")
		a := newAdapter(t, config)
		p, want := page{}, 0.0
		for range 50 {
			switch random.IntN(10) {
			case 0: // one starts anew
				for identity := range p {
					if grown := float64(random.IntN(int(p[identity]) + 1)); grown < p[identity] {
						p[identity] = grown
						want += grown
					}
					break
				}
			case 1: // a new one
				identity := fmt.Sprint(len(p))
				p[identity] = float64(random.IntN(100))
				want += p[identity]
			case 2:
				a.feeds["stats"].NoPage()
				continue
			case 3:
				a.configure(config)
				continue
			default:
				for identity := range p {
					more := float64(random.IntN(5))
					p[identity] += more
					want += more
				}
			}
			a.reads(p)
			if len(p) > 0 {
				a.wants(fmt.Sprintf("app_x_total %v", want))
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
