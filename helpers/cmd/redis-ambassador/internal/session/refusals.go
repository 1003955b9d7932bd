package session

import (
	"sync"
	"time"
)

// refusedFor is how long a server isn't asked again that has refused how a client sets up its connection: a user may be
// known to the primary only.
const refusedFor = 10 * time.Second

// refusals remembers which servers have refused which setup.
type refusals struct {
	mu    sync.Mutex
	until map[sharedKey]time.Time
}

func (r *refusals) add(key sharedKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for old, until := range r.until {
		if now.After(until) {
			delete(r.until, old)
		}
	}
	if r.until == nil {
		r.until = map[sharedKey]time.Time{}
	}
	r.until[key] = now.Add(refusedFor)
}

func (r *refusals) has(key sharedKey) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Before(r.until[key])
}
