package session

import (
	"bytes"
	"time"
)

// deliver passes on what a link has received, each reply when it is its turn.
func (s *Session) deliver(l *link) error {
	for len(l.wire.unread()) > 0 {
		most, swallow, err := s.turn(l)
		if err != nil {
			return err
		}
		b := l.wire.unread()
		n, ended, reset, err := s.measure(l, b, most, swallow)
		if err != nil {
			return err
		}
		if !swallow {
			if _, err := s.client.Write(b[:n]); err != nil {
				s.Close()
				return err
			}
		}
		l.wire.consume(n)
		if reset {
			s.pipeEnded(l)
			return errReset
		}
		if ended > 0 {
			s.answered(l, ended, swallow)
		}
	}
	return nil
}

// measure finds the ends of at most so many replies. reset tells that the last one ends a pipe.
func (s *Session) measure(l *link, b []byte, most int, swallow bool) (n, ended int, reset bool, err error) {
	for n < len(b) && ended < most {
		m, end, err := l.replies.Scan(b[n:])
		if err != nil {
			return n, ended, false, err
		}
		n += m
		if !end {
			break
		}
		ended++
		head := l.replies.Head()
		switch {
		case head[0] == '-':
			l.notice(head)
			if swallow {
				s.setupFailed(l, setupRefused(l.server, head))
			}
		case string(head) == "+RESET" && s.resetting.Load():
			return n, ended, true, nil
		case head[0] == '>' && !s.isPiped(l):
			return n, ended, false, errUnasked
		}
	}
	return n, ended, false, nil
}

const unlimited = int(^uint(0) >> 1)

// turn waits until it is the link's turn to write to the client, and says for how many replies, and whether they are
// for the client at all. A link that is in the middle of a reply has the turn.
func (s *Session) turn(l *link) (most int, swallow bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch head := s.order.head(); {
		case s.closed:
			return 0, false, errClosed
		case l.settingUp > 0:
			return l.settingUp, true, nil
		case s.piped == l:
			return unlimited, false, nil
		case head != nil && head.from == l:
			return head.n, false, nil
		case l.owed == 0:
			return 0, false, errUnasked
		}
		s.changed.Wait()
	}
}

// answered counts replies that the client has got, and lets the next ones take their turn.
func (s *Session) answered(l *link, n int, swallowed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case swallowed:
		if l.settingUp -= n; l.settingUp == 0 {
			s.changed.Broadcast()
		}
		return
	case s.piped == l:
		return
	}
	head := s.order.head()
	if head == nil {
		return
	}
	l.settle(n)
	if head.then != nil {
		head.then(bytes.Clone(l.replies.Head()))
	}
	if head.n -= n; head.n > 0 {
		return
	}
	if l.repeats && l.owed == 0 {
		l.drop()
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
		_, err := s.client.Write(reply)
		s.mu.Lock()
		s.order.pop()
		if err != nil {
			s.close()
		}
	}
}

// linkLost lets a connection go that is gone. The client notices only when it was owed a reply over it that nobody else
// may give, or when what it has made of the connection can't be made again elsewhere: then it loses its own, as it
// would have without us.
func (s *Session) linkLost(l *link) {
	if s.unlink(l) {
		s.repeat(l)
	}
}

// unlink tells whether what the link has owed is to be repeated.
func (s *Session) unlink(l *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.lost.Store(true)
	for i, other := range s.links {
		if other == l {
			s.links = append(s.links[:i], s.links[i+1:]...)
			break
		}
	}
	s.changed.Broadcast()
	if s.closed || l.dropped.Load() {
		return false
	}
	l.server.Look()
	if l.owed > 0 && l.repeatable() {
		return true
	}
	if l.owed > 0 || s.piped == l || s.held.Load() && l.isPrimary {
		s.shared.Metrics.Broken.Add(1)
		s.close()
	}
	return false
}

func (s *Session) setupFailed(l *link, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.setupErr = err
}

func (s *Session) isPiped(l *link) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.piped == l
}

// pipeEnded is told when the client has got the reply to the RESET that ends a pipe.
func (s *Session) pipeEnded(l *link) {
	l.dropped.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.piped = nil
	s.resetting.Store(false)
	s.changed.Broadcast()
}
