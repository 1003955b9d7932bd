package source

import (
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/promtext"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
)

func readPrometheus(ctx context.Context, p *page, feed *rule.Feed) error {
	body, err := p.fetch(ctx)
	if err != nil {
		return err
	}
	read := promtext.Parse(string(body))
	if read.Bad > 0 && read.Read == 0 {
		return errors.New("the page is not Prometheus text")
	}
	for range read.Bad {
		feed.Unmatched()
	}
	feed.Page(func(r *rule.Rule) []rule.Finding { return findPrometheus(r, read) })
	return nil
}

func findPrometheus(r *rule.Rule, page *promtext.Page) []rule.Finding {
	metrics := found(r, page)
	findings := make([]rule.Finding, len(metrics))
	for i, m := range metrics {
		f := rule.Finding{Identity: m.Identity(), Value: m.Value, Groups: make([]string, len(r.Groups()))}
		if m.Created > 0 && m.Created < math.MaxInt32 {
			f.Began = timestamppb.New(time.UnixMilli(int64(m.Created * 1000)))
		}
		if m.Histogram != nil {
			f.Totals = totals(m.Histogram)
		}
		for at, name := range r.Groups() {
			f.Groups[at] = m.Label(name)
			if f.Groups[at] == "" && name == "value" {
				f.Groups[at] = strconv.FormatFloat(m.Value, 'g', -1, 64)
			}
		}
		findings[i] = f
	}
	return findings
}

// found is what the rule's path leads to. Of a pair, each series goes with the one that has the same labels.
func found(r *rule.Rule, page *promtext.Page) []promtext.Metric {
	quantiles := slices.Contains(r.Groups(), "quantile")
	if r.Pair == nil {
		return page.Find(r.Path, quantiles)
	}
	others := map[string]promtext.Metric{}
	for _, m := range page.Find(r.Pair.Right, quantiles) {
		others[m.Identity()] = m
	}
	var results []promtext.Metric
	for _, m := range page.Find(r.Pair.Left, quantiles) {
		other, there := others[m.Identity()]
		if there && m.Histogram == nil && other.Histogram == nil {
			results = append(results, promtext.Metric{Labels: m.Labels, Value: r.Pair.Of(m.Value, other.Value)})
		}
	}
	return results
}

// totals count each observation in one bucket.
func totals(h *promtext.Histogram) *rule.Totals {
	t := &rule.Totals{Sum: h.Sum, Bounds: h.Bounds}
	below := 0.0
	for _, b := range h.Below {
		t.Counts = append(t.Counts, b-below)
		below = b
	}
	t.Counts = append(t.Counts, h.Count-below)
	return t
}
