package main

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
	"podpatterns.dev/helpers/internal/processtest"
)

type gate = func(w http.ResponseWriter, q *http.Request, git http.Handler)

func answer(status int, body string) gate {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func hang(_ http.ResponseWriter, q *http.Request, _ http.Handler) {
	_, _ = io.Copy(io.Discard, q.Body) // net/http notices a closed connection only after the body
	<-q.Context().Done()
}

// onlyPacks lets the list of refs through, so that the failure comes with the pack.
func onlyPacks(broken gate) gate {
	return func(w http.ResponseWriter, q *http.Request, git http.Handler) {
		if q.Method == http.MethodGet {
			git.ServeHTTP(w, q)
			return
		}
		broken(w, q, git)
	}
}

// changed passes on git's answer after a change to it.
func changed(change func([]byte) []byte) gate {
	return func(w http.ResponseWriter, q *http.Request, git http.Handler) {
		recorded := httptest.NewRecorder()
		git.ServeHTTP(recorded, q)
		for name, values := range recorded.Header() {
			if name != "Content-Length" {
				w.Header()[name] = values
			}
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(change(recorded.Body.Bytes()))
	}
}

func hangHalfWay(w http.ResponseWriter, q *http.Request, git http.Handler) {
	changed(func(answer []byte) []byte { return answer[:len(answer)/2] })(w, q, git)
	_ = http.NewResponseController(w).Flush()
	<-q.Context().Done()
}

func TestBrokenRemote(t *testing.T) {
	t.Parallel()
	half := changed(func(answer []byte) []byte { return answer[:len(answer)/2] })
	flipped := changed(func(answer []byte) []byte {
		answer[bytes.Index(answer, []byte("PACK"))+50] ^= 0xff
		return answer
	})
	for name, broken := range map[string]gate{
		"error 500":               answer(http.StatusInternalServerError, "broken"),
		"error 404":               answer(http.StatusNotFound, "gone"),
		"endless error text":      func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(500); endless(w) },
		"a web page":              answer(http.StatusOK, "<html>please log in</html>"),
		"nothing":                 answer(http.StatusOK, ""),
		"zeroes":                  answer(http.StatusOK, strings.Repeat("\x00", 1<<16)),
		"refs that are no refs":   answer(http.StatusOK, "001e# service=git-upload-pack\n0000000fgarbage...\n0000"),
		"half of the refs":        half,
		"hanging":                 hang,
		"hanging within the refs": hangHalfWay,
		"pack: error 500":         onlyPacks(answer(http.StatusInternalServerError, "broken")),
		"pack: nothing":           onlyPacks(answer(http.StatusOK, "")),
		"pack: garbage":           onlyPacks(answer(http.StatusOK, "0008NAK\nPACK"+strings.Repeat("x", 1000))),
		"pack: half":              onlyPacks(half),
		"pack: a flipped byte":    onlyPacks(flipped),
		"pack: hanging":           onlyPacks(hang),
		"pack: hanging within":    onlyPacks(hangHalfWay),
		"a closed connection":     func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) },
		"redirects in a circle": func(w http.ResponseWriter, q *http.Request, _ http.Handler) {
			http.Redirect(w, q, q.URL.String(), http.StatusFound)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.NewRepository(t)
			first := r.Push(sameEverywhere("first"))
			server := gittest.Serve(t, r)
			p := start(t, t.TempDir(), "--repo", server.Repository(), "--sync-timeout", "1s")
			p.waitPublished(first)

			server.Gate(broken)
			second := r.Push(sameEverywhere("second"))
			p.waitLog("sync failed", 1)
			if got := published(p.root); got != first {
				t.Errorf("published %q while broken, want %q", got, first)
			}
			if len(p.Log()) > 8<<10 {
				t.Errorf("a log of %d bytes", len(p.Log()))
			}

			server.Gate(nil)
			p.waitPublished(second)
			if err := checkWhole(p.root); err != nil {
				t.Error(err)
			}
		})
	}
}

func endless(w io.Writer) {
	for {
		if _, err := w.Write(bytes.Repeat([]byte("no "), 1000)); err != nil {
			return
		}
	}
}

func TestUnreachableRemoteAtTheStart(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	address := freeAddress(t)
	p := start(t, t.TempDir(), "--repo", "http://"+address+"/site.git")
	p.waitLog("sync failed", 2)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	late := &http.Server{Handler: server.Config.Handler}
	t.Cleanup(func() { late.Close() })
	go func() { _ = late.Serve(listener) }()
	p.waitPublished(hash)
}

func TestVanishedBranchKeepsItsLastTree(t *testing.T) {
	t.Parallel()
	for name, keepOther := range map[string]bool{"others stay": true, "the repository is empty again": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.NewRepository(t)
			hash := r.Push(map[string]string{"index.html": "first"})
			r.GitBare("", "config", "receive.denyDeleteCurrent", "ignore")
			if keepOther {
				r.Git("push", "--quiet", "origin", "HEAD:other")
			}
			address := freeAddress(t)
			p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository(), "--ref", "main", "--http-bind", address)
			p.waitPublished(hash)
			r.Git("push", "--quiet", "--delete", "origin", "main")
			p.waitLog("sync failed", 2)
			if got := read(t, p.path("index.html")); got != "first" {
				t.Errorf("serves %q", got)
			}
			if status, _ := processtest.Get("http://" + address + "/healthz"); status != http.StatusOK {
				t.Errorf("healthz: %d", status)
			}
			_, metrics := processtest.Get("http://" + address + "/metrics")
			if got := sample(metrics, `git_sync_syncs_total{status="error"}`); got == "0" || got == "" {
				t.Errorf("the error metric is %q", got)
			}
			p.waitPublished(r.Push(map[string]string{"index.html": "back"}))
		})
	}
}

func TestEmptyRepositoryIsWaitedFor(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	address := freeAddress(t)
	p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository(), "--max-failures", "0", "--http-bind", address)
	processtest.Eventually(t, "three syncs find it empty", func() bool {
		_, metrics := processtest.Get("http://" + address + "/metrics")
		count, err := strconv.Atoi(sample(metrics, `git_sync_syncs_total{status="empty"}`))
		return err == nil && count >= 3
	})
	if waits := p.lines("waiting for the first commit"); len(waits) != 1 {
		t.Errorf("said %d times that it waits", len(waits))
	}
	if status, _ := processtest.Get("http://" + address + "/healthz"); status != http.StatusServiceUnavailable {
		t.Errorf("healthz: %d", status)
	}
	p.waitPublished(r.Push(map[string]string{"index.html": "first"}))
}

func TestHEADOnAMissingBranchIsToldAndRetried(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	r.Git("checkout", "--quiet", "-b", "other")
	r.Push(map[string]string{"index.html": "not on the default branch"})
	p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository())
	p.waitLog("sync failed", 1)
	if got := p.lines("sync failed")[0]["error"].(string); !strings.Contains(got, "HEAD names a branch that it doesn't have") || !strings.Contains(got, "other") {
		t.Errorf("the error is %q", got)
	}
	r.Git("checkout", "--quiet", "-b", "main")
	p.waitPublished(r.Push(map[string]string{"index.html": "first"}))
}

func TestMaxFailures(t *testing.T) {
	t.Parallel()
	server := gittest.Serve(t, gittest.NewRepository(t))
	server.Gate(answer(http.StatusInternalServerError, "broken"))
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--max-failures", "1")
	if code := p.Wait(); code != 1 || server.Requests() != 2 {
		t.Errorf("exit code %d after %d attempts, want 1 after 2", code, server.Requests())
	}
}

func TestOneTimeFails(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	server := gittest.Serve(t, r)
	if code := start(t, t.TempDir(), "--repo", server.Repository(), "--one-time").Wait(); code != 1 {
		t.Errorf("empty repository: exit code %d", code)
	}
	server.Gate(answer(http.StatusInternalServerError, "broken"))
	if code := start(t, t.TempDir(), "--repo", server.Repository(), "--one-time").Wait(); code != 1 {
		t.Errorf("broken server: exit code %d", code)
	}
}

func TestTerminationDuringAHangingSync(t *testing.T) {
	t.Parallel()
	server := gittest.Serve(t, gittest.NewRepository(t))
	server.Gate(hang)
	p := start(t, t.TempDir(), "--repo", server.Repository())
	processtest.Eventually(t, "a request hangs", func() bool { return server.Requests() > 0 })
	checkEndsSoon(t, p, syscall.SIGTERM)
}

func TestUnusableRoot(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	r.Push(nil)
	server := gittest.Serve(t, r)
	inTheWay := t.TempDir()
	if err := os.Mkdir(filepath.Join(inTheWay, "current"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, root := range map[string]string{"link is a directory": inTheWay, "root is a file": file, "not writable": "/proc"} {
		p := start(t, root, "--repo", server.Repository())
		if code := p.Wait(); code != 1 || !strings.Contains(p.Log(), "cannot use the root as UID") {
			t.Errorf("%s: exit code %d, log %q", name, code, p.Log())
		}
	}
}

// freeAddress is an address of loopback at which nobody listens. Its port is none of those that the kernel gives to
// connections (net.ipv4.ip_local_port_range, from 32768 on): one of the many under way would at times take it first.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(10_000+rand.IntN(20_000))))
		if err == nil {
			defer listener.Close()
			return listener.Addr().String()
		}
	}
	t.Fatal("no port of loopback is free")
	return ""
}
