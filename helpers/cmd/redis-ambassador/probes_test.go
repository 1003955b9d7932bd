package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
)

// await waits for a page with a status and a text.
func (p *process) await(path string, status int, text string) {
	p.t.Helper()
	p.Eventually(fmt.Sprintf("%s has status %d and %q", path, status, text), func() bool {
		got, body := p.get(path)
		return got == status && strings.Contains(body, text)
	})
}

// gone is an upstream called spare without a server; fields are the upstream's.
func gone(t *testing.T, fields string) string {
	t.Helper()
	return fmt.Sprintf("- {name: spare, protocol: redis, listen: {port: %d}, redis: {endpoints: [%q]}%s}\n",
		processtest.FreePort(t), processtest.FreeAddress(t), fields)
}

func TestThePodIsReadyWithoutAnOptionalUpstream(t *testing.T) {
	t.Parallel()
	servers := []*redistest.Server{redistest.Start(t)}
	c := configured(t, redisSpec(servers)+gone(t, ", required: false"))
	c.await("/readyz", http.StatusOK, "\nno healthy endpoint for optional: spare (no primary: ")
	c.set(redisSpec(servers) + gone(t, ""))
	c.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: spare (no primary: ")
}

func TestTheApplicationStartsWhenTheProxyListens(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"", "proxy: {startWhen: Listening}\n"} {
		c := configured(t, spec+"upstreams:\n"+gone(t, ""))
		c.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: spare")
		c.await("/healthz", http.StatusOK, "ok")
	}
}

func TestTheApplicationStartsWhenTheRequiredUpstreamsHaveHadAPrimary(t *testing.T) {
	t.Parallel()
	healthy := "proxy: {startWhen: Healthy}\n"
	c := configured(t, healthy+"upstreams:\n"+gone(t, ""))
	c.await("/healthz", http.StatusServiceUnavailable, "no healthy endpoint for: spare")
	servers := []*redistest.Server{redistest.Start(t)}
	c.set(healthy + redisSpec(servers) + gone(t, ", required: false"))
	c.await("/healthz", http.StatusOK, "ok")
	c.set(healthy + redisSpec(servers) + gone(t, ""))
	c.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: spare")
	c.await("/healthz", http.StatusOK, "ok")
}

func TestItListensAtBothAddressesOfLoopback(t *testing.T) {
	t.Parallel()
	servers := []*redistest.Server{redistest.Start(t)}
	c := configured(t, redisSpec(servers)+"  circuitBreaker: {maxConnections: 2}\n")
	c.waitFit(servers...)
	six := net.JoinHostPort("::1", c.port)
	first, second := redistest.Connect(t, six), c.connect()
	first.Want("+OK\r\n", "SET", "k", "v")
	second.Want("$1\r\nv\r\n", "GET", "k")
	// Both count.
	waiting := []*redistest.Client{redistest.Connect(t, six), c.connect()}
	for _, client := range waiting {
		client.Send("GET", "k")
	}
	if !c.hasMetric(`redis_ambassador_clients{upstream="cache"} 2`) {
		t.Error(c.metrics())
	}
	first.Close()
	second.Close()
	for _, client := range waiting {
		if got := client.Read(); got != "$1\r\nv\r\n" {
			t.Errorf("got %q", got)
		}
	}
}

func TestItsLastWordsAreWhyItEnded(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", processtest.FreeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	log := filepath.Join(t.TempDir(), "termination-log")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	at := taken.Addr().String()
	p := start(t, "--listen", at, "--endpoint", processtest.FreeAddress(t), "--termination-log", log)
	if code := p.Wait(); code != 1 {
		t.Errorf("exit status %d", code)
	}
	if words, err := os.ReadFile(log); err != nil || !strings.Contains(string(words), "--listen: listen tcp "+at) {
		t.Errorf("%q %v", words, err)
	}
}
