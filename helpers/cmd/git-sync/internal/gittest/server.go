package gittest

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// Server serves a repository over HTTP by git's own http-backend.
type Server struct {
	*httptest.Server

	mu       sync.Mutex
	gate     func(http.ResponseWriter, *http.Request, http.Handler)
	requests int
}

// Serve starts a server on loopback; its URL's path /site.git is the repository.
func Serve(t testing.TB, r *Repository) *Server {
	t.Helper()
	s := newServer(t, r)
	s.Start()
	return s
}

// ServeTLS is Serve with a certificate of the server's own.
func ServeTLS(t testing.TB, r *Repository) *Server {
	t.Helper()
	s := newServer(t, r)
	s.StartTLS()
	return s
}

func newServer(t testing.TB, r *Repository) *Server {
	t.Helper()
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	backend := &cgi.Handler{
		Path: git,
		Args: []string{"http-backend"},
		Dir:  r.Bare,
		Env:  append([]string{"GIT_PROJECT_ROOT=" + filepath.Dir(r.Bare), "GIT_HTTP_EXPORT_ALL=1"}, isolation...),
	}
	s := &Server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		s.mu.Lock()
		s.requests++
		gate := s.gate
		s.mu.Unlock()
		if gate == nil {
			backend.ServeHTTP(w, q)
			return
		}
		gate(w, q, backend)
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// Repository is the URL of the repository.
func (s *Server) Repository() string { return s.URL + "/site.git" }

// Gate puts itself before git for every later request; nil takes it away.
func (s *Server) Gate(gate func(w http.ResponseWriter, q *http.Request, git http.Handler)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate = gate
}

// Requests counts what has come in.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests
}
