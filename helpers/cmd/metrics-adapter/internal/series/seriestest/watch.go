// Package seriestest watches a store for what must hold whatever comes in.
package seriestest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
)

const bucket = " bucket "

// Watch checks a store again and again.
type Watch struct {
	t      *testing.T
	store  *series.Store
	before map[string]float64
}

// New begins.
func New(t *testing.T, store *series.Store) *Watch { return &Watch{t, store, map[string]float64{}} }

// Text is the output in a format, parsed once to see that it can be.
func (w *Watch) Text() string {
	w.t.Helper()
	text := w.encode(expfmt.NewFormat(expfmt.TypeTextPlain))
	parser := expfmt.NewTextParser(model.LegacyValidation)
	if _, err := parser.TextToMetricFamilies(strings.NewReader(text)); err != nil {
		w.t.Fatalf("not Prometheus text: %v\n%s", err, text)
	}
	return text
}

// Check fails the test if the output cannot be read, holds more than the limit, or a counter fell.
func (w *Watch) Check(limit int) {
	w.t.Helper()
	w.Text()
	w.encode(expfmt.NewFormat(expfmt.TypeOpenMetrics))
	now, size := map[string]float64{}, 0
	families, err := w.store.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			size += note(now, fmt.Sprint(f.GetName(), m.GetLabel()), m)
		}
	}
	if size > limit {
		w.t.Fatalf("%d series, more than %d", size, limit)
	}
	for name, v := range w.before {
		// A histogram's buckets may become others.
		if next, there := now[name]; there && next < v || !there && !strings.Contains(name, bucket) {
			w.t.Fatalf("%s fell from %v to %v (still there: %v)", name, v, next, there)
		}
	}
	w.before = now
}

// note keeps what may not fall, and returns how many series Prometheus makes of a metric.
func note(now map[string]float64, name string, m *dto.Metric) int {
	switch {
	case m.Counter != nil:
		now[name] = m.Counter.GetValue()
	case m.Histogram != nil:
		now[name+" sum"] = m.Histogram.GetSampleSum()
		now[name+" count"] = float64(m.Histogram.GetSampleCount())
		for _, b := range m.Histogram.GetBucket() {
			now[fmt.Sprint(name, bucket, b.GetUpperBound())] = float64(b.GetCumulativeCount())
		}
		return len(m.Histogram.GetBucket()) + 3
	}
	return 1
}

func (w *Watch) encode(format expfmt.Format) string {
	w.t.Helper()
	families, err := w.store.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	var b bytes.Buffer
	encoder := expfmt.NewEncoder(&b, format)
	for _, f := range families {
		if err := encoder.Encode(f); err != nil {
			w.t.Fatal(err)
		}
	}
	return b.String()
}

// Forget lets series go that a change of configuration has made go.
func (w *Watch) Forget() { clear(w.before) }
