package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"podpatterns.dev/helpers/internal/processtest"
)

func (p *pod) hold() *client {
	p.t.Helper()
	c, err := p.dial()
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { c.conn.Close() })
	if answer, err := c.ask(); answer != "one" {
		p.t.Fatal(answer, err)
	}
	return c
}

// A new image: the next proxy starts when this one has ended, which a pool's connections must not keep it from.
func TestANewProxyTakesOverFromOneWithAnIdleConnection(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.configure("server one " + server(t, "one"))
	p.await("/healthz", http.StatusOK, "")
	p.hold()
	p.Terminate()
	var refusedSince time.Time
	processtest.Eventually(t, "the proxy has ended", func() bool {
		answer, err := p.askOnce()
		if err != nil && refusedSince.IsZero() {
			refusedSince = time.Now()
		} else if err == nil && answer != "one" {
			t.Error(answer)
		}
		return p.Ended()
	})
	if code := p.Wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
	refused := time.Since(refusedSince)
	t.Logf("refused for %s", refused)
	if refused > 3*time.Second {
		t.Errorf("new connections were refused for %s", refused)
	}
}

func TestItTakesConnectionsWhileOneIsInUse(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.configure("server one " + server(t, "one"))
	p.await("/healthz", http.StatusOK, "")
	p.configure("server one "+server(t, "one"), "maxconn 100")
	c := p.hold() // of a former worker, or of the present one
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_loads_total 2\n")
	p.Terminate()
	p.Eventually("it drains", func() bool { return strings.Contains(p.Log(), "draining") })
	// Longer than an idle connection is waited for, and than HAProxy may take to answer.
	for end := time.Now().Add(7 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if answer, err := c.ask(); answer != "one" {
			t.Fatal(answer, err)
		}
		if answer, err := p.askOnce(); answer != "one" {
			t.Fatal(answer, err)
		}
	}
	c.conn.Close()
	if code := p.Wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}
