package session

import (
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// mostKept bounds the bytes of reads that are kept until they are answered; a longer pipeline isn't repeated.
const mostKept = 4 << 10

// kept is the reads whose answers are outstanding at a replica, so that another server can be asked when it is lost. It
// has the answered ones in front, too, until all are.
type kept struct {
	bytes    []byte
	answered int
	lacks    bool // not everything is kept
}

// keep keeps the pieces of a buffer that the connection is about to be sent. The lock is held.
func (u *upstreamConn) keep(buffer []byte) {
	for _, p := range u.pieces {
		if u.kept.lacks = u.kept.lacks || len(u.kept.bytes)+p.end-p.start > mostKept; u.kept.lacks {
			return
		}
		u.kept.bytes = append(u.kept.bytes, buffer[p.start:p.end]...)
	}
}

// settle notes that the client has got replies. The lock is held.
func (u *upstreamConn) settle(replies int) {
	u.kept.answered += replies
	if u.outstanding -= replies; u.outstanding == 0 {
		u.kept = kept{bytes: u.kept.bytes[:0]}
	}
}

// repeatable tells whether what is outstanding can be asked of another server: they are reads that went to a replica,
// and the client has got no part of an answer. It is done once, for a read may be what has ended the server. The lock
// is held.
func (u *upstreamConn) repeatable() bool {
	return !u.isPrimary && !u.repeats && !u.kept.lacks && !u.begun && u.replies.Between()
}

// rest returns the commands that aren't answered yet.
func (k *kept) rest() ([]byte, error) {
	b := k.bytes
	var commands resp.Commands
	for range k.answered {
		c, err := commands.Next(b)
		if err != nil {
			return nil, err
		}
		b = b[c.Len:]
	}
	return b, nil
}

// repeat asks another server what was outstanding on a lost connection. The one that does it is for that only: the
// client's goroutine doesn't know it, and waits for its answers before it reads elsewhere.
func (s *Session) repeat(lost *upstreamConn) {
	u := s.dialInstead(lost.server)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if lost.outstanding == 0 { // who was here first has taken everything along
		if u != nil {
			u.drop()
		}
		return
	}
	request, err := lost.kept.rest()
	if u == nil || u.lost.Load() || err != nil {
		s.shared.Metrics.Broken.Add(1)
		s.lose()
		return
	}
	s.shared.Metrics.Repeated.Add(int64(lost.outstanding))
	u.outstanding, lost.outstanding = lost.outstanding, 0
	lost.kept = kept{}
	s.order.pass(lost, u)
	s.mu.Unlock()
	_, err = u.socket.Write(request)
	s.mu.Lock()
	if err != nil {
		u.Close()
	}
	s.changed.Broadcast()
}

// dialInstead makes a connection to a server that may answer reads, and isn't the one that was lost; nil without one.
func (s *Session) dialInstead(lost *topology.Server) *upstreamConn {
	snapshot := s.shared.Monitor.Snapshot()
	policy := s.shared.Policy.Load()
	servers := append([]*topology.Server(nil), snapshot.Replicas...)
	if policy.Causal { // the others may lack what the lost one had
		servers = servers[:0]
	}
	if snapshot.Primary != nil && (policy.Read == PreferReplica || policy.Causal) {
		servers = append(servers, snapshot.Primary)
	}
	for _, server := range servers {
		if server == lost {
			continue
		}
		if u, err := s.dial(server, s.shared.Monitor.Access(), &upstreamConn{repeats: true, turn: server.Turn()}); err == nil {
			return u
		}
	}
	return nil
}
