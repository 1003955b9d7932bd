// Package remote reads the address of a git repository.
package remote

import (
	"errors"
	"net/url"
	"path"
	"regexp"
	"strings"
)

var (
	errURL = errors.New("not an https, http, ssh, git or file URL")
	// short is ssh's own form of an address, user@host:path.
	short = regexp.MustCompile(`^(?:([^-/:@][^/:@]*)@)?([^-/:@][^/:@]*):([^:].*)$`)
)

// Repository is the address of a git repository.
type Repository struct {
	// address is for git: with the user where that is part of an SSH address, never with a password.
	address  string
	shown    string
	protocol string
	host     string
	path     string
	user     string
	password string
}

// ParseRepository reads an https, http, ssh, git or file URL, or ssh's short form user@host:path.
// Its error never repeats the URL, which may hold a password.
func ParseRepository(raw string) (Repository, error) {
	if strings.ContainsAny(raw, "\r\n\x00") {
		return Repository{}, errURL
	}
	if parts := short.FindStringSubmatch(raw); parts != nil && !strings.Contains(raw, "://") {
		return Repository{
			address: raw, shown: parts[2] + ":" + parts[3], protocol: "ssh", host: parts[2], path: parts[3], user: parts[1],
		}, nil
	}
	u, err := url.Parse(raw)
	if err != nil || strings.HasPrefix(u.Host, "-") {
		return Repository{}, errURL
	}
	if local := u.Scheme == "file"; local != (u.Host == "") {
		return Repository{}, errURL
	}
	r := Repository{protocol: u.Scheme, host: u.Host, path: u.Path, user: u.User.Username()}
	r.password, _ = u.User.Password()
	u.User = nil
	r.shown, r.address = u.String(), u.String()
	switch u.Scheme {
	case "https", "http", "git", "file":
	case "ssh":
		if r.user != "" {
			u.User = url.User(r.user)
			r.address = u.String()
		}
	default:
		return Repository{}, errURL
	}
	return r, nil
}

// String returns the URL without user and password.
func (r Repository) String() string { return r.shown }

// Address returns the URL for git.
func (r Repository) Address() string { return r.address }

// Protocol returns the URL's scheme.
func (r Repository) Protocol() string { return r.protocol }

// Host returns the host, with the port where one is written.
func (r Repository) Host() string { return r.host }

// Path returns the path on the host.
func (r Repository) Path() string { return r.path }

// Userinfo returns the user and the password that the URL names, each "" if it names none.
func (r Repository) Userinfo() (user, password string) { return r.user, r.password }

// IsSSH tells whether the repository is reached over SSH.
func (r Repository) IsSSH() bool { return r.protocol == "ssh" }

// IsHTTP tells whether the repository is reached over HTTP, with TLS or without.
func (r Repository) IsHTTP() bool { return r.protocol == "https" || r.protocol == "http" }

// Name returns the last part of the path, without ".git", as git clone would name a directory.
func (r Repository) Name() string {
	name := strings.TrimSuffix(path.Base(r.path), ".git")
	if name == "/" || name == "." {
		return ""
	}
	return name
}
