package otlp

import (
	"strings"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
)

// deltas makes of sums since a start those since the last push that was taken, for receivers that add up themselves.
type deltas struct {
	taken map[string]state // by metric and attributes
	next  map[string]state // as they are offered
}

// state is a cumulative point.
type state struct {
	at, start uint64
	value     float64 // or a histogram's sum
	buckets   []uint64
}

// reduce turns a message into what is new in it.
func (d *deltas) reduce(all []*metrics.Metric) {
	d.next = map[string]state{}
	for _, m := range all {
		switch data := m.Data.(type) {
		case *metrics.Metric_Sum:
			data.Sum.AggregationTemporality = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
			points := data.Sum.DataPoints[:0]
			for _, p := range data.Sum.DataPoints {
				if d.number(m.Name, p) {
					points = append(points, p)
				}
			}
			data.Sum.DataPoints = points
		case *metrics.Metric_Histogram:
			data.Histogram.AggregationTemporality = metrics.AggregationTemporality_AGGREGATION_TEMPORALITY_DELTA
			points := data.Histogram.DataPoints[:0]
			for _, p := range data.Histogram.DataPoints {
				if d.histogram(m.Name, p) {
					points = append(points, p)
				}
			}
			data.Histogram.DataPoints = points
		}
	}
}

// arrived notes that what was offered is there.
func (d *deltas) arrived() { d.taken = d.next }

func (d *deltas) number(name string, p *metrics.NumberDataPoint) bool {
	now := state{at: p.TimeUnixNano, start: p.StartTimeUnixNano, value: p.GetAsDouble()}
	before, goesOn := d.before(name, p.Attributes, now)
	if before == nil {
		return false
	}
	p.Value = &metrics.NumberDataPoint_AsDouble{AsDouble: now.value - before.value}
	if goesOn {
		p.StartTimeUnixNano = before.at
	}
	return true
}

func (d *deltas) histogram(name string, p *metrics.HistogramDataPoint) bool {
	now := state{at: p.TimeUnixNano, start: p.StartTimeUnixNano, value: p.GetSum(), buckets: append([]uint64(nil), p.BucketCounts...)}
	before, goesOn := d.before(name, p.Attributes, now)
	if before == nil {
		return false
	}
	sum := now.value - before.value
	p.Sum, p.Count = &sum, 0
	for i := range p.BucketCounts {
		if goesOn {
			p.BucketCounts[i] -= before.buckets[i]
		}
		p.Count += p.BucketCounts[i]
	}
	if goesOn {
		p.StartTimeUnixNano = before.at
	}
	return true
}

// before is what was taken of a series, or an empty state where it has begun since. It is nil where the start isn't known:
// how much of the total is new isn't, either.
func (d *deltas) before(name string, attributes []*common.KeyValue, now state) (before *state, goesOn bool) {
	key := name + "\xff" + key(attributes)
	d.next[key] = now
	last, known := d.taken[key]
	if known && last.start == now.start && last.value <= now.value && len(last.buckets) == len(now.buckets) {
		return &last, true
	}
	if now.start == now.at {
		return nil, false
	}
	return &state{}, false
}

func key(attributes []*common.KeyValue) string {
	var b strings.Builder
	for _, one := range attributes {
		b.WriteString(one.GetKey())
		b.WriteByte(0xff)
		b.WriteString(one.GetValue().GetStringValue())
		b.WriteByte(0xff)
	}
	return b.String()
}
