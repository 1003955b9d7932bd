package credential

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/trust"
)

const (
	// maxAnswer is far above the size of any token.
	maxAnswer = 64 << 10
	// expiryMargin is kept from an expiry that is told: a sync takes some time.
	expiryMargin = 30 * time.Second
)

// Askpass is a URL that answers with a user and a password, such as a token made for an hour. An answer counts until it
// expires or is refused. It is for a single caller.
type Askpass struct {
	URL    string
	CAFile string

	username string
	password string
	expires  time.Time // zero: not told
	known    bool
	fresh    bool // asked for the sync that runs
}

// ask returns the answer. Neither the URL, which may hold a secret, nor the answer is in an error.
func (a *Askpass) ask(ctx context.Context) (username, password string, err error) {
	a.fresh = false
	if a.known && (a.expires.IsZero() || time.Until(a.expires) > expiryMargin) {
		return a.username, a.password, nil
	}
	a.known = false
	transport, err := trust.Transport(a.CAFile)
	if err != nil {
		return "", "", err
	}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL, http.NoBody)
	if err != nil {
		return "", "", errors.New("asking the askpass URL: not a URL")
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		var urlError *url.Error
		if errors.As(err, &urlError) {
			err = urlError.Err
		}
		return "", "", fmt.Errorf("asking the askpass URL: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return "", "", fmt.Errorf("asking the askpass URL: status %d, not 200", response.StatusCode)
	}
	if err := a.read(io.LimitReader(response.Body, maxAnswer)); err != nil {
		return "", "", fmt.Errorf("asking the askpass URL: %w", err)
	}
	return a.username, a.password, nil
}

// read takes lines of git's credential format.
func (a *Askpass) read(answer io.Reader) error {
	a.username, a.password, a.expires = "", "", time.Time{}
	lines := bufio.NewScanner(answer)
	for lines.Scan() {
		key, value, _ := strings.Cut(strings.TrimSuffix(lines.Text(), "\r"), "=")
		switch key {
		case "username":
			a.username = value
		case "password":
			a.password = value
		case "password_expiry_utc":
			if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
				a.expires = time.Unix(seconds, 0)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return errors.New("the answer is no text of lines")
	}
	if a.username == "" || a.password == "" {
		return errors.New("the answer lacks a line username=... or password=...")
	}
	a.known, a.fresh = true, true
	return nil
}

// forget drops the answer, and tells whether it was one from before the sync that runs.
func (a *Askpass) forget() bool {
	old := a.known && !a.fresh
	a.known = false
	return old
}
