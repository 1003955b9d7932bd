package otlp

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
)

// What is pushed as deltas adds up to the totals, whatever is refused between; of a total whose start isn't known only the
// growth is told.
func TestDeltas(t *testing.T) {
	s := series.New(100)
	s.Lock()
	get := func(name string, kind series.Type, bounds []float64) *series.Series {
		made, err := s.Get(name, kind, nil, bounds, "")
		if err != nil {
			t.Fatal(err)
		}
		made.Begin(timestamppb.New(time.Unix(100, 0)))
		return made
	}
	hits, old, took := get("hits_total", series.Counter, nil), get("old_total", series.Counter, nil), get("took_seconds", series.Histogram, []float64{1})
	old.Begin(nil)
	if err := old.Add(1000); err != nil {
		t.Fatal(err)
	}
	s.Unlock()
	d, at := &deltas{}, int64(200)
	push := func(taken bool) string {
		at += 10
		now := timestamppb.New(time.Unix(at, 0))
		all := request(s.Offer(now), &resource.Resource{}, now).ResourceMetrics[0].ScopeMetrics[0].Metrics
		d.reduce(all)
		if taken {
			d.arrived()
			s.Taken(now)
		}
		return show(all)
	}
	grow := func(n float64) {
		s.Lock()
		defer s.Unlock()
		for _, err := range []error{hits.Add(n), old.Add(n), took.Observe(n, 1)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, want := range []string{
		"hits_total 100-210 1; took_seconds 100-210 1 [1 0]",
		"hits_total 210-220 2; old_total 210-220 2; took_seconds 210-220 2 [0 1]",
		"hits_total 210-230 5; old_total 210-230 5; took_seconds 210-230 5 [0 2]",
		"hits_total 230-240 4; old_total 230-240 4; took_seconds 230-240 4 [0 1]",
	} {
		grow(float64(i + 1))
		if got := push(i != 1); got != want {
			t.Errorf("push %d: %s\nand not %s", i, got, want)
		}
	}
	if got := push(true); !strings.Contains(got, "hits_total 240-250 0") {
		t.Error(got)
	}
}

func show(all []*metrics.Metric) string {
	var lines []string
	seconds := func(ns uint64) uint64 { return ns / 1e9 }
	for _, m := range all {
		for _, p := range m.GetSum().GetDataPoints() {
			lines = append(lines, fmt.Sprint(m.Name, " ", seconds(p.StartTimeUnixNano), "-", seconds(p.TimeUnixNano), " ", p.GetAsDouble()))
		}
		for _, p := range m.GetHistogram().GetDataPoints() {
			lines = append(lines, fmt.Sprint(m.Name, " ", seconds(p.StartTimeUnixNano), "-", seconds(p.TimeUnixNano), " ", p.GetSum(), " ", p.BucketCounts))
		}
	}
	return strings.Join(lines, "; ")
}
