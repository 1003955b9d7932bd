package source

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"podpatterns.dev/metrics-adapter/internal/spec"
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
}

func newPage(s *spec.HTTP, accept string) *page {
	return &page{s.URL, accept, &http.Client{
		Timeout: min(timeout, s.Interval.Value()),
		// No proxy: the page is one of the Pod's own.
		Transport: &http.Transport{MaxIdleConns: 1, MaxResponseHeaderBytes: 64 << 10},
	}}
}

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
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPage+1))
	if err == nil && len(body) > maxPage {
		err = fmt.Errorf("%s is longer than %d bytes", p.url, maxPage)
	}
	return body, err
}
