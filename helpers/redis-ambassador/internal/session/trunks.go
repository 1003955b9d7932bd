package session

import (
	"sync"

	"podpatterns.dev/redis-ambassador/internal/topology"
)

// trunks are an upstream's, each made for the first session that needs it and closed after the last one.
type trunks struct {
	mu   sync.Mutex
	open map[trunkKey]*users
}

// trunkKey is what sessions have in common that share a trunk.
type trunkKey struct {
	server    *topology.Server
	isPrimary bool
	access    topology.Access
	setup     string // the commands that have set up the connection
}

type users struct {
	trunk *trunk
	count int
}

// join finds or makes the trunk for a link, and adds the link to it.
func (ts *trunks) join(key trunkKey, setups int, l *link) error {
	ts.mu.Lock()
	if ts.open == nil {
		ts.open = map[trunkKey]*users{}
	}
	u := ts.open[key]
	first := u == nil
	if first {
		u = &users{trunk: newTrunk(key, ts)}
		ts.open[key] = u
	}
	u.count++
	ts.mu.Unlock()
	if first {
		u.trunk.dial(setups)
	}
	<-u.trunk.opened
	err := u.trunk.failure
	if err == nil {
		err = u.trunk.add(l)
	}
	if err != nil {
		ts.part(u.trunk)
	}
	return err
}

// part is told that a link, or who wanted one, is done with a trunk.
func (ts *trunks) part(t *trunk) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	u := ts.open[t.key]
	if u == nil || u.trunk != t {
		return // it was lost
	}
	if u.count--; u.count == 0 {
		delete(ts.open, t.key)
		t.Close()
	}
}

// forget takes a trunk that is lost out of use.
func (ts *trunks) forget(t *trunk) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if u := ts.open[t.key]; u != nil && u.trunk == t {
		delete(ts.open, t.key)
	}
}
