package remote

import (
	"errors"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/transport"
)

// Repository is the address of a git repository.
type Repository struct {
	// endpoint has no user and password: in an HTTP URL either may be a token.
	endpoint transport.Endpoint
	userinfo *url.Userinfo
}

// ParseRepository reads an http, https or ssh URL, or ssh's short form user@host:path.
// Its error never repeats the URL, which may hold a password.
func ParseRepository(raw string) (Repository, error) {
	endpoint, err := transport.NewEndpoint(raw)
	if err != nil || endpoint.Host == "" || !slices.Contains([]string{"http", "https", "ssh"}, endpoint.Protocol) {
		return Repository{}, errors.New("not an https, http or ssh URL")
	}
	userinfo := url.UserPassword(endpoint.User, endpoint.Password)
	endpoint.User, endpoint.Password = "", ""
	return Repository{*endpoint, userinfo}, nil
}

// String returns the URL without user and password.
func (r Repository) String() string { return r.endpoint.String() }

// IsSSH tells whether the repository is reached over SSH.
func (r Repository) IsSSH() bool { return r.endpoint.Protocol == "ssh" }

// Name returns the last part of the path, without ".git", as git clone would name a directory.
func (r Repository) Name() string {
	name := strings.TrimSuffix(path.Base(r.endpoint.Path), ".git")
	if name == "/" || name == "." {
		return ""
	}
	return name
}
