package session

import (
	"errors"
	"slices"
	"strings"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

const (
	// primaryWait is the time after the loss of a primary in which commands wait for the next one. Beyond it they fail at
	// once: a longer failover must not pile them up.
	primaryWait = 3 * time.Second
	// redialAfter is the pause between two attempts to connect with a primary that doesn't take the connection.
	redialAfter = 50 * time.Millisecond
)

// primaryConn is the connection to the primary, made when there is none. It waits for a primary for a short time.
func (s *Session) primaryConn(p *connSet) (*upstreamConn, error) {
	if p == &s.common && s.setupsSent != s.setupsAnswered.Load() {
		if err := s.drained(); err != nil {
			return nil, err
		}
	}
	snapshot := s.shared.Monitor.Snapshot()
	if u := p.primary; u != nil {
		if !u.lost.Load() && u.leads(snapshot.Primary) && (p == &s.own || u.version == s.setup.version) {
			return u, nil
		}
		if err := s.leavePrimary(p); err != nil {
			return nil, err
		}
	}
	if err := s.flush(); err != nil { // others need not wait for this
		return nil, err
	}
	since := snapshot.Since
	if snapshot.Primary != nil {
		since = time.Now()
	}
	timeout := time.NewTimer(time.Until(since.Add(primaryWait)))
	defer timeout.Stop()
	failure := errors.New(snapshot.Reason)
	for {
		var again <-chan time.Time
		if snapshot.Primary != nil {
			u, err := s.connect(p, snapshot.Primary, true)
			if err == nil {
				p.primary = u
				return u, nil
			}
			if p == &s.common && errors.Is(err, errRefused) {
				return nil, err // the connection that was set up so may still be there
			}
			failure, again = err, time.After(redialAfter)
		} else {
			failure = errors.New(snapshot.Reason)
		}
		select {
		case <-timeout.C:
			return nil, failure
		case <-again:
		case <-snapshot.Next:
		}
		snapshot = s.shared.Monitor.Snapshot()
	}
}

// leavePrimary gives up the connection to a server that isn't the primary any more, or that is gone, or a part in a
// shared one that isn't set up as the client's connection is now.
func (s *Session) leavePrimary(p *connSet) error {
	if s.multi || s.watch {
		return errClosed // half a transaction can't be taken elsewhere
	}
	if err := s.drained(); err != nil {
		return err
	}
	s.leave(p.primary)
	p.primary = nil
	return nil
}

// leave gives up a connection. A part in a shared one that has had writes is kept: its loss means something to WAIT.
func (s *Session) leave(u *upstreamConn) {
	if u.carrier.exclusive() || !slices.Contains(s.written, u) {
		u.drop()
	}
}

// connect makes a connection of the set's kind.
func (s *Session) connect(p *connSet, server *topology.Server, asPrimary bool) (*upstreamConn, error) {
	u := &upstreamConn{isPrimary: asPrimary, turn: server.Turn()}
	access := s.shared.Monitor.Access()
	if asPrimary {
		return s.connectWith(p, server, access, u)
	}
	s.mu.Lock()
	request, _ := s.setup.request(access)
	s.mu.Unlock()
	key := sharedKey{server, u.turn, asPrimary, access, string(request)}
	if s.shared.refusals.has(key) {
		return nil, errRefused
	}
	u, err := s.connectWith(p, server, access, u)
	if errors.Is(err, errRefused) {
		s.shared.refusals.add(key)
	}
	return u, err
}

func (s *Session) connectWith(p *connSet, server *topology.Server, access topology.Access, u *upstreamConn) (*upstreamConn, error) {
	if p == &s.own {
		return s.dial(server, access, u)
	}
	return s.join(server, access, u)
}

// readConn is the connection to a replica, nil if there is none. A session stays with its replica: what it has read
// once it reads again.
func (s *Session) readConn(p *connSet) (*upstreamConn, error) {
	snapshot, meant := s.shared.Monitor.Snapshot(), s.causal.meant
	if u := p.reads; u != nil {
		fit := (meant == nil || u.server == meant) && !u.lost.Load() && (snapshot == p.readsFor || slices.Contains(snapshot.Replicas, u.server))
		if fit && u.version == s.setup.version {
			p.readsFor = snapshot
			return u, nil
		}
		if err := s.drained(); err != nil {
			return nil, err
		}
		if fit && p == &s.own && s.setUp(u, s.shared.Monitor.Access()) == nil {
			return u, nil
		}
		p.dropReads()
	}
	if len(snapshot.Replicas) == 0 {
		return nil, nil
	}
	if err := s.flush(); err != nil {
		return nil, err
	}
	first := slices.Index(snapshot.Replicas, s.replica)
	if first < 0 {
		first = int(s.shared.turn.Add(1) % (1 << 30))
	}
	for i := range snapshot.Replicas {
		server := snapshot.Replicas[(first+i)%len(snapshot.Replicas)]
		if meant != nil && server != meant {
			continue
		}
		u, err := s.connect(p, server, false)
		if err == nil {
			s.replica, p.reads, p.readsFor = server, u, snapshot
			return u, nil
		}
	}
	return nil, nil
}

func (s *Session) isOver(err error) bool { return errors.Is(err, errClosed) }

// sentence makes an error fit for a reply's line.
func sentence(err error) string {
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(err.Error())
}

var _ topology.Connection = (*upstreamConn)(nil)
