// Package trust decides which TLS servers are believed.
package trust

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
)

// system is where Debian's ca-certificates keeps its roots.
const system = "/etc/ssl/certs/ca-certificates.crt"

// Transport returns a new HTTP transport that believes the system's roots and, where caFile is not empty, the PEM
// certificates in it as well. The file is read on every call, so a rotated bundle counts.
func Transport(caFile string) (*http.Transport, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if caFile == "" {
		return transport, nil
	}
	pem, err := read(caFile)
	if err != nil {
		return nil, err
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("loading the system's trust roots: %w", err)
	}
	roots.AppendCertsFromPEM(pem)
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	return transport, nil
}

// Bundle returns the PEM certificates that git is to believe, or nil where those are the system's.
func Bundle(caFile string) ([]byte, error) {
	usual := os.Getenv("SSL_CERT_FILE")
	if caFile == "" && usual == "" {
		return nil, nil
	}
	if usual == "" {
		usual = system
	}
	bundle, err := os.ReadFile(usual)
	if err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("reading the system's trust roots: %w", err)
	}
	if caFile == "" {
		return bundle, nil
	}
	pem, err := read(caFile)
	if err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{bundle, pem}, []byte("\n")), nil
}

func read(caFile string) ([]byte, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("reading the CA file: %w", err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the CA file %s holds no PEM certificate", caFile)
	}
	return pem, nil
}
