package main

import (
	"net/http"
	"strconv"
	"syscall"
	"testing"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
	"podpatterns.dev/helpers/internal/processtest"
)

func TestSyncOnDemand(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	server := gittest.Serve(t, r)
	first := r.Push(map[string]string{"index.html": "first"})
	address := freeAddress(t)
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--period", "1h", "--sync-on-signal", "HUP", "--http-bind", address)
	p.waitPublished(first)
	p.waitLog("published", 1)

	second := r.Push(map[string]string{"index.html": "second"})
	if err := p.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.waitPublished(second)

	third := r.Push(map[string]string{"index.html": "third"})
	response, err := http.Post("http://"+address+"/sync", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusAccepted {
		t.Errorf("status %d", response.StatusCode)
	}
	p.waitPublished(third)
	if status, _ := processtest.Get("http://" + address + "/sync"); status != http.StatusMethodNotAllowed {
		t.Errorf("GET /sync: status %d", status)
	}
}

func TestSIGHUPDoesNotEndIt(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	server := gittest.Serve(t, r)
	first := r.Push(map[string]string{"index.html": "first"})
	p := start(t, t.TempDir(), "--repo", server.Repository())
	p.waitPublished(first)
	if err := p.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.waitPublished(r.Push(map[string]string{"index.html": "second"}))
}

func TestStaleness(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	server.Gate(demand("bot", "token"))
	password := t.TempDir() + "/password"
	rotate(t, password, "token")
	address := freeAddress(t)
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--username", "bot", "--password-file", password,
		"--stale-after", "20s", "--http-bind", address)
	is := func(healthz, readyz, stale int) bool {
		health, _ := processtest.Get("http://" + address + "/healthz")
		ready, _ := processtest.Get("http://" + address + "/readyz")
		_, metrics := processtest.Get("http://" + address + "/metrics")
		return health == healthz && ready == readyz && sample(metrics, "git_sync_stale") == strconv.Itoa(stale)
	}
	p.waitPublished(hash)
	processtest.Eventually(t, "fresh", func() bool { return is(200, 200, 0) })
	server.Gate(demand("bot", "another token"))
	processtest.Eventually(t, "stale", func() bool { return is(200, 503, 1) })
	rotate(t, password, "another token")
	processtest.Eventually(t, "fresh again", func() bool { return is(200, 200, 0) })
}
