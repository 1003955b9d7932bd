package redistest

import (
	"os"
	"path/filepath"
	"testing"

	"podpatterns.dev/helpers/internal/certtest"
)

// TLSSettings makes a certificate for the name and returns a server's settings with which its only port speaks TLS.
func TLSSettings(t testing.TB, authority *certtest.Authority, name, port string) []string {
	t.Helper()
	cert, key := authority.Issue(name)
	dir := t.TempDir()
	for file, content := range map[string]string{"key": key, "cert": cert, "ca": authority.PEM} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"--tls-port", port, "--tls-key-file", filepath.Join(dir, "key"), "--tls-cert-file", filepath.Join(dir, "cert"),
		"--tls-ca-cert-file", filepath.Join(dir, "ca"), "--tls-auth-clients", "no"}
}
