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

// upstreamConn is a session's connection to a server. The client's goroutine sends over it; the carrier's receives.
type upstreamConn struct {
	carrier   carrier
	session   *Session
	server    *topology.Server
	isPrimary bool    // is used as the primary
	repeats   bool    // is there only to answer what another one, that is lost, had outstanding
	socket    *socket // the carrier's
	replies   resp.Replies
	lost      atomic.Bool
	dropped   atomic.Bool // on purpose: its loss means nothing
	version   int         // of the setup that it has
	turn      uint64      // of the server, when it was made

	// Of the client's goroutine.
	pieces    []piece // of its buffer, that are to be sent
	onlySetup bool    // nothing was sent over it but what sets up connections

	heldBack int  // bytes of a pipe's end
	misread  bool // the server has told the client that it can't read on

	begun bool // for a lost carrier of several sessions: the client has got a part of an answer

	// Guarded by the session's lock.
	settingUp   int // replies to the setup that are still to come
	setupErr    error
	outstanding int // replies for the client that are still to come
	kept        kept
}

// carrier takes an upstream connection's commands to its server: a connection that is the session's own, or a part in one
// that sessions share. The session asks for what it needs to know, and never which of them it has.
type carrier interface {
	// exclusive tells whether the server sees no commands of other sessions between the session's.
	exclusive() bool
	// admit asks whether the next command may be sent; inLine tells that replies to the session are outstanding.
	admit(inLine bool) bool
	// hold keeps the commands of other sessions back until the next one is answered.
	hold()
	// expect notes that one command more waits to be sent.
	expect()
	// withdraw gives up what waits and isn't sent.
	withdraw()
	// send sends pieces of the client's buffer.
	send(buffer []byte, pieces []piece) error
	// stall notes that the client keeps replies from being read, until the returned function is called.
	stall() (over func())
	// patient tells whether nobody else has to wait when the client keeps replies from being read.
	patient() bool
	// close ends the connection for this session.
	close()
}

// piece is a part of the client's buffer.
type piece struct{ start, end int }

// dial makes of u, which says what it is for, a connection of the session's own to the server, and sets it up as the
// client has set up its connection.
func (s *Session) dial(server *topology.Server, access topology.Access, u *upstreamConn) (*upstreamConn, error) {
	conn, err := s.shared.dial(server, access)
	if err != nil {
		return nil, err
	}
	u.session, u.server, u.socket = s, server, newSocket(conn)
	u.carrier = ownConn{u.socket}
	server.Connected(u, u.isPrimary)
	s.mu.Lock()
	s.conns = append(s.conns, u)
	closed := s.closed
	s.mu.Unlock()
	if closed {
		u.Close()
	}
	go u.receive()
	if err := s.setUp(u, access); err != nil {
		u.Close()
		return nil, err
	}
	return u, nil
}

// dial connects with a server for a session, on a stack that goes afterwards: connecting needs four times what serving
// does, and a session would keep it.
func (s *Shared) dial(server *topology.Server, access topology.Access) (conn net.Conn, err error) {
	var done sync.WaitGroup
	done.Go(func() { conn, err = server.Dial(context.Background(), access) })
	done.Wait()
	if err != nil {
		s.Metrics.Errors.addDial(err)
		server.Check()
	}
	return conn, err
}

// setUp repeats what the client has made of its connection, and waits for the answers: a read must not run in
// another database, or as another user. Nothing is outstanding on the connection.
func (s *Session) setUp(u *upstreamConn, access topology.Access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	request, commands := s.setup.request(access)
	u.version = s.setup.version
	if commands == 0 {
		return nil
	}
	u.settingUp, u.setupErr = commands, nil
	s.mu.Unlock()
	_, err := u.socket.Write(request)
	s.mu.Lock()
	if err != nil {
		return err
	}
	for u.settingUp > 0 && !u.lost.Load() && !s.closed {
		s.changed.Wait()
	}
	switch {
	case u.setupErr != nil:
		return u.setupErr
	case u.settingUp > 0:
		return errors.New("the connection was lost")
	}
	return nil
}

// leads tells whether it is to a server as the server is now.
func (u *upstreamConn) leads(server *topology.Server) bool {
	return u.server == server && u.turn == server.Turn()
}

// Close ends the connection for the session. What waits for it learns that from receive.
func (u *upstreamConn) Close() { u.carrier.close() }

// Owes tells whether replies are outstanding.
func (u *upstreamConn) Owes() bool {
	u.session.mu.Lock()
	defer u.session.mu.Unlock()
	return (u.outstanding > 0 || u.settingUp > 0) && !u.session.output.behind.Load() // else it is the client that isn't heard
}

// Leave ends the connection if nothing is outstanding that can't be asked of another server.
func (u *upstreamConn) Leave() {
	if u.replaceable() {
		u.Close()
	}
}

func (u *upstreamConn) replaceable() bool {
	u.session.mu.Lock()
	defer u.session.mu.Unlock()
	return u.outstanding == 0 || u.repeatable()
}

// drop ends a connection that has nothing outstanding and is no longer wanted.
func (u *upstreamConn) drop() {
	u.dropped.Store(true)
	u.Close()
}

// withdraw gives up what isn't sent.
func (u *upstreamConn) withdraw() {
	u.carrier.withdraw()
	u.pieces = u.pieces[:0]
}

// receive passes on replies until the connection, which is the session's own, ends.
func (u *upstreamConn) receive() {
	_ = u.socket.each(u.deliver, func() error { return nil })
	_ = u.socket.Close()
	u.socket.release()
	repeat := u.session.connLost(u)
	u.server.Disconnected(u)
	if repeat {
		u.session.repeat(u)
	}
}

func (u *upstreamConn) deliver() error {
	for len(u.socket.unread()) > 0 {
		if _, err := u.session.deliver(u, &u.replies, unlimited); err != nil {
			return err
		}
	}
	return nil
}

// notice looks at an error that a server replied: does it tell of another role, or that the server ends the connection as
// it can't read on?
func (u *upstreamConn) notice(reply []byte) {
	u.misread = u.misread || bytes.HasPrefix(reply, []byte("-ERR Protocol error"))
	for _, code := range [][]byte{[]byte("-READONLY"), []byte("-LOADING"), []byte("-MASTERDOWN"), []byte("-NOREPLICAS")} {
		if bytes.HasPrefix(reply, code) {
			u.server.Check()
		}
	}
}

// send sends the pieces that wait.
func (u *upstreamConn) send(buffer []byte) error {
	pieces := u.pieces
	u.pieces = pieces[:0]
	return u.carrier.send(buffer, pieces)
}

// add adds a part of the buffer to what is to be sent.
func (u *upstreamConn) add(start, end int) {
	if last := len(u.pieces) - 1; last >= 0 && u.pieces[last].end == start {
		u.pieces[last].end = end
		return
	}
	u.pieces = append(u.pieces, piece{start, end})
}

func setupRefused(server *topology.Server, reply []byte) error {
	return fmt.Errorf("%s %w: %s", server.Addr, errRefused, bytes.TrimPrefix(reply, []byte("-")))
}
