package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// secretRef is a key of a Secret.
type secretRef struct{ Name, Key string }

// secrets is a directory with a directory for each Secret, as volumes mount them. It remembers what was read.
type secrets struct {
	directory string
	read      *strings.Builder
}

func (r *reader) secret(field string, ref *secretRef) string {
	if ref == nil {
		return ""
	}
	if !filepath.IsLocal(ref.Name) || !filepath.IsLocal(ref.Key) {
		r.fail(field, "Secret %q, key %q: not the names of a Secret and a key", ref.Name, ref.Key)
		return ""
	}
	content, err := os.ReadFile(filepath.Join(r.secrets.directory, ref.Name, ref.Key))
	if err != nil {
		r.fail(field, "Secret %s, key %s, cannot be read below --secrets: %w", ref.Name, ref.Key, err)
		return ""
	}
	// An editor's line end isn't part of a password.
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		r.fail(field, "Secret %s, key %s, is empty", ref.Name, ref.Key)
	}
	fmt.Fprintf(r.secrets.read, "%q\n", value)
	return value
}

// tlsSpec says how TLS is spoken.
type tlsSpec struct {
	ServerName         string     `yaml:"serverName"`
	CASecretRef        *secretRef `yaml:"caSecretRef"`
	CertSecretRef      *certRef   `yaml:"certSecretRef"`
	InsecureSkipVerify bool       `yaml:"insecureSkipVerify"`
}

// certRef is a Secret of type kubernetes.io/tls.
type certRef struct{ Name string }

// tls tells which servers to believe: by the authority in the Secret, without one by the system's. And what to tell them
// of us: the certificate in the other Secret.
func (r *reader) tls(field string, spec *tlsSpec) *tls.Config {
	c := &tls.Config{ServerName: spec.ServerName, MinVersion: tls.VersionTLS12, InsecureSkipVerify: spec.InsecureSkipVerify}
	if cert := spec.CertSecretRef; cert != nil {
		field := field + ".certSecretRef"
		crt, key := r.secret(field, &secretRef{cert.Name, "tls.crt"}), r.secret(field, &secretRef{cert.Name, "tls.key"})
		pair, err := tls.X509KeyPair([]byte(crt), []byte(key))
		if err != nil {
			r.fail(field, "Secret %s: %w", cert.Name, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if ca := spec.CASecretRef; ca != nil {
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(r.secret(field+".caSecretRef", ca))) {
			r.fail(field+".caSecretRef", "Secret %s, key %s, has no certificate in PEM", ca.Name, ca.Key)
		}
	}
	return c
}
