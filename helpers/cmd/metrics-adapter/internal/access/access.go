// Package access makes HTTP clients of what Secrets hold, which may change at any time.
package access

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"
)

// maxHeaders is how much of an answer's headers is read.
const maxHeaders = 64 << 10

// Access holds the files that a server calls for. Empty paths: none.
type Access struct {
	// Headers has pairs as OTEL_EXPORTER_OTLP_HEADERS has them: authorization=Bearer%20token,tenant=a.
	Headers string
	// Username and Password are those of HTTP's basic authentication.
	Username, Password string
	// CA has the certificate authorities that the server's certificate may be of, as PEM.
	CA string
	// Certificate and Key are our own, as PEM.
	Certificate, Key string
	// Socket is a Unix socket in place of the URL's host.
	Socket string
	// Proxied tells that a proxy of the environment may stand between.
	Proxied bool
}

// Authorize puts on a request what tells who we are.
func (a Access) Authorize(request *http.Request) error {
	if a.Headers != "" {
		text, err := os.ReadFile(a.Headers)
		if err != nil {
			return fmt.Errorf("the headers cannot be read: %w", err)
		}
		for key, value := range Pairs(strings.TrimSpace(string(text))) {
			request.Header.Set(key, value)
		}
	}
	if a.Password == "" {
		return nil
	}
	user, userErr := os.ReadFile(a.Username)
	password, passwordErr := os.ReadFile(a.Password)
	if err := errors.Join(userErr, passwordErr); err != nil {
		return fmt.Errorf("the user and the password cannot be read: %w", err)
	}
	request.SetBasicAuth(line(user), line(password))
	return nil
}

func line(content []byte) string { return strings.TrimRight(string(content), "\r\n") }

// Clients makes clients, a new one when the certificates have changed.
type Clients struct {
	client *http.Client
	made   [][]byte // of these files
}

// With returns the client for an access. It follows no redirect to another server: what tells who we are is for one.
func (c *Clients) With(a Access) (*http.Client, error) {
	var files [][]byte
	for _, file := range []string{a.CA, a.Certificate, a.Key} {
		var content []byte
		if file != "" {
			var err error
			if content, err = os.ReadFile(file); err != nil {
				return nil, fmt.Errorf("the certificates cannot be read: %w", err)
			}
		}
		files = append(files, content)
	}
	if c.client != nil && bytes.Equal(bytes.Join(files, []byte{0}), bytes.Join(c.made, []byte{0})) {
		return c.client, nil
	}
	transport := &http.Transport{MaxIdleConns: 1, MaxResponseHeaderBytes: maxHeaders, TLSClientConfig: &tls.Config{}}
	if a.Proxied {
		transport.Proxy = http.ProxyFromEnvironment
	}
	if a.Socket != "" {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", a.Socket)
		}
	}
	if a.CA != "" {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(files[0]) {
			return nil, fmt.Errorf("%s has no certificate in PEM", a.CA)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	if a.Certificate != "" {
		own, err := tls.X509KeyPair(files[1], files[2])
		if err != nil {
			return nil, fmt.Errorf("the client's certificate: %w", err)
		}
		transport.TLSClientConfig.Certificates = []tls.Certificate{own}
	}
	c.Close()
	c.client, c.made = &http.Client{Transport: transport, CheckRedirect: sameServer}, files
	return c.client, nil
}

// Close lets connections go that are at rest.
func (c *Clients) Close() {
	if c.client != nil {
		c.client.CloseIdleConnections()
	}
}

func sameServer(next *http.Request, before []*http.Request) error {
	first := before[0]
	switch {
	case first.Method != http.MethodGet:
		return http.ErrUseLastResponse
	case next.URL.Host != first.URL.Host || next.URL.Scheme != first.URL.Scheme:
		return errors.New("a redirect to another server, which isn't followed")
	case len(before) >= 5:
		return errors.New("too many redirects")
	}
	return nil
}

// Reason is an error without the URL, which may hold a password.
func Reason(err error) error {
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

// Pairs reads what OpenTelemetry's variables have: key=value,key=value, with %20 and the like in values. A pair without a
// value is left out, and what can't be read counts for nothing.
func Pairs(text string) map[string]string {
	values := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, given := strings.Cut(pair, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		if plain, err := url.PathUnescape(value); given && err == nil && key != "" && plain != "" && utf8.ValidString(key+plain) {
			values[key] = plain
		}
	}
	return values
}
