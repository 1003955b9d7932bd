package session

import (
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// mostKept is how many bytes of reads are kept until they are answered; a longer pipeline isn't repeated.
const mostKept = 4 << 10

// kept is the reads that a replica owes answers to, so that another server can be asked when it is lost. It has the
// answered ones in front, too, until all are.
type kept struct {
	bytes    []byte
	answered int
	lacks    bool // not everything is kept
}

// keep keeps the pieces of a buffer that the link is about to be sent. The lock is held.
func (l *link) keep(buffer []byte) {
	for _, p := range l.pieces {
		if l.kept.lacks = l.kept.lacks || len(l.kept.bytes)+p.end-p.start > mostKept; l.kept.lacks {
			return
		}
		l.kept.bytes = append(l.kept.bytes, buffer[p.start:p.end]...)
	}
}

// settle notes that the client has got replies. The lock is held.
func (l *link) settle(replies int) {
	l.kept.answered += replies
	if l.owed -= replies; l.owed == 0 {
		l.kept = kept{bytes: l.kept.bytes[:0]}
	}
}

// repeatable tells whether what the link owes can be asked of another server: they are reads that went to a replica,
// and the client has got no part of an answer. It is done once, for a read may be what has ended the server. The lock
// is held.
func (l *link) repeatable() bool {
	return !l.isPrimary && !l.repeats && !l.kept.lacks && !l.begun && l.replies.Between()
}

// rest is what of the commands isn't answered yet.
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

// repeat asks another server what a lost link owes. The link that does it is for that only: the client's goroutine
// doesn't know it, and waits for its answers before it reads elsewhere.
func (s *Session) repeat(lost *link) {
	l := s.dialInstead(lost.server)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if lost.owed == 0 { // who was here first has taken everything along
		if l != nil {
			l.drop()
		}
		return
	}
	request, err := lost.kept.rest()
	if l == nil || l.lost.Load() || err != nil {
		s.shared.Metrics.Broken.Add(1)
		s.close()
		return
	}
	s.shared.Metrics.Repeated.Add(int64(lost.owed))
	l.owed, lost.owed = lost.owed, 0
	lost.kept = kept{}
	s.order.pass(lost, l)
	s.mu.Unlock()
	_, err = l.wire.Write(request)
	s.mu.Lock()
	if err != nil {
		l.Close()
	}
	s.changed.Broadcast()
}

// dialInstead makes a link to a server that may answer reads, and isn't the one that was lost; nil without one.
func (s *Session) dialInstead(lost *topology.Server) *link {
	snapshot := s.shared.Monitor.Snapshot()
	servers := append([]*topology.Server(nil), snapshot.Replicas...)
	if snapshot.Primary != nil && s.shared.Policy.Load().Read == PreferReplica {
		servers = append(servers, snapshot.Primary)
	}
	for _, server := range servers {
		if server == lost {
			continue
		}
		if l, err := s.dial(server, &link{repeats: true}); err == nil {
			return l
		}
	}
	return nil
}
