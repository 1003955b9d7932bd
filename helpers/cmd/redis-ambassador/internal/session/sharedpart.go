package session

import (
	"sync/atomic"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// sharedPart carries an upstream connection as a session's part in a shared connection.
type sharedPart struct {
	*sharedConn
	conn *upstreamConn
	left atomic.Bool

	// Of the client's goroutine.
	commands int  // that wait to be sent
	admitted bool // the admission gate has let them in
	holds    bool // nobody may get into line behind them
}

// join makes of u, which says what it is for, a part in the connection to the server that is set up as the client has set
// up its connection.
func (s *Session) join(server *topology.Server, access topology.Access, u *upstreamConn) (*upstreamConn, error) {
	s.mu.Lock()
	as := s.setup
	s.mu.Unlock()
	return s.joinAs(&as, server, access, u)
}

// joinAs is join for a setup that may not be the client's yet.
func (s *Session) joinAs(as *setup, server *topology.Server, access topology.Access, u *upstreamConn) (*upstreamConn, error) {
	request, commands := as.request(access)
	version := as.version
	key := sharedKey{server, u.turn, u.isPrimary, access, string(request)}
	for _, old := range s.written {
		if part, ok := old.carrier.(*sharedPart); ok && part.key == key && !old.lost.Load() {
			old.version = version
			return old, nil
		}
	}
	u.session, u.server, u.version = s, server, version
	if err := s.shared.conns.join(key, commands, u); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, u)
	if s.closed {
		u.Close()
		return nil, errClosed
	}
	return u, nil
}

func (p *sharedPart) exclusive() bool { return false }

func (p *sharedPart) admit(inLine bool) bool {
	p.admitted = p.admitted || p.gate.enter(inLine)
	return p.admitted
}

func (p *sharedPart) hold() {
	p.gate.hold()
	p.admitted, p.holds = true, true
}

func (p *sharedPart) expect() { p.commands++ }

func (p *sharedPart) withdraw() {
	if p.admitted {
		p.gate.leave()
	}
	if p.holds {
		p.gate.release()
	}
	p.commands, p.admitted, p.holds = 0, false, false
}

func (p *sharedPart) send(buffer []byte, pieces []piece) error {
	p.sharedConn.send(buffer, pieces, outstanding{conn: p.conn, n: p.commands, holds: p.holds})
	p.commands, p.admitted, p.holds = 0, false, false
	return nil
}

func (p *sharedPart) stall() (over func()) { return p.gate.stall() }

func (p *sharedPart) patient() bool { return !p.othersThan(p.conn.session) }

// close takes the session off. The connection goes on for the others; it ends with the last one.
func (p *sharedPart) close() {
	if !p.left.Swap(true) {
		p.remove(p.conn)
		p.registry.part(p.sharedConn)
	}
}
