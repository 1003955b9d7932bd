package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"podpatterns.dev/helpers/internal/processtest"
)

func TestMain(m *testing.M) { processtest.Main(m, main) }

// answerTimeout bounds a client's wait for an answer.
const answerTimeout = 30 * time.Second

// pod is the program at work, with a directory as the volume of its configuration.
type pod struct {
	*processtest.Process
	t       *testing.T
	config  string
	metrics string
	listen  string
	before  string // what the global section has besides
	bind    string // what the bind line has besides
}

// start runs haproxy-ambassador. It has to stop in good order when the test ends.
func start(t *testing.T, arguments ...string) *pod {
	t.Helper()
	config := filepath.Join(t.TempDir(), "etc", "haproxy.cfg")
	if err := os.Mkdir(filepath.Dir(config), 0o755); err != nil {
		t.Fatal(err)
	}
	return startWith(t, config, processtest.FreeAddress(t), processtest.FreeAddress(t), arguments...)
}

// startWith does so with a configuration that listens at an address.
func startWith(t *testing.T, config, metrics, listen string, arguments ...string) *pod {
	t.Helper()
	p := &pod{t: t, config: config, metrics: metrics, listen: listen}
	// A socket's path has at most 107 bytes.
	sockets, err := os.MkdirTemp("", "haproxy")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(sockets) })
	p.Process = processtest.Start(t, append([]string{"--config", p.config, "--metrics", p.metrics, "--run", sockets}, arguments...)...)
	t.Cleanup(func() {
		if t.Failed() {
			for _, path := range []string{"/healthz", "/config", "/metrics"} {
				status, body := p.get(path)
				t.Logf("%s: %d\n%s", path, status, body)
			}
		}
		p.Terminate()
		if code := p.Wait(); code != 0 {
			t.Errorf("exit status %d", code)
		}
	})
	return p
}

// configure writes a configuration as the kubelet does, all at once.
func (p *pod) configure(lines ...string) {
	p.t.Helper()
	text := "global\n    maxconn 1000\n" + p.before + "defaults\n    mode tcp\n    timeout connect 2s\n    timeout client 1m\n    timeout server 1m\n" +
		"listen up\n    bind " + p.listen + p.bind + "\n    " + strings.Join(lines, "\n    ") + "\n"
	next := p.config + ".next"
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(next, p.config); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pod) get(path string) (int, string) { return processtest.Get("http://" + p.metrics + path) }

// await waits for a page with a status and a text.
func (p *pod) await(path string, status int, text string) {
	p.t.Helper()
	p.Eventually(fmt.Sprintf("%s has status %d and %q", path, status, text), func() bool {
		got, body := p.get(path)
		return got == status && strings.Contains(body, text)
	})
}

// server answers every line with its name, until the test ends.
func server(t *testing.T, name string) string {
	t.Helper()
	return serverAt(t, "127.0.0.1:0", name)
}

func serverAt(t *testing.T, address, name string) string {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return answering(t, listener, func(net.Conn) string { return name })
}

// answering answers every line at the listener with what the answer is, until the test ends.
func answering(t *testing.T, listener net.Listener, answer func(net.Conn) string) string {
	t.Helper()
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewScanner(conn); lines.Scan(); {
					if _, err := fmt.Fprintln(conn, answer(conn)); err != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// client holds one connection.
type client struct {
	conn    net.Conn
	answers *bufio.Reader
}

func (p *pod) dial() (*client, error) {
	conn, err := net.DialTimeout("tcp", p.listen, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &client{conn, bufio.NewReader(conn)}, nil
}

func (c *client) ask() (string, error) {
	if err := c.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintln(c.conn, "who"); err != nil {
		return "", err
	}
	answer, err := c.answers.ReadString('\n')
	return strings.TrimSpace(answer), err
}

func (p *pod) askOnce() (string, error) {
	c, err := p.dial()
	if err != nil {
		return "", err
	}
	defer c.conn.Close()
	return c.ask()
}

func TestItServesWhenTheConfigurationComesAndFollowsIt(t *testing.T) {
	p := start(t)
	p.await("/healthz", http.StatusServiceUnavailable, "no such file")
	p.configure("server one " + server(t, "one"))
	p.await("/readyz", http.StatusOK, "ok, config ")
	if answer, err := p.askOnce(); answer != "one" {
		t.Fatal(answer, err)
	}
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_valid 1\n")
	p.await("/metrics", http.StatusOK, `haproxy_frontend_status{proxy="up",state="UP"} 1`)
	p.await("/stats", http.StatusOK, "Statistics Report")

	p.configure("server two " + server(t, "two"))
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_loads_total 2\n")
	if answer, err := p.askOnce(); answer != "two" {
		t.Fatal(answer, err)
	}
}

func TestItsLastWordsAreWhyItEnded(t *testing.T) {
	taken := server(t, "this port is taken")
	directory := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	config := write("haproxy.cfg", "defaults\n    timeout client 1m\nfrontend up\n    bind "+taken+"\n")
	for reason, metrics := range map[string]string{
		"cannot bind socket (Address already in use) for [" + taken + "]": processtest.FreeAddress(t),
		"--metrics: listen tcp " + taken:                                  taken,
	} {
		log := write("termination-log", "")
		run, err := os.MkdirTemp("", "haproxy")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(run) })
		p := processtest.Start(t, "--config", config, "--metrics", metrics, "--run", run, "--termination-log", log)
		if code := p.Wait(); code != 1 {
			t.Errorf("exit status %d", code)
		}
		if words, err := os.ReadFile(log); err != nil || !strings.Contains(string(words), reason) {
			t.Errorf("%q %v, want %q", words, err, reason)
		}
	}
}

func TestItListensAtBothAddressesOfLoopback(t *testing.T) {
	p := start(t)
	p.configure("server one " + server(t, "one"))
	p.await("/healthz", http.StatusOK, "")
	p.listen = net.JoinHostPort("::1", port(t, p.listen))
	if answer, err := p.askOnce(); answer != "one" {
		t.Error(answer, err)
	}
}
