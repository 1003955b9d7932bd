package gittest

import (
	"crypto/ed25519"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// SSHServer serves a repository over SSH by git upload-pack.
type SSHServer struct {
	t        testing.TB
	bare     string
	listener net.Listener
	host     ssh.Signer

	mu      sync.Mutex
	allowed ssh.PublicKey
}

// ServeSSH starts a server on loopback that lets nobody in yet.
func ServeSSH(t testing.TB, r *Repository) *SSHServer {
	t.Helper()
	host, _ := newKey(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	s := &SSHServer{t: t, bare: r.Bare, listener: listener, host: host}
	go s.serve()
	return s
}

// Repository is the URL of the repository.
func (s *SSHServer) Repository() string { return "ssh://" + s.listener.Addr().String() + "/site.git" }

// Address is the host and port.
func (s *SSHServer) Address() string { return s.listener.Addr().String() }

// KnownHosts writes the server's key into a file and returns its path.
func (s *SSHServer) KnownHosts() string {
	return writeFile(s.t, knownhosts.Line([]string{knownhosts.Normalize(s.listener.Addr().String())}, s.host.PublicKey())+"\n")
}

// NewKey writes a new private key into a file, and lets it alone in. It returns the file's path.
func (s *SSHServer) NewKey() string {
	s.t.Helper()
	signer, private := newKey(s.t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allowed = signer.PublicKey()
	return writeFile(s.t, private)
}

func newKey(t testing.TB) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, string(pem.EncodeToMemory(block))
}

func writeFile(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *SSHServer) serve() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		go s.handle(conn)
	}
}

func (s *SSHServer) handle(conn net.Conn) {
	defer conn.Close()
	config := &ssh.ServerConfig{PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if meta.User() != "git" || s.allowed == nil || string(key.Marshal()) != string(s.allowed.Marshal()) {
			return nil, fmt.Errorf("unknown key")
		}
		return nil, nil
	}}
	config.AddHostKey(s.host)
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for newChannel := range channels {
		channel, requests, err := newChannel.Accept()
		if err != nil {
			return
		}
		for request := range requests {
			if request.Type == "exec" {
				_ = request.Reply(true, nil)
				s.uploadPack(channel, string(request.Payload[4:]))
			}
		}
	}
}

func (s *SSHServer) uploadPack(channel ssh.Channel, line string) {
	defer channel.Close()
	if line != "git-upload-pack '/site.git'" && line != "git-upload-pack '~me/site.git'" {
		return
	}
	command := exec.Command("git", "upload-pack", s.bare)
	command.Stdin, command.Stdout, command.Stderr = channel, channel, channel.Stderr()
	_ = command.Run()
	_, _ = channel.SendRequest("exit-status", false, make([]byte, 4))
}
