package adapter

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
	"podpatterns.dev/helpers/internal/serve"
)

// server offers the metrics. Its port stays open while only the path changes.
type server struct {
	port     int
	path     atomic.Pointer[string]
	created  atomic.Bool // whether OpenMetrics has when counters began
	listener net.Listener
	stop     func()
}

// maxScrapes bounds the memory that many readers at once take.
const maxScrapes = 8

// listen opens the port of the metrics, unless it is open.
func (a *Adapter) listen(m spec.Metrics) (*server, error) {
	if a.server != nil && a.server.port == m.Port {
		return a.server, nil
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(a.host, strconv.Itoa(m.Port)))
	if err != nil {
		return nil, fmt.Errorf("metrics.port: %w", err)
	}
	return &server{port: m.Port, listener: listener}, nil
}

// serve offers the metrics there from now on.
func (a *Adapter) serve(s *server, m spec.Metrics) {
	s.path.Store(&m.Path)
	s.created.Store(m.CreatedTimestamps)
	if s == a.server {
		return
	}
	s.stop = serve.Start(s.listener, s.handler(a), a.log)
	if a.server != nil {
		a.server.stop()
	}
	a.server = s
}

func (s *server) handler(a *Adapter) http.Handler {
	options := promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: maxScrapes}
	all := prometheus.Gatherers{a.store, a.tell}
	metrics := promhttp.HandlerFor(all, options)
	options.EnableOpenMetricsTextCreatedSamples = true
	created := promhttp.HandlerFor(all, options)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case *s.path.Load():
			if s.created.Load() {
				created.ServeHTTP(w, r)
			} else {
				metrics.ServeHTTP(w, r)
			}
		case spec.HealthPath:
			w.WriteHeader(http.StatusOK)
		case spec.ContractPath:
			a.serveContract(w, r)
		default:
			http.NotFound(w, r)
		}
	})
}
