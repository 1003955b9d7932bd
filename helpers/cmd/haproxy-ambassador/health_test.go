package main

import (
	"net/http"
	"testing"

	"podpatterns.dev/helpers/internal/processtest"
)

func TestHealthNamesTheUpstreamWithoutAnEndpoint(t *testing.T) {
	p := start(t)
	gone := processtest.FreeAddress(t)
	p.before = "    setenv START_WHEN Healthy\n"
	p.configure("server gone " + gone + " check inter 100ms fall 1")
	p.await("/healthz", http.StatusServiceUnavailable, "no healthy endpoint for: up ("+gone+" L4CON)")
	p.configure("server one " + server(t, "one") + " check inter 100ms")
	p.await("/healthz", http.StatusOK, "ok")
	p.configure("server gone " + processtest.FreeAddress(t) + " check inter 100ms fall 1")
	p.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: up")
	p.await("/healthz", http.StatusOK, "ok")
}

func TestTheApplicationStartsWhenTheProxyListens(t *testing.T) {
	p := start(t)
	p.configure("server gone " + processtest.FreeAddress(t) + " check inter 100ms fall 1")
	p.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: up")
	p.await("/healthz", http.StatusOK, "ok")
}

func TestThePodIsReadyWithoutAnOptionalUpstream(t *testing.T) {
	p := start(t)
	p.before = "    setenv OPTIONAL_UPSTREAMS other,up\n    setenv START_WHEN Healthy\n"
	p.configure("server gone " + processtest.FreeAddress(t) + " check inter 100ms fall 1")
	p.await("/readyz", http.StatusOK, "no healthy endpoint for optional: up (")
	p.await("/healthz", http.StatusOK, "ok")
}

func TestAnUpstreamThatRunsOnItsBackupIsWell(t *testing.T) {
	p := start(t)
	p.configure("server gone "+processtest.FreeAddress(t)+" check inter 100ms fall 1", "server other "+server(t, "other")+" backup")
	p.await("/metrics", http.StatusOK, `haproxy_backend_active_servers{proxy="up"} 0`)
	p.await("/readyz", http.StatusOK, "ok")
	if answer, err := p.askOnce(); answer != "other" {
		t.Error(answer, err)
	}
}

func TestAnUpstreamWhoseNameMeansNothingIsUnhealthy(t *testing.T) {
	p := start(t)
	p.configure("server-template nowhere- 2 nowhere.invalid:1 init-addr none")
	p.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: up")
}
