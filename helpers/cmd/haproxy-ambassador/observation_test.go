package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"podpatterns.dev/helpers/internal/processtest"
)

// Every request is counted: when it was answered late, and how it failed.
func TestRequestsAreObserved(t *testing.T) {
	t.Parallel()
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/late":
			time.Sleep(300 * time.Millisecond)
		case "/lost":
			panic(http.ErrAbortHandler)
		case "/gone":
			w.WriteHeader(http.StatusGone)
		}
	}))
	t.Cleanup(backend.Close)
	p := start(t)
	p.configure("mode http", "timeout server 1s", "server one "+backend.Listener.Addr().String())
	p.await("/metrics", http.StatusOK, `haproxy_ambassador_errors_total{upstream="up",class="timeout"} 0`)
	for _, path := range []string{"/", "/", "/late", "/lost", "/gone"} {
		answer, err := http.Get("http://" + p.listen + path)
		if err != nil {
			t.Fatal(path, err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	for _, line := range []string{
		`request_duration_seconds_count{upstream="up"} 5`, `request_duration_seconds_bucket{upstream="up",le="0.25"} 4`,
		`errors_total{upstream="up",class="reset"} 1`, `errors_total{upstream="up",class="4xx"} 1`, `errors_total{upstream="up",class="5xx"} 0`,
		`observations_dropped_total 0`,
	} {
		p.await("/metrics", http.StatusOK, "haproxy_ambassador_"+line+"\n")
	}
	p.configure("mode http", "server gone "+processtest.FreeAddress(t))
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_loads_total 2\n")
	answer, err := http.Get("http://" + p.listen)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	p.await("/metrics", http.StatusOK, `haproxy_ambassador_errors_total{upstream="up",class="connect"} 1`)
	p.await("/metrics", http.StatusOK, `haproxy_ambassador_errors_total{upstream="up",class="reset"} 1`)
}

// Sessions of other protocols are, with the time that connecting took.
func TestSessionsAreObserved(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.configure("option dontlognull", "server one "+server(t, "one"))
	p.await("/readyz", http.StatusOK, "ok")
	if answer, err := p.askOnce(); answer != "one" {
		t.Fatal(answer, err)
	}
	p.await("/metrics", http.StatusOK, `haproxy_ambassador_connect_duration_seconds_count{upstream="up"} 1`)
	p.configure("retries 0", "server gone "+processtest.FreeAddress(t))
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_loads_total 2\n")
	// A client that waits for the server to begin.
	conn, err := net.Dial("tcp", p.listen)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, conn)
	conn.Close()
	p.await("/metrics", http.StatusOK, `haproxy_ambassador_errors_total{upstream="up",class="connect"} 1`)
	p.await("/metrics", http.StatusOK, `haproxy_ambassador_connect_duration_seconds_count{upstream="up"} 1`)
}
