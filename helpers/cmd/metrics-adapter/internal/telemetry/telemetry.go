// Package telemetry is what the adapter tells about itself.
package telemetry

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/otlp"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
)

// Telemetry is the adapter's own metrics. It is a gatherer.
type Telemetry struct {
	*prometheus.Registry
	up          *prometheus.GaugeVec
	unmatched   *prometheus.CounterVec
	dropped     *prometheus.CounterVec
	configValid prometheus.Gauge
	configInfo  *prometheus.GaugeVec
	pushes      *prometheus.CounterVec
}

// New makes them all.
func New() *Telemetry {
	t := &Telemetry{
		Registry: prometheus.NewRegistry(),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "adapter_source_up",
			Help: "Whether the source could be read at the last try: 1 or 0."}, []string{"source"}),
		unmatched: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "adapter_unmatched_total",
			Help: "Lines and packets that no rule matched, and readings in which a rule found nothing."}, []string{"source"}),
		dropped: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "adapter_dropped_samples_total",
			Help: "Values found and not taken, by reason: max_series, type, buckets, negative, not_a_number."}, []string{"source", "reason"}),
		configValid: prometheus.NewGauge(prometheus.GaugeOpts{Name: "adapter_config_valid",
			Help: "Whether the configuration file is the one in effect: 0 after one that was refused."}),
		configInfo: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "adapter_config_info",
			Help: "The configuration in effect: the first 10 hex digits of the SHA-256 of its file."}, []string{"sha256"}),
		pushes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "adapter_otlp_pushes_total",
			Help: "Pushes to the OTLP receiver, by outcome: taken, partial, refused, silent."}, []string{"outcome"}),
	}
	t.MustRegister(t.up, t.unmatched, t.dropped, t.configValid, t.configInfo, t.pushes)
	return t
}

// ConfigValid notes whether the file was taken.
func (t *Telemetry) ConfigValid(valid bool) { set(t.configValid, valid) }

// ConfigDigest notes which configuration is in effect.
func (t *Telemetry) ConfigDigest(digest string) {
	t.configInfo.Reset()
	t.configInfo.WithLabelValues(digest).Set(1)
}

// Pushes begins telling about pushes, and returns what counts one.
func (t *Telemetry) Pushes() func(otlp.Outcome) {
	for _, outcome := range otlp.Outcomes {
		t.pushes.WithLabelValues(string(outcome))
	}
	return func(outcome otlp.Outcome) { t.pushes.WithLabelValues(string(outcome)).Inc() }
}

// Source has the metrics of one source.
type Source struct {
	up        prometheus.Gauge
	unmatched prometheus.Counter
	dropped   map[error]prometheus.Counter
}

var reasons = map[error]string{
	series.ErrFull: "max_series", series.ErrType: "type", series.ErrBuckets: "buckets",
	series.ErrNegative: "negative", series.ErrNumber: "not_a_number",
}

// Reason is a short name for why a value was not taken.
func Reason(err error) string {
	for known, name := range reasons {
		if errors.Is(err, known) {
			return name
		}
	}
	return "other"
}

// Source begins telling about one.
func (t *Telemetry) Source(name string) *Source {
	s := &Source{
		up: t.up.WithLabelValues(name), unmatched: t.unmatched.WithLabelValues(name),
		dropped: map[error]prometheus.Counter{},
	}
	for err, reason := range reasons {
		s.dropped[err] = t.dropped.WithLabelValues(name, reason)
	}
	return s
}

// Forget ends telling about one.
func (t *Telemetry) Forget(name string) {
	t.up.DeleteLabelValues(name)
	t.unmatched.DeleteLabelValues(name)
	t.dropped.DeletePartialMatch(prometheus.Labels{"source": name})
}

// Up notes whether the source can be read.
func (s *Source) Up(up bool) { set(s.up, up) }

// Unmatched counts what no rule wanted.
func (s *Source) Unmatched() { s.unmatched.Inc() }

// Dropped counts a value that was not taken.
func (s *Source) Dropped(why error) { s.dropped[why].Inc() }

func set(g prometheus.Gauge, on bool) {
	if on {
		g.Set(1)
	} else {
		g.Set(0)
	}
}
