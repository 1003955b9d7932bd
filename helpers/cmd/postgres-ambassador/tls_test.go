package main

import (
	"net/http"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/pgtest"
	"podpatterns.dev/helpers/internal/certtest"
)

const verified = "tls: {caSecretRef: {name: ca, key: ca.crt}}"

// A server before PostgreSQL 17 takes TLS by an SSLRequest alone, and offers SCRAM-SHA-256-PLUS with it, which clients on a
// plain connection refuse.
func TestTLSAndSCRAMForClientsWithoutThem(t *testing.T) {
	t.Parallel()
	authority := certtest.NewAuthority(t)
	server := pgtest.Start(t, authority)
	p := begin(t)
	p.configure(p.spec([]*pgtest.Server{server}, verified), "secrets/ca/ca.crt", authority.PEM)
	p.run()
	p.await("/readyz", http.StatusOK, "ok")
	p.want(p.port, "SELECT ssl AND version = 'TLSv1.3' FROM pg_stat_ssl WHERE pid = pg_backend_pid()", "t")
	large := strings.Repeat("x", 1<<20)
	p.want(p.port, "SELECT repeat('x', 1048576)", large)
}

func TestAServerThatIsNotBelievedIsTold(t *testing.T) {
	t.Parallel()
	authority := certtest.NewAuthority(t)
	server := pgtest.Start(t, authority)
	p := begin(t)
	p.configure(p.spec([]*pgtest.Server{server}, verified), "secrets/ca/ca.crt", certtest.NewAuthority(t).PEM)
	p.run()
	p.await("/readyz", http.StatusServiceUnavailable, server.Addr+": TLS: tls: failed to verify certificate: x509: certificate signed by unknown authority")
	p.volume.Set("secrets/ca/ca.crt", authority.PEM)
	p.await("/readyz", http.StatusOK, "ok")
	held := p.connect(p.port)
	p.configure(p.spec([]*pgtest.Server{server}, "tls: {caSecretRef: {name: ca, key: ca.crt}, serverName: pg.example}"))
	p.await("/readyz", http.StatusServiceUnavailable, "x509: certificate is not valid for any names, but wanted to match pg.example")
	if answer, err := ask(held, "SELECT 1"); answer != "1" {
		t.Error("a client was lost:", err)
	}
	if strings.Contains(p.Log(), "tls.insecureSkipVerify") {
		t.Error("warned without a reason")
	}
	p.configure(p.spec([]*pgtest.Server{server}, "tls: {insecureSkipVerify: true}"))
	p.await("/readyz", http.StatusOK, "ok")
	p.Eventually("it warns", func() bool {
		return strings.Contains(p.Log(), "tls.insecureSkipVerify: any server is believed; leave it out in production")
	})
}

func TestAServerWithoutTheTLSThatIsWantedIsTold(t *testing.T) {
	t.Parallel()
	p := begin(t)
	p.configure(p.spec([]*pgtest.Server{pgtest.Start(t, nil)}, verified), "secrets/ca/ca.crt", certtest.NewAuthority(t).PEM)
	p.run()
	p.await("/readyz", http.StatusServiceUnavailable, "the server offers no TLS: switch it on there (ssl), or take tls out here")
}

// A client certificate in place of a password; a renewed one is used for the next connection.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	authority := certtest.NewAuthority(t)
	server := pgtest.Start(t, authority)
	server.Access("hostssl all shop all cert")
	p := begin(t)
	renew := func(name string) {
		cert, key := authority.Issue(name)
		p.volume.Set("secrets/client/tls.crt", cert, "secrets/client/tls.key", key)
	}
	renew("somebody")
	spec := p.spec([]*pgtest.Server{server}, "tls: {caSecretRef: {name: ca, key: ca.crt}, certSecretRef: {name: client}}")
	p.configure(strings.Replace(spec, "    authSecretRef: {name: pg, key: password}\n", "", 1), "secrets/ca/ca.crt", authority.PEM)
	p.run()
	p.await("/readyz", http.StatusServiceUnavailable, `certificate authentication failed for user "shop"`)
	renew("shop")
	p.await("/readyz", http.StatusOK, "ok")
	p.want(p.port, "SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()", "/CN=shop")
}
