package contract

import (
	"fmt"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
)

// Check says which names of the rules clash, and what the contract demands that no rule can make. It warns of names that
// are off Prometheus's conventions.
func (c Contract) Check(s spec.Spec, problems *spec.Problems) {
	made := map[string]bool{}    // names as the rules have them
	owner := map[string]string{} // from each name in OpenMetrics text to the metric that has it
	how := map[string]string{}   // from each gauge to how it is aggregated
	for i, rule := range s.Rules {
		for field, e := range rule.Emissions(fmt.Sprintf("rules[%d]", i)) {
			target := c.Target(e.Metric)
			if !made[e.Metric] && target.Part == Whole {
				lint(field+".metric", target.Name, target.Type, problems)
				claim(field+".metric", possible(target, s.Source(rule.Source)), owner, problems)
			}
			made[e.Metric] = true
			aggregated(field+".aggregation", target, e.Aggregation, how, problems)
			for _, label := range target.Labels {
				if !has(e.Labels, label) && !has(c.Labels, label) {
					problems.Add(field+".labels", "%s wants the label %s on %s; give it here or in contract.labels", c.Name, label, target.Name)
				}
			}
		}
	}
	for _, m := range c.Metrics {
		inParts := m.Type == series.Histogram && made[m.Name+"_sum"] && made[m.Name+"_count"]
		if !made[m.Name] && !inParts {
			problems.Add("rules", "no rule makes %s, a %s that %s wants; add one, or choose another contract", m.Name, m.Type, c.Name)
		}
	}
}

// aggregated finds a gauge whose value would be made of the same values in two ways.
func aggregated(field string, target Target, aggregation string, how map[string]string, problems *spec.Problems) {
	if target.Type != series.Gauge {
		if aggregation != "" {
			problems.Add(field, "%s is a %s, which is always added up; leave it out", target.Name, target.Type)
		}
		return
	}
	if aggregation == "" {
		aggregation = string(series.Sum)
	}
	if other, there := how[target.Name]; there && other != aggregation {
		problems.Add(field, "%s is the %s of what another rule finds, and cannot be the %s as well; say the same in both", target.Name, other, aggregation)
	}
	how[target.Name] = aggregation
}

// possible is the metric as it takes up most names: a page's histogram stays one.
func possible(t Target, from *spec.Source) Metric {
	if !t.Known && t.Type == series.Gauge && from != nil && from.Type == "prometheus" {
		t.Type = series.Histogram
	}
	return t.Metric
}

// claim finds names that would come out twice: OpenMetrics calls a counter's family by its name without _total.
func claim(field string, m Metric, owner map[string]string, problems *spec.Problems) {
	names := []string{m.Name}
	switch m.Type {
	case series.Counter:
		base := strings.TrimSuffix(m.Name, "_total")
		names = append(names, base, base+"_created")
	case series.Histogram:
		names = append(names, m.Name+"_bucket", m.Name+"_sum", m.Name+"_count", m.Name+"_created")
	}
	for _, name := range names {
		if other, taken := owner[name]; taken && other != m.Name {
			problems.Add(field, "%s and %s cannot both be there: in OpenMetrics both have the name %s", m.Name, other, name)
			return
		}
		owner[name] = m.Name
	}
}

// lint holds a name to Prometheus's conventions with its own linter: _total on counters alone, base units, no type in
// the name.
func lint(field, name string, kind series.Type, problems *spec.Problems) {
	shownType, help := map[series.Type]dto.MetricType{
		series.Counter: dto.MetricType_COUNTER, series.Gauge: dto.MetricType_GAUGE, series.Histogram: dto.MetricType_HISTOGRAM,
	}[kind], "Its help is no matter of the name."
	found, err := promlint.NewWithMetricFamilies([]*dto.MetricFamily{{Name: &name, Help: &help, Type: &shownType}}).Lint()
	if err != nil {
		problems.Add(field, "%s: %v", name, err)
	}
	var texts []string
	for _, one := range found {
		texts = append(texts, one.Text)
	}
	slices.Sort(texts)
	for _, text := range slices.Compact(texts) {
		problems.Warn(field, "%s, a %s: %s (prometheus.io/docs/practices/naming)", name, kind, text)
	}
}

func has(labels map[string]string, name string) bool {
	return labels[name] != ""
}
