package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"podpatterns.dev/helpers/internal/certtest"
	"podpatterns.dev/helpers/internal/processtest"
	"podpatterns.dev/helpers/internal/volumetest"
)

// tlsServer answers every line with the name in its client's certificate.
func tlsServer(t *testing.T, config *tls.Config) string {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	return answering(t, listener, func(conn net.Conn) string {
		return conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
	})
}

// The Secrets of certificates are in the volume of the configuration.
func TestARenewedCertificateIsLoadedWithoutLosingAConnection(t *testing.T) {
	t.Parallel()
	authority := certtest.NewAuthority(t)
	address := tlsServer(t, authority.Server("127.0.0.1"))
	volume := volumetest.New(t)
	listen, metrics := processtest.FreeAddress(t), processtest.FreeAddress(t)
	secrets := filepath.Join(volume.Directory, "secrets")
	text := fmt.Sprintf(`defaults
    mode tcp
    timeout connect 5s
    timeout client 1m
    timeout server 1m
listen up
    bind %s
    server one %s ssl verify required ca-file %s/ca/ca.crt verifyhost 127.0.0.1 crt %[3]s/client/tls.crt
`, listen, address, secrets)
	certificate := func(name string) []string {
		cert, key := authority.Issue(name)
		return []string{"secrets/client/tls.crt", cert, "secrets/client/tls.crt.key", key}
	}
	volume.Set(append(certificate("first"), "haproxy.cfg", text, "secrets/ca/ca.crt", authority.PEM)...)
	p := startWith(t, filepath.Join(volume.Directory, "haproxy.cfg"), metrics, listen)
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_loads_total 1\n")
	held, err := p.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer held.conn.Close()
	if answer, err := held.ask(); answer != "first" {
		t.Fatal(answer, err)
	}

	end := p.connectAllTheTime(2)
	volume.Set(certificate("second")...)
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_loads_total 2\n")
	end()
	if answer, err := p.askOnce(); answer != "second" {
		t.Error(answer, err)
	}
	if answer, err := held.ask(); answer != "first" {
		t.Error("a lasting connection was lost:", answer, err)
	}

	volume.Set("secrets/ca/ca.crt", certtest.NewAuthority(t).PEM)
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_loads_total 3\n")
	if answer, err := p.askOnce(); err == nil {
		t.Error("a server of another authority is believed:", answer)
	}
}

func TestAServerThatIsNotVerifiedIsWarnedAbout(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.configure("server one " + server(t, "one"))
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_loads_total 1\n")
	const warning = `"msg":"tls.insecureSkipVerify: any server is believed; leave it out in production","upstream":"up"`
	if strings.Contains(p.Log(), warning) {
		t.Error("warned without a reason")
	}
	p.configure("server one "+server(t, "one")+" ssl verify none", "server two "+server(t, "two")+" ssl verify none")
	p.Eventually("it warns", func() bool { return strings.Contains(p.Log(), warning) })
	if n := strings.Count(p.Log(), warning); n != 1 {
		t.Errorf("%d warnings of one upstream", n)
	}
}
