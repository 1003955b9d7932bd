package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/dnstest"
	"podpatterns.dev/helpers/internal/processtest"
)

// ownDNS makes a server that the test rules the one that every program asks here.
func ownDNS(t *testing.T) *dnstest.Server {
	t.Helper()
	newNetwork(t)
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(file, "/etc/resolv.conf", "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	return dnstest.StartAt(t, "127.0.0.1:53")
}

var hostA, hostB = netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")

func at(a netip.Addr) string { return netip.AddrPortFrom(a, 6379).String() }

// named runs redis-ambassador before servers that have names, and waits until it knows a primary.
func named(t *testing.T, names ...string) *process {
	t.Helper()
	args := []string{"--listen", processtest.FreeAddress(t)}
	for _, name := range names {
		args = append(args, "--endpoint", name+":6379")
	}
	p := start(t, args...)
	p.addr = args[1]
	processtest.Eventually(t, "there is a primary", func() bool { return p.hasMetric(`redis_ambassador_primary_known{upstream="redis"} 1`) })
	return p
}

// A name that leads to another server from now on takes everything along, though the former one runs on. A name that isn't
// found leads where it led.
func TestANameThatLeadsToAnotherServer(t *testing.T) {
	t.Parallel()
	if !ownNetwork(t) {
		return
	}
	dns := ownDNS(t)
	a, b := redistest.StartAt(t, at(hostA)), redistest.StartAt(t, at(hostB))
	dns.Set("redis.test", hostA)
	p := named(t, "redis.test")
	shares, own := p.connect(), p.connect()
	shares.Want("+OK\r\n", "SET", "at", "a")
	own.Want("$1\r\na\r\n", "EVAL", "return redis.call('get', 'at')", "1", "at")

	dns.Silence(true)
	p.connect().Want("$1\r\na\r\n", "EVAL", "return redis.call('get', 'at')", "1", "at")

	b.Do("SET", "at", "b")
	dns.Set("redis.test", hostB)
	dns.Silence(false)
	processtest.Eventually(t, "the name is followed", func() bool { return p.connect().Do("GET", "at") == "$1\r\nb\r\n" })
	shares.Want("$1\r\nb\r\n", "GET", "at")
	own.Want("$1\r\nb\r\n", "EVAL", "return redis.call('get', 'at')", "1", "at")
	admin := redistest.Connect(t, a.Addr)
	processtest.Eventually(t, "nobody is connected with the former server", func() bool {
		return len(clients(admin)) == 1
	})
}

// The address of a server that is gone passes to another one, and DNS still tells of both names: they are one server.
func TestAnAddressThatPassesToAnotherName(t *testing.T) {
	t.Parallel()
	if !ownNetwork(t) {
		return
	}
	dns := ownDNS(t)
	zero, one := redistest.StartAt(t, at(hostA)), redistest.StartAt(t, at(hostB))
	one.Do("REPLICAOF", hostA.String(), "6379")
	dns.Set("redis-0.test", hostA)
	dns.Set("redis-1.test", hostB)
	p := named(t, "redis-0.test", "redis-1.test")
	c := p.connect()
	c.Want("+OK\r\n", "SET", "k", "v")
	zero.Kill()
	one.Kill()
	again := redistest.StartAt(t, at(hostA))
	dns.Set("redis-1.test", hostA)
	processtest.Eventually(t, "it is the primary", func() bool { return p.connect().Do("SET", "k", "w") == "+OK\r\n" })
	c.Want("$1\r\nw\r\n", "GET", "k")

	// Then redis-0 comes back at another address, as a replica.
	hostC := netip.MustParseAddr("127.0.0.4")
	replica := redistest.StartAt(t, at(hostC), "--replicaof", hostA.String()+" 6379")
	dns.Set("redis-0.test", hostC)
	processtest.Eventually(t, "redis-0 is the replica", func() bool {
		return p.hasMetric(`redis_ambassador_server_fit{upstream="redis",server="redis-0.test:6379",role="replica"} 1`) &&
			p.hasMetric(`redis_ambassador_server_fit{upstream="redis",server="redis-1.test:6379",role="primary"} 1`)
	})
	c.Want("$1\r\nw\r\n", "GETSET", "k", "x")
	processtest.Eventually(t, "the write has gone to redis-1", func() bool {
		return again.Do("GET", "k") == "$1\r\nx\r\n" && replica.Do("GET", "k") == "$1\r\nx\r\n"
	})
}

// clients are the connections with a server.
func clients(admin *redistest.Client) (lines []string) {
	for line := range strings.Lines(admin.Do("CLIENT", "LIST")) {
		if strings.HasPrefix(line, "id=") {
			lines = append(lines, line)
		}
	}
	return lines
}
