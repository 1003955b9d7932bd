package remote

import (
	"fmt"
	"os"
	"strings"

	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
)

// Credentials says where to find what the server wants to see. Files are read on every connection, so a rotated
// Secret counts from the next sync on. Empty fields are left out.
type Credentials struct {
	Username       string
	PasswordFile   string
	SSHKeyFile     string
	KnownHostsFile string
	CAFile         string
}

// basic returns nil for a repository that needs no credentials.
func (c Credentials) basic(repository Repository) (*githttp.BasicAuth, error) {
	username, password := c.username(repository), ""
	if c.PasswordFile != "" {
		content, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("reading the password file: %w", err)
		}
		password = strings.TrimRight(string(content), "\r\n")
	} else {
		password, _ = repository.userinfo.Password()
	}
	if username == "" && password == "" {
		return nil, nil
	}
	if username == "" {
		username = gitssh.DefaultUsername
	}
	return &githttp.BasicAuth{Username: username, Password: password}, nil
}

func (c Credentials) publicKey(repository Repository) (*gitssh.PublicKeys, error) {
	username := c.username(repository)
	if username == "" {
		username = gitssh.DefaultUsername
	}
	key, err := gitssh.NewPublicKeysFromFile(username, c.SSHKeyFile, "")
	if err != nil {
		return nil, fmt.Errorf("reading the SSH key file: %w", err)
	}
	hosts, err := gitssh.NewKnownHostsDb(c.KnownHostsFile)
	if err != nil {
		return nil, fmt.Errorf("reading the SSH known hosts file: %w", err)
	}
	key.HostKeyCallback = hosts.HostKeyCallback()
	// Without this the server may present a key of a type that the file does not list.
	key.HostKeyAlgorithms = hosts.HostKeyAlgorithms(hostPort(repository))
	return key, nil
}

func (c Credentials) username(repository Repository) string {
	if c.Username != "" {
		return c.Username
	}
	return repository.userinfo.Username()
}
