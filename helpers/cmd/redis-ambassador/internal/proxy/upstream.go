package proxy

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/config"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/session"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// upstream is a port on localhost and the servers behind it.
type upstream struct {
	shared session.Shared
	log    *slog.Logger
	stop   context.CancelFunc

	// Of Apply.
	addresses []string
	listeners []net.Listener
	optional  bool

	mu       sync.Mutex
	limit    int // of clients; 0: none
	leaves   *sync.Cond
	sessions map[*session.Session]struct{}
	closed   bool
	moves    int // clients that came or left since the memory was tidied
}

func newUpstream(ctx context.Context, c config.Upstream, log *slog.Logger) *upstream {
	ctx, stop := context.WithCancel(ctx)
	u := &upstream{log: log.With("upstream", c.Name), stop: stop, sessions: map[*session.Session]struct{}{}}
	u.leaves = sync.NewCond(&u.mu)
	u.shared.Name, u.shared.Log = c.Name, u.log
	u.shared.Policy.Store(&c.Policy)
	u.shared.Monitor = topology.New(ctx, c.Servers, u.log)
	go u.recheck(ctx)
	return u
}

// configure makes the configuration the one in effect; with listeners, these are where new clients come from.
func (u *upstream) configure(c config.Upstream, listeners []net.Listener) {
	if tls := c.Servers.Access.TLS; tls != nil && tls.InsecureSkipVerify {
		u.log.Warn("tls.insecureSkipVerify: any server is believed; leave it out in production")
	}
	u.shared.Policy.Store(&c.Policy)
	u.shared.Monitor.Configure(c.Servers)
	u.mu.Lock()
	u.limit = c.MaxConnections
	u.leaves.Broadcast()
	u.mu.Unlock()
	u.optional = c.Optional
	if len(listeners) == 0 {
		return
	}
	closeAll(u.listeners)
	u.addresses, u.listeners = c.Listen, listeners
	for _, l := range listeners {
		go u.accept(l)
	}
}

func (u *upstream) accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // such as too many open files, which pass
			u.log.Warn("cannot accept a client", "error", err)
			time.Sleep(acceptAgain)
			continue
		}
		s := u.enter(conn)
		go func() {
			s.Serve()
			u.leave(s)
		}()
	}
}

const acceptAgain = 100 * time.Millisecond

// recheckEvery bounds how long the end of a connection may go unnoticed.
const recheckEvery = 250 * time.Millisecond

func (u *upstream) recheck(ctx context.Context) {
	ticker := time.NewTicker(recheckEvery)
	defer ticker.Stop()
	before := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		u.mu.Lock()
		for s := range u.sessions {
			s.Recheck()
		}
		moves := u.moves
		u.mu.Unlock()
		if moves == before && moves >= manyMoves {
			u.tidy(moves)
			moves = 0
		}
		before = moves
	}
}

// manyMoves is the number of clients that leave enough behind to be worth a collection.
const manyMoves = 16

// tidy gives back what clients needed to come, and what they had when they left, once they have settled: connecting takes
// several times the memory that serving does, and serving makes too little garbage for a collection to come by itself.
func (u *upstream) tidy(moves int) {
	runtime.GC() // pools let go at the second one only
	debug.FreeOSMemory()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.moves -= moves
}

// enter makes the client's session once there is room for it, as circuitBreaker says. Those after it wait in the kernel's
// queue meanwhile.
func (u *upstream) enter(conn net.Conn) *session.Session {
	u.mu.Lock()
	defer u.mu.Unlock()
	for u.limit > 0 && len(u.sessions) >= u.limit && !u.closed {
		u.leaves.Wait()
	}
	s := session.New(&u.shared, conn)
	u.sessions[s] = struct{}{}
	u.moves++
	u.shared.Metrics.Clients.Add(1)
	if u.closed {
		s.Drain()
	}
	return s
}

func (u *upstream) leave(s *session.Session) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.sessions, s)
	u.moves++
	u.shared.Metrics.Clients.Add(-1)
	u.leaves.Broadcast()
}

// drain stops taking clients and waits for the sessions to end.
func (u *upstream) drain(timeout time.Duration) {
	defer u.stop()
	closeAll(u.listeners)
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	u.leaves.Broadcast()
	for s := range u.sessions {
		s.Drain()
	}
	timer := time.AfterFunc(timeout, u.cut)
	defer timer.Stop()
	for len(u.sessions) > 0 {
		u.leaves.Wait()
	}
}

func (u *upstream) cut() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.log.Warn("clients are cut off", "clients", len(u.sessions))
	for s := range u.sessions {
		s.Close()
	}
}
