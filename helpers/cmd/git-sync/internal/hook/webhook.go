package hook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"podpatterns.dev/helpers/cmd/git-sync/internal/trust"
)

// AnyStatus as Webhook.SuccessStatus accepts whatever the server answers.
const AnyStatus = 0

// maxAnswer bounds how much of an answer is read, which is only done to end the exchange in good order.
const maxAnswer = 64 << 10

// Webhook sends a request without a body; the commit is in the header Gitsync-Hash.
type Webhook struct {
	URL           string
	Method        string
	SuccessStatus int
	CAFile        string
}

// Name returns "webhook".
func (Webhook) Name() string { return "webhook" }

// Tell sends the request. The URL of a webhook is often itself the secret, so its errors do not have it.
func (w Webhook) Tell(ctx context.Context, published Published) error {
	transport, err := trust.Transport(w.CAFile)
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, w.Method, w.URL, http.NoBody)
	if err != nil {
		return withoutURL(err)
	}
	request.Header.Set("Gitsync-Hash", published.Hash)
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return withoutURL(err)
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer)
	if w.SuccessStatus != AnyStatus && response.StatusCode != w.SuccessStatus {
		return fmt.Errorf("status %d, not %d", response.StatusCode, w.SuccessStatus)
	}
	return nil
}

func withoutURL(err error) error {
	var urlError *url.Error
	if errors.As(err, &urlError) {
		return urlError.Err
	}
	return err
}
