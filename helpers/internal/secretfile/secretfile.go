// Package secretfile reads a configuration file whose fields name Secrets, which are mounted as volumes.
package secretfile

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"podpatterns.dev/helpers/internal/configfile"
)

// File is a configuration that may change. Parse reads what it says; a Reader reads the Secrets for it.
type File[C any] struct {
	Path       string
	SecretsDir string
	Parse      func([]byte, Secrets) (C, error)
	seen       configfile.Seen // the file and the Secrets' values
}

// Read reads the file. changed tells whether it, or a Secret that it names, differs from the last time.
func (f *File[C]) Read() (c C, changed bool, err error) {
	var read strings.Builder
	content, err := os.ReadFile(f.Path)
	if err != nil {
		err = fmt.Errorf("--config: %w", err)
	} else {
		c, err = f.Parse(content, Secrets{f.SecretsDir, &read})
	}
	fmt.Fprintf(&read, "%q %v", content, err)
	return c, f.seen.Changed([]byte(read.String())), err
}

// Watch calls apply with each change until ctx ends. What apply refuses is tried again: the reason may go away.
func (f *File[C]) Watch(ctx context.Context, apply func(C, error) error) {
	again := false
	configfile.Each(ctx, func() {
		if c, changed, err := f.Read(); changed || again {
			again = apply(c, err) != nil && err == nil
		}
	})
}

// Secrets is a directory with a directory for each Secret, as volumes mount them. It remembers what was read.
type Secrets struct {
	directory string
	read      *strings.Builder
}

// Ref is a key of a Secret.
type Ref struct{ Name, Key string }

// CertRef is a Secret of type kubernetes.io/tls.
type CertRef struct{ Name string }

// TLS says how TLS is spoken.
type TLS struct {
	ServerName         string   `yaml:"serverName"`
	CASecretRef        *Ref     `yaml:"caSecretRef"`
	CertSecretRef      *CertRef `yaml:"certSecretRef"`
	InsecureSkipVerify bool     `yaml:"insecureSkipVerify"`
}

// Reader reads the fields below Prefix and keeps the first error, which names its field.
type Reader struct {
	Secrets Secrets
	Prefix  string
	Err     error
}

// Fail keeps an error of a field.
func (r *Reader) Fail(field, format string, args ...any) {
	if r.Err == nil {
		r.Err = fmt.Errorf("%s.%s: %w", r.Prefix, field, fmt.Errorf(format, args...))
	}
}

// Duration reads a field; fallback stands for an empty one.
func (r *Reader) Duration(field, value string, fallback time.Duration) time.Duration {
	if value == "" {
		return fallback
	}
	d, err := time.ParseDuration(value)
	if err != nil || d <= 0 {
		r.Fail(field, "%q is not a duration above 0; write one such as 500ms", value)
	}
	return d
}

// Secret returns the value that a field refers to; none without a reference.
func (r *Reader) Secret(field string, ref *Ref) string {
	if ref == nil {
		return ""
	}
	if !filepath.IsLocal(ref.Name) || !filepath.IsLocal(ref.Key) {
		r.Fail(field, "Secret %q, key %q: not the names of a Secret and a key", ref.Name, ref.Key)
		return ""
	}
	content, err := os.ReadFile(filepath.Join(r.Secrets.directory, ref.Name, ref.Key))
	if err != nil {
		r.Fail(field, "Secret %s, key %s, cannot be read below --secrets: %w", ref.Name, ref.Key, err)
		return ""
	}
	// An editor's line end isn't part of a password.
	value := strings.TrimRight(string(content), "\r\n")
	if value == "" {
		r.Fail(field, "Secret %s, key %s, is empty", ref.Name, ref.Key)
	}
	fmt.Fprintf(r.Secrets.read, "%q\n", value)
	return value
}

// TLS tells which servers to believe: by the authority in the Secret, without one by the system's. And what to tell them
// of us: the certificate in the other Secret.
func (r *Reader) TLS(field string, spec *TLS) *tls.Config {
	c := &tls.Config{ServerName: spec.ServerName, MinVersion: tls.VersionTLS12, InsecureSkipVerify: spec.InsecureSkipVerify}
	if cert := spec.CertSecretRef; cert != nil {
		field := field + ".certSecretRef"
		crt, key := r.Secret(field, &Ref{cert.Name, "tls.crt"}), r.Secret(field, &Ref{cert.Name, "tls.key"})
		pair, err := tls.X509KeyPair([]byte(crt), []byte(key))
		if err != nil {
			r.Fail(field, "Secret %s: %w", cert.Name, err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	if ca := spec.CASecretRef; ca != nil {
		field := field + ".caSecretRef"
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM([]byte(r.Secret(field, ca))) {
			r.Fail(field, "Secret %s, key %s, has no certificate in PEM", ca.Name, ca.Key)
		}
	}
	return c
}
