package spec

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// Other paths of the adapter's server.
const (
	HealthPath   = "/healthz"
	ContractPath = "/contract"
)

var aggregations = []string{"sum", "min", "max", "avg"}

var dnsLabel = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)

// validate says what the CRD's schema would: the program runs by hand, too.
func (s Spec) validate(problems *Problems) {
	s.Metrics.validate(problems)
	validateLabels("contract.labels", s.Contract.Labels, problems)
	if len(s.Sources) == 0 {
		problems.Add("sources", "there must be one at least")
	}
	for i, source := range s.Sources {
		source.validate(fmt.Sprintf("sources[%d]", i), s, i, problems)
	}
	for i, rule := range s.Rules {
		rule.validate(fmt.Sprintf("rules[%d]", i), s, problems)
	}
}

func (m Metrics) validate(problems *Problems) {
	validatePort("metrics.port", m.Port, problems)
	if m.MaxSeries < 1 {
		problems.Add("metrics.maxSeries", "must be 1 at least")
	}
	switch {
	case !strings.HasPrefix(m.Path, "/") || path.Clean(m.Path) != m.Path:
		problems.Add("metrics.path", "must be a path such as /metrics")
	case m.Path == HealthPath || m.Path == ContractPath:
		problems.Add("metrics.path", "%s is taken by the adapter itself; choose another such as /metrics", m.Path)
	}
	if ttl, err := time.ParseDuration(string(m.TTL)); m.TTL != "" && (err != nil || ttl < time.Second) {
		problems.Add("metrics.ttl", "must be a time of 1s at least such as 1h")
	}
	if m.OTLP != nil {
		m.OTLP.validate("metrics.otlp", problems)
	}
}

func (s Source) validate(field string, all Spec, index int, problems *Problems) {
	if !dnsLabel.MatchString(s.Name) {
		problems.Add(field+".name", "must be lower-case letters, digits and dashes, 63 at most")
	}
	if slices.ContainsFunc(all.Sources[:index], func(other Source) bool { return other.Name == s.Name }) {
		problems.Add(field+".name", "there is another source %q; give each its own name", s.Name)
	}
	members := map[string]bool{
		"json": s.JSON != nil, "prometheus": s.Prometheus != nil, "log": s.Log != nil,
		"statsd": s.Statsd != nil, "syslog": s.Syslog != nil, "proc": s.Proc != nil,
	}
	if _, known := members[s.Type]; !known {
		problems.Add(field+".type", "must be json, prometheus, log, statsd, syslog or proc")
		return
	}
	for _, member := range []string{"json", "prometheus", "log", "statsd", "syslog", "proc"} {
		if members[member] != (member == s.Type) {
			problems.Add(field+"."+member, "belongs to type %s: required with it, and with it alone", member)
			return
		}
	}
	s.validateMember(field+"."+s.Type, all, index, problems)
}

func (s Source) validateMember(field string, all Spec, index int, problems *Problems) {
	switch s.Type {
	case "json":
		s.JSON.validate(field, problems)
	case "prometheus":
		s.Prometheus.validate(field, problems)
	case "log":
		s.Log.validate(field, problems)
	case "statsd":
		validatePort(field+".port", s.Statsd.Port, problems)
		s.validatePort(field, all, index, problems)
		if s.Statsd.Socket != nil {
			s.Statsd.Socket.validate(field+".socket", problems)
		}
	case "syslog":
		s.Syslog.validate(field, problems)
		s.validatePort(field, all, index, problems)
	case "proc":
		if n := len(s.Proc.Command); n == 0 || n > 15 {
			problems.Add(field+".command", "must have 1 to 15 characters, which is what Linux keeps of a name")
		}
		validateInterval(field, s.Proc.Interval, problems)
	}
}

// validatePort finds those who listen on the same port.
func (s Source) validatePort(field string, all Spec, index int, problems *Problems) {
	port := s.port()
	if port == 0 {
		return
	}
	if port == all.Metrics.Port {
		problems.Add(field+".port", "metrics.port is the same; choose another")
	}
	for _, other := range all.Sources[:index] {
		if other.port() == port {
			problems.Add(field+".port", "the source %s listens on it already; choose another", other.Name)
		}
	}
}

func (s Syslog) validate(field string, problems *Problems) {
	if s.Port == 0 && s.Socket == nil && s.StreamSocket == nil {
		problems.Add(field, "give port, socket or streamSocket")
	}
	if s.Port != 0 {
		validatePort(field+".port", s.Port, problems)
	}
	if s.Socket != nil {
		s.Socket.validate(field+".socket", problems)
	}
	if s.StreamSocket != nil {
		s.StreamSocket.validate(field+".streamSocket", problems)
		if s.Socket != nil && *s.Socket == *s.StreamSocket {
			problems.Add(field+".streamSocket", "is the same file as socket; choose another")
		}
	}
	validateFormat(field, s.Format, problems)
}

func validateFormat(field, format string, problems *Problems) {
	if !slices.Contains([]string{"", "regex", "json", "logfmt"}, format) {
		problems.Add(field+".format", "must be regex, json or logfmt")
	}
}

func (r Rule) validate(field string, all Spec, problems *Problems) {
	if (r.Path == "") == (r.Regex == "") {
		problems.Add(field, "give either path or regex")
	}
	if (r.Metric == "") == (len(r.Emit) == 0) {
		problems.Add(field, "give either metric or emit")
	}
	if len(r.Emit) > 0 && (r.Labels != nil || r.Scale != nil || r.Aggregation != "") {
		problems.Add(field, "labels, scale and aggregation go with metric; inside emit each metric has its own")
	}
	if source := all.Source(r.Source); source == nil {
		problems.Add(field+".source", "there is no source %q; the sources are %s", r.Source, all.sourceNames())
	} else if r.Regex != "" && source.Formatted() {
		of := source.Type
		if format := source.LineFormat(); format != "" {
			of += " in " + format
		}
		problems.Add(field+".regex", "the source %s is of type %s, whose rules have a path", r.Source, of)
	} else if r.Path != "" && !source.Formatted() {
		problems.Add(field+".path", "the source %s is of type %s, whose rules have a regex", r.Source, source.Type)
	} else if r.Identity != "" && source.Type != "json" {
		problems.Add(field+".identity", "the source %s is of type %s; only the lists of a JSON page have elements to tell apart", r.Source, source.Type)
	}
	for i, g := range r.Groups {
		g.validate(fmt.Sprintf("%s.groups[%d]", field, i), problems)
	}
	for path, e := range r.Emissions(field) {
		if !model.LegacyValidation.IsValidMetricName(e.Metric) || strings.HasPrefix(e.Metric, "adapter_") {
			problems.Add(path+".metric", "must be a metric's name such as app_requests_total; adapter_… are the adapter's own")
		}
		validateLabels(path+".labels", e.Labels, problems)
		if e.Scale != nil && (math.IsNaN(*e.Scale) || math.IsInf(*e.Scale, 0) || *e.Scale == 0) {
			problems.Add(path+".scale", "must be a number other than 0")
		}
		if e.Aggregation != "" && !slices.Contains(aggregations, e.Aggregation) {
			problems.Add(path+".aggregation", "must be sum, min, max or avg")
		}
	}
}

func (g Group) validate(field string, problems *Problems) {
	if !model.LegacyValidation.IsValidLabelName(g.Name) {
		problems.Add(field+".name", "must be letters, digits and underscores such as class")
	}
	if (g.Regex == "") == (g.Map == nil) {
		problems.Add(field, "give either regex or map")
	} else if (g.Regex == "") != (g.Replacement == "") {
		problems.Add(field+".replacement", "belongs to regex: required with it, and with it alone")
	}
}

// Emissions are the rule's metrics with the path of each, however they are written.
func (r Rule) Emissions(field string) iter.Seq2[string, Emission] {
	return func(yield func(string, Emission) bool) {
		if len(r.Emit) == 0 && r.Metric != "" {
			yield(field, Emission{Metric: r.Metric, Labels: r.Labels, Scale: r.Scale, Aggregation: r.Aggregation})
			return
		}
		for i, e := range r.Emit {
			if !yield(fmt.Sprintf("%s.emit[%d]", field, i), e) {
				return
			}
		}
	}
}

func (s Spec) sourceNames() string {
	names := make([]string, len(s.Sources))
	for i, source := range s.Sources {
		names[i] = source.Name
	}
	return strings.Join(names, ", ")
}

func validateLabels(field string, labels map[string]string, problems *Problems) {
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		if !model.LegacyValidation.IsValidLabelName(name) || strings.HasPrefix(name, "__") || name == "le" || name == "quantile" {
			problems.Add(field, "%q cannot be a label: use letters, digits and underscores, and neither le nor quantile nor two underscores in front", name)
		}
	}
}

func validatePort(field string, port int, problems *Problems) {
	if port < 1 || port > 65535 {
		problems.Add(field, "must be from 1 to 65535")
	}
}

func validateInterval(field string, d Duration, problems *Problems) {
	if d == "" {
		return
	}
	if parsed, err := time.ParseDuration(string(d)); err != nil || parsed <= 0 {
		problems.Add(field+".interval", "must be a time above 0 such as 15s")
	}
}
