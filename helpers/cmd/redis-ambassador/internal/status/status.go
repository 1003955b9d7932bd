// Package status tells the outside what is going on: health, metrics, the configuration in effect.
package status

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/proxy"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/session"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
	"podpatterns.dev/helpers/internal/serve"
)

// Family is a metric as Prometheus knows it.
type Family struct {
	Name string
	Type string
	Help string
	add  func(o *output, s proxy.State)
}

// Families lists every metric in the order of its output.
var Families = []Family{
	{"redis_ambassador_config_valid", "gauge", "1 if the newest configuration is in effect; 0 if it was refused and the last good one goes on.",
		func(o *output, s proxy.State) { o.value(number(s.Refused == "")) }},
	{"redis_ambassador_config_info", "gauge", "Always 1; the label hash is the configuration in effect: the beginning of its file's SHA-256.",
		func(o *output, s proxy.State) { o.value(1, "hash", s.Hash) }},
	{"redis_ambassador_commands_total", "counter", "Commands by upstream and class: read (sent where readPolicy says), write, pinned (others, and reads that have to go to the primary).",
		each(func(o *output, u *session.Shared) {
			for class, name := range session.Classes {
				o.value(float64(u.Metrics.Commands[class].Load()), "upstream", u.Name, "class", name)
			}
		})},
	{"redis_ambassador_command_duration_seconds", "histogram", "Time from a command's arrival to its reply, by upstream and class. Of commands that a client sends at once the last one is measured, and none while one may be answered late on purpose (BLPOP).",
		each(func(o *output, u *session.Shared) {
			for class, name := range session.Classes {
				o.histogram(&u.Metrics.Durations[class], "upstream", u.Name, "class", name)
			}
		})},
	{"redis_ambassador_error_replies_total", "counter", "Replies of servers that are errors.",
		each(func(o *output, u *session.Shared) { o.value(float64(u.Metrics.Errors.Load()), "upstream", u.Name) })},
	{"redis_ambassador_unavailable_total", "counter", "Commands that were answered with an error, as there was no server for them.",
		each(func(o *output, u *session.Shared) {
			o.value(float64(u.Metrics.Unavailable.Load()), "upstream", u.Name)
		})},
	{"redis_ambassador_broken_clients_total", "counter", "Clients whose connection was closed, as a server's was lost while it owed them an answer.",
		each(func(o *output, u *session.Shared) { o.value(float64(u.Metrics.Broken.Load()), "upstream", u.Name) })},
	{"redis_ambassador_repeated_reads_total", "counter", "Reads that another server was asked, as a replica was lost while it owed the answer.",
		each(func(o *output, u *session.Shared) { o.value(float64(u.Metrics.Repeated.Load()), "upstream", u.Name) })},
	{"redis_ambassador_slow_clients_total", "counter", "Clients whose connection was closed, as they left more unread than is kept for them.",
		each(func(o *output, u *session.Shared) { o.value(float64(u.Metrics.Slow.Load()), "upstream", u.Name) })},
	{"redis_ambassador_protocol_errors_total", "counter", "Clients whose connection was closed, as they sent what isn't RESP.",
		each(func(o *output, u *session.Shared) {
			o.value(float64(u.Metrics.ProtocolErrors.Load()), "upstream", u.Name)
		})},
	{"redis_ambassador_clients", "gauge", "Clients that are connected.",
		each(func(o *output, u *session.Shared) { o.value(float64(u.Metrics.Clients.Load()), "upstream", u.Name) })},
	{"redis_ambassador_primary_known", "gauge", "1 while there is a primary.",
		each(func(o *output, u *session.Shared) {
			o.value(number(u.Monitor.Snapshot().Primary != nil), "upstream", u.Name)
		})},
	{"redis_ambassador_failovers_total", "counter", "How often another server has become the primary.",
		each(func(o *output, u *session.Shared) {
			count, _ := u.Monitor.Changes()
			o.value(float64(count), "upstream", u.Name)
		})},
	{"redis_ambassador_server_fit", "gauge", "By upstream, server and role: 1 if it is the primary, or a replica that reads may go to.",
		eachServer(func(o *output, u *session.Shared, s topology.State) {
			o.value(number(s.Fit), "upstream", u.Name, "server", s.Addr, "role", string(s.Role))
		})},
	{"redis_ambassador_server_lag_seconds", "gauge", "For how long, at least, a replica has lacked what the primary has.",
		eachServer(func(o *output, u *session.Shared, s topology.State) {
			o.value(s.Lag.Seconds(), "upstream", u.Name, "server", s.Addr)
		})},
	{"redis_ambassador_server_connections", "gauge", "Connections to a server on behalf of clients.",
		eachServer(func(o *output, u *session.Shared, s topology.State) {
			o.value(float64(s.Connections), "upstream", u.Name, "server", s.Addr)
		})},
}

func each(add func(*output, *session.Shared)) func(*output, proxy.State) {
	return func(o *output, s proxy.State) {
		for _, u := range s.Upstreams {
			add(o, u.Shared)
		}
	}
}

func eachServer(add func(*output, *session.Shared, topology.State)) func(*output, proxy.State) {
	return each(func(o *output, u *session.Shared) {
		for _, server := range u.Monitor.States() {
			add(o, u, server)
		}
	})
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// output is the Prometheus text format. It is written by hand, as in git-sync: prometheus/client_golang would add a
// third to the program for a dozen families that need none of what it does.
type output struct {
	bytes.Buffer
	family string
}

func (o *output) value(value float64, labels ...string) { o.sample("", value, labels...) }

func (o *output) histogram(h *session.Histogram, labels ...string) {
	var count int64
	for i := range h.Buckets {
		count += h.Buckets[i].Load()
		bound := "+Inf"
		if i < len(session.Bounds) {
			bound = strconv.FormatFloat(session.Bounds[i].Seconds(), 'g', -1, 64)
		}
		o.sample("_bucket", float64(count), append(slices.Clip(labels), "le", bound)...)
	}
	o.sample("_sum", time.Duration(h.Sum.Load()).Seconds(), labels...)
	o.sample("_count", float64(count), labels...)
}

func (o *output) sample(suffix string, value float64, labels ...string) {
	o.WriteString(o.family + suffix)
	for i := 0; i < len(labels); i += 2 {
		fmt.Fprintf(o, "%c%s=%q", "{,"[min(i, 1)], labels[i], labels[i+1])
	}
	if len(labels) > 0 {
		o.WriteByte('}')
	}
	fmt.Fprintf(o, " %s\n", strconv.FormatFloat(value, 'g', -1, 64))
}

// Handler serves /healthz, /readyz, /config and /metrics.
func Handler(state func() proxy.State) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", serve.Startup(func(*http.Request) (why string) {
		if s := state(); s.StartHealthy {
			why, _ = unhealthy(s, hasHadPrimary)
		}
		return why
	}))
	mux.HandleFunc("GET /readyz", serve.Health(func(*http.Request) (string, bool) {
		why, optional := unhealthy(state(), hasPrimary)
		if why != "" {
			return why, false
		}
		return "ok" + optional, true
	}))
	mux.HandleFunc("GET /config", serve.Configuration(func() (string, string) {
		s := state()
		return s.Hash, s.Refused
	}))
	mux.HandleFunc("GET /metrics", serve.Metrics(func(*http.Request) []byte {
		s := state()
		var o output
		for _, f := range Families {
			fmt.Fprintf(&o, "# HELP %s %s\n# TYPE %s %s\n", f.Name, f.Help, f.Name, f.Type)
			o.family = f.Name
			f.add(&o, s)
		}
		return o.Bytes()
	}))
	return mux
}

func hasPrimary(m *topology.Monitor) bool { return m.Snapshot().Primary != nil }

func hasHadPrimary(m *topology.Monitor) bool {
	_, known := m.Changes()
	return known
}

func unhealthy(s proxy.State, healthy func(*topology.Monitor) bool) (why, optional string) {
	upstreams := make([]serve.Upstream, 0, len(s.Upstreams))
	for _, u := range s.Upstreams {
		text := fmt.Sprintf("%s (no primary: %s)", u.Name, u.Monitor.Snapshot().Reason)
		upstreams = append(upstreams, serve.Upstream{Text: text, Healthy: healthy(u.Monitor), Optional: u.Optional})
	}
	return serve.Unhealthy(upstreams)
}
