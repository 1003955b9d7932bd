package spec

import (
	"regexp"
	"time"
)

// OTLP is where the metrics are pushed as well.
type OTLP struct {
	Endpoint string   `json:"endpoint"`
	Interval Duration `json:"interval"`
	Timeout  Duration `json:"timeout"`
}

// minPushInterval keeps one adapter from being a load of its own.
const minPushInterval = time.Second

// receiver is the CRD's pattern (OtlpEndpoint in operator/podpatterns/api/scalar.py): what both take can be parsed.
var receiver = regexp.MustCompile(`^https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?$`)

// withDefaults are those of OTEL_METRIC_EXPORT_INTERVAL and OTEL_EXPORTER_OTLP_TIMEOUT.
func (o *OTLP) withDefaults() *OTLP {
	if o == nil {
		return nil
	}
	full := *o
	if full.Interval == "" {
		full.Interval = "60s"
	}
	if full.Timeout == "" {
		full.Timeout = "10s"
	}
	return &full
}

func (o *OTLP) validate(field string, problems *Problems) {
	if !receiver.MatchString(o.Endpoint) {
		problems.Add(field+".endpoint", "must be an http or https URL such as http://collector:4318")
	}
	if interval, err := time.ParseDuration(string(o.Interval)); err != nil || interval < minPushInterval {
		problems.Add(field+".interval", "must be a time of 1s at least such as 60s")
	}
	if timeout, err := time.ParseDuration(string(o.Timeout)); err != nil || timeout <= 0 {
		problems.Add(field+".timeout", "must be a time above 0 such as 10s")
	}
}
