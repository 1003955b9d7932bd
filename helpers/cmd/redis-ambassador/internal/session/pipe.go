package session

import (
	"bytes"
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
	s.count(Pinned)
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

// lastReply is the answer to QUIT.
const lastReply = "+OK\r\n"

// resetPipe has the primary answer what it still has to, and RESET last: the client gets that answer. Then the connection
// to the primary ends, and so the pipe, wherever replies began and ended in it: CLIENT REPLY takes the answer to RESET away,
// or a part of that to EXEC.
func (s *Session) resetPipe() error {
	if err := s.flush(); err != nil {
		return err
	}
	s.resetting.Store(true)
	if _, err := s.pipe.socket.Write(resp.Append(resp.Append(nil, "RESET"), "QUIT")); err != nil {
		return errClosed
	}
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

// ofPipe returns what of a pipe's bytes the client gets now. The answer to QUIT, and what may become it, is held back until
// more comes.
func (s *Session) ofPipe(u *upstreamConn, b []byte) []byte {
	if !s.resetting.Load() {
		return b
	}
	if u.heldBack > 0 {
		b = append([]byte(lastReply[:u.heldBack]), b...)
	}
	for u.heldBack = min(len(b), len(lastReply)); !bytes.HasSuffix(b, []byte(lastReply[:u.heldBack])); {
		u.heldBack--
	}
	return b[:len(b)-u.heldBack]
}

// pipeEnded is told when a connection is lost. It tells whether it was a pipe that RESET has ended. The lock is held.
func (s *Session) pipeEnded(u *upstreamConn) bool {
	if s.piped != u || u.heldBack < len(lastReply) {
		return false
	}
	s.piped = nil
	s.resetting.Store(false)
	s.changed.Broadcast()
	return true
}
