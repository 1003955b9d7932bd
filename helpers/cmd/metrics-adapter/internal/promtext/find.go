package promtext

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Metric is a series, or all series of one histogram or summary.
type Metric struct {
	Labels []Label // without le
	Value  float64
	// Created is when the series began, in seconds since 1970; 0 if the page doesn't say.
	Created float64
	// Histogram is nil for a single series.
	Histogram *Histogram
}

// Histogram has cumulative buckets, as the page has. A summary has none.
type Histogram struct {
	Sum    float64
	Count  float64
	Bounds []float64 // rising, without +Inf
	Below  []float64
}

// Label is the value of a label, empty if there is none.
func (m Metric) Label(name string) string { return label(m.Labels, name) }

// Identity names the metric among those of its name: by the set of its labels.
func (m Metric) Identity() string { return identity(m.Labels) }

// Find returns what the page has under a name: the series of that name or, where there is none, the histograms or the
// summaries. Of a series that is there twice the first counts, as to Prometheus. Quantiles are those of a summary, which is
// its sum and its count otherwise.
func (p *Page) Find(name string, quantiles bool) []Metric {
	single := p.samples[name]
	if len(single) > 0 && (quantiles || !p.summary(name)) {
		return p.created(name, series(single))
	}
	buckets := p.samples[name+"_bucket"]
	if len(buckets) > 0 || p.samples[name+"_count"] != nil && p.samples[name+"_sum"] != nil {
		return p.created(name, p.histograms(name, buckets))
	}
	return nil
}

// created adds what OpenMetrics has about starts.
func (p *Page) created(name string, all []Metric) []Metric {
	starts := p.samples[strings.TrimSuffix(name, "_total")+"_created"]
	if len(starts) == 0 {
		return all
	}
	known := map[string]float64{}
	for _, s := range starts {
		known[identity(s.Labels)] = s.Value
	}
	for i := range all {
		all[i].Created = known[all[i].Identity()]
	}
	return all
}

func (p *Page) summary(name string) bool {
	if p.types[name] == "summary" {
		return true
	}
	return p.samples[name+"_count"] != nil && label(p.samples[name][0].Labels, "quantile") != ""
}

func series(samples []Sample) []Metric {
	all := make([]Metric, 0, len(samples))
	seen := map[string]bool{}
	for _, s := range samples {
		if m := (Metric{Labels: s.Labels, Value: s.Value}); !seen[m.Identity()] {
			seen[m.Identity()] = true
			all = append(all, m)
		}
	}
	return all
}

// bucket is one as the page has it.
type bucket struct{ bound, below float64 }

// assembly is a histogram in parts.
type assembly struct {
	labels     []Label
	sum, count float64
	counted    bool
	buckets    []bucket
}

func (p *Page) histograms(name string, buckets []Sample) []Metric {
	parts, order := map[string]*assembly{}, []*assembly(nil)
	of := func(labels []Label) *assembly {
		key := identity(labels)
		if parts[key] == nil {
			parts[key] = &assembly{labels: labels}
			order = append(order, parts[key])
		}
		return parts[key]
	}
	for _, s := range buckets {
		// Prometheus keeps a bucket whose bound cannot be read, and nobody can do anything with it.
		bound, ok := number(label(s.Labels, "le"))
		if !ok || math.IsNaN(bound) {
			continue
		}
		labels := slices.DeleteFunc(slices.Clone(s.Labels), func(l Label) bool { return l.Name == "le" })
		one := of(labels)
		one.buckets = append(one.buckets, bucket{bound, s.Value})
	}
	for _, m := range series(p.samples[name+"_sum"]) {
		of(m.Labels).sum = m.Value
	}
	for _, m := range series(p.samples[name+"_count"]) {
		one := of(m.Labels)
		one.count, one.counted = m.Value, true
	}
	all := make([]Metric, 0, len(order))
	for _, one := range order {
		if h, ok := one.histogram(); ok {
			all = append(all, Metric{Labels: one.labels, Histogram: h})
		}
	}
	return all
}

func (a *assembly) histogram() (*Histogram, bool) {
	h := &Histogram{Sum: a.sum, Count: a.count}
	slices.SortStableFunc(a.buckets, func(x, y bucket) int { return cmp.Compare(x.bound, y.bound) })
	for i, b := range a.buckets {
		switch {
		case math.IsInf(b.bound, 1):
			if !a.counted {
				h.Count, a.counted = b.below, true
			}
		case i == 0 || b.bound != a.buckets[i-1].bound:
			h.Bounds = append(h.Bounds, b.bound)
			h.Below = append(h.Below, b.below)
		}
	}
	return h, a.counted
}

func label(labels []Label, name string) string {
	for _, l := range labels {
		if l.Name == name {
			return l.Value
		}
	}
	return ""
}

func identity(labels []Label) string {
	var b strings.Builder
	for _, l := range labels {
		b.WriteString(strconv.Quote(l.Name))
		b.WriteString(strconv.Quote(l.Value))
	}
	return b.String()
}
