package main

import (
	"net"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
)

// Redis asks clients for a certificate unless it is told not to. A renewed one is used for the next connection.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	authority := redistest.NewAuthority(t)
	addr := processtest.FreeAddress(t)
	_, tlsPort, _ := net.SplitHostPort(addr)
	server := redistest.Start(t, append(authority.Settings("redis.example", tlsPort), "--tls-auth-clients", "yes")...)
	spec := strings.Replace(redisSpec([]*redistest.Server{server},
		"tls: {serverName: redis.example, caSecretRef: {name: ca, key: ca.crt}, certSecretRef: {name: client}}"), server.Addr, addr, 1)
	cert, key := redistest.NewAuthority(t).Client("shop") // nobody that the server knows
	c := configured(t, spec, "ca", "ca.crt", string(authority.PEM), "client", "tls.crt", cert, "client", "tls.key", key)
	processtest.Eventually(t, "the log tells of it", func() bool { return strings.Contains(c.Log(), "a server can't be asked") })
	cert, key = authority.Client("shop")
	c.setCertificate(t, "client", cert, key)
	processtest.Eventually(t, "the primary is known", func() bool { return c.hasMetric(`redis_ambassador_primary_known{upstream="cache"} 1`) })
	c.connect().Want("+OK\r\n", "SET", "k", "v")
}

func TestInsecureSkipVerifyIsWarnedAbout(t *testing.T) {
	t.Parallel()
	authority := redistest.NewAuthority(t)
	addr := processtest.FreeAddress(t)
	_, tlsPort, _ := net.SplitHostPort(addr)
	server := redistest.Start(t, authority.Settings("other.example", tlsPort)...)
	c := configured(t, strings.Replace(redisSpec([]*redistest.Server{server}, "tls: {insecureSkipVerify: true}"), server.Addr, addr, 1))
	processtest.Eventually(t, "the primary is known", func() bool { return c.hasMetric(`redis_ambassador_primary_known{upstream="cache"} 1`) })
	if !strings.Contains(c.Log(), "tls.insecureSkipVerify: any server is believed") {
		t.Errorf("log: %s", c.Log())
	}
}

// Sentinels may want a user's name as well.
func TestSentinelsThatWantALogin(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	sentinel := redistest.StartSentinel(t, "shop", servers[0])
	sentinel.Do("ACL", "SETUSER", "asks", "on", ">seen", "~*", "&*", "+@all")
	sentinel.Do("ACL", "SETUSER", "default", "-@all", "+ping", "+auth", "+hello")
	c := configured(t, redisSpec([]*redistest.Server{sentinel}, "sentinel: {masterName: shop, username: asks, authSecretRef: {name: sentinel, key: password}}"),
		"sentinel", "password", "seen")
	processtest.Eventually(t, "the primary is known", func() bool { return c.hasMetric(`redis_ambassador_primary_known{upstream="cache"} 1`) })
	c.connect().Want("+OK\r\n", "SET", "k", "v")
}

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
