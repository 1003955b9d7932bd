package session

import (
	"sync"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// trunks are an upstream's, each made for the first session that needs it and closed after the last one.
type trunks struct {
	mu   sync.Mutex
	open map[trunkKey]*trunk
}

// trunkKey is what sessions have in common that share a trunk.
type trunkKey struct {
	server    *topology.Server
	isPrimary bool
	access    topology.Access
	setup     string // the commands that have set up the connection
}

// join finds or makes the trunk for a link, and adds the link to it.
func (ts *trunks) join(key trunkKey, setups int, l *link) error {
	ts.mu.Lock()
	if ts.open == nil {
		ts.open = map[trunkKey]*trunk{}
	}
	t := ts.open[key]
	first := t == nil
	if first {
		t = newTrunk(key, ts)
		ts.open[key] = t
	}
	t.users++
	ts.mu.Unlock()
	if first {
		t.dial(setups)
	}
	<-t.opened
	err := t.failure
	if err == nil {
		err = t.add(l)
	}
	if err != nil {
		ts.part(t)
	}
	return err
}

// part is told that a link, or who wanted one, is done with a trunk.
func (ts *trunks) part(t *trunk) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.open[t.key] != t {
		return // it was lost
	}
	if t.users--; t.users == 0 {
		delete(ts.open, t.key)
		t.Close()
	}
}

// forget takes a trunk that is lost out of use.
func (ts *trunks) forget(t *trunk) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.open[t.key] == t {
		delete(ts.open, t.key)
	}
}
