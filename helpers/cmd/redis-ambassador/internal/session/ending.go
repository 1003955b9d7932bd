package session

import (
	"errors"
	"io"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

const (
	// lingering bounds the time in which a client that is told to go reads its last replies.
	lingering = 500 * time.Millisecond
	// abandonedFor bounds the time that the commands of a client that is gone may take.
	abandonedFor = 5 * time.Second
)

// end ends the session for a reason.
func (s *Session) end(err error) {
	var malformed resp.ProtocolError
	switch {
	case s.lost.Load():
		s.farewell()
	case errors.As(err, &malformed):
		s.reply("-ERR Protocol error: " + malformed.Error())
		s.finish()
	case errors.Is(err, errQuit), errors.Is(err, errDraining):
		s.finish()
	case errors.Is(err, io.EOF):
		s.abandoned()
	}
}

// woken ends a session that is lost, or drains and isn't in the middle of something.
func (s *Session) woken() error {
	if s.lost.Load() {
		return errLost
	}
	if s.draining.Load() && !s.held.Load() && !s.passing {
		return errDraining
	}
	return nil
}

// finish ends a session whose client may still want to read: closing at once could destroy what is on its way.
func (s *Session) finish() {
	if s.drained() != nil {
		return
	}
	s.farewell()
}

// farewell waits until the client has read what is there for it.
func (s *Session) farewell() {
	s.output.await()
	s.client.closeWrite()
	_ = s.client.SetReadDeadline(time.Now().Add(lingering))
	for s.client.fill() == nil {
		s.client.release()
	}
}

// abandoned ends a session whose client has closed its side. What it has sent is done and answered, as far as a command
// that waits for something to come (BLPOP): that must not take it when it does. How far a pipe is answered is the
// primary's affair.
func (s *Session) abandoned() {
	if s.passing {
		return
	}
	timer := time.AfterFunc(abandonedFor, s.Close)
	defer timer.Stop()
	if s.pipe != nil {
		s.pipe.dropped.Store(true)
		s.pipe.socket.closeWrite()
	}
	defer s.output.await()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.closed && s.isAnswered() {
		s.changed.Wait()
	}
}

// isAnswered tells whether replies come without the client doing anything. The lock is held.
func (s *Session) isAnswered() bool {
	if s.piped != nil {
		return !s.piped.lost.Load()
	}
	head := s.order.head()
	return head != nil && !head.blocks
}

// Drain makes the session end as soon as nothing is under way.
func (s *Session) Drain() {
	s.draining.Store(true)
	_ = s.client.SetReadDeadline(time.Now())
}

// Close ends the session at once.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close()
}

// close is Close with the lock held.
func (s *Session) close() {
	s.output.close()
	s.client.shutDown()
	s.stop()
}

// lose ends the session as its connection is lost. The client still gets what has come from there. The lock is held.
func (s *Session) lose() {
	if s.closed {
		return
	}
	s.lost.Store(true)
	s.stop()
	_ = s.client.SetReadDeadline(time.Now())
	time.AfterFunc(abandonedFor, s.Close)
}

// stop ends all but the connection with the client. The lock is held.
func (s *Session) stop() {
	if s.closed {
		return
	}
	s.closed = true
	for _, u := range s.conns {
		u.Close()
	}
	s.changed.Broadcast()
}
