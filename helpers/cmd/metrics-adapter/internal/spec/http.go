package spec

import (
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"slices"
)

// HTTP is a page that is fetched again and again.
type HTTP struct {
	URL      string   `json:"url"`
	Interval Duration `json:"interval"`
	// Body is posted; empty: the page is got.
	Body string `json:"body,omitempty"`
	// ValidStatuses are those of a page that is to be read; none: 200.
	ValidStatuses []int `json:"validStatuses,omitempty"`
	// Socket is a Unix socket in place of the URL's host.
	Socket *Log `json:"socket,omitempty"`
	// Headers to send, as OTEL_EXPORTER_OTLP_HEADERS has them.
	HeadersSecretRef SecretKeyRef `json:"headersSecretRef,omitzero"`
	// BasicAuthSecret has username and password, ClientCertificateSecret tls.crt and tls.key, as Secrets of those types do.
	BasicAuthSecret         string       `json:"basicAuthSecret,omitempty"`
	ClientCertificateSecret string       `json:"clientCertificateSecret,omitempty"`
	CASecretRef             SecretKeyRef `json:"caSecretRef,omitzero"`
}

// Valid tells whether an answer of that status is read.
func (h HTTP) Valid(status int) bool {
	if len(h.ValidStatuses) == 0 {
		return status == http.StatusOK
	}
	return slices.Contains(h.ValidStatuses, status)
}

func (h HTTP) validate(field string, problems *Problems) {
	address, err := url.Parse(h.URL)
	switch {
	case err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https":
		problems.Add(field+".url", "must be an http or https URL such as http://127.0.0.1:8801/stats")
	case address.User != nil && h.BasicAuthSecret != "":
		problems.Add(field+".url", "has a user, and so has basicAuthSecret; keep the latter")
	}
	validateInterval(field, h.Interval, problems)
	for _, status := range h.ValidStatuses {
		if status < 200 || status > 599 {
			problems.Add(field+".validStatuses", "%d is no status of an answer such as 503", status)
		}
	}
	if h.Socket != nil {
		h.Socket.validate(field+".socket", problems)
	}
	h.HeadersSecretRef.validate(field+".headersSecretRef", problems)
	h.CASecretRef.validate(field+".caSecretRef", problems)
	for name, secret := range map[string]string{"basicAuthSecret": h.BasicAuthSecret, "clientCertificateSecret": h.ClientCertificateSecret} {
		if secret != "" && !secretName.MatchString(secret) {
			problems.Add(field+"."+name, "must be the name of a Secret")
		}
	}
}

func (l Log) validate(field string, problems *Problems) {
	if !dnsLabel.MatchString(l.Volume) {
		problems.Add(field+".volume", "must be the name of a shared volume")
	}
	if _, err := path.Match(l.Path, ""); err != nil || !filepath.IsLocal(l.Path) {
		problems.Add(field+".path", "must be a path inside the volume such as access.log or access-*.log")
	}
	validateFormat(field, l.Format, problems)
	if l.Files != "" && l.Files != "newest" && l.Files != "all" {
		problems.Add(field+".files", "must be newest or all")
	}
}
