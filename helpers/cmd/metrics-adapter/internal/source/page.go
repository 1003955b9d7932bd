package source

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
)

const (
	// maxPage is how long a page may be. What is made of it takes several times that.
	maxPage = 4 << 20
	// timeout bounds a fetch, together with the interval.
	timeout = 10 * time.Second
)

type page struct {
	url    string
	accept string
	client *http.Client
	body   bytes.Buffer
}

func newPage(s *spec.HTTP, accept string) *page {
	return &page{url: s.URL, accept: accept, client: &http.Client{
		Timeout: min(timeout, s.Interval.Value()),
		// No proxy: the page is one of the Pod's own.
		Transport: &http.Transport{MaxIdleConns: 1, MaxResponseHeaderBytes: 64 << 10},
	}}
}

// fetch returns the page. It is overwritten by the next.
func (p *page) fetch(ctx context.Context) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", p.accept)
	request.Header.Set("User-Agent", "podpatterns-metrics-adapter")
	response, err := p.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", p.url, response.Status)
	}
	p.body.Reset()
	if _, err := p.body.ReadFrom(io.LimitReader(response.Body, maxPage+1)); err != nil {
		return nil, err
	}
	if p.body.Len() > maxPage {
		p.body = bytes.Buffer{} // not to be kept for pages that are taken
		return nil, fmt.Errorf("%s is longer than %d bytes", p.url, maxPage)
	}
	return p.body.Bytes(), nil
}
