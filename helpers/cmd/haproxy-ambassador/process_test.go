package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
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

func TestARefusedConfigurationNeverReplacesOneThatRuns(t *testing.T) {
	p := start(t)
	one := server(t, "one")
	p.configure("server one " + one)
	p.await("/healthz", http.StatusOK, "")
	_, running := p.get("/readyz")

	p.configure("server one "+one, "bogus")
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_valid 0\n")
	if status, now := p.get("/readyz"); status != http.StatusOK || now != running {
		t.Error(status, now)
	}
	_, told := p.get("/config")
	hash, why, _ := strings.Cut(told, "\n")
	if running != "ok, config "+hash+"\n" || !strings.Contains(why, "unknown keyword 'bogus'") {
		t.Error(told)
	}
	if answer, err := p.askOnce(); answer != "one" {
		t.Error(answer, err)
	}

	p.configure("server two " + server(t, "two"))
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_valid 1\n")
	if _, told := p.get("/config"); strings.Count(told, "\n") != 1 {
		t.Error(told)
	}
	if answer, err := p.askOnce(); answer != "two" {
		t.Error(answer, err)
	}
}

func TestAConfigurationThatPassesTheCheckAndCannotBeLoadedIsTold(t *testing.T) {
	p := start(t)
	one := server(t, "one")
	p.configure("server one " + one)
	p.await("/healthz", http.StatusOK, "")
	taken := server(t, "this port is taken")
	p.configure("server one "+one, "bind "+taken)
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_valid 0\n")
	p.await("/config", http.StatusOK, "cannot bind socket (Address already in use) for ["+taken+"]")
	if answer, err := p.askOnce(); answer != "one" {
		t.Error(answer, err)
	}
	p.configure("server two " + server(t, "two"))
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_valid 1\n")
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

func TestHealthNamesTheUpstreamWithoutAnEndpoint(t *testing.T) {
	p := start(t)
	gone := processtest.FreeAddress(t)
	p.before = "    setenv START_WHEN Healthy\n"
	p.configure("server gone " + gone + " check inter 100ms fall 1")
	p.await("/healthz", http.StatusServiceUnavailable, "no healthy endpoint for: up ("+gone+" L4CON)")
	p.configure("server one " + server(t, "one") + " check inter 100ms")
	p.await("/healthz", http.StatusOK, "ok")
	p.configure("server gone " + processtest.FreeAddress(t) + " check inter 100ms fall 1")
	p.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: up")
	p.await("/healthz", http.StatusOK, "ok")
}

func TestTheApplicationStartsWhenTheProxyListens(t *testing.T) {
	p := start(t)
	p.configure("server gone " + processtest.FreeAddress(t) + " check inter 100ms fall 1")
	p.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: up")
	p.await("/healthz", http.StatusOK, "ok")
}

func TestThePodIsReadyWithoutAnOptionalUpstream(t *testing.T) {
	p := start(t)
	p.before = "    setenv OPTIONAL_UPSTREAMS other,up\n    setenv START_WHEN Healthy\n"
	p.configure("server gone " + processtest.FreeAddress(t) + " check inter 100ms fall 1")
	p.await("/readyz", http.StatusOK, "no healthy endpoint for optional: up (")
	p.await("/healthz", http.StatusOK, "ok")
}

func TestAnUpstreamThatRunsOnItsBackupIsWell(t *testing.T) {
	p := start(t)
	p.configure("server gone "+processtest.FreeAddress(t)+" check inter 100ms fall 1", "server other "+server(t, "other")+" backup")
	p.await("/metrics", http.StatusOK, `haproxy_backend_active_servers{proxy="up"} 0`)
	p.await("/readyz", http.StatusOK, "ok")
	if answer, err := p.askOnce(); answer != "other" {
		t.Error(answer, err)
	}
}

func TestAnUpstreamWhoseNameMeansNothingIsUnhealthy(t *testing.T) {
	p := start(t)
	p.configure("server-template nowhere- 2 nowhere.invalid:1 init-addr none")
	p.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: up")
}

func TestARenewedFileBesideItIsLoaded(t *testing.T) {
	p := start(t)
	p.configure("server one " + server(t, "one"))
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_loads_total 1\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(p.config), "ca.crt"), []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_loads_total 2\n")
}

// A check of a server that says nothing takes a while to fail.
func TestAReloadRemembersWhichServersAreDown(t *testing.T) {
	p := start(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			time.AfterFunc(500*time.Millisecond, func() { conn.Close() })
		}
	}()
	servers := []string{"balance roundrobin", "retries 0", "option tcp-check", `tcp-check send "who\n"`, "tcp-check expect string one",
		"default-server check inter 1s fall 1", "server mute " + listener.Addr().String(), "server one " + server(t, "one")}
	p.configure(servers...)
	p.await("/metrics", http.StatusOK, `haproxy_server_status{proxy="up",server="mute",state="DOWN"} 1`)
	p.configure(append(servers, "maxconn 100")...)
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_loads_total 2\n")
	for range 10 {
		if answer, err := p.askOnce(); answer != "one" {
			t.Fatal(answer, err)
		}
	}
}

// Clients connect all the time, and some stay connected, while the configuration changes again and again.
func TestNoConnectionIsLostByAReload(t *testing.T) {
	const reloads, clients, lasting = 10, 4, 20
	p := start(t)
	servers := []string{"server a " + server(t, "a"), "server b " + server(t, "b")}
	p.configure(servers[0])
	p.await("/healthz", http.StatusOK, "")

	var held []*client
	for range lasting {
		c, err := p.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.conn.Close()
		if answer, err := c.ask(); answer != "a" {
			t.Fatal(answer, err)
		}
		held = append(held, c)
	}

	end := p.connectAllTheTime(clients)
	for i := range reloads {
		p.configure(servers[(i+1)%2])
		p.await("/metrics", http.StatusOK, fmt.Sprintf("haproxy_ambassador_config_loads_total %d\n", i+2))
	}
	end()
	for _, c := range held {
		if answer, err := c.ask(); answer != "a" {
			t.Error("a lasting connection was lost:", answer, err)
		}
	}
}

// Has clients connect one time after the other; the function that it returns ends that, and no connection may have failed.
func (p *pod) connectAllTheTime(clients int) (end func()) {
	p.t.Helper()
	var group sync.WaitGroup
	var asked, lost atomic.Int64
	done := make(chan struct{})
	for range clients {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				asked.Add(1)
				if _, err := p.askOnce(); err != nil {
					lost.Add(1)
					p.t.Log(err)
				}
			}
		})
	}
	return func() {
		p.t.Helper()
		close(done)
		group.Wait()
		p.t.Logf("%d connections, %d lost", asked.Load(), lost.Load())
		if lost.Load() > 0 {
			p.t.Errorf("%d of %d connections failed", lost.Load(), asked.Load())
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

func TestAUnixSocketIsListenedAtOverReloads(t *testing.T) {
	p := start(t)
	directory, err := os.MkdirTemp("", "sockets")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(directory) })
	path := filepath.Join(directory, ".s.PGSQL.5432")
	for i, name := range []string{"one", "two"} {
		p.configure("bind unix@"+path+" mode 666", "server "+name+" "+server(t, name))
		p.await("/metrics", http.StatusOK, fmt.Sprintf("haproxy_ambassador_config_loads_total %d\n", i+1))
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if answer, err := (&client{conn, bufio.NewReader(conn)}).ask(); answer != name {
			t.Error(answer, err)
		}
	}
}

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
