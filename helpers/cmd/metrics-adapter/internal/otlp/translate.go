// Package otlp pushes metrics to a receiver of OpenTelemetry's protocol, by HTTP.
//
// It makes the messages itself, of the protocol's own Go types (proto/slim/otlp, without gRPC), rather than by
// OpenTelemetry's SDK and its bridge from Prometheus: those add 6 MB to the program and 4 MB to its memory at rest, in
// every Pod, pushed or not. The way there is short, and starts that aren't known need a word of ours anyway.
package otlp

import (
	"math"
	"strings"

	dto "github.com/prometheus/client_model/go"
	collector "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Scope is the name of what made the metrics.
const Scope = "podpatterns.dev/metrics-adapter"

// units are those that a name may end in, as UCUM writes them. An application's figures have no other.
var units = map[string]string{
	"seconds": "s", "bytes": "By", "ratio": "1", "meters": "m", "metres": "m", "grams": "g", "joules": "J",
	"volts": "V", "amperes": "A", "celsius": "Cel", "kelvin": "K",
}

// request makes one message of what Prometheus would scrape: names stay as they are, so that one model comes out by
// either way. Counters and histograms are cumulative and begin at their CreatedTimestamp.
func request(families []*dto.MetricFamily, of *resource.Resource, now *timestamppb.Timestamp) *collector.ExportMetricsServiceRequest {
	all := make([]*metrics.Metric, 0, len(families))
	for _, f := range families {
		if m := metric(f, nanoseconds(now)); m != nil {
			all = append(all, m)
		}
	}
	return &collector.ExportMetricsServiceRequest{ResourceMetrics: []*metrics.ResourceMetrics{{
		Resource:     of,
		ScopeMetrics: []*metrics.ScopeMetrics{{Scope: &common.InstrumentationScope{Name: Scope}, Metrics: all}},
	}}}
}

func metric(f *dto.MetricFamily, now uint64) *metrics.Metric {
	m := &metrics.Metric{Name: f.GetName(), Description: f.GetHelp(), Unit: unit(f.GetName())}
	cumulative := metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_CUMULATIVE
	switch f.GetType() {
	case dto.MetricType_COUNTER:
		points := numbers(f, now, func(one *dto.Metric) (float64, *timestamppb.Timestamp) {
			return one.Counter.GetValue(), one.Counter.CreatedTimestamp
		})
		m.Data = &metrics.Metric_Sum{Sum: &metrics.Sum{DataPoints: points, AggregationTemporality: cumulative, IsMonotonic: true}}
	case dto.MetricType_GAUGE:
		points := numbers(f, now, func(one *dto.Metric) (float64, *timestamppb.Timestamp) { return one.Gauge.GetValue(), nil })
		m.Data = &metrics.Metric_Gauge{Gauge: &metrics.Gauge{DataPoints: points}}
	case dto.MetricType_HISTOGRAM:
		m.Data = &metrics.Metric_Histogram{Histogram: &metrics.Histogram{DataPoints: histograms(f, now), AggregationTemporality: cumulative}}
	default: // there are no others: neither the store nor the adapter's own metrics make any
		return nil
	}
	return m
}

func numbers(f *dto.MetricFamily, now uint64, of func(*dto.Metric) (float64, *timestamppb.Timestamp)) []*metrics.NumberDataPoint {
	points := make([]*metrics.NumberDataPoint, len(f.GetMetric()))
	for i, one := range f.GetMetric() {
		value, since := of(one)
		points[i] = &metrics.NumberDataPoint{
			Attributes: attributes(one), StartTimeUnixNano: nanoseconds(since), TimeUnixNano: now,
			Value: &metrics.NumberDataPoint_AsDouble{AsDouble: value},
		}
	}
	return points
}

func histograms(f *dto.MetricFamily, now uint64) []*metrics.HistogramDataPoint {
	points := make([]*metrics.HistogramDataPoint, len(f.GetMetric()))
	for i, one := range f.GetMetric() {
		h := one.GetHistogram()
		point := &metrics.HistogramDataPoint{
			Attributes: attributes(one), StartTimeUnixNano: nanoseconds(h.GetCreatedTimestamp()), TimeUnixNano: now,
			Count: h.GetSampleCount(), Sum: h.SampleSum,
		}
		below := uint64(0)
		for _, b := range h.GetBucket() {
			if bound := b.GetUpperBound(); !math.IsInf(bound, 1) { // what is beyond all bounds comes last
				point.ExplicitBounds = append(point.ExplicitBounds, bound)
				point.BucketCounts = append(point.BucketCounts, b.GetCumulativeCount()-below)
				below = b.GetCumulativeCount()
			}
		}
		point.BucketCounts = append(point.BucketCounts, h.GetSampleCount()-below)
		points[i] = point
	}
	return points
}

func attributes(m *dto.Metric) []*common.KeyValue {
	all := make([]*common.KeyValue, len(m.GetLabel()))
	for i, l := range m.GetLabel() {
		all[i] = attribute(l.GetName(), l.GetValue())
	}
	return all
}

func attribute(key, value string) *common.KeyValue {
	return &common.KeyValue{Key: key, Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: value}}}
}

// unit returns the unit that the name ends in, empty without one.
func unit(name string) string {
	parts := strings.Split(strings.TrimSuffix(name, "_total"), "_")
	return units[parts[len(parts)-1]]
}

func nanoseconds(t *timestamppb.Timestamp) uint64 {
	if t == nil {
		return 0
	}
	return uint64(t.AsTime().UnixNano())
}
