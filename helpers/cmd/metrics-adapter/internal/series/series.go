// Package series keeps the adapter's metrics: the one place where counters rise, and where there is a limit to how
// many series there are. The text formats are made of what Gather returns.
//
// A Store is locked by those who use it, because what belongs together (the metrics of one log line, of one page)
// is to be seen by a scrape whole or not at all. Every method but Gather wants the lock held.
package series

import (
	"errors"
	"math"
	"slices"
	"sort"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Type is a metric's type in Prometheus's data model.
type Type string

// The types that there are. Summaries are left out: their quantiles cannot be added up.
const (
	Counter   Type = "counter"
	Gauge     Type = "gauge"
	Histogram Type = "histogram"
)

// Why a value was not taken.
var (
	ErrFull     = errors.New("there are as many series as metrics.maxSeries allows")
	ErrType     = errors.New("the metric is of another type")
	ErrBuckets  = errors.New("the histogram has other buckets")
	ErrNegative = errors.New("a counter cannot fall")
	ErrNumber   = errors.New("not a finite number")
)

// Label is a name and its value.
type Label struct{ Name, Value string }

// Series is one metric with one set of labels.
type Series struct {
	family *family
	key    string
	labels []Label
	pairs  []*dto.LabelPair

	value  float64 // of a counter or gauge, the sum of a histogram
	shares []share // of a gauge
	how    Aggregation
	bounds []float64 // upper bounds of a histogram's buckets, without +Inf
	counts []float64 // observations per bucket, each counted in one; the last is beyond all bounds

	// since is when the series began, at 0. Nil if that isn't known: its first total is the source's own.
	since *timestamppb.Timestamp
	// offered and taken are the starts that Offer and Taken speak of, where since isn't known.
	offered, taken *timestamppb.Timestamp

	inherited bool
	removed   bool
	kept      bool  // however long nothing is heard of it
	heard     int64 // when something was, by the store's clock
}

// Labels are sorted by name.
func (s *Series) Labels() []Label { return s.labels }

// Name is the metric's name.
func (s *Series) Name() string { return s.family.name }

// Type is the metric's type.
func (s *Series) Type() Type { return s.family.kind }

// Inherited tells whether the series was there before the configuration in effect.
func (s *Series) Inherited() bool { return s.inherited }

// Removed tells whether the store has given the series up.
func (s *Series) Removed() bool { return s.removed }

// Bounds are the upper bounds of a histogram's buckets, without +Inf.
func (s *Series) Bounds() []float64 { return s.bounds }

// Keep lets the series stay, however long nothing is heard of it.
func (s *Series) Keep() { s.kept = true }

func (s *Series) touch() { s.heard = s.family.store.clock }

// Empty tells whether nothing was counted yet.
func (s *Series) Empty() bool {
	return s.value == 0 && !slices.ContainsFunc(s.counts, func(n float64) bool { return n != 0 })
}

// Begin says since when an empty series counts; nil if that isn't known.
func (s *Series) Begin(since *timestamppb.Timestamp) { s.since = since }

// Add raises a counter.
func (s *Series) Add(v float64) error {
	switch {
	case !finite(v) || !finite(s.value+v):
		return ErrNumber
	case s.family.kind != Counter:
		return ErrType
	case v < 0:
		return ErrNegative
	}
	s.value += v
	s.touch()
	return nil
}

// Observe puts a value into a histogram, as often as weight says: a sampled timer stands for several.
func (s *Series) Observe(v, weight float64) error {
	switch {
	case s.family.kind != Histogram:
		return ErrType
	case !finite(v) || !finite(s.value+v*weight):
		return ErrNumber
	case weight < 0 || v < 0: // the sum is a counter
		return ErrNegative
	}
	if err := s.AddBucket(sort.SearchFloat64s(s.bounds, v), weight); err != nil {
		return err
	}
	s.value += v * weight
	return nil
}

// AddSum and AddCount add to the parts of a histogram whose source knows no single values.
func (s *Series) AddSum(v float64) error {
	switch {
	case s.family.kind != Histogram:
		return ErrType
	case !finite(v) || !finite(s.value+v):
		return ErrNumber
	case v < 0:
		return ErrNegative
	}
	s.value += v
	s.touch()
	return nil
}

// AddCount counts observations beyond all buckets' bounds, since it isn't known which they belong to.
func (s *Series) AddCount(n float64) error {
	return s.AddBucket(len(s.counts)-1, n)
}

// AddBucket counts observations in one bucket, by its index; the last is beyond all bounds.
func (s *Series) AddBucket(i int, n float64) error {
	switch {
	case s.family.kind != Histogram:
		return ErrType
	case !(s.counts[i]+n <= maxCount):
		return ErrNumber
	case n < 0:
		return ErrNegative
	}
	s.counts[i] += n
	s.touch()
	return nil
}

func (s *Series) metric(now *timestamppb.Timestamp) *dto.Metric {
	m := &dto.Metric{Label: s.pairs}
	value, since := s.value, s.since
	if since == nil && now != nil {
		since = s.offer(now)
	}
	switch s.family.kind {
	case Counter:
		m.Counter = &dto.Counter{Value: &value, CreatedTimestamp: since}
	case Gauge:
		m.Gauge = &dto.Gauge{Value: &value}
	case Histogram:
		m.Histogram = s.histogram()
		m.Histogram.CreatedTimestamp = since
	}
	return m
}

func (s *Series) offer(now *timestamppb.Timestamp) *timestamppb.Timestamp {
	if s.taken != nil {
		return s.taken
	}
	s.offered = now
	return now
}

func (s *Series) histogram() *dto.Histogram {
	sum, total := s.value, 0.0
	buckets := make([]*dto.Bucket, len(s.bounds))
	values := make([]dto.Bucket, len(s.bounds))
	cumulative := make([]uint64, len(s.bounds)+1)
	for i, n := range s.counts {
		// Rounded down after adding up: what is cumulative neither falls from bucket to bucket nor over time.
		total += n
		cumulative[i] = uint64(total)
	}
	for i := range s.bounds {
		buckets[i] = &values[i]
		buckets[i].UpperBound, buckets[i].CumulativeCount = &s.bounds[i], &cumulative[i]
	}
	return &dto.Histogram{Bucket: buckets, SampleSum: &sum, SampleCount: &cumulative[len(s.bounds)]}
}

// size is the number of series that Prometheus makes of it.
func (s *Series) size() int {
	if s.family.kind == Histogram {
		return len(s.bounds) + 3 // +Inf, _sum, _count
	}
	return 1
}

// maxCount is the highest number up to which a float counts in ones.
const maxCount = 1 << 53

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func compareLabels(a, b *Series) int {
	return slices.CompareFunc(a.labels, b.labels, func(x, y Label) int {
		if x.Name != y.Name {
			return strings.Compare(x.Name, y.Name)
		}
		return strings.Compare(x.Value, y.Value)
	})
}

// Has tells whether the series has a label.
func (s *Series) Has(name string) bool {
	return slices.ContainsFunc(s.labels, func(l Label) bool { return l.Name == name })
}
