package session

import (
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/routing"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// toPipe enters the state piped. Replies that are still to come are counted to the last one first.
func (s *Session) toPipe() (*upstreamConn, error) {
	u, err := s.ownPrimary()
	if err != nil {
		return nil, s.unavailableForGood(err)
	}
	if err := s.drained(); err != nil {
		return nil, err
	}
	s.own.dropReads()
	s.common.drop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.lost.Load() {
		return nil, errClosed
	}
	s.pipe, s.piped = u, u
	return u, nil
}

func (s *Session) routePiped(kind routing.Kind) (*upstreamConn, error) {
	s.counts.pinned++
	if kind == routing.Reset {
		return nil, s.resetPipe()
	}
	return s.pipe, nil
}

// reset makes the connection as it was at its beginning: with no upstream connections, so that the next ones are logged
// in anew as the configuration says.
func (s *Session) reset() error {
	if err := s.drained(); err != nil {
		return err
	}
	s.forget()
	s.reply("+RESET")
	return nil
}

// resetTimeout bounds the wait for the answer to RESET, which CLIENT REPLY SKIP right before it takes away.
const resetTimeout = 5 * time.Second

// resetPipe has the primary answer what it still has to, and RESET last: the client gets that answer.
func (s *Session) resetPipe() error {
	if err := s.flush(); err != nil {
		return err
	}
	s.resetting.Store(true)
	if _, err := s.pipe.socket.Write(resp.Append(nil, "RESET")); err != nil {
		return errClosed
	}
	timer := time.AfterFunc(resetTimeout, s.Close)
	defer timer.Stop()
	s.output.hurry()
	defer s.output.relax()
	s.mu.Lock()
	for s.piped != nil && !s.closed {
		s.changed.Wait()
	}
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return errClosed
	}
	s.pipe = nil
	s.forget()
	// What went through the pipe may have been writes.
	s.writesSent++
	s.writesAnswered.Add(1)
	s.lastWrite.Store(int64(time.Since(epoch)))
	s.causal.primaryHeard.Store(topology.Clock())
	return nil
}

func (s *Session) forget() {
	s.multi, s.watch = false, false
	s.written, s.strayed = nil, false
	s.held.Store(false)
	s.mu.Lock()
	s.setup = setup{version: s.setup.version + 1}
	s.mu.Unlock()
	s.own.drop()
	s.common.drop()
	s.over = nil
}
