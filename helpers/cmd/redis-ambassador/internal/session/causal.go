package session

import (
	"slices"
	"sync/atomic"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

const (
	// A client that reads without a pause from the primary never gets to a time after its last answer. So now and then it is
	// held for up to causalHold, until a replica has caught up; at growing intervals when none does.
	causalHold     = 30 * time.Millisecond
	causalHoldStep = time.Millisecond
	causalAgain    = 100 * time.Millisecond
	causalSeldom   = 5 * time.Second
)

// causal knows from when on a server must have everything, so that a client's reads never go back in time: from its
// last answer from another server. What the client has got from there, the primary had at that time.
type causal struct {
	primaryHeard atomic.Int64 // the last answer from the primary, since topology's epoch; 0: none
	replicaHeard atomic.Int64 // the last answer from the session's replica

	// Of the client's goroutine.
	toPrimary bool             // the last command went to the primary
	meant     *topology.Server // the replica for the next read
	held      time.Time        // when the client was held the last time
	pause     time.Duration    // until it may be again
}

// heard notes that the client has got an answer.
func (s *Session) heard(u *upstreamConn) {
	if !s.shared.Policy.Load().Causal {
		return
	}
	if u.isPrimary || u.repeats {
		s.causal.primaryHeard.Store(topology.Clock())
	} else {
		s.causal.replicaHeard.Store(topology.Clock())
	}
}

// pinnedCausally tells whether no replica has all that the client has seen.
func (s *Session) pinnedCausally() bool {
	c := &s.causal
	if c.toPrimary && !s.idle() || s.writesSent != s.writesAnswered.Load() {
		return true
	}
	if c.meant = s.caughtUp(); c.meant != nil {
		c.pause = 0
		return false
	}
	s.shared.Monitor.Sample()
	if time.Since(c.held) < max(c.pause, causalAgain) || s.flush() != nil || !s.idle() {
		return true
	}
	for begun := time.Now(); time.Since(begun) < causalHold; time.Sleep(causalHoldStep) {
		if c.meant = s.caughtUp(); c.meant != nil {
			break
		}
		s.shared.Monitor.Sample()
	}
	c.held = time.Now()
	if c.meant != nil {
		c.pause = 0
		return false
	}
	c.pause = min(max(2*c.pause, causalAgain), causalSeldom)
	return true
}

// caughtUp is a replica that has all that the client has seen, the one that it has read from before others.
func (s *Session) caughtUp() *topology.Server {
	replicas := s.shared.Monitor.Snapshot().Replicas
	primary := s.causal.primaryHeard.Load()
	at := slices.Index(replicas, s.replica)
	if at >= 0 && s.replica.CaughtUp() >= primary {
		return s.replica
	}
	needed := max(primary, s.causal.replicaHeard.Load())
	if at < 0 && needed == 0 && len(replicas) > 0 {
		at = int(s.shared.turn.Add(1) % (1 << 30))
	}
	for i := range replicas {
		if server := replicas[(max(at, 0)+i)%len(replicas)]; server.CaughtUp() >= needed {
			return server
		}
	}
	return nil
}
