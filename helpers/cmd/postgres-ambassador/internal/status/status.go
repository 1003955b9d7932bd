// Package status tells the outside what is going on: health, metrics, the configuration in effect.
package status

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/pgbouncer"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/proxy"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/relay"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/topology"
	"podpatterns.dev/helpers/internal/serve"
)

// family is a metric as Prometheus knows it.
type family struct {
	name, kind, help string
	add              func(o *output, s proxy.State)
}

const gauge, counter = "gauge", "counter"

// families lists every metric in the order of its output.
var families = []family{
	{"postgres_ambassador_config_valid", gauge, "1 if the newest configuration is in effect; 0 if it was refused and the last good one goes on.",
		func(o *output, s proxy.State) { o.value(number(s.Refused == "")) }},
	{"postgres_ambassador_config_info", gauge, "Always 1; the label hash is the configuration in effect: the beginning of its file's SHA-256.",
		func(o *output, s proxy.State) { o.value(1, "hash", s.Hash) }},
	{"postgres_ambassador_primary_known", gauge, "1 while there is a primary.",
		each(func(o *output, u proxy.Upstream) { o.value(number(u.Primary != nil), "upstream", u.Name) })},
	{"postgres_ambassador_failovers_total", counter, "How often another server has become the primary.",
		each(func(o *output, u proxy.Upstream) { o.value(float64(u.Failovers), "upstream", u.Name) })},
	{"postgres_ambassador_server_fit", gauge, "By upstream, server and role: 1 if it is the primary, or a replica that can be used.",
		each(func(o *output, u proxy.Upstream) {
			for _, s := range u.Servers {
				fit := s.Problem == "" && (s.Role == topology.Replica || u.Primary != nil && u.Primary.Address == s.Address)
				o.value(number(fit), "upstream", u.Name, "server", s.Address.String(), "role", string(s.Role))
			}
		})},
	{"postgres_ambassador_server_connections", gauge, "Connections to a server, by port.",
		eachPort(func(o *output, p proxy.Port) {
			for address, n := range p.Connections {
				o.value(float64(n), "port", p.Name, "server", address.String())
			}
		})},
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

func eachPort(add func(*output, proxy.Port)) func(*output, proxy.State) {
	return each(func(o *output, u proxy.Upstream) {
		for _, p := range u.Ports {
			add(o, p)
		}
	})
}

func ofPools(name, kind, help string, value func(pgbouncer.Pool) float64) family {
	return family{"postgres_ambassador_" + name, kind, help, eachPort(func(o *output, p proxy.Port) {
		for _, pool := range p.Pools {
			o.value(value(pool), "port", p.Name, "database", pool.Database)
		}
	})}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// output is the Prometheus text format.
type output struct {
	bytes.Buffer
	family string
}

func (o *output) value(value float64, labels ...string) {
	o.WriteString(o.family)
	for i := 0; i < len(labels); i += 2 {
		fmt.Fprintf(o, "%c%s=%q", "{,"[min(i, 1)], labels[i], labels[i+1])
	}
	if len(labels) > 0 {
		o.WriteByte('}')
	}
	fmt.Fprintf(o, " %s\n", strconv.FormatFloat(value, 'g', -1, 64))
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
		s := p.State(r.Context())
		var o output
		for _, f := range families {
			fmt.Fprintf(&o, "# HELP %s %s\n# TYPE %s %s\n", f.name, f.help, f.name, f.kind)
			o.family = f.name
			f.add(&o, s)
		}
		return o.Bytes()
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
