package session

import (
	"errors"
	"slices"
	"strings"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

const (
	// primaryWait is how long after the loss of a primary commands wait for the next one. Beyond it they fail at once:
	// a longer failover must not pile them up.
	primaryWait = 3 * time.Second
	// redialAfter is the pause between two attempts to connect with a primary that doesn't take the connection.
	redialAfter = 50 * time.Millisecond
)

// primaryLink is the link to the primary, made when there is none. It waits for a primary for a short time.
func (s *Session) primaryLink(p *lane) (*link, error) {
	snapshot := s.shared.Monitor.Snapshot()
	if l := p.primary; l != nil {
		if !l.lost.Load() && l.server == snapshot.Primary && (p == &s.own || l.version == s.setup.version) {
			return l, nil
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
			l, err := s.connect(p, snapshot.Primary, true)
			if err == nil {
				p.primary = l
				return l, nil
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

// leavePrimary gives up the link to a server that isn't the primary any more, or that is gone, or a part in a trunk that
// isn't set up as the client's connection is now.
func (s *Session) leavePrimary(p *lane) error {
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

// leave gives up a link. A part in a trunk that has had writes is kept: its loss means something to WAIT.
func (s *Session) leave(l *link) {
	if l.trunk == nil || !slices.Contains(s.written, l) {
		l.drop()
	}
}

// connect makes a link of a lane's kind.
func (s *Session) connect(p *lane, server *topology.Server, asPrimary bool) (*link, error) {
	l := &link{isPrimary: asPrimary}
	if p == &s.own {
		return s.dial(server, l)
	}
	return s.join(server, l)
}

// readLink is the link to a replica, nil if there is none. A session stays with its replica: what it has read once it
// reads again.
func (s *Session) readLink(p *lane) (*link, error) {
	snapshot := s.shared.Monitor.Snapshot()
	if l := p.reads; l != nil {
		fit := !l.lost.Load() && (snapshot == p.readsFor || slices.Contains(snapshot.Replicas, l.server))
		if fit && l.version == s.setup.version {
			p.readsFor = snapshot
			return l, nil
		}
		if err := s.drained(); err != nil {
			return nil, err
		}
		if fit && p == &s.own && s.setUp(l, s.shared.Monitor.Access()) == nil {
			return l, nil
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
		l, err := s.connect(p, server, false)
		if err == nil {
			s.replica, p.reads, p.readsFor = server, l, snapshot
			return l, nil
		}
	}
	return nil, nil
}

func (s *Session) isOver(err error) bool { return errors.Is(err, errClosed) }

// sentence makes an error fit for a reply's line.
func sentence(err error) string {
	return strings.NewReplacer("\r", " ", "\n", " ").Replace(err.Error())
}

var _ topology.Link = (*link)(nil)
