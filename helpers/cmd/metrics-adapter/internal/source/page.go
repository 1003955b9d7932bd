package source

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/access"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
)

const (
	// maxPage is how long a page may be. What is made of it takes several times that.
	maxPage = 4 << 20
	// timeout bounds a fetch, together with the interval.
	timeout = 10 * time.Second
)

// page is fetched as its application wants it. Its errors say nothing of the URL, which may hold a password.
type page struct {
	spec.HTTP
	accept  string
	access  access.Access
	clients access.Clients
	body    bytes.Buffer
}

func newPage(s *spec.HTTP, place Place, accept string) *page {
	p := &page{HTTP: *s, accept: accept, access: access.Access{
		Headers: s.HeadersSecretRef.File(place.Secrets), CA: s.CASecretRef.File(place.Secrets),
	}}
	if s.BasicAuthSecret != "" {
		p.access.Username = filepath.Join(place.Secrets, s.BasicAuthSecret, "username")
		p.access.Password = filepath.Join(place.Secrets, s.BasicAuthSecret, "password")
	}
	if s.ClientCertificateSecret != "" {
		p.access.Certificate = filepath.Join(place.Secrets, s.ClientCertificateSecret, "tls.crt")
		p.access.Key = filepath.Join(place.Secrets, s.ClientCertificateSecret, "tls.key")
	}
	if s.Socket != nil {
		p.access.Socket = filepath.Join(place.Volumes, s.Socket.Volume, s.Socket.Path)
	}
	return p
}

// fetch returns the page. It is overwritten by the next.
func (p *page) fetch(ctx context.Context) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, min(timeout, p.Interval.Value()))
	defer stop()
	method := http.MethodGet
	if p.Body != "" {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(ctx, method, p.URL, strings.NewReader(p.Body))
	if err != nil {
		return nil, access.Reason(err)
	}
	request.Header.Set("Accept", p.accept)
	request.Header.Set("User-Agent", "podpatterns-metrics-adapter")
	if p.Body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	if err := p.access.Authorize(request); err != nil {
		return nil, err
	}
	client, err := p.clients.With(p.access)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, access.Reason(err)
	}
	defer response.Body.Close()
	if !p.Valid(response.StatusCode) {
		return nil, fmt.Errorf("the answer is %s", response.Status)
	}
	p.body.Reset()
	if _, err := p.body.ReadFrom(io.LimitReader(response.Body, maxPage+1)); err != nil {
		return nil, access.Reason(err)
	}
	if p.body.Len() > maxPage {
		p.body = bytes.Buffer{} // not to be kept for pages that are taken
		return nil, fmt.Errorf("the page is longer than %d bytes", maxPage)
	}
	return p.body.Bytes(), nil
}
