package haproxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/observation"
)

// adminTime is the most that the worker may take to answer.
const adminTime = 5 * time.Second

// admin is the part of the configuration that is ours: one thread; metrics, statistics, commands and the hash of the rest
// at sockets that nobody else can reach; the ring of what is observed. No upstream can have its name, which is no DNS label.
//
// With more threads a worker of 2.6 that has to end can turn in a loop for ever instead, at the cost of a whole
// processor: https://github.com/haproxy/haproxy/issues/2537
func (h *HAProxy) admin(hash string) string {
	return fmt.Sprintf(`
global
    nbthread 1
    server-state-file %s
    stats socket unix@%s mode 600 level admin

frontend %s
    mode http
    bind unix@%s mode 600
    timeout client 10s
    http-request return status 200 content-type text/plain string %s if { path /hash }
    http-request use-service prometheus-exporter if { path /metrics }
    no log
    stats enable
    stats uri /stats
%s`, h.path(stateFile), h.path(commandSocket), adminFrontend, h.socket(), hash, observation.Ring(h.path(observation.Socket)))
}

func (h *HAProxy) socket() string {
	return h.path(adminSocket)
}

func (h *HAProxy) transport() http.RoundTripper {
	return &http.Transport{
		DisableKeepAlives: true, // a reload leaves the former worker with the connections that it has
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", h.socket())
		},
	}
}

// Pages passes on HAProxy's own pages: /metrics and /stats.
func (h *HAProxy) Pages() http.Handler {
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "haproxy"})
	proxy.Transport = h.transport()
	return proxy
}

// Serving gives the hash of the configuration that new connections meet.
func (h *HAProxy) Serving(ctx context.Context) (string, error) {
	return h.get(ctx, "/hash")
}

// Metrics gives the Prometheus metrics of the worker.
func (h *HAProxy) Metrics(ctx context.Context) (string, error) {
	return h.get(ctx, "/metrics")
}

func (h *HAProxy) get(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, adminTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://haproxy"+path, nil)
	if err != nil {
		return "", err
	}
	response, err := h.transport().RoundTrip(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, response.Status)
	}
	return string(body), err
}
