package source

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// stored is what Prometheus keeps of a page: the value of each series, by name and labels.
func stored(t *testing.T, page string, rename func(labels.Labels) labels.Labels) map[string]float64 {
	t.Helper()
	parser, all := textparse.NewPromParser([]byte(page), labels.NewSymbolTable(), false), map[string]float64{}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("%v\n%s", err, page)
		}
		if entry == textparse.EntrySeries {
			var of labels.Labels
			parser.Labels(&of)
			_, _, value := parser.Series()
			all[fmt.Sprint(rename(of))] = value
		}
	}
}

// renamed is what the rules of the test make of a series: app_ in front, a label of another name.
func renamed(of labels.Labels) labels.Labels {
	b := labels.NewBuilder(labels.EmptyLabels())
	of.Range(func(l labels.Label) {
		switch l.Name {
		case labels.MetricName:
			b.Set(l.Name, "app_"+l.Value)
		case "id":
			b.Set("of", l.Value)
		case "le":
			b.Set(l.Name, l.Value)
		}
	})
	return b.Labels()
}

// application is one whose figures grow, start anew, come and go; id by id.
type application struct {
	*rand.Rand
	hits, level map[string]float64
	bounds      []string
	buckets     map[string][]float64 // not cumulative; the last is beyond all bounds
	sums        map[string]float64
}

// step lets something happen. Values are eighths, which floats hold exactly.
func (a *application) step() {
	for _, id := range slices.Sorted(maps.Keys(a.hits)) {
		a.hits[id] += float64(a.IntN(40)) / 8
		a.level[id] = []float64{float64(a.IntN(100)) / 8, math.NaN(), math.Inf(1), -3}[min(a.IntN(12), 3)]
		for range a.IntN(3) {
			a.buckets[id][a.IntN(len(a.bounds)+1)]++
			a.sums[id] += float64(a.IntN(80)) / 8
		}
	}
	if len(a.hits) < 5 && a.IntN(3) == 0 {
		id := fmt.Sprintf("i%d\\\"", len(a.hits))
		a.hits[id], a.level[id], a.buckets[id], a.sums[id] = float64(a.IntN(10)), 1, make([]float64, len(a.bounds)+1), 0
	}
}

// page is the text, each time in another order.
func (a *application) page() string {
	var lines []string
	put := func(name, id, more string, v float64) {
		pairs := []string{`id="` + id + `"`, `z="1"`, `empty=""`, more}
		pairs = slices.DeleteFunc(pairs, func(p string) bool { return p == "" })
		a.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
		lines = append(lines, fmt.Sprintf("%s{%s} %v", name, strings.Join(pairs, ","), v))
	}
	for id, hits := range a.hits {
		put("hits_total", id, "", hits)
		put("level", id, "", a.level[id])
		below := 0.0
		for i, bound := range a.bounds {
			below += a.buckets[id][i]
			put("took_bucket", id, `le="`+bound+`"`, below)
		}
		below += a.buckets[id][len(a.bounds)]
		put("took_bucket", id, `le="+Inf"`, below)
		put("took_count", id, "", below)
		put("took_sum", id, "", a.sums[id])
	}
	for range a.IntN(4) {
		lines = append(lines, []string{"# TYPE took histogram", "# TYPE hits_total counter", "# HELP level \\x", "other 1"}[a.IntN(4)])
	}
	a.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return strings.Join(lines, "\n") + "\n"
}

// What comes out is what Prometheus would have stored of the pages themselves under the same names.
func TestWhatComesOutIsWhatPrometheusWouldHaveStored(t *testing.T) {
	for seed := range uint64(150) {
		r := reads(t, "prometheus", `
- {source: stats, path: hits_total, metric: app_hits_total, labels: {of: "${id}"}}
- {source: stats, path: level, metric: app_level, labels: {of: "${id}"}}
- {source: stats, path: took, metric: app_took, labels: {of: "${id}"}}
`)
		random := rand.New(rand.NewPCG(seed, 3))
		a := &application{random, map[string]float64{}, map[string]float64{}, []string{"0.5", "1.0", "2.5"}, map[string][]float64{}, map[string]float64{}}
		for range 12 {
			a.step()
			page := a.page()
			r.page(page)
			want := stored(t, page, renamed)
			delete(want, `{__name__="app_other"}`)
			got := stored(t, r.watch.Text(), func(of labels.Labels) labels.Labels { return of })
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Fatalf("seed %d: got\n%v\nand Prometheus\n%v\nof\n%s", seed, got, want, page)
			}
		}
	}
}

// A counter that starts anew rises by what Prometheus' increase() makes of the page's own.
func TestCountersRiseByWhatTheirPagesIncrease(t *testing.T) {
	for seed := range uint64(150) {
		r := reads(t, "prometheus", "- {source: stats, path: hits_total, metric: app_hits_total}")
		random := rand.New(rand.NewPCG(seed, 4))
		last, total := map[string]float64{}, 0.0
		for range 20 {
			var page strings.Builder
			for id := range 4 {
				name := fmt.Sprint(id)
				if random.IntN(5) == 0 {
					continue // it isn't there this time
				}
				now := last[name] + float64(random.IntN(20))/8
				if random.IntN(6) == 0 {
					now = float64(random.IntN(8)) / 8
				}
				if now < last[name] {
					total += now
				} else {
					total += now - last[name]
				}
				last[name] = now
				fmt.Fprintf(&page, "hits_total{id=%q} %v\n", name, now)
			}
			r.page(page.String())
			if page.Len() > 0 {
				r.wants(fmt.Sprintf("app_hits_total %v", total))
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
