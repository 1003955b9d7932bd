// Package trust decides which TLS servers are believed.
package trust

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"

	// An image FROM scratch has no certificate store. These roots are used only where
	// crypto/x509 finds none, so SSL_CERT_FILE and SSL_CERT_DIR keep their meaning.
	_ "golang.org/x/crypto/x509roots/fallback"
)

// Transport returns a new HTTP transport that believes the system's (or Mozilla's) roots and, where caFile
// is not empty, the PEM certificates in it as well. The file is read on every call, so a rotated bundle counts.
func Transport(caFile string) (*http.Transport, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if caFile == "" {
		return transport, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("reading the CA file: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("loading the system's trust roots: %w", err)
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the CA file %s holds no PEM certificate", caFile)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	return transport, nil
}
