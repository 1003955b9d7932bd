package otlp

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// Access holds the files that a receiver calls for, which may change at any time, as Secrets do. Empty paths: none.
type Access struct {
	// Headers has pairs as OTEL_EXPORTER_OTLP_HEADERS has them: authorization=Bearer%20token,tenant=a.
	Headers string
	// CA has the certificate authorities that the receiver's certificate may be of, as PEM.
	CA string
}

// header are the headers to send.
func (a Access) header() (http.Header, error) {
	all := http.Header{}
	if a.Headers == "" {
		return all, nil
	}
	text, err := os.ReadFile(a.Headers)
	if err != nil {
		return nil, fmt.Errorf("the headers cannot be read: %w", err)
	}
	for key, value := range pairs(strings.TrimSpace(string(text))) {
		all.Set(key, value)
	}
	return all, nil
}

// trusting is a client that trusts the authorities, made anew when they have changed.
type trusting struct {
	client *http.Client
	pem    []byte // that the client was made with
}

func (t *trusting) with(file string) (*http.Client, error) {
	var pem []byte
	if file != "" {
		var err error
		if pem, err = os.ReadFile(file); err != nil {
			return nil, fmt.Errorf("the certificate authorities cannot be read: %w", err)
		}
	}
	if t.client != nil && bytes.Equal(pem, t.pem) {
		return t.client, nil
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConns: 1, MaxResponseHeaderBytes: maxAnswer}
	if file != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s has no certificate in PEM", file)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	t.close()
	t.client, t.pem = &http.Client{Transport: transport}, pem
	return t.client, nil
}

func (t *trusting) close() {
	if t.client != nil {
		t.client.CloseIdleConnections()
	}
}
