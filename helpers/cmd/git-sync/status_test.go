package main

import (
	"net/http"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
	"podpatterns.dev/helpers/cmd/git-sync/internal/status"
	"podpatterns.dev/helpers/internal/processtest"
)

func TestHealthAndMetrics(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	first := r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	server.Gate(answer(http.StatusInternalServerError, "broken"))
	address := freeAddress(t)
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--http-bind", address)
	p.waitLog("sync failed", 1)
	metrics := func() string {
		_, text := processtest.Get("http://" + address + "/metrics")
		return text
	}
	health := func() int {
		code, _ := processtest.Get("http://" + address + "/healthz")
		return code
	}
	if got := health(); got != http.StatusServiceUnavailable {
		t.Errorf("healthz before the first sync: %d", got)
	}
	if got := sample(metrics(), "git_sync_last_success_timestamp_seconds"); got != "0" {
		t.Errorf("last success before the first sync: %q", got)
	}

	server.Gate(nil)
	p.waitPublished(first)
	processtest.Eventually(t, "healthy", func() bool { return health() == http.StatusOK })
	p.waitPublished(r.Push(map[string]string{"index.html": "second"}))
	processtest.Eventually(t, "both changes are counted", func() bool {
		return sample(metrics(), `git_sync_syncs_total{status="changed"}`) == "2"
	})
	text := metrics()
	if got := sample(text, `git_sync_published_info{hash="`+published(p.root)+`"}`); got != "1" {
		t.Errorf("the published hash is not in %s", text)
	}
	if strings.Contains(text, first) {
		t.Errorf("the former hash is still in %s", text)
	}
	for _, f := range status.Families {
		if !strings.Contains(text, "# HELP "+f.Name+" ") || !strings.Contains(text, "# TYPE "+f.Name+" "+f.Type+"\n") {
			t.Errorf("%s is not described in %s", f.Name, text)
		}
	}

	server.Gate(answer(http.StatusInternalServerError, "broken"))
	failures := len(p.lines("sync failed"))
	p.waitLog("sync failed", failures+1)
	if got := health(); got != http.StatusOK {
		t.Errorf("healthz while the remote is broken: %d", got)
	}
}

func TestTakenAddress(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	server := gittest.Serve(t, r)
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--http-bind", server.Listener.Addr().String())
	if code := p.Wait(); code != 1 || !strings.Contains(p.Log(), "--http-bind") {
		t.Errorf("exit code %d, log %q", code, p.Log())
	}
}
