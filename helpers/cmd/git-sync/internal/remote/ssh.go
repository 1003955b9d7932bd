package remote

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"golang.org/x/net/proxy"
)

// deadlineScheme names a proxy that is none: go-git puts no bound on the SSH handshake and takes no context for it,
// but lets a proxy make the connection. Ours dials as usual and sets a deadline; the URL's host is the time left.
const deadlineScheme = "deadline"

func init() {
	proxy.RegisterDialerType(deadlineScheme, func(address *url.URL, _ proxy.Dialer) (proxy.Dialer, error) {
		left, err := time.ParseDuration(address.Host)
		return deadlineDialer(left), err
	})
	// What to connect to is said by flags alone, never by a file in someone's home.
	gitssh.DefaultSSHConfig = nil
}

type deadlineDialer time.Duration

func (d deadlineDialer) Dial(network, address string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, address)
}

func (d deadlineDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	deadline := time.Now().Add(time.Duration(d))
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	conn, err := proxy.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(deadline)
}

// openSSH connects and starts git-upload-pack. When ctx ends first it returns at once; the connection it leaves
// behind ends by its deadline.
func openSSH(ctx context.Context, repository Repository, credentials Credentials) (*Session, error) {
	auth, err := credentials.publicKey(repository)
	if err != nil {
		return nil, err
	}
	endpoint := repository.endpoint
	if deadline, ok := ctx.Deadline(); ok {
		endpoint.Proxy.URL = fmt.Sprintf("%s://%s", deadlineScheme, time.Until(deadline))
	}
	type result struct {
		session transport.UploadPackSession
		err     error
	}
	opened := make(chan result, 1)
	go func() {
		session, err := gitssh.NewClient(nil).NewUploadPackSession(&endpoint, auth)
		opened <- result{session, err}
	}()
	select {
	case r := <-opened:
		return &Session{pack: r.session, disconnect: func() {}}, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func hostPort(repository Repository) string {
	port := repository.endpoint.Port
	if port == 0 {
		port = gitssh.DefaultPort
	}
	return net.JoinHostPort(repository.endpoint.Host, strconv.Itoa(port))
}
