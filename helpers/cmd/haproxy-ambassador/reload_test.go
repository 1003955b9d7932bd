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
)

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
