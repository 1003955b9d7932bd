// Package contract knows the monitoring models: which metrics must come out, of which type, with which labels.
package contract

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
)

// Custom is the name of a contract whose metrics the spec lists.
const Custom = "custom"

// Metric is one that must be there.
type Metric struct {
	Name   string
	Type   series.Type
	Labels []string  // that each of its series must have
	Bounds []float64 // of a histogram's buckets
	Help   string
}

// Contract is the model and the labels put on everything.
type Contract struct {
	Name    string
	Labels  map[string]string
	Metrics []Metric
	bounds  []float64
}

// builtin: red/v1 is the RED method of services (rate, errors, duration), use/v1 the USE method of resources
// (utilization, saturation, errors).
var builtin = map[string][]Metric{
	"red/v1": {
		{Name: "app_requests_total", Type: series.Counter, Help: "Requests that the application served, failed ones included."},
		{Name: "app_errors_total", Type: series.Counter, Help: "Requests that failed."},
		{Name: "app_request_duration_seconds", Type: series.Histogram, Help: "How long the requests took."},
	},
	"use/v1": {
		{Name: "app_resource_utilization_ratio", Type: series.Gauge, Labels: []string{"resource"}, Help: "The share of the resource that is in use, from 0 to 1."},
		{Name: "app_resource_saturation", Type: series.Gauge, Labels: []string{"resource"}, Help: "The work that waits for the resource: the length of its queue."},
		{Name: "app_resource_errors_total", Type: series.Counter, Labels: []string{"resource"}, Help: "Operations on the resource that failed."},
	},
}

// wellKnown are the metrics of the built-in contracts, without what these demand.
var wellKnown = func() (all []Metric) {
	for _, name := range []string{"red/v1", "use/v1"} {
		for _, m := range builtin[name] {
			m.Labels = nil
			all = append(all, m)
		}
	}
	return all
}()

// Of reads the contract of a spec.
func Of(s spec.Contract, problems *spec.Problems) Contract {
	c := Contract{Name: s.Name, Labels: s.Labels, bounds: s.Buckets}
	if len(s.Buckets) == 0 {
		c.bounds = prometheus.DefBuckets
	}
	validateBounds("contract.buckets", c.bounds, problems)
	metrics, known := builtin[s.Name]
	switch {
	case s.Name == "" && len(s.Metrics) == 0: // nothing is demanded
	case s.Name == Custom:
		metrics = custom(s.Metrics, problems)
	case !known:
		problems.Add("contract.name", "must be red/v1, use/v1 or custom; without one nothing is demanded")
	case len(s.Metrics) > 0:
		problems.Add("contract.metrics", "belongs to the contract custom; %s has its own", s.Name)
	}
	for _, m := range metrics {
		if m.Type == series.Histogram && len(m.Bounds) == 0 {
			m.Bounds = c.bounds
		}
		c.Metrics = append(c.Metrics, m)
	}
	return c
}

func custom(declared []spec.ContractMetric, problems *spec.Problems) []Metric {
	if len(declared) == 0 {
		problems.Add("contract.metrics", "the contract custom needs one at least")
	}
	var metrics []Metric
	for i, d := range declared {
		field := fmt.Sprintf("contract.metrics[%d]", i)
		m := Metric{Name: d.Name, Type: series.Type(d.Type), Labels: d.Labels, Bounds: d.Buckets, Help: d.Help}
		switch {
		case !model.LegacyValidation.IsValidMetricName(d.Name):
			problems.Add(field+".name", "must be a metric's name such as app_requests_total")
			continue
		case m.Type != series.Counter && m.Type != series.Gauge && m.Type != series.Histogram:
			problems.Add(field+".type", "must be counter, gauge or histogram")
			continue
		case m.Type != series.Histogram && len(d.Buckets) > 0:
			problems.Add(field+".buckets", "only a histogram has buckets")
		case slices.ContainsFunc(metrics, func(other Metric) bool { return other.Name == m.Name }):
			problems.Add(field+".name", "%s is there already", m.Name)
			continue
		}
		validateBounds(field+".buckets", d.Buckets, problems)
		lint(field+".name", m.Name, m.Type, problems)
		metrics = append(metrics, m)
	}
	return metrics
}

func validateBounds(field string, bounds []float64, problems *spec.Problems) {
	for i, b := range bounds {
		if math.IsNaN(b) || math.IsInf(b, 0) || i > 0 && b <= bounds[i-1] {
			problems.Add(field, "must be rising numbers; +Inf is added")
			return
		}
	}
}

// Part says what of a metric a rule gives.
type Part int

const (
	Whole Part = iota
	// Sum and Count are given apart where a source knows only totals, as <histogram>_sum and <histogram>_count.
	Sum
	Count
)

// Target is the meaning of a name in a rule.
type Target struct {
	Metric
	Part Part
	// Known tells that the contract has the metric, and with it the type.
	Known bool
}

// Target finds it: a metric of the contract or a part of one; otherwise a name with _total is a counter, and any other
// a gauge. Without a contract a name of the built-in ones means what it does there.
func (c Contract) Target(name string) Target {
	for _, m := range c.Metrics {
		switch {
		case m.Name == name:
			return Target{m, Whole, true}
		case m.Type == series.Histogram && name == m.Name+"_sum":
			return Target{m, Sum, true}
		case m.Type == series.Histogram && name == m.Name+"_count":
			return Target{m, Count, true}
		}
	}
	if c.Name == "" {
		for _, m := range wellKnown {
			if target := (Contract{Name: Custom, Metrics: []Metric{m}}).Target(name); target.Known {
				target.Bounds = c.bounds
				return target
			}
		}
	}
	kind := series.Gauge
	if strings.HasSuffix(name, "_total") {
		kind = series.Counter
	}
	return Target{Metric: Metric{Name: name, Type: kind}}
}

// Help is a metric's description, for those that the contract knows.
func (c Contract) Help(name string) string { return c.Target(name).Help }

// Missing is something that the contract wants and isn't there.
type Missing struct {
	Metric string `json:"metric"`
	Reason string `json:"reason"`
}
