package session

import (
	"errors"
	"slices"
	"strings"
	"time"

	"podpatterns.dev/redis-ambassador/internal/topology"
)

const (
	// primaryWait is how long after the loss of a primary commands wait for the next one. Beyond it they fail at once:
	// a longer failover must not pile them up.
	primaryWait = 3 * time.Second
	// redialAfter is the pause between two attempts to connect with a primary that doesn't take the connection.
	redialAfter = 50 * time.Millisecond
)

// primaryLink is the link to the primary, made when there is none. It waits for a primary for a short time.
func (s *Session) primaryLink() (*link, error) {
	snapshot := s.shared.Monitor.Snapshot()
	if l := s.primary; l != nil {
		if !l.lost.Load() && l.server == snapshot.Primary {
			return l, nil
		}
		if err := s.leavePrimary(); err != nil {
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
			l, err := s.dial(snapshot.Primary, &link{isPrimary: true})
			if err == nil {
				s.primary = l
				return l, nil
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

// leavePrimary gives up the link to a server that isn't the primary any more, or that is gone.
func (s *Session) leavePrimary() error {
	if s.multi || s.watch {
		return errClosed // half a transaction can't be taken elsewhere
	}
	if err := s.drained(); err != nil {
		return err
	}
	s.primary.drop()
	s.primary = nil
	return nil
}

// readLink is the link to a replica, nil if there is none. A session stays with its replica: what it has read once it
// reads again.
func (s *Session) readLink() (*link, error) {
	snapshot := s.shared.Monitor.Snapshot()
	if l := s.reads; l != nil {
		fit := !l.lost.Load() && (snapshot == s.readsFor || slices.Contains(snapshot.Replicas, l.server))
		if fit && l.version == s.setup.version {
			s.readsFor = snapshot
			return l, nil
		}
		if err := s.drained(); err != nil {
			return nil, err
		}
		if fit && s.setUp(l, s.shared.Monitor.Access()) == nil {
			return l, nil
		}
		l.drop()
		s.reads = nil
	}
	if len(snapshot.Replicas) == 0 {
		return nil, nil
	}
	if err := s.flush(); err != nil {
		return nil, err
	}
	first := int(s.shared.turn.Add(1) % (1 << 30))
	for i := range snapshot.Replicas {
		l, err := s.dial(snapshot.Replicas[(first+i)%len(snapshot.Replicas)], &link{})
		if err == nil {
			s.reads, s.readsFor = l, snapshot
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
