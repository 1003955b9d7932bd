package session

import (
	"errors"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// connSet is a session's upstream connections of one kind: its own, or parts in shared ones.
type connSet struct {
	primary, reads *upstreamConn
	readsFor       *topology.Snapshot // when reads was last found fit
}

// conns yields those that there are.
func (p *connSet) conns(yield func(*upstreamConn) bool) {
	if p.primary != nil && !yield(p.primary) {
		return
	}
	if p.reads != nil {
		yield(p.reads)
	}
}

func (p *connSet) drop() {
	for u := range p.conns {
		u.drop()
	}
	*p = connSet{}
}

func (p *connSet) dropReads() {
	if p.reads != nil {
		p.reads.drop()
		p.reads = nil
	}
}

// choose decides whether a command goes over a shared connection, and finds the connection. Replies that are
// outstanding on a shared one are all that are: it would have to wait for the rest. So a client whose pipelines go to
// several servers, or hold what is nobody else's business, has its own connections from then on; one with large replies
// as well, that hold up others.
func (s *Session) choose(shareable bool, connect func(*connSet) (*upstreamConn, error)) (*upstreamConn, error) {
	s.alone = s.alone || s.bulky.Load() || s.shared.isApart()
	if shareable && !s.alone && !s.isUnshared() && (s.over != nil || s.idle()) {
		u, err := connect(&s.common)
		idle := s.idle()
		switch {
		case errors.Is(err, errRefused): // such as a password that was changed since the client logged in
			s.unshared = s.setup.version + 1
		case u == nil || err != nil:
			return nil, err
		case (s.over == u || idle) && u.carrier.admit(!idle):
			s.over = u
			s.leaveSetup()
			return u, nil
		}
	}
	return s.chooseOwn(connect)
}

// isUnshared tells whether no connection is shared that is set up as the client's is, as far as that is known: a change that
// is under way may be another refusal.
func (s *Session) isUnshared() bool {
	return s.unshared != 0 && (s.setupsSent != s.setupsAnswered.Load() || s.unshared == s.setup.version+1)
}

// chooseOwn finds the connection to a server that is the session's own.
func (s *Session) chooseOwn(connect func(*connSet) (*upstreamConn, error)) (*upstreamConn, error) {
	if s.over != nil && !s.idle() {
		s.alone = true
	}
	if err := s.settleShared(nil); err != nil {
		return nil, err
	}
	if s.alone {
		for u := range s.common.conns {
			s.leave(u)
		}
		s.common = connSet{}
	}
	return connect(&s.own)
}

// settleShared waits until nothing is outstanding on a shared connection but the next one that is used, nil for none.
func (s *Session) settleShared(next *upstreamConn) error {
	if s.over != nil && s.over != next && !s.idle() {
		if err := s.drained(); err != nil {
			return err
		}
	}
	s.over = next
	return nil
}

// leaveSetup gives up the connection over which the client has set up what the shared ones have as well.
func (s *Session) leaveSetup() {
	if u := s.own.primary; u != nil && u.onlySetup {
		u.drop()
		s.own.primary = nil
	}
}

// withdraw gives up what a session that is over was admitted to shared connections and has not sent.
func (s *Session) withdraw() {
	for u := range s.common.conns {
		u.withdraw()
	}
}

// idle tells whether the client has got every reply that it has asked a server for.
func (s *Session) idle() bool { return s.asked == s.answers.Load() }

// ownPrimary is the session's own connection to the primary.
func (s *Session) ownPrimary() (*upstreamConn, error) { return s.chooseOwn(s.primaryConn) }
