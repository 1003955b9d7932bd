package main

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
)

// With a password reads have a port of their own as well.
func TestAPortForReads(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	for _, s := range servers {
		s.Do("ACL", "SETUSER", "app", "on", ">secret", "~*", "&*", "+@all")
		s.Do("ACL", "SETUSER", "default", "-@dangerous", "+replconf", "+psync")
	}
	reads := processtest.FreeAddress(t)
	_, port, _ := net.SplitHostPort(reads)
	c := configured(t, redisSpec(servers, "readPolicy: Replica", "username: app", "authSecretRef: {name: redis, key: password}", "reads: {listen: {port: "+port+"}}"),
		"redis", "password", "secret")
	processtest.Eventually(t, "the replicas are in use at both ports", func() bool { return strings.Count(c.metrics(), `role="replica"} 1`) == 4 })
	writer, reader := c.connect(), redistest.Connect(t, reads)
	writer.Want("+OK\r\n", "SET", "k", "v")
	writer.Want("$1\r\nv\r\n", "GET", "k")
	writer.Want(":2\r\n", "WAIT", "2", "0")
	reader.Want("$1\r\nv\r\n", "GET", "k")
	calls := func(s *redistest.Server) (n int) {
		admin := redistest.Connect(t, s.Addr)
		admin.Want("+OK\r\n", "AUTH", "app", "secret")
		return strings.Count(admin.Do("INFO", "commandstats"), "cmdstat_get:calls=1,")
	}
	if calls(servers[0]) != 1 || calls(servers[1])+calls(servers[2]) != 1 {
		t.Error("reads of the one port are not the primary's, or of the other not a replica's")
	}
}

// With Sentinels, a bound for lag and causal reads as well.
func TestAPortForReadsWithSentinels(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	sentinel := redistest.StartSentinel(t, "shop", servers[0])
	reads := processtest.FreeAddress(t)
	_, port, _ := net.SplitHostPort(reads)
	c := configured(t, redisSpec([]*redistest.Server{sentinel}, "sentinel: {masterName: shop}", "readPolicy: PreferReplica",
		"maxReplicaLag: 1s", "readAfterWrite: {policy: Causal}", "reads: {listen: {port: "+port+"}}"))
	processtest.Eventually(t, "the replicas are in use at both ports", func() bool { return strings.Count(c.metrics(), `role="replica"} 1`) == 4 })
	writer := c.connect()
	writer.Want("+OK\r\n", "SET", "k", "v")
	writer.Want("$1\r\nv\r\n", "GET", "k")
	awaited(t, servers)
	redistest.Connect(t, reads).Want("$1\r\nv\r\n", "GET", "k")
	if n := servers[0].Calls("get"); n != 1 {
		t.Errorf("the primary got %d reads, want the one of its own port", n)
	}
	// A replica that lags gets none, and no client sees older values than it has seen.
	servers[1].Do("CLIENT", "PAUSE", "600000", "ALL")
	defer servers[1].Kill()
	reader := redistest.Connect(t, reads)
	seen := 0
	processtest.Eventually(t, "the replica that lags is left", func() bool {
		seen++
		writer.Want(fmt.Sprintf(":%d\r\n", seen), "INCR", "n")
		before := number(reader.Do("GET", "n"))
		if after := number(reader.Do("GET", "n")); after < before {
			t.Fatalf("a connection saw %d after %d", after, before)
		}
		return strings.Count(c.metrics(), `role="replica"} 1`) == 2
	})
	// A failover by Sentinel leads both ports elsewhere.
	servers[0].Kill()
	sentinel.Suspect("shop")
	processtest.Eventually(t, "the other replica is the primary", func() bool { return c.connect().Do("SET", "k", "w") == "+OK\r\n" })
	processtest.Eventually(t, "reads are its own", func() bool { return redistest.Connect(t, reads).Do("GET", "k") == "$1\r\nw\r\n" })
}
