package session

import (
	"bytes"
	"errors"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

// deliver passes on some of what a connection has received, at most so many replies, when it is their turn. It returns
// how many have ended.
func (s *Session) deliver(u *upstreamConn, replies *resp.Replies, most int) (ended int, err error) {
	if !u.isPrimary {
		u.server.Heard()
	}
	turn, err := s.awaitTurn(u)
	if err != nil {
		return 0, err
	}
	b := u.socket.unread()
	n, ended, err := s.measure(u, replies, b, min(most, turn.most), turn.swallow)
	if err != nil {
		return ended, err
	}
	if ended > 0 && turn.then != nil {
		s.mu.Lock()
		turn.then(bytes.Clone(replies.Head()))
		s.mu.Unlock()
	}
	if ended == 0 && n > smallBuffer {
		s.bulky.Store(true)
	}
	switch {
	case turn.swallow:
	case turn.most == unlimited:
		err = s.write(u, s.ofPipe(u, b[:n]), 0)
	default:
		err = s.write(u, b[:n], ended)
	}
	u.socket.consume(n)
	switch {
	case err != nil:
		s.Close()
		return ended, errClosed
	case ended > 0:
		s.answered(u, ended, turn.swallow)
	}
	return ended, nil
}

// write writes to the client what completes so many replies. They count as answered before the client can have them and
// send its next command.
func (s *Session) write(u *upstreamConn, b []byte, answers int) error {
	s.heard(u)
	s.endTiming(s.answers.Add(int64(answers)))
	err := s.output.write(b, u.carrier, s.shared.Policy.Load().MaxUnread)
	if errors.Is(err, errUnread) {
		s.shared.Metrics.Slow.Add(1)
		s.shared.Log.Warn("a client is cut off: it leaves its replies unread, and there is no room for more", "client", s.client.RemoteAddr().String())
	}
	if !u.carrier.exclusive() && s.output.behind.Load() {
		s.bulky.Store(true)
	}
	return err
}

// measure finds the ends of at most so many replies.
func (s *Session) measure(u *upstreamConn, replies *resp.Replies, b []byte, most int, swallow bool) (n, ended int, err error) {
	for n < len(b) && ended < most {
		m, end, err := replies.Scan(b[n:])
		if err != nil {
			return n, ended, err
		}
		n += m
		if !end {
			break
		}
		ended++
		head := replies.Head()
		switch {
		case head[0] == '-':
			u.notice(head)
			if !swallow {
				s.shared.Metrics.Errors.addReply(head)
			} else {
				s.setupFailed(u, setupRefused(u.server, head))
			}
		case head[0] == '>' && !s.isPiped(u):
			return n, ended, errUnasked
		}
	}
	return n, ended, nil
}

const unlimited = int(^uint(0) >> 1)

// turn bounds the replies that a connection may deliver.
type turn struct {
	most    int  // replies
	swallow bool // they are not for the client
	then    func(reply []byte)
}

// awaitTurn waits until it is the connection's turn to write to the client. One that is in the middle of a reply has the
// turn.
func (s *Session) awaitTurn(u *upstreamConn) (turn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch head := s.order.head(); {
		case s.closed:
			return turn{}, errClosed
		case u.settingUp > 0:
			return turn{most: u.settingUp, swallow: true}, nil
		case s.piped == u:
			return turn{most: unlimited}, nil
		case head != nil && head.from == u:
			return turn{most: head.n, then: head.then}, nil
		case u.outstanding == 0:
			return turn{}, errUnasked
		}
		s.changed.Wait()
	}
}

// answered counts replies that the client has got, and lets the next ones take their turn.
func (s *Session) answered(u *upstreamConn, n int, swallowed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case swallowed:
		if u.settingUp -= n; u.settingUp == 0 {
			s.changed.Broadcast()
		}
		return
	case s.piped == u:
		return
	}
	head := s.order.head()
	if head == nil {
		return
	}
	u.settle(n)
	if head.n -= n; head.n > 0 {
		return
	}
	if u.repeats && u.outstanding == 0 {
		u.drop()
	}
	if head.writes > 0 {
		s.lastWrite.Store(int64(time.Since(epoch)))
		s.writesAnswered.Add(head.writes)
	}
	s.order.pop()
	s.tellLocals()
	s.changed.Broadcast()
}

// tellLocals writes the local replies whose turn it is. The lock is held on entry and on return, not meanwhile; the
// reply stays at the head so that nobody else writes.
func (s *Session) tellLocals() {
	for {
		head := s.order.head()
		if head == nil || head.from != nil || s.closed {
			return
		}
		reply := head.local
		s.mu.Unlock()
		err := s.output.write(reply, local{}, s.shared.Policy.Load().MaxUnread)
		s.mu.Lock()
		s.order.pop()
		if err != nil {
			s.close()
		}
	}
}

// connLost lets a connection go that is lost, and tells whether its outstanding commands are to be repeated. The client
// notices only when a reply was outstanding that nobody else may give, or when what it has made of the connection can't
// be made again elsewhere: then it loses its own, as it would have without us.
func (s *Session) connLost(u *upstreamConn) (repeat bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u.lost.Store(true)
	for i, other := range s.conns {
		if other == u {
			s.conns = append(s.conns[:i], s.conns[i+1:]...)
			break
		}
	}
	s.changed.Broadcast()
	if s.closed || u.dropped.Load() || s.pipeEnded(u) {
		return false
	}
	u.server.Check()
	if u.isPrimary {
		s.cursorsLost.Store(true)
	}
	if u.outstanding > 0 {
		s.shared.Metrics.Errors.add(resetError)
	}
	if u.outstanding > 0 && u.repeatable() {
		return true
	}
	if u.outstanding > 0 || s.piped == u || u.misread || s.held.Load() && u.isPrimary && u.carrier.exclusive() {
		if !u.misread {
			s.shared.Metrics.Broken.Add(1)
		}
		s.lose()
	}
	return false
}

func (s *Session) setupFailed(u *upstreamConn, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u.setupErr = err
}

func (s *Session) isPiped(u *upstreamConn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.piped == u
}
