package remote

import (
	"encoding/base64"
	"net/url"
	"strings"

	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
)

// secretsOf returns every form in which a server could echo the credentials.
func secretsOf(auth *githttp.BasicAuth) []string {
	pair := auth.Username + ":" + auth.Password
	secret := auth.Password
	if secret == "" {
		secret = auth.Username // https://TOKEN@host/
	}
	return []string{base64.StdEncoding.EncodeToString([]byte(pair)), url.QueryEscape(secret), url.PathEscape(secret), secret}
}

// redacted is an error whose text holds no secret.
type redacted struct {
	text  string
	cause error
}

func (r redacted) Error() string { return r.text }

func (r redacted) Unwrap() error { return r.cause }

func redact(err error, secrets []string) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	for _, secret := range secrets {
		text = strings.ReplaceAll(text, secret, "[redacted]")
	}
	return redacted{text, err}
}
