package spec

import (
	"path/filepath"
	"regexp"
	"time"
)

// OTLP is where the metrics are pushed as well.
type OTLP struct {
	Endpoint string   `json:"endpoint"`
	Interval Duration `json:"interval"`
	Timeout  Duration `json:"timeout"`
	// Compression is gzip or empty, Temporality cumulative, delta or empty.
	Compression string `json:"compression"`
	Temporality string `json:"temporality"`
	// Headers to send, as OTEL_EXPORTER_OTLP_HEADERS has them.
	HeadersSecretRef SecretKeyRef `json:"headersSecretRef"`
	// CASecretRef has the certificate authorities to trust.
	CASecretRef SecretKeyRef `json:"caSecretRef"`
}

// SecretKeyRef is one key of a Secret; empty if there is none.
type SecretKeyRef struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// File is where it is below a directory with all Secrets, empty if there is none.
func (r SecretKeyRef) File(secrets string) string {
	if r == (SecretKeyRef{}) {
		return ""
	}
	return filepath.Join(secrets, r.Name, r.Key)
}

func (r SecretKeyRef) validate(field string, problems *Problems) {
	if r != (SecretKeyRef{}) && !(secretName.MatchString(r.Name) && secretKey.MatchString(r.Key) && filepath.IsLocal(r.Key)) {
		problems.Add(field, "must be the name and the key of a Secret")
	}
}

var (
	secretName = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`)
	secretKey  = regexp.MustCompile(`^[-._a-zA-Z0-9]+$`)
)

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
	if o.Compression != "" && o.Compression != "gzip" {
		problems.Add(field+".compression", "must be gzip, or left out")
	}
	if o.Temporality != "" && o.Temporality != "cumulative" && o.Temporality != "delta" {
		problems.Add(field+".temporality", "must be cumulative or delta")
	}
	o.HeadersSecretRef.validate(field+".headersSecretRef", problems)
	o.CASecretRef.validate(field+".caSecretRef", problems)
}
