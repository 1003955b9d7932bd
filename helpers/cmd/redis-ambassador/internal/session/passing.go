package session

import (
	"errors"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

// beginPass lets a command through that is larger than the buffer, in pieces as they arrive.
func (s *Session) beginPass(c resp.Command) error {
	if len(c.Args) == 0 {
		return resp.ProtocolError("a command's name is too large")
	}
	u, err := s.route(c)
	if err != nil {
		return err
	}
	s.passTo = u
	if err := s.flush(); err != nil {
		return err
	}
	s.passing = true
	return s.pass(s.commands.Pass(s.client.unread()))
}

// pass sends a piece.
func (s *Session) pass(n int, ended bool, err error) error {
	if err != nil {
		return err
	}
	if err := s.passOn(s.passTo, n); err != nil {
		return err
	}
	if s.passing = !ended; ended {
		s.passTo = nil
	}
	return nil
}

// passOn sends so many bytes to a connection, if there is one.
func (s *Session) passOn(u *upstreamConn, n int) error {
	if u != nil {
		if _, err := u.socket.Write(s.client.unread()[:n]); err != nil {
			return errClosed
		}
	}
	s.client.consume(n)
	return nil
}

// passUnreadable passes on what can't be read, and all that comes after it, over a connection of the session's own: the
// server answers in its own words and closes the connection, or reads it after all. What is in the middle of a command goes
// where that has begun.
func (s *Session) passUnreadable(err error) error {
	s.shared.Metrics.ProtocolErrors.Add(1)
	switch {
	case s.passing:
		s.unreadable = s.passTo
	case s.pipe != nil:
		s.unreadable = s.pipe
	case s.shared.Monitor.Snapshot().Primary != nil:
		u, err := s.toPipe()
		if err != nil {
			return err
		}
		s.unreadable = u
	}
	if s.unreadable == nil {
		return errors.Join(s.flush(), err)
	}
	return s.passAll()
}

// passAll passes on what has arrived.
func (s *Session) passAll() error {
	if err := s.flush(); err != nil {
		return err
	}
	return s.passOn(s.unreadable, len(s.client.unread()))
}
