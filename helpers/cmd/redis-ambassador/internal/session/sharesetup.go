package session

import (
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

// shareSetup sends what sets up the client's connection over one that is shared and set up so already, or is made so
// first. There it changes nothing, and the server itself answers: a password that isn't valid any more is refused, though
// the connection was logged in with it. It gives no connection where none is to be had, or the client has one of its own
// that needs the setup as well.
func (s *Session) shareSetup(c resp.Command, commands []setupCommand) (*upstreamConn, error) {
	s.alone = s.alone || s.bulky.Load() || s.shared.isApart()
	if s.alone || s.watch || s.own.primary != nil || len(commands) == 0 || c.Inline || c.Len > smallBuffer {
		return nil, nil
	}
	if err := s.drained(); err != nil {
		return nil, err
	}
	server := s.shared.Monitor.Snapshot().Primary
	if server == nil {
		return nil, nil
	}
	s.mu.Lock()
	next := s.setup.with(commands)
	s.mu.Unlock()
	u, err := s.joinAs(next, server, s.shared.Monitor.Access(), &upstreamConn{isPrimary: true, turn: server.Turn()})
	if s.isOver(err) {
		return nil, err
	}
	if err != nil {
		return nil, nil // the server says why when it is asked over the client's own connection
	}
	if !u.carrier.admit(false) {
		s.leave(u)
		return nil, nil
	}
	if old := s.common.primary; old != nil && old != u {
		s.leave(old)
	}
	s.common.primary, s.over = u, u
	s.setupsSent++
	return s.expectFrom(u, expectation{n: 1, then: func(reply []byte) {
		if reply[0] == '-' {
			u.version = -1 // it isn't what the client's connection is
		} else {
			s.setup.change(commands)
			u.version = s.setup.version
		}
		s.setupsAnswered.Add(1)
	}}), nil
}
