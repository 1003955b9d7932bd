package session

import (
	"sync"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// sharedConns are an upstream's shared connections, each made for the first session that needs it and closed after the
// last one.
type sharedConns struct {
	mu   sync.Mutex
	open map[sharedKey]*sharedConn
}

// sharedKey is the same for sessions that share a connection.
type sharedKey struct {
	server    *topology.Server
	turn      uint64 // of the server
	isPrimary bool
	access    topology.Access
	setup     string // the commands that have set up the connection
}

// join finds or makes the shared connection for u, and makes it the carrier of u.
func (cs *sharedConns) join(key sharedKey, setups int, u *upstreamConn) error {
	cs.mu.Lock()
	if cs.open == nil {
		cs.open = map[sharedKey]*sharedConn{}
	}
	c := cs.open[key]
	first := c == nil
	if first {
		c = newSharedConn(key, cs)
		cs.open[key] = c
	}
	c.users++
	cs.mu.Unlock()
	if first {
		c.dial(u.session.shared, setups)
	}
	<-c.opened
	err := c.failure
	if err == nil {
		err = c.add(u)
	}
	if err != nil {
		cs.part(c)
	}
	return err
}

// part is told that a session, or one that wanted a part, is done with a shared connection.
func (cs *sharedConns) part(c *sharedConn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.open[c.key] != c {
		return // it was lost
	}
	if c.users--; c.users == 0 {
		delete(cs.open, c.key)
		c.Close()
	}
}

// forget takes a shared connection that is lost out of use.
func (cs *sharedConns) forget(c *sharedConn) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.open[c.key] == c {
		delete(cs.open, c.key)
	}
}
