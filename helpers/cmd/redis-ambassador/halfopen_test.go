package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
)

// lostWithin bounds the time in which the loss of a connection is noticed: 20 s as the manual says, and a busy machine.
const lostWithin = 40 * time.Second

// inNetwork is set where a test runs in a network of its own.
const inNetwork = "IN_A_NETWORK_OF_ITS_OWN"

// ownNetwork tells whether the test runs in a network of its own, where packets can be made to vanish. If not, it runs
// it there.
func ownNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inNetwork) != "" {
		return true
	}
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	command.Env = append(os.Environ(), inNetwork+"=1")
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	output, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "--- PASS: "+t.Name()) {
		t.Fatalf("in a network of its own: %v\n%s", err, output)
	}
	return false
}

// network makes packets vanish: a rule sends them into a cable at whose other end nobody is meant by them. So nobody
// gets a FIN, a RST or an ICMP message. (ip-rule(8), ip-route(8))
type network struct{ t *testing.T }

func newNetwork(t *testing.T) network {
	t.Helper()
	n := network{t}
	n.ip("link", "set", "lo", "up")
	n.ip("link", "add", "nowhere", "arp", "off", "type", "veth", "peer", "name", "nobody")
	n.ip("link", "set", "nowhere", "up")
	n.ip("link", "set", "nobody", "up")
	if err := os.WriteFile("/proc/sys/net/ipv4/conf/nowhere/route_localnet", []byte("1"), 0o644); err != nil {
		t.Fatal(err)
	}
	n.ip("route", "add", "default", "dev", "nowhere", "table", "200")
	n.ip("rule", "add", "pref", "100", "lookup", "local")
	n.ip("rule", "del", "pref", "0")
	return n
}

func (n network) ip(args ...string) {
	n.t.Helper()
	if output, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		n.t.Fatalf("ip %q: %v: %s", args, err, output)
	}
}

// vanish makes what goes from and to a port vanish from now on.
func (n network) vanish(port string) {
	n.t.Helper()
	n.ip("rule", "add", "pref", "10", "ipproto", "tcp", "sport", port, "lookup", "200")
	n.ip("rule", "add", "pref", "10", "ipproto", "tcp", "dport", port, "lookup", "200")
}

// appear ends vanish.
func (n network) appear(port string) {
	n.t.Helper()
	n.ip("rule", "del", "pref", "10", "ipproto", "tcp", "sport", port)
	n.ip("rule", "del", "pref", "10", "ipproto", "tcp", "dport", port)
}

// peer is the port from which a server sees the connection of that name.
func peer(t *testing.T, server *redistest.Server, name string) string {
	t.Helper()
	var ports []string
	processtest.Eventually(t, "there is one connection of that name", func() bool {
		ports = nil
		for line := range strings.Lines(server.Do("CLIENT", "LIST")) {
			if strings.Contains(line, " name="+name+" ") {
				_, rest, _ := strings.Cut(line, " addr=")
				addr, _, _ := strings.Cut(rest, " ")
				if _, port, err := net.SplitHostPort(addr); err == nil {
					ports = append(ports, port)
				}
			}
		}
		return len(ports) == 1
	})
	return ports[0]
}

// hasClients tells whether so many clients are connected, and so many connections to the server there for them.
func (p *process) hasClients(clients int, server *redistest.Server, connections int) bool {
	return p.hasMetric(fmt.Sprintf(`redis_ambassador_clients{upstream="redis"} %d`, clients)) &&
		p.hasConnections(server.Addr, connections)
}

// ended waits for the connection's end, and tells how long that took.
func ended(t *testing.T, c *redistest.Client) time.Duration {
	t.Helper()
	begun := time.Now()
	if got, err := c.TryRead(); err == nil {
		t.Errorf("got %q", got)
	}
	return time.Since(begun)
}

func TestWhatVanishesWithoutAWord(t *testing.T) {
	t.Parallel()
	if !ownNetwork(t) {
		return
	}
	n := newNetwork(t)
	t.Run("a server", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t)
		p := ambassador(t, []*redistest.Server{server})
		idle, c := p.connect(), p.connect()
		idle.Want("+OK\r\n", "SET", "k", "v")
		c.Want("+OK\r\n", "SET", "k", "v")
		n.vanish(server.Port())
		c.Send("SET", "k", "w")
		if took := ended(t, c); took > 20*time.Second {
			t.Errorf("a write to a server that is gone ended after %v", took)
		}
		if got := idle.Do("SET", "k", "w"); !strings.HasPrefix(got, "-MASTERDOWN") {
			t.Errorf("got %q", got)
		}
		processtest.Eventually(t, "the connections are gone", func() bool { return p.hasClients(1, server, 0) })
		n.appear(server.Port())
		p.waitFit(server)
		idle.Want("+OK\r\n", "SET", "k", "w")
	})
	t.Run("a connection with a server", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t)
		p := ambassador(t, []*redistest.Server{server})
		idle, c := p.connect(), p.connect()
		idle.Want("+OK\r\n", "CLIENT", "SETNAME", "idle")
		c.Want("+OK\r\n", "CLIENT", "SETNAME", "busy")
		for _, client := range []*redistest.Client{idle, c} { // who only sets up a connection shares another one afterwards
			client.Want("+OK\r\n", "SET", "k", "v")
		}
		n.vanish(peer(t, server, "idle"))
		n.vanish(peer(t, server, "busy"))
		c.Send("SET", "k", "v")
		if took := ended(t, c); took > lostWithin {
			t.Errorf("a write over a connection that is gone ended after %v", took)
		}
		processtest.Eventually(t, "the connections are gone", func() bool { return p.hasClients(1, server, 0) })
		idle.Want("$4\r\nidle\r\n", "CLIENT", "GETNAME") // who was owed nothing notices nothing
	})
	t.Run("a client", func(t *testing.T) {
		t.Parallel()
		server := redistest.Start(t)
		p := ambassador(t, []*redistest.Server{server})
		idle, waits := p.connect(), p.connect()
		idle.Want("+OK\r\n", "SET", "k", "v")
		waits.Send("BLPOP", "list", "0")
		processtest.Eventually(t, "BLPOP waits", func() bool {
			return strings.Contains(server.Do("INFO", "clients"), "blocked_clients:1")
		})
		n.vanish(idle.Port())
		n.vanish(waits.Port())
		begun := time.Now()
		processtest.Eventually(t, "the connections are gone", func() bool { return p.hasClients(0, server, 0) })
		if took := time.Since(begun); took > lostWithin {
			t.Errorf("clients that are gone were kept for %v", took)
		}
		c := p.connect() // and took nothing
		c.Want(":1\r\n", "RPUSH", "list", "x")
		c.Want("$1\r\nx\r\n", "LPOP", "list")
	})
}

// relayed starts an ambassador that reaches its only server through a relay.
func relayed(t *testing.T) (*redistest.Server, *redistest.Relay, *process) {
	t.Helper()
	server := redistest.Start(t)
	relay := redistest.StartRelay(t, server)
	addr := processtest.FreeAddress(t)
	p := start(t, "--listen", addr, "--endpoint", relay.Addr)
	p.addr = addr
	processtest.Eventually(t, "the server is in use", func() bool { return p.hasMetric(`redis_ambassador_primary_known{upstream="redis"} 1`) })
	return server, relay, p
}

// The connections look alive: what is sent is taken in. Only the answers don't come.
func TestANetworkThatPassesNothingOn(t *testing.T) {
	t.Parallel()
	_, relay, p := relayed(t)
	idle, c := p.connect(), p.connect()
	idle.Want("+OK\r\n", "SET", "k", "v")
	c.Want("+OK\r\n", "SET", "k", "v")
	relay.Stall()
	c.Send("SET", "k", "w")
	if took := ended(t, c); took > 20*time.Second {
		t.Errorf("a write into nothing ended after %v", took)
	}
	if got := idle.Do("SET", "k", "w"); !strings.HasPrefix(got, "-MASTERDOWN") {
		t.Errorf("got %q", got)
	}
	processtest.Eventually(t, "the connections are gone", func() bool {
		return p.hasConnections(relay.Addr, 0)
	})
	relay.Resume()
	processtest.Eventually(t, "writes succeed", func() bool { return idle.Do("SET", "k", "w") == "+OK\r\n" })
}

func TestAServerThatClosesItsSideOnly(t *testing.T) {
	t.Parallel()
	server, relay, p := relayed(t)
	idle, c := p.connect(), p.connect()
	idle.Want("+OK\r\n", "CLIENT", "SETNAME", "idle")
	c.Send("BLPOP", "list", "0")
	processtest.Eventually(t, "BLPOP waits", func() bool {
		return strings.Contains(server.Do("INFO", "clients"), "blocked_clients:1")
	})
	relay.CloseWrite()
	if took := ended(t, c); took > 20*time.Second {
		t.Errorf("a command to a server that says no more ended after %v", took)
	}
	processtest.Eventually(t, "BLPOP waits no more", func() bool {
		return strings.Contains(server.Do("INFO", "clients"), "blocked_clients:0")
	})
	idle.Want("$4\r\nidle\r\n", "CLIENT", "GETNAME")
}

// A server's last reply and its end may arrive together.
func TestAServerThatAnswersAndCloses(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := ambassador(t, []*redistest.Server{server})
	c := p.connect()
	for range 20 {
		id := strings.TrimSpace(strings.TrimPrefix(c.Do("CLIENT", "ID"), ":"))
		c.Want(":1\r\n", "CLIENT", "KILL", "ID", id, "SKIPME", "no")
		processtest.Eventually(t, "the loss is noticed", func() bool { return p.hasClients(1, server, 0) })
	}
}

// A client that has closed its side is answered as by Redis, which ends with it what waits.
func TestAClientThatClosesItsSideIsAnswered(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	direct := servers[0].Addr
	for _, policy := range []string{"Primary", "PreferReplica"} {
		p := ambassador(t, servers, "--read-policy", policy)
		for _, commands := range []string{
			"SET k v\r\nGETSET k v\r\nPING\r\n",
			"SET k v\r\nBLPOP none 0\r\nSET k late\r\n",
			"MULTI\r\nSET k v\r\nBLPOP none 0\r\nEXEC\r\n",
			"SET k v\r\nSUBSCRIBE news\r\nPING\r\n",
			"MULTI\r\nSET k v\r\n",
			"SET k v\r\nGETSET k",
		} {
			answers := func(c *redistest.Client) string {
				defer c.Close()
				c.SendRaw(commands)
				c.CloseWrite()
				return c.ReadAll()
			}
			begun := time.Now()
			if got, want := answers(p.connect()), answers(redistest.Connect(t, direct)); got != want {
				t.Errorf("%q: got %q, want %q", commands, got, want)
			}
			if took := time.Since(begun); took > 4*time.Second {
				t.Errorf("%q took %v", commands, took)
			}
		}
		// More than the buffers on its way hold, and read late.
		value := strings.Repeat("x", 10_000)
		c := p.connect()
		c.Want("+OK\r\n", "SET", "big", value)
		awaited(t, servers)
		c.SendLines(strings.Repeat("GET big\n", 1000) + "GETEX big\n")
		c.CloseWrite()
		for i := range 1001 {
			if got := c.Read(); got != fmt.Sprintf("$%d\r\n%s\r\n", len(value), value) {
				t.Fatalf("reply %d: %d bytes: %.40q", i, len(got), got)
			}
		}
		if _, err := c.TryRead(); err == nil {
			t.Error("the connection stays open")
		}
		processtest.Eventually(t, "the client is gone", func() bool { return p.hasClients(0, servers[0], 0) })
	}
}
