package main

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
	"podpatterns.dev/helpers/internal/processtest"
)

// demand lets in who has the password, and repeats the credentials of whoever has not, as a rude server might.
func demand(user, password string) gate {
	return func(w http.ResponseWriter, q *http.Request, git http.Handler) {
		if u, p, _ := q.BasicAuth(); u != user || p != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, "wrong: %s %s %s", q.Header.Get("Authorization"), u, p)
			return
		}
		git.ServeHTTP(w, q)
	}
}

// rotate replaces a file in one step, as the kubelet does with a Secret's.
func rotate(t *testing.T, path, content string) {
	t.Helper()
	next := path + ".next"
	if err := os.WriteFile(next, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

func TestPasswordRotation(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	first := r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	server.Gate(demand("bot", "s3cret/one"))
	password := filepath.Join(t.TempDir(), "password")
	rotate(t, password, "s3cret/one\n")
	address := freeAddress(t)
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--username", "bot", "--password-file", password, "--http-bind", address)
	p.waitPublished(first)

	server.Gate(demand("bot", "s3cret/two"))
	second := r.Push(map[string]string{"index.html": "second"})
	p.waitLog("sync failed", 1)
	rotate(t, password, "s3cret/two")
	p.waitPublished(second)

	_, metrics := processtest.Get("http://" + address + "/metrics")
	checkNoSecret(t, p.Log()+metrics, "bot", "s3cret/one")
	if !strings.Contains(p.Log(), "[redacted]") {
		t.Error("the server's echo is not in the log: the test proves nothing")
	}
}

func checkNoSecret(t *testing.T, text, user, password string) {
	t.Helper()
	encoded := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	for _, secret := range []string{password, strings.ReplaceAll(password, "/", "%2F"), encoded} {
		if secret != "" && strings.Contains(text, secret) {
			t.Errorf("%q is in %s", secret, text)
		}
	}
}

func TestCredentialsInTheURL(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ userinfo, user, password string }{
		"user and password": {"bot:s3cret%2Fone", "bot", "s3cret/one"},
		"a token alone":     {"t0ken-alone", "t0ken-alone", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.NewRepository(t)
			hash := r.Push(map[string]string{"index.html": "first"})
			server := gittest.Serve(t, r)
			server.Gate(demand("someone", "else"))
			root := t.TempDir()
			p := start(t, root, "--repo", strings.Replace(server.Repository(), "http://", "http://"+test.userinfo+"@", 1))
			p.waitLog("sync failed", 1)
			server.Gate(demand(test.user, test.password))
			p.waitPublished(hash)
			checkNoSecret(t, p.Log(), test.user, test.password)
			if test.password == "" {
				checkNoSecret(t, p.Log(), "", test.user)
			}
		})
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	server := gittest.ServeTLS(t, r)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	rotate(t, authority, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))

	untrusting := start(t, t.TempDir(), "--repo", server.Repository(), "--one-time")
	if code := untrusting.Wait(); code != 1 || !strings.Contains(untrusting.Log(), "certificate") {
		t.Errorf("without the authority: exit code %d, log %q", code, untrusting.Log())
	}
	if root := t.TempDir(); start(t, root, "--repo", server.Repository(), "--one-time", "--ca-file", authority).Wait() != 0 || published(root) != hash {
		t.Error("--ca-file is not used")
	}

	bundle := filepath.Join(t.TempDir(), "rotated.pem")
	rotate(t, bundle, "not yet")
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--ca-file", bundle)
	p.waitLog("sync failed", 1)
	rotate(t, bundle, read(t, authority))
	p.waitPublished(hash)
}

func TestSSLCertFile(t *testing.T) {
	r := gittest.NewRepository(t)
	r.Push(map[string]string{"index.html": "first"})
	server := gittest.ServeTLS(t, r)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	rotate(t, authority, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	t.Setenv("SSL_CERT_FILE", authority)
	if code := start(t, t.TempDir(), "--repo", server.Repository(), "--one-time").Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestSSH(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	first := r.Push(map[string]string{"index.html": "first"})
	server := gittest.ServeSSH(t, r)
	key := filepath.Join(t.TempDir(), "key")
	rotate(t, key, read(t, server.NewKey()))
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--ssh-key-file", key, "--ssh-known-hosts-file", server.KnownHosts())
	p.waitPublished(first)
	p.waitPublished(r.Push(map[string]string{"index.html": "second"}))

	next := server.NewKey()
	third := r.Push(map[string]string{"index.html": "third"})
	p.waitLog("sync failed", 1)
	rotate(t, key, read(t, next))
	p.waitPublished(third)
}

func TestSSHHomeAndSecondKey(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	server := gittest.ServeSSH(t, r)
	root := t.TempDir()
	p := start(t, root, "--repo", "ssh://"+server.Address()+"/~me/site.git", "--one-time",
		"--ssh-key-file", server.NewKey(), "--ssh-key-file", server.NewKey(), "--ssh-known-hosts-file", server.KnownHosts())
	if code := p.Wait(); code != 0 || published(root) != hash {
		t.Errorf("exit code %d, published %q", code, published(root))
	}
}

func TestSSHServerThatIsNotTheKnownOne(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	r.Push(map[string]string{"index.html": "first"})
	server, other := gittest.ServeSSH(t, r), gittest.ServeSSH(t, r)
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--one-time",
		"--ssh-key-file", server.NewKey(), "--ssh-known-hosts-file", other.KnownHosts())
	if code := p.Wait(); code != 1 || published(p.root) != "" {
		t.Errorf("exit code %d, published %q", code, published(p.root))
	}
}

func TestSSHServerThatHangs(t *testing.T) {
	t.Parallel()
	known := gittest.ServeSSH(t, gittest.NewRepository(t))
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	args := []string{
		"--repo", "ssh://git@" + silent.Addr().String() + "/site.git",
		"--ssh-key-file", known.NewKey(), "--ssh-known-hosts-file", known.KnownHosts(),
	}
	p := start(t, t.TempDir(), append(args, "--sync-timeout", "200ms")...)
	p.waitLog("sync failed", 2)

	p = start(t, t.TempDir(), args...)
	p.waitLog("starting", 1)
	checkEndsSoon(t, p, syscall.SIGTERM)
}
