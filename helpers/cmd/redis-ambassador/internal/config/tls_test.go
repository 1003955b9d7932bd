package config

import (
	"crypto/x509"
	"path/filepath"
	"testing"
)

func TestWhereTheSystemHasNoAuthoritiesMozillasAreTrusted(t *testing.T) {
	// As in an image FROM scratch.
	t.Setenv("SSL_CERT_DIR", t.TempDir())
	t.Setenv("SSL_CERT_FILE", filepath.Join(t.TempDir(), "none"))
	if wellKnown().Equal(x509.NewCertPool()) {
		t.Error("no authority is trusted")
	}
}
