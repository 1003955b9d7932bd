// Package status tells the outside what is going on: health, metrics, the configuration in effect.
package status

import (
	"fmt"
	"net/http"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/pgbouncer"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/proxy"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/relay"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/topology"
	"podpatterns.dev/helpers/internal/exposition"
	"podpatterns.dev/helpers/internal/serve"
)

// output takes samples.
type output = exposition.Output

const gauge, counter = "gauge", "counter"

// families lists every metric in the order of its output.
var families = []exposition.Family[proxy.State]{
	exposition.New("postgres_ambassador_config_valid", gauge, "1 if the newest configuration is in effect; 0 if it was refused and the last good one goes on.",
		func(o *output, s proxy.State) { o.Flag(s.Refused == "") }),
	exposition.New("postgres_ambassador_config_info", gauge, "Always 1; the label hash is the configuration in effect: the beginning of its file's SHA-256.",
		func(o *output, s proxy.State) { o.Value(1, "hash", s.Hash) }),
	exposition.New("postgres_ambassador_primary_known", gauge, "1 while there is a primary.",
		each(func(o *output, u proxy.Upstream) { o.Flag(u.Primary != nil, "upstream", u.Name) })),
	exposition.New("postgres_ambassador_failovers_total", counter, "How often another server has become the primary.",
		each(func(o *output, u proxy.Upstream) { o.Value(float64(u.Failovers), "upstream", u.Name) })),
	exposition.New("postgres_ambassador_server_fit", gauge, "By upstream, server and role: 1 if it is the primary, or a replica that can be used.",
		each(func(o *output, u proxy.Upstream) {
			for _, s := range u.Servers {
				fit := s.Problem == "" && (s.Role == topology.Replica || u.Primary != nil && u.Primary.Address == s.Address)
				o.Flag(fit, "upstream", u.Name, "server", s.Address.String(), "role", string(s.Role))
			}
		})),
	exposition.New("postgres_ambassador_server_connections", gauge, "Connections to a server, by port.",
		eachPort(func(o *output, u proxy.Upstream, p proxy.Port) {
			for address, n := range p.Connections {
				o.Value(float64(n), "upstream", u.Name, "port", p.Name, "server", address.String())
			}
		})),
	exposition.New("postgres_ambassador_connect_duration_seconds", "histogram", "Time until a connection to a server was made, TLS included, by upstream and port; the login, which is PgBouncer's, comes after it.",
		eachPort(func(o *output, u proxy.Upstream, p proxy.Port) {
			o.Histogram(&p.Metrics.Connected, "upstream", u.Name, "port", p.Name)
		})),
	exposition.New("postgres_ambassador_query_duration_seconds", "histogram", "Time from a query to the end of the server's answer, by upstream and port. Of queries that a client sends at once the first one is measured.",
		eachPort(func(o *output, u proxy.Upstream, p proxy.Port) {
			o.Histogram(&p.Metrics.Answered, "upstream", u.Name, "port", p.Name)
		})),
	exposition.New("postgres_ambassador_errors_total", counter, "Errors by upstream, port and class: unavailable (no server was right for a connection), connect, timeout and tls (it could not be connected with), reply (a server answered with an error).",
		eachPort(func(o *output, u proxy.Upstream, p proxy.Port) {
			for place, class := range relay.ErrorClasses {
				o.Value(float64(p.Metrics.Errors[place].Load()), "upstream", u.Name, "port", p.Name, "class", class)
			}
		})),
	ofPools("clients_active", gauge, "Clients that have a connection to a server, by port and database.", func(p pgbouncer.Pool) float64 { return p.ActiveClients }),
	ofPools("clients_waiting", gauge, "Clients that wait for a connection to a server.", func(p pgbouncer.Pool) float64 { return p.WaitingClients }),
	ofPools("servers_active", gauge, "Pooled connections that a client has.", func(p pgbouncer.Pool) float64 { return p.ActiveServers }),
	ofPools("servers_idle", gauge, "Pooled connections that are free.", func(p pgbouncer.Pool) float64 { return p.IdleServers }),
	ofPools("longest_wait_seconds", gauge, "For how long the first of the waiting clients has waited.", func(p pgbouncer.Pool) float64 { return p.LongestWait }),
	ofPools("transactions_total", counter, "Transactions, by port and database.", func(p pgbouncer.Pool) float64 { return p.Transactions }),
	ofPools("queries_total", counter, "Queries, by port and database.", func(p pgbouncer.Pool) float64 { return p.Queries }),
	ofPools("query_seconds_total", counter, "Time that servers took for queries.", func(p pgbouncer.Pool) float64 { return p.QueryTime }),
	ofPools("wait_seconds_total", counter, "Time that clients waited for a connection to a server.", func(p pgbouncer.Pool) float64 { return p.WaitTime }),
}

func each(add func(*output, proxy.Upstream)) func(*output, proxy.State) {
	return func(o *output, s proxy.State) {
		for _, u := range s.Upstreams {
			add(o, u)
		}
	}
}

func eachPort(add func(*output, proxy.Upstream, proxy.Port)) func(*output, proxy.State) {
	return each(func(o *output, u proxy.Upstream) {
		for _, p := range u.Ports {
			add(o, u, p)
		}
	})
}

func eachPool(add func(o *output, p pgbouncer.Pool, labels ...string)) func(*output, proxy.State) {
	return eachPort(func(o *output, u proxy.Upstream, p proxy.Port) {
		for _, pool := range p.Pools {
			add(o, pool, "upstream", u.Name, "port", p.Name, "database", pool.Database)
		}
	})
}

func ofPools(name, kind, help string, value func(pgbouncer.Pool) float64) exposition.Family[proxy.State] {
	return exposition.New("postgres_ambassador_"+name, kind, help, eachPool(func(o *output, p pgbouncer.Pool, labels ...string) {
		o.Value(value(p), labels...)
	}))
}

// Handler serves /healthz, /readyz, /config and /metrics.
func Handler(p *proxy.Proxy) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", serve.Startup(func(*http.Request) (why string) {
		if s := p.Health(); s.StartHealthy {
			why, _ = unhealthy(s, func(u proxy.Upstream) bool { return u.HadPrimary })
		}
		return why
	}))
	mux.HandleFunc("GET /readyz", serve.Health(func(*http.Request) (string, bool) {
		why, optional := unhealthy(p.Health(), func(u proxy.Upstream) bool { return u.Primary != nil })
		if why != "" {
			return why, false
		}
		return "ok" + optional, true
	}))
	mux.HandleFunc("GET /config", serve.Configuration(func() (string, string) {
		s := p.Health()
		return s.Hash, s.Refused
	}))
	mux.HandleFunc("GET /metrics", serve.Metrics(func(r *http.Request) []byte {
		return exposition.Text(families, p.State(r.Context()))
	}))
	return mux
}

// unhealthy tells of upstreams without a primary, and of ports that only a replica is right for.
func unhealthy(s proxy.State, primary func(proxy.Upstream) bool) (why, optional string) {
	var told []serve.Upstream
	for _, u := range s.Upstreams {
		text := fmt.Sprintf("%s (no primary: %s)", u.Name, u.Reason)
		told = append(told, serve.Upstream{Text: text, Healthy: primary(u), Optional: u.Optional})
		for _, port := range u.Ports {
			if port.Policy == relay.Replica {
				text := fmt.Sprintf("%s (no replica: %s)", port.Name, u.NoReplica())
				told = append(told, serve.Upstream{Text: text, Healthy: len(u.Replicas) > 0, Optional: u.Optional})
			}
		}
	}
	return serve.Unhealthy(told)
}
