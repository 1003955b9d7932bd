// Package spec reads an Adapter's spec and says what is wrong with it. The fields are documented where the API is
// declared: operator/podpatterns/api/adapter.py and its neighbours; kubectl explain adapter.spec shows that.
package spec

import (
	"cmp"
	"time"
)

// Spec is the adapter's part of an Adapter's spec; the rest is the operator's.
type Spec struct {
	Contract Contract
	Metrics  Metrics
	Sources  []Source
	Rules    []Rule
}

// Contract is the monitoring model that is to come out.
type Contract struct {
	Name    string            `json:"name"`
	Labels  map[string]string `json:"labels"`
	Metrics []ContractMetric  `json:"metrics"`
	Buckets []float64         `json:"buckets"`
}

// ContractMetric is a metric of a contract of one's own.
type ContractMetric struct {
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	Labels  []string  `json:"labels"`
	Buckets []float64 `json:"buckets"`
	Help    string    `json:"help"`
}

// Metrics is where they are offered.
type Metrics struct {
	Port      int    `json:"port"`
	Path      string `json:"path"`
	MaxSeries int    `json:"maxSeries"`
	// TTL is how long a series stays of which nothing is heard; empty: for good.
	TTL Duration `json:"ttl"`
	// CreatedTimestamps shows when counters and histograms began, in OpenMetrics.
	CreatedTimestamps bool  `json:"createdTimestamps"`
	OTLP              *OTLP `json:"otlp"`
}

// Source is one place to read from.
type Source struct {
	Name       string  `json:"name"`
	Type       string  `json:"type"`
	JSON       *HTTP   `json:"json,omitempty"`
	Prometheus *HTTP   `json:"prometheus,omitempty"`
	Log        *Log    `json:"log,omitempty"`
	Statsd     *Statsd `json:"statsd,omitempty"`
	Syslog     *Syslog `json:"syslog,omitempty"`
	Proc       *Proc   `json:"proc,omitempty"`
}

// lineFormat is the format of the source's lines: regex, json or logfmt; empty for a source that gives no lines.
func (s Source) lineFormat() string {
	format := ""
	switch {
	case !s.Lines():
		return ""
	case s.Log != nil:
		format = s.Log.Format
	case s.Syslog != nil:
		format = s.Syslog.Format
	}
	return cmp.Or(format, "regex")
}

// Lines tells whether the source gives lines.
func (s Source) Lines() bool { return s.Type == "log" || s.Type == "syslog" }

// Formatted tells whether what the source says has a format of its own, which rules have paths into.
func (s Source) Formatted() bool { return s.lineFormat() != "regex" }

// LineFormat is json or logfmt, empty for any other format and source.
func (s Source) LineFormat() string {
	if format := s.lineFormat(); format != "regex" {
		return format
	}
	return ""
}

// Events tells whether the source tells what happens, and not what there is.
func (s Source) Events() bool { return s.Lines() || s.Type == "statsd" }

// port is the one that the source listens on, 0 for none.
func (s Source) port() int {
	switch {
	case s.Statsd != nil:
		return s.Statsd.Port
	case s.Syslog != nil:
		return s.Syslog.Port
	}
	return 0
}

// Log is a file of lines on a shared volume.
type Log struct {
	Volume string `json:"volume"`
	Path   string `json:"path"`
	// Files is newest, all or empty: those of a path with * that are followed.
	Files string `json:"files,omitempty"`
	// Format is regex, json, logfmt or empty, which is regex.
	Format string `json:"format,omitempty"`
}

// Statsd is a port, for UDP and TCP, and a Unix socket on a shared volume.
type Statsd struct {
	Port   int  `json:"port"`
	Socket *Log `json:"socket,omitempty"`
}

// Syslog is a port, for UDP and TCP, and Unix sockets on a shared volume: for datagrams, and for connections.
type Syslog struct {
	Port         int  `json:"port,omitempty"`
	Socket       *Log `json:"socket,omitempty"`
	StreamSocket *Log `json:"streamSocket,omitempty"`
	// Format is that of the messages, as a log's.
	Format string `json:"format,omitempty"`
}

// Proc is processes with a command name.
type Proc struct {
	Command  string   `json:"command"`
	Interval Duration `json:"interval"`
}

// Rule takes one thing from a source and makes metrics of it.
type Rule struct {
	Source string `json:"source"`
	Path   string `json:"path"`
	// Identity tells the elements of a list apart, in JMESPath.
	Identity string `json:"identity"`
	Regex    string `json:"regex"`
	// Groups are derived from those that the source gives.
	Groups      []Group           `json:"groups"`
	Metric      string            `json:"metric"`
	Labels      map[string]string `json:"labels"`
	Scale       *float64          `json:"scale"`
	Aggregation string            `json:"aggregation"`
	Emit        []Emission        `json:"emit"`
}

// Group is made of another group: by a regular expression, or by a table.
type Group struct {
	Name        string            `json:"name"`
	From        string            `json:"from"`
	Regex       string            `json:"regex,omitempty"`
	Replacement string            `json:"replacement,omitempty"`
	Map         map[string]string `json:"map,omitempty"`
	Default     string            `json:"default,omitempty"`
}

// Emission is one metric that a match yields.
type Emission struct {
	Metric string            `json:"metric"`
	Labels map[string]string `json:"labels"`
	When   string            `json:"when"`
	Value  string            `json:"value"`
	Scale  *float64          `json:"scale"`
	// Aggregation makes one gauge of several values: sum, min, max or avg.
	Aggregation string `json:"aggregation"`
}

// Duration is written as in Go: 15s. Left out where a source is read, it is 15s.
type Duration string

const defaultInterval = 15 * time.Second

// Value is the time meant.
func (d Duration) Value() time.Duration {
	parsed, err := time.ParseDuration(string(d))
	if err != nil { // refused by Parse unless it is empty
		return defaultInterval
	}
	return parsed
}

// Source returns the source of that name, or nil.
func (s Spec) Source(name string) *Source {
	for i := range s.Sources {
		if s.Sources[i].Name == name {
			return &s.Sources[i]
		}
	}
	return nil
}
