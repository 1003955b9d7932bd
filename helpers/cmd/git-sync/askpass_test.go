package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
	"podpatterns.dev/helpers/internal/processtest"
)

// askpass answers with what it is told to, and counts.
type askpass struct {
	*httptest.Server
	answer atomic.Value
	asked  atomic.Int32
}

func newAskpass(t *testing.T, answer string) *askpass {
	t.Helper()
	a := &askpass{}
	a.answer.Store(answer)
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a.asked.Add(1)
		if text := a.answer.Load().(string); text != "" {
			fmt.Fprint(w, text)
			return
		}
		http.Error(w, "s3cret-trouble", http.StatusInternalServerError)
	}))
	t.Cleanup(a.Close)
	return a
}

func TestAskpassURL(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	first := r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	server.Gate(demand("app", "s3cret-one"))
	a := newAskpass(t, "")
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--askpass-url", a.URL+"/s3cret-path")
	p.waitLog("sync failed", 1)
	a.answer.Store("username=app\npassword=s3cret-wrong\n")
	p.waitLog("sync failed", 2)
	a.answer.Store("username=app\npassword=s3cret-one\n")
	p.waitPublished(first)
	p.waitLog("published", 1)

	// An answer counts for as long as the server takes it.
	asked, before := a.asked.Load(), server.Requests()
	processtest.Eventually(t, "several syncs", func() bool { return server.Requests() > before+12 })
	if again := a.asked.Load(); again != asked {
		t.Errorf("asked %d times more, although the answer is good", again-asked)
	}

	// One that has expired is no failure: the next one is asked for at once.
	failures := len(p.lines("sync failed"))
	a.answer.Store("username=app\npassword=s3cret-two\n")
	server.Gate(demand("app", "s3cret-two"))
	p.waitPublished(r.Push(map[string]string{"index.html": "second"}))
	if now := len(p.lines("sync failed")); now != failures {
		t.Errorf("%d failures of an expired token", now-failures)
	}
	if strings.Contains(p.Log(), "s3cret") {
		t.Errorf("a secret is in the log: %s", p.Log())
	}
}

func TestAskpassAnswerThatExpires(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	server.Gate(demand("app", "token"))
	a := newAskpass(t, fmt.Sprintf("username=app\npassword=token\npassword_expiry_utc=%d\n", time.Now().Unix()))
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--askpass-url", a.URL)
	processtest.Eventually(t, "it is asked again before it is refused", func() bool { return a.asked.Load() > 2 })
	if failures := p.lines("sync failed"); len(failures) > 0 {
		t.Errorf("failures: %v", failures)
	}
}

// Any user of the node may list processes; other containers may read the volume.
func TestASecretIsNowhereToBeSeen(t *testing.T) {
	t.Parallel()
	const secret = "s3cret-n0where"
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	let := demand("bot", secret)
	looked := make(chan bool, 1)
	server.Gate(func(w http.ResponseWriter, q *http.Request, git http.Handler) {
		if _, password, _ := q.BasicAuth(); password == secret {
			select {
			case looked <- true:
				checkProcesses(t, secret)
			default:
			}
		}
		let(w, q, git)
	})
	password := filepath.Join(t.TempDir(), "password")
	rotate(t, password, secret)
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--username", "bot", "--password-file", password)
	p.waitPublished(hash)
	<-looked
	err := filepath.WalkDir(p.root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if content, err := os.ReadFile(path); err == nil && strings.Contains(string(content), secret) {
				t.Errorf("the secret is in %s", path)
			}
		}
		return nil // git makes and removes files meanwhile
	})
	if err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(p.root, ".git-sync", "git")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may enter git's directory: %v, %v", info.Mode(), err)
	}
}

func checkProcesses(t *testing.T, secret string) {
	for _, name := range []string{"cmdline", "environ"} {
		files, err := filepath.Glob("/proc/[0-9]*/" + name)
		if err != nil {
			t.Error(err)
		}
		for _, file := range files {
			if content, err := os.ReadFile(file); err == nil && strings.Contains(string(content), secret) {
				t.Errorf("the secret is in %s", file)
			}
		}
	}
}

// A submodule's server gets its own credentials, and never the repository's.
func TestCredentialsForSubmodules(t *testing.T) {
	t.Parallel()
	r, other := gittest.NewRepository(t), gittest.NewRepository(t)
	other.Push(map[string]string{"style": "s"})
	elsewhere := gittest.Serve(t, other)
	r.AddSubmodule(other, "theme", elsewhere.Repository())
	r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	server.Gate(demand("bot", "one"))
	var leaked atomic.Bool
	elsewhere.Gate(func(w http.ResponseWriter, q *http.Request, git http.Handler) {
		if _, password, _ := q.BasicAuth(); password == "one" {
			leaked.Store(true)
		}
		demand("theme", "two")(w, q, git)
	})
	dir := t.TempDir()
	rotate(t, dir+"/one", "one")
	rotate(t, dir+"/two", "two")
	args := []string{"--repo", server.Repository(), "--username", "bot", "--password-file", dir + "/one", "--one-time"}
	if code := start(t, t.TempDir(), args...).Wait(); code != 1 {
		t.Errorf("without the other credential: exit code %d", code)
	}
	credential := fmt.Sprintf(`{"url": %q, "username": "theme", "password-file": %q}`, elsewhere.URL, dir+"/two")
	p := start(t, t.TempDir(), append(args, "--credential", credential)...)
	if code := p.Wait(); code != 0 || read(t, p.path("theme/style")) != "s" {
		t.Errorf("exit code %d", code)
	}
	if leaked.Load() {
		t.Error("the submodule's server was given the repository's password")
	}
}
