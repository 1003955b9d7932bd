package main

import (
	"net"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/certtest"
	"podpatterns.dev/helpers/internal/processtest"
)

// Redis asks clients for a certificate unless it is told not to. A renewed one is used for the next connection.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	authority := certtest.NewAuthority(t)
	addr := processtest.FreeAddress(t)
	_, tlsPort, _ := net.SplitHostPort(addr)
	server := redistest.Start(t, append(redistest.TLSSettings(t, authority, "redis.example", tlsPort), "--tls-auth-clients", "yes")...)
	spec := strings.Replace(redisSpec([]*redistest.Server{server},
		"tls: {serverName: redis.example, caSecretRef: {name: ca, key: ca.crt}, certSecretRef: {name: client}}"), server.Addr, addr, 1)
	cert, key := certtest.NewAuthority(t).Issue("shop") // nobody that the server knows
	c := configured(t, spec, "ca", "ca.crt", authority.PEM, "client", "tls.crt", cert, "client", "tls.key", key)
	processtest.Eventually(t, "the log tells of it", func() bool { return strings.Contains(c.Log(), "a server can't be asked") })
	cert, key = authority.Issue("shop")
	c.setCertificate(t, "client", cert, key)
	processtest.Eventually(t, "the primary is known", func() bool { return c.hasMetric(`redis_ambassador_primary_known{upstream="cache"} 1`) })
	c.connect().Want("+OK\r\n", "SET", "k", "v")
}

func TestInsecureSkipVerifyIsWarnedAbout(t *testing.T) {
	t.Parallel()
	authority := certtest.NewAuthority(t)
	addr := processtest.FreeAddress(t)
	_, tlsPort, _ := net.SplitHostPort(addr)
	server := redistest.Start(t, redistest.TLSSettings(t, authority, "other.example", tlsPort)...)
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
