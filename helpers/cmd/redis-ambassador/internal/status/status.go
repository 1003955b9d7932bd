// Package status tells the outside what is going on: health, metrics, the configuration in effect.
package status

import (
	"fmt"
	"net/http"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/proxy"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/session"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
	"podpatterns.dev/helpers/internal/exposition"
	"podpatterns.dev/helpers/internal/serve"
)

// output takes samples.
type output = exposition.Output

// Families lists every metric in the order of its output.
var Families = []exposition.Family[proxy.State]{
	exposition.New("redis_ambassador_config_valid", "gauge", "1 if the newest configuration is in effect; 0 if it was refused and the last good one goes on.",
		func(o *output, s proxy.State) { o.Flag(s.Refused == "") }),
	exposition.New("redis_ambassador_config_info", "gauge", "Always 1; the label hash is the configuration in effect: the beginning of its file's SHA-256.",
		func(o *output, s proxy.State) { o.Value(1, "hash", s.Hash) }),
	exposition.New("redis_ambassador_commands_total", "counter", "Commands by upstream and class: read (sent where readPolicy says), write, blocking (may be answered late on purpose, as BLPOP), pinned (others, and reads that have to go to the primary).",
		each(func(o *output, u *session.Shared) {
			for class, name := range session.Classes {
				o.Value(float64(u.Metrics.Commands[class].Load()), "upstream", u.Name, "class", name)
			}
		})),
	exposition.New("redis_ambassador_command_duration_seconds", "histogram", "Time from a command's arrival to its reply, by upstream and class. Of commands that a client sends at once the last one is measured, and none while one may be answered late on purpose (BLPOP).",
		each(func(o *output, u *session.Shared) {
			for class, name := range session.Classes {
				if session.Class(class) == session.Blocking {
					continue
				}
				o.Histogram(&u.Metrics.Durations[class], "upstream", u.Name, "class", name)
			}
		})),
	exposition.New("redis_ambassador_errors_total", "counter", "Errors by upstream and class: connect and timeout (a connection to a server could not be made), reset (one was lost that owed replies), unavailable (a command was not sent, as there was no server for it), and replies of servers by their code; those with a rare one are other.",
		each(func(o *output, u *session.Shared) {
			for place, class := range session.ErrorClasses {
				o.Value(float64(u.Metrics.Errors.Count(place)), "upstream", u.Name, "class", class)
			}
		})),
	exposition.New("redis_ambassador_broken_clients_total", "counter", "Clients whose connection was closed, as a server's was lost while it owed them an answer.",
		each(func(o *output, u *session.Shared) { o.Value(float64(u.Metrics.Broken.Load()), "upstream", u.Name) })),
	exposition.New("redis_ambassador_repeated_reads_total", "counter", "Reads that another server was asked, as a replica was lost while it owed the answer.",
		each(func(o *output, u *session.Shared) { o.Value(float64(u.Metrics.Repeated.Load()), "upstream", u.Name) })),
	exposition.New("redis_ambassador_slow_clients_total", "counter", "Clients whose connection was closed, as they left more unread than is kept for them.",
		each(func(o *output, u *session.Shared) { o.Value(float64(u.Metrics.Slow.Load()), "upstream", u.Name) })),
	exposition.New("redis_ambassador_protocol_errors_total", "counter", "Clients whose connection was closed, as they sent what isn't RESP.",
		each(func(o *output, u *session.Shared) {
			o.Value(float64(u.Metrics.ProtocolErrors.Load()), "upstream", u.Name)
		})),
	exposition.New("redis_ambassador_clients", "gauge", "Clients that are connected.",
		each(func(o *output, u *session.Shared) { o.Value(float64(u.Metrics.Clients.Load()), "upstream", u.Name) })),
	exposition.New("redis_ambassador_primary_known", "gauge", "1 while there is a primary.",
		each(func(o *output, u *session.Shared) {
			o.Flag(u.Monitor.Snapshot().Primary != nil, "upstream", u.Name)
		})),
	exposition.New("redis_ambassador_failovers_total", "counter", "How often another server has become the primary.",
		each(func(o *output, u *session.Shared) {
			count, _ := u.Monitor.Changes()
			o.Value(float64(count), "upstream", u.Name)
		})),
	exposition.New("redis_ambassador_server_fit", "gauge", "By upstream, server and role: 1 if it is the primary, or a replica that reads may go to.",
		eachServer(func(o *output, u *session.Shared, s topology.State) {
			o.Flag(s.Fit, "upstream", u.Name, "server", s.Addr, "role", string(s.Role))
		})),
	exposition.New("redis_ambassador_server_lag_seconds", "gauge", "For how long, at least, a replica has lacked what the primary has.",
		eachServer(func(o *output, u *session.Shared, s topology.State) {
			o.Value(s.Lag.Seconds(), "upstream", u.Name, "server", s.Addr)
		})),
	exposition.New("redis_ambassador_server_connections", "gauge", "Connections to a server on behalf of clients.",
		eachServer(func(o *output, u *session.Shared, s topology.State) {
			o.Value(float64(s.Connections), "upstream", u.Name, "server", s.Addr)
		})),
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
		return exposition.Text(Families, state())
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
