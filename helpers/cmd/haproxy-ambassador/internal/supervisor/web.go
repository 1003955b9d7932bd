package supervisor

import (
	"net/http"

	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/haproxy"
	"podpatterns.dev/helpers/internal/exposition"
	"podpatterns.dev/helpers/internal/serve"
)

// Handler serves /healthz and /readyz, for probes, /config, /metrics, and to the Pod itself HAProxy's own page /stats.
func Handler(s *Supervisor, proxy *haproxy.HAProxy) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", serve.Startup(func(r *http.Request) string { return notStarted(r, s, proxy) }))
	mux.HandleFunc("GET /readyz", serve.Health(func(r *http.Request) (string, bool) {
		why, optional := unhealthy(r, s, proxy)
		if why != "" {
			return why, false
		}
		return "ok, config " + s.State().Running + optional, true
	}))
	mux.HandleFunc("GET /config", serve.Configuration(func() (string, string) {
		state := s.State()
		return state.Running, state.Refused
	}))
	mux.HandleFunc("GET /metrics", serve.Metrics(func(r *http.Request) []byte {
		text := exposition.Text(families, s)
		if ofProxy, err := proxy.Metrics(r.Context()); err == nil {
			text = append(text, ofProxy...)
		}
		return text
	}))
	mux.Handle("GET /stats", serve.Local(proxy.Pages()))
	return mux
}

// notStarted returns why the application should not be started; empty when it should.
func notStarted(r *http.Request, s *Supervisor, proxy *haproxy.HAProxy) string {
	state := s.State()
	if state.Running != "" && !state.Probes.StartHealthy {
		return ""
	}
	why, _ := unhealthy(r, s, proxy)
	return why
}

// unhealthy returns why the application should not be sent work, empty when it should; and what is to be said besides of
// upstreams that it can do without.
func unhealthy(r *http.Request, s *Supervisor, proxy *haproxy.HAProxy) (why, optional string) {
	state := s.State()
	if state.Running == "" {
		return "no configuration runs: " + state.Refused, ""
	}
	upstreams, err := proxy.Upstreams(r.Context())
	if err != nil {
		return err.Error(), ""
	}
	told := make([]serve.Upstream, 0, len(upstreams))
	for _, u := range upstreams {
		told = append(told, serve.Upstream{Text: u.String(), Healthy: u.Healthy, Optional: state.Probes.Optional(u.Name)})
	}
	return serve.Unhealthy(told)
}
