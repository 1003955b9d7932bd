package source

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
)

func readPrometheus(ctx context.Context, p *page, feed *rule.Feed) error {
	body, err := p.fetch(ctx)
	if err != nil {
		return err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s is not Prometheus text: %w", p.url, err)
	}
	feed.Page(func(r *rule.Rule) []rule.Finding { return findPrometheus(r, families) })
	return nil
}

// findPrometheus finds a metric, or a histogram's or summary's sum or count, which are metrics of their own on the page.
func findPrometheus(r *rule.Rule, families map[string]*dto.MetricFamily) []rule.Finding {
	family, part := families[r.Path], ""
	for _, suffix := range []string{"_sum", "_count"} {
		if base, cut := strings.CutSuffix(r.Path, suffix); cut && family == nil {
			if family = families[base]; family != nil {
				part = suffix
			}
		}
	}
	findings := make([]rule.Finding, 0, len(family.GetMetric()))
	for _, m := range family.GetMetric() {
		f := rule.Finding{Identity: identity(m)}
		if !value(m, part, &f) {
			return nil
		}
		f.Groups = make([]string, len(r.Groups()))
		for i, name := range r.Groups() {
			f.Groups[i] = group(m, name, f.Value)
		}
		findings = append(findings, f)
	}
	return findings
}

func value(m *dto.Metric, part string, f *rule.Finding) bool {
	totals := totalsOf(m)
	switch {
	case part != "" && totals == nil:
		return false
	case part == "_sum":
		f.Value = totals.Sum
	case part == "_count":
		for _, n := range totals.Counts {
			f.Value += n
		}
	case totals != nil:
		f.Totals = totals
	case m.Counter != nil:
		f.Value = m.Counter.GetValue()
	case m.Gauge != nil:
		f.Value = m.Gauge.GetValue()
	default:
		f.Value = m.Untyped.GetValue()
	}
	return true
}

func totalsOf(m *dto.Metric) *rule.Totals {
	switch {
	case m.Summary != nil:
		return &rule.Totals{Sum: m.Summary.GetSampleSum(), Counts: []float64{float64(m.Summary.GetSampleCount())}}
	case m.Histogram == nil:
		return nil
	}
	t := &rule.Totals{Sum: m.Histogram.GetSampleSum()}
	below := uint64(0)
	for _, b := range m.Histogram.GetBucket() {
		if bound := b.GetUpperBound(); !math.IsInf(bound, 1) { // +Inf is what the count says
			t.Bounds = append(t.Bounds, bound)
			t.Counts = append(t.Counts, float64(b.GetCumulativeCount())-float64(below))
			below = b.GetCumulativeCount()
		}
	}
	t.Counts = append(t.Counts, float64(m.Histogram.GetSampleCount())-float64(below))
	return t
}

func identity(m *dto.Metric) string {
	var b strings.Builder
	for _, l := range m.GetLabel() {
		b.WriteString(strconv.Quote(l.GetName()))
		b.WriteString(strconv.Quote(l.GetValue()))
	}
	return b.String()
}

func group(m *dto.Metric, name string, value float64) string {
	for _, l := range m.GetLabel() {
		if l.GetName() == name {
			return l.GetValue()
		}
	}
	if name == "value" {
		return strconv.FormatFloat(value, 'g', -1, 64)
	}
	return ""
}
