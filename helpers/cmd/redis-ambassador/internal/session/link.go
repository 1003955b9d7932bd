package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// link is a session's way to a server: a connection of its own, or its part in a trunk. The client's goroutine sends over
// it; its own receives, or the trunk's.
type link struct {
	session   *Session
	server    *topology.Server
	isPrimary bool   // is used as the primary
	repeats   bool   // is there only to answer what another one, that is lost, has owed
	trunk     *trunk // nil: the connection is the session's own
	wire      *wire  // the trunk's, where there is one
	replies   resp.Replies
	lost      atomic.Bool
	dropped   atomic.Bool // on purpose: its loss means nothing
	version   int         // of the setup that it has

	// Of the client's goroutine.
	pieces    []piece // of its buffer, that are to be sent
	commands  int     // in them
	inside    bool    // the trunk's gate has let them in
	holds     bool    // nobody may get into line behind them
	onlySetup bool    // nothing was sent over it but what sets up connections

	begun bool // for a trunk that is lost: the client has got a part of an answer

	// Guarded by the session's lock.
	settingUp int // replies to the setup that are still to come
	setupErr  error
	owed      int // replies for the client that are still to come
	kept      kept
}

// piece is a part of the client's buffer.
type piece struct{ start, end int }

// dial makes of l, which says what it is for, a link to the server, and sets it up as the client has set up its connection.
func (s *Session) dial(server *topology.Server, l *link) (*link, error) {
	access := s.shared.Monitor.Access()
	conn, err := dialApart(access, server.Addr)
	if err != nil {
		server.Look()
		return nil, err
	}
	l.session, l.server, l.wire = s, server, newWire(conn)
	server.Linked(l, l.isPrimary)
	s.mu.Lock()
	s.links = append(s.links, l)
	closed := s.closed
	s.mu.Unlock()
	if closed {
		l.Close()
	}
	go l.receive()
	if err := s.setUp(l, access); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// join makes of l, which says what it is for, a part in the trunk to the server that is set up as the client has set up
// its connection.
func (s *Session) join(server *topology.Server, l *link) (*link, error) {
	access := s.shared.Monitor.Access()
	s.mu.Lock()
	request, commands := s.setup.request(access)
	version := s.setup.version
	s.mu.Unlock()
	key := trunkKey{server, l.isPrimary, access, string(request)}
	for _, old := range s.written {
		if old.trunk != nil && old.trunk.key == key && !old.lost.Load() {
			old.version = version
			return old, nil
		}
	}
	l.session, l.server, l.version = s, server, version
	if err := s.shared.trunks.join(key, commands, l); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links = append(s.links, l)
	if s.closed {
		l.Close()
		return nil, errClosed
	}
	return l, nil
}

// dialApart dials on a stack of its own, that goes afterwards: connecting needs four times what serving does, and a
// session would keep it.
func dialApart(access topology.Access, addr string) (conn net.Conn, err error) {
	var done sync.WaitGroup
	done.Go(func() { conn, err = access.Dial(context.Background(), addr) })
	done.Wait()
	return conn, err
}

// setUp repeats what the client has made of its connection, and waits for the answers: a read must not run in
// another database, or as another user. The link has nothing under way.
func (s *Session) setUp(l *link, access topology.Access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	request, commands := s.setup.request(access)
	l.version = s.setup.version
	if commands == 0 {
		return nil
	}
	l.settingUp, l.setupErr = commands, nil
	s.mu.Unlock()
	_, err := l.wire.Write(request)
	s.mu.Lock()
	if err != nil {
		return err
	}
	for l.settingUp > 0 && !l.lost.Load() && !s.closed {
		s.changed.Wait()
	}
	switch {
	case l.setupErr != nil:
		return l.setupErr
	case l.settingUp > 0:
		return errors.New("the connection was lost")
	}
	return nil
}

// Close ends the link. What waits for it learns that from receive; a trunk goes on without it.
func (l *link) Close() {
	if l.trunk == nil {
		l.wire.shutDown()
	} else if !l.dropped.Swap(true) {
		l.trunk.remove(l)
		l.trunk.trunks.part(l.trunk)
	}
}

// drop ends a link that owes nothing and is no longer wanted.
func (l *link) drop() {
	if l.trunk == nil {
		l.dropped.Store(true)
	}
	l.Close()
}

// enter tells whether the next command may go over the link's trunk.
func (l *link) enter(inLine bool) bool {
	l.inside = l.inside || l.trunk.gate.enter(inLine)
	return l.inside
}

// hold keeps others out of the trunk until the next command is answered.
func (l *link) hold() {
	l.trunk.gate.hold()
	l.inside, l.holds = true, true
}

// withdraw gives up what isn't sent.
func (l *link) withdraw() {
	if l.inside {
		l.trunk.gate.leave()
	}
	if l.holds {
		l.trunk.gate.release()
	}
	l.pieces, l.commands, l.inside, l.holds = l.pieces[:0], 0, false, false
}

// receive passes on replies until the link ends.
func (l *link) receive() {
	_ = l.wire.each(l.deliver, func() error { return nil })
	_ = l.wire.Close()
	l.wire.release()
	repeat := l.session.linkLost(l)
	l.server.Unlinked(l)
	if repeat {
		l.session.repeat(l)
	}
}

func (l *link) deliver() error {
	for len(l.wire.unread()) > 0 {
		if _, err := l.session.deliver(l, &l.replies, unlimited); err != nil {
			return err
		}
	}
	return nil
}

// notice looks at an error that a server replied: does it tell of another role?
func (l *link) notice(reply []byte) {
	for _, code := range [][]byte{[]byte("-READONLY"), []byte("-LOADING"), []byte("-MASTERDOWN"), []byte("-NOREPLICAS")} {
		if bytes.HasPrefix(reply, code) {
			l.server.Look()
		}
	}
}

// send sends the pieces that wait.
func (l *link) send(buffer []byte) error {
	pieces := l.pieces
	l.pieces = pieces[:0]
	if l.trunk != nil {
		l.trunk.send(l, buffer, pieces)
		l.commands, l.inside, l.holds = 0, false, false
		return nil
	}
	if len(pieces) == 1 {
		_, err := l.wire.Write(buffer[pieces[0].start:pieces[0].end])
		return err
	}
	// Copying small commands together is cheaper than a system call for each.
	joined := takeBuffer(len(buffer) > smallBuffer)
	defer returnBuffer(joined)
	n := 0
	for _, p := range pieces {
		n += copy(joined[n:], buffer[p.start:p.end])
	}
	_, err := l.wire.Write(joined[:n])
	return err
}

// add adds a part of the buffer to what is to be sent.
func (l *link) add(start, end int) {
	if last := len(l.pieces) - 1; last >= 0 && l.pieces[last].end == start {
		l.pieces[last].end = end
		return
	}
	l.pieces = append(l.pieces, piece{start, end})
}

func setupRefused(server *topology.Server, reply []byte) error {
	return fmt.Errorf("%s %w: %s", server.Addr, errRefused, bytes.TrimPrefix(reply, []byte("-")))
}
