package remote

import (
	"io"
	"net/http"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"podpatterns.dev/helpers/cmd/git-sync/internal/trust"
)

// maxErrorBody bounds what is kept of a refusal's text: go-git reads all of it and puts it into the error.
const maxErrorBody = 512

// openHTTP makes a client for one session. Connections are not kept between syncs: a new one follows DNS and
// certificates, and cannot be half dead.
func openHTTP(repository Repository, credentials Credentials) (*Session, error) {
	base, err := trust.Transport(credentials.CAFile)
	if err != nil {
		return nil, err
	}
	auth, err := credentials.basic(repository)
	if err != nil {
		return nil, err
	}
	session := &Session{disconnect: base.CloseIdleConnections}
	var method transport.AuthMethod
	if auth != nil {
		method = auth
		session.secrets = secretsOf(auth)
	}
	endpoint := repository.endpoint // the session changes its own when redirected
	client := githttp.NewClient(&http.Client{Transport: shortRefusals{base}})
	session.pack, err = client.NewUploadPackSession(&endpoint, method)
	return session, err
}

// shortRefusals cuts the body of every response that is not a success.
type shortRefusals struct{ next http.RoundTripper }

func (s shortRefusals) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := s.next.RoundTrip(request)
	if err == nil && response.StatusCode >= http.StatusMultipleChoices {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, maxErrorBody), response.Body}
	}
	return response, err
}
