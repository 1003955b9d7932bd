package config

import (
	"crypto/tls"
	"crypto/x509"
	"sync"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"podpatterns.dev/helpers/internal/secretfile"
)

// tls tells how TLS is spoken with the servers; without an authority in a Secret the well-known ones are believed.
func (r *reader) tls(spec *secretfile.TLS) *tls.Config {
	c := r.TLS("redis.tls", spec)
	c.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	if spec.CASecretRef == nil {
		c.RootCAs = wellKnown()
	}
	return c
}

// wellKnown is the system's authorities, so that SSL_CERT_FILE and SSL_CERT_DIR have their meaning, and where there
// are none, as in an image FROM scratch, Mozilla's. Importing x509roots/fallback would do the same, and read all
// certificates at every start: 0.7 MB.
var wellKnown = sync.OnceValue(func() *x509.CertPool {
	if roots, err := x509.SystemCertPool(); err == nil && !roots.Equal(x509.NewCertPool()) {
		return roots
	}
	roots := x509.NewCertPool()
	for root := range bundle.Roots() {
		cert, err := x509.ParseCertificate(root.Certificate)
		switch {
		case err != nil: // one that this Go doesn't understand vouches for nobody
		case root.Constraint != nil:
			roots.AddCertWithConstraint(cert, root.Constraint)
		default:
			roots.AddCert(cert)
		}
	}
	return roots
})
