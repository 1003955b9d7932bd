package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
	"podpatterns.dev/helpers/internal/processtest"
)

func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hook")
	if err := os.WriteFile(path, []byte("#!/bin/sh\nset -eu\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommandRunsAfterEachChange(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	first := r.Push(map[string]string{"index.html": "first"})
	told := filepath.Join(t.TempDir(), "told")
	command := script(t, `echo "$GITSYNC_HASH $(cat index.html) $(basename $(pwd -P)) $#" >>`+told)
	args := []string{"--repo", gittest.Serve(t, r).Repository(), "--exechook-command", command}
	p := start(t, t.TempDir(), args...)
	want := first + " first " + first + " 0\n"
	waitContent(t, told, want)

	second := r.Push(map[string]string{"index.html": "second"})
	want += second + " second " + second + " 0\n"
	waitContent(t, told, want)

	p.Kill() // perhaps before it had told: so a start tells again
	start(t, p.root, args...)
	want += second + " second " + second + " 0\n"
	waitContent(t, told, want)
}

func waitContent(t *testing.T, path, want string) {
	t.Helper()
	processtest.Eventually(t, path+" holds "+want, func() bool {
		content, err := os.ReadFile(path)
		return err == nil && string(content) == want
	})
}

func TestFailedCommandIsRepeatedWhileSyncingGoesOn(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	first := r.Push(map[string]string{"index.html": "first"})
	allowed := filepath.Join(t.TempDir(), "allowed")
	address := freeAddress(t)
	p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository(), "--http-bind", address,
		"--exechook-command", script(t, "echo not yet; test -e "+allowed), "--exechook-backoff", "50ms")
	p.waitPublished(first)
	p.waitLog("hook failed", 2)
	second := r.Push(map[string]string{"index.html": "second"})
	p.waitPublished(second)
	if err := os.WriteFile(allowed, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	processtest.Eventually(t, "the hook succeeds for the newest commit", func() bool {
		return slices.ContainsFunc(p.lines("hook succeeded"), func(line map[string]any) bool { return line["hash"] == second })
	})
	if got := p.lines("hook failed")[0]["error"].(string); !strings.Contains(got, "not yet") {
		t.Errorf("the error %q lacks the output", got)
	}
	_, metrics := processtest.Get("http://" + address + "/metrics")
	if got := sample(metrics, `git_sync_hooks_total{hook="exechook",status="success"}`); got == "" {
		t.Errorf("the metric of successes is %q", got)
	}
}

func TestWebhook(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	var requests atomic.Int32
	told := make(chan string, 10)
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		switch requests.Add(1) {
		case 1:
			w.WriteHeader(http.StatusInternalServerError)
		case 2:
			<-q.Context().Done() // until the timeout
		default:
			w.WriteHeader(http.StatusAccepted)
			told <- q.Method + " " + q.URL.Path + " " + q.Header.Get("Gitsync-Hash")
		}
	}))
	t.Cleanup(target.Close)
	p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository(), "--webhook-url", target.URL+"/s3cret",
		"--webhook-method", "PUT", "--webhook-success-status", "202", "--webhook-timeout", "300ms", "--webhook-backoff", "50ms")
	p.waitLog("hook succeeded", 1)
	if got, want := <-told, "PUT /s3cret "+hash; got != want {
		t.Errorf("told %q, want %q", got, want)
	}
	if strings.Contains(p.Log(), "s3cret") {
		t.Errorf("the webhook's URL is in the log: %s", p.Log())
	}
	if got := len(p.lines("hook failed")); got < 2 {
		t.Errorf("%d failures, want the first two attempts", got)
	}
}

func TestOneTimeFailsWithItsHook(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	for body, want := range map[string]int{"exit 0": 0, "exit 7": 1} {
		if got := start(t, t.TempDir(), "--repo", server.Repository(), "--one-time", "--exechook-command", script(t, body)).Wait(); got != want {
			t.Errorf("%s: exit code %d, want %d", body, got, want)
		}
	}
}
