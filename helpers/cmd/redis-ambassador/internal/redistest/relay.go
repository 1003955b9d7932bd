package redistest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Relay stands before a server as a network does, and fails as one.
type Relay struct {
	Addr   string
	server string

	mu      sync.Mutex
	clients []*net.TCPConn
	stalled bool
	resumes *sync.Cond
}

// StartRelay starts one. It ends with the test, and its connections too.
func StartRelay(t testing.TB, server *Server) *Relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{Addr: l.Addr().String(), server: server.Addr}
	r.resumes = sync.NewCond(&r.mu)
	t.Cleanup(func() {
		l.Close()
		r.Resume()
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, c := range r.clients {
			c.Close()
		}
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(c.(*net.TCPConn))
		}
	}()
	return r
}

func (r *Relay) serve(client *net.TCPConn) {
	r.mu.Lock()
	r.clients = append(r.clients, client)
	addr := r.server
	r.mu.Unlock()
	server, err := net.Dial("tcp", addr)
	if err != nil {
		client.Close()
		return
	}
	go r.pass(server.(*net.TCPConn), client)
	r.pass(client, server.(*net.TCPConn))
}

// pass passes on what comes from one side, its end included, and nothing while stalled.
func (r *Relay) pass(from, to *net.TCPConn) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		r.mu.Lock()
		for r.stalled {
			r.resumes.Wait()
		}
		r.mu.Unlock()
		if _, failed := to.Write(b[:n]); failed != nil && n > 0 {
			from.Close()
			return
		}
		if err == io.EOF {
			_ = to.CloseWrite()
			return
		}
		if err != nil {
			to.Close()
			return
		}
	}
}

// Lead makes new connections lead to another server, as a Service does whose endpoints have changed.
func (r *Relay) Lead(server *Server) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.server = server.Addr
}

// Stall makes the relay take in everything and pass on nothing, not even ends of connections.
func (r *Relay) Stall() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stalled = true
}

// Resume ends Stall.
func (r *Relay) Resume() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stalled = false
	r.resumes.Broadcast()
}

// CloseWrite ends the server's side of all connections, as a server does that only shuts down writing.
func (r *Relay) CloseWrite() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.clients {
		_ = c.CloseWrite()
	}
}
